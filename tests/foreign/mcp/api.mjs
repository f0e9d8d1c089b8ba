// An API that speaks the Model Context Protocol, made of the SDK's parts for
// resource servers, for an authorization server of somebody else:
// node api.mjs ISSUER READ_SCOPE WRITE_SCOPE
//
// Every call wants the first scope, the tool `write` the second one too. Once
// it accepts connections it prints its URL; it ends with its standard input.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthMetadataRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

// Gives the API's URL, and a promise of its readiness: the issuer may start after it.
export async function startApi(issuer, scopes) {
  const app = createMcpExpressApp();
  const listener = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.on('listening', resolve));
  const url = new URL(`http://127.0.0.1:${listener.address().port}/mcp`);
  const serve = async () => {
    const issuerUrl = new URL(issuer);
    const inserted = `${issuerUrl.origin}/.well-known/oauth-authorization-server${issuerUrl.pathname.replace(/\/$/, '')}`;
    const oauthMetadata = await (await fetch(inserted)).json();
    const keys = createRemoteJWKSet(new URL(oauthMetadata.jwks_uri));
    const verifyAccessToken = async (token) => {
      const verified = await jwtVerify(token, keys, { issuer, audience: url.href }).catch((error) => {
        throw new InvalidTokenError(error.message);
      });
      const { sub, client_id: clientId, azp, scope, exp } = verified.payload;
      return { token, clientId: clientId ?? azp, scopes: scope.split(' '), expiresAt: exp, extra: { sub } };
    };
    const guard = (requiredScopes) => requireBearerAuth({ verifier: { verifyAccessToken }, requiredScopes, resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url) });
    const [read, write] = [guard([scopes[0]]), guard(scopes)];
    app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: url, scopesSupported: scopes }));
    app.all('/mcp', (request, response, next) => (request.body?.params?.name === 'write' ? write : read)(request, response, next), answer);
  };
  return { url: url.href, serve };
}

async function answer(request, response) {
  if (request.method !== 'POST') {
    response.status(405).end();
    return;
  }
  const server = new McpServer({ name: 'api-with-oauth', version: '1' });
  const text = (value) => ({ content: [{ type: 'text', text: value }] });
  server.registerTool('whoami', { description: 'Who the token speaks for' }, ({ authInfo }) => text(`${authInfo.extra.sub} by ${authInfo.clientId} for ${authInfo.scopes.join(' ')}`));
  server.registerTool('write', { description: 'Wants another scope' }, () => text('written'));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on('close', () => server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
}

if (process.argv[1].endsWith('/api.mjs')) {
  const [issuer, ...scopes] = process.argv.slice(2);
  const api = await startApi(issuer, scopes);
  await api.serve();
  console.log(api.url);
  process.stdin.resume().on('end', () => process.exit(0));
}
