// better-auth as an authorization server that registers clients, and an API
// that takes its tokens: node better-auth.mjs
//
// One user, alice@example.test with the password "a good password". Once both
// accept connections it prints the API's URL; it ends with its standard input.
import http from 'node:http';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { startApi } from './api.mjs';

const scopes = ['notes:read', 'notes:write'];
const tables = ['user', 'session', 'account', 'verification', 'jwks', 'oauthClient', 'oauthResource', 'oauthClientResource', 'oauthAccessToken', 'oauthRefreshToken', 'oauthConsent'];
const user = { name: 'Alice', email: 'alice@example.test', password: 'a good password' };

const server = http.createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const issuer = `${origin}/api/auth`;
const api = await startApi(issuer, scopes);

const auth = betterAuth({
  baseURL: origin,
  secret: 'a secret of no importance, and long enough',
  database: memoryAdapter(Object.fromEntries(tables.map((name) => [name, []]))),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: !process.env.VERBOSE },
  disabledPaths: ['/token'],
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      scopes: ['openid', 'profile', 'email', 'offline_access', ...scopes],
      resources: [api.url],
      clientRegistrationDefaultResources: [api.url],
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
});
await auth.api.signUpEmail({ body: user });

// The pages that an application with better-auth brings itself.
const forms = {
  '/sign-in': { field: '<input name="password" type="password">', path: '/sign-in/email', values: (form) => ({ email: user.email, password: form.get('password') }) },
  '/consent': { field: '<button name="accept" value="yes">Allow</button>', path: '/oauth2/consent', values: () => ({ accept: true }) },
};

async function answerForm(request, response, form, search) {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html').end(`<form method="post" action="">${form.field}</form>`);
    return;
  }
  const body = (await request.toArray()).join('');
  const answer = await auth.handler(new Request(issuer + form.path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, cookie: request.headers.cookie ?? '' },
    body: JSON.stringify({ ...form.values(new URLSearchParams(body)), oauth_query: search.slice(1) }),
  }));
  const { url, redirect_uri: redirectUri, message } = await answer.json();
  response.setHeader('set-cookie', answer.headers.getSetCookie());
  response.writeHead(url ?? redirectUri ? 303 : 400, { location: url ?? redirectUri ?? '' }).end(message);
}

const handle = toNodeHandler(auth);
server.on('request', (request, response) => {
  const { pathname, search } = new URL(request.url, origin);
  const form = forms[pathname];
  form ? answerForm(request, response, form, search) : handle(request, response);
});
await api.serve();
console.log(api.url);
process.stdin.resume().on('end', () => process.exit(0));
