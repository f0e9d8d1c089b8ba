// An authorization server that is not ours, for tests: oidc-provider with its
// state in memory and pages that take any name and password. Once it accepts
// connections it prints its issuer; it ends with its standard input.
//
// PORT=9101      0 or nothing: any free port
// VERBOSE=1      prints why requests are refused
// AT_TTL=1       lifetime of access tokens, in seconds; 600 with a resource and 3600 without where it is not set
// DPOP_NONCE=1   demands a nonce in DPoP proofs
// TLS=FOLDER     https with server.pem and server.key.pem there; clients with
//                certificates of authority.pem; the key of `bound` is client.key.pem
// CLIENT_METADATA_DOCUMENT=JSON  takes client-ID metadata documents; this one is what is fetched for each
//
// keys.json is made at the first start: the server's keys, and the private key
// of the clients `pkjwt`, `native-pkjwt` and `native-jar`.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const document = process.env.CLIENT_METADATA_DOCUMENT;
const keys = readKeys(new URL('./keys.json', import.meta.url));
const tls = process.env.TLS && tlsOptions((name) => fs.readFileSync(`${process.env.TLS}/${name}.pem`));
const server = tls ? https.createServer(tls) : http.createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  if (process.env.VERBOSE) {
    for (const kind of ['authorization', 'grant', 'introspection', 'revocation', 'pushed_authorization_request', 'registration_create']) {
      provider.on(`${kind}.error`, (context, error) => {
        console.error(kind, context.path, error.error, error.error_description, error.error_detail ?? '');
      });
    }
    provider.on('server_error', (context, error) => console.error(context.path, error));
  }
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.resume().on('end', () => process.exit(0));

function tlsOptions(file) {
  return {
    cert: file('server'),
    key: file('server.key'),
    ca: file('authority'),
    requestCert: true,
    rejectUnauthorized: false,
    client: { ...createPublicKey(file('client.key')).export({ format: 'jwk' }), kid: 'bound', alg: 'ES256', use: 'sig' },
  };
}

function configuration() {
  const native = { token_endpoint_auth_method: 'none', application_type: 'native', response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['http://127.0.0.1/callback'] };
  const web = { response_types: ['code'], grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], redirect_uris: ['https://rp.example/callback'] };
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  const { d: _private, ...publicKey } = keys.client;
  return {
    clients: [
      {
        ...native,
        client_id: 'native',
        grant_types: [...native.grant_types, 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://localhost/callback'],
      },
      { ...native, client_id: 'native-v4only' },
      { ...native, client_id: 'native-dpop', dpop_bound_access_tokens: true },
      { ...native, client_id: 'native-par', require_pushed_authorization_requests: true },
      { ...web, client_id: 'basic', client_secret: 'basic-secret:with/odd%chars', token_endpoint_auth_method: 'client_secret_basic' },
      { ...web, client_id: 'post', client_secret: 'post-secret', token_endpoint_auth_method: 'client_secret_post' },
      { ...web, client_id: 'sjwt', client_secret: 'a-shared-secret-of-32-bytes-or-more!', token_endpoint_auth_method: 'client_secret_jwt', token_endpoint_auth_signing_alg: 'HS256' },
      { ...web, client_id: 'pkjwt', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [publicKey] } },
      // the two below sign with the key of pkjwt
      { ...native, client_id: 'native-jar', require_signed_request_object: true, request_object_signing_alg: 'ES256', jwks: { keys: [publicKey] } },
      { ...native, client_id: 'native-pkjwt', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [publicKey] } },
      { ...native, client_id: 'native-jarm', authorization_signed_response_alg: 'ES256' },
      ...(tls ? [
        { ...machine, client_id: 'bound', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [tls.client] }, tls_client_certificate_bound_access_tokens: true },
        { ...machine, client_id: 'certified', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=rcgen self signed cert', tls_client_certificate_bound_access_tokens: true },
      ] : []),
      { ...machine, client_id: 'bench', client_secret: 'bench', token_endpoint_auth_method: 'client_secret_basic' },
    ],
    jwks: keys.server,
    ...(tls && { clientAuthMethods: ['none', 'private_key_jwt', 'tls_client_auth', 'client_secret_basic'] }),
    cookies: { keys: ['a cookie key of no importance'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'api:read', 'api:write'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `User ${id}`, preferred_username: id, email: `${id}@example.test`, email_verified: true }),
    }),
    ...(document && { fetch: async () => new Response(document, { headers: { 'content-type': 'application/json' } }) }),
    features: {
      clientIdMetadataDocument: { enabled: document !== undefined, ack: 'draft-02' },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => process.env.DPOP_NONCE === '1' },
      introspection: { enabled: true },
      jwtResponseModes: { enabled: true },
      ...(tls && {
        mTLS: {
          enabled: true,
          certificateBoundAccessTokens: true,
          tlsClientAuth: true,
          getCertificate: (context) => context.socket.getPeerX509Certificate(),
          certificateAuthorized: (context) => context.socket.authorized,
          certificateSubjectMatches: (context, property, expected) => property === 'tls_client_auth_subject_dn'
            && context.socket.getPeerX509Certificate().subject === expected,
        },
      }),
      pushedAuthorizationRequests: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      requestObjects: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // every resource has JWTs, but for those with "opaque" in their names
        getResourceServerInfo: (context, resource) => ({
          scope: 'api:read api:write',
          audience: resource,
          accessTokenTTL: 600,
          ...(resource.includes('opaque') ? { accessTokenFormat: 'opaque' } : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
        }),
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    issueRefreshToken: (context, client, code) => client.grantTypeAllowed('refresh_token')
      && (code.scopes.has('offline_access') || client.applicationType === 'native'),
    rotateRefreshToken: true,
    ttl: { AuthorizationCode: 60, RefreshToken: 86400, ...(process.env.AT_TTL && { AccessToken: Number(process.env.AT_TTL) }) },
  };
}

// Several servers may start at once: the first file that is there counts.
function readKeys(file) {
  if (!fs.existsSync(file)) {
    const key = (kind, options, kid, alg) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
    const rsa = key('rsa', { modulusLength: 2048 }, 'server-rsa', 'RS256');
    const ec = key('ec', { namedCurve: 'P-256' }, 'server-ec', 'ES256');
    const client = key('ec', { namedCurve: 'P-256' }, 'pkjwt', 'ES256');
    const draft = new URL(`./keys.json.${process.pid}`, import.meta.url);
    fs.writeFileSync(draft, JSON.stringify({ server: { keys: [rsa, ec] }, client }, null, 1), { mode: 0o600 });
    try {
      fs.linkSync(draft, file);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    fs.unlinkSync(draft);
  }
  return JSON.parse(fs.readFileSync(file));
}
