// A client of the SDK over standard input and output: node client.mjs CALLS COMMAND ARGUMENTS
//
// CALLS is a JSON list of [TOOL, ARGUMENTS]. Prints the server's name, the
// names of its tools, and the text or the error that each call gives.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const [calls, command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'Alice', email: 'alice@example.com' } }));
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
console.log(client.getServerVersion().name);
console.log((await client.listTools()).tools.map((tool) => tool.name).join(' '));
for (const [name, values] of JSON.parse(calls)) {
  const text = await client.callTool({ name, arguments: values }).then((result) => result.content[0].text, (error) => error.message);
  console.log(text.replace(/\s+/g, ' '));
}
await client.close();
