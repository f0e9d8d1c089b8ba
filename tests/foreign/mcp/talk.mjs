// A client over standard input and output: node talk.mjs COMMAND ARGUMENTS
//
// In the revision that the conformance suite asks for it lists what the server
// has and uses it: the tools with the arguments that the scenario gives, or
// that these tools need, else with none. Says on stderr what it was answered.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const modern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
const meta = (version) => ({ 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientInfo': { name: 'talk', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} });
const { toolCalls } = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const [command, ...args] = process.argv.slice(2);
const bridge = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface(bridge.stdout)[Symbol.asyncIterator]();
let id = 0;

const write = (message) => bridge.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

async function ask(method, params = {}, version = '2026-07-28') {
  const own = id++;
  write({ id: own, method, params: modern ? { ...params, _meta: meta(version) } : params });
  for (;;) {
    const { value: line, done } = await lines.next();
    if (done) throw new Error(`the bridge ended before it answered ${method}`);
    const message = JSON.parse(line);
    if (message.id !== own || message.method) continue;
    console.error(method, line.slice(0, 300));
    const supported = message.error?.code === -32022 && message.error.data.supported[0];
    return supported ? ask(method, params, supported) : message.result ?? {};
  }
}

if (!modern) {
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'talk', version: '1' } });
  write({ method: 'notifications/initialized' });
}
const { tools = [] } = await ask('tools/list');
const needs = { add_numbers: () => ({ a: 5, b: 3 }), json_schema_echo: () => ({ schema: tools[0].inputSchema }) };
const calls = toolCalls ?? tools.map(({ name }) => ({ name, arguments: needs[name]?.() ?? {} }));
for (const call of calls.length > 0 ? calls : [{ name: 'test-tool', arguments: {} }]) {
  await ask('tools/call', call);
}
if (process.env.MCP_CONFORMANCE_SCENARIO === 'http-standard-headers') {
  const { resources } = await ask('resources/list');
  await ask('resources/read', { uri: resources[0].uri });
  const { prompts } = await ask('prompts/list');
  await ask('prompts/get', { name: prompts[0].name });
}
bridge.stdin.end();
bridge.on('exit', (code) => process.exit(code));
