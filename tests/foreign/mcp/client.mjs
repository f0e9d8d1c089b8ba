// A client of the SDK over standard input and output: node client.mjs COMMAND ARGUMENTS
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'Alice', email: 'alice@example.com' } }));
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const text = async (name, values) => (await client.callTool({ name, arguments: values })).content[0].text;
console.log(client.getServerVersion().name);
console.log((await client.listTools()).tools.map((tool) => tool.name).join(' '));
console.log(await text('greet', { name: 'Alice' }));
console.log((await text('collect-user-info', { infoType: 'contact' })).replace(/\s+/g, ' '));
await client.close();
