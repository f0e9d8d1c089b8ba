"""Sets a fresh Glewlwyd up by its administration API: the OpenID plugin, scopes,
alice, and the clients `native` (public) and `basic` (with the secret
basic-secret).   usage: setup.py ORIGIN FOLDER"""
import json
import sys
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

origin, folder = sys.argv[1], Path(sys.argv[2])
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
)


def post(path, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{origin}/api{path}", json.dumps(body).encode(), headers)
    with opener.open(request) as answer:
        answer.read()


# the account that the database is made with
post("/auth/", {"username": "admin", "password": "password"})
post("/mod/plugin/", {
    "module": "oidc", "name": "oidc", "display_name": "OpenID", "enabled": True,
    "parameters": {
        "iss": f"{origin}/api/oidc",
        "jwt-type": "rsa", "jwt-key-size": "256", "jwks-show": True,
        "key": (folder / "as.key").read_text(), "cert": (folder / "as.pem").read_text(),
        "code-duration": 600, "access-token-duration": 3600, "refresh-token-duration": 86400,
        "refresh-token-rolling": False, "refresh-token-one-use": "always",
        "allow-non-oidc": True, "oauth-as-iss-id": True,
        "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True,
        "auth-type-token-enabled": False, "auth-type-implicit-enabled": False,
        "auth-type-id-token-enabled": True, "auth-type-none-enabled": False,
        "auth-type-password-enabled": False, "auth-type-client-enabled": True,
        "auth-type-refresh-enabled": True, "auth-type-device-enabled": True,
        "device-authorization-expiration": 600, "device-authorization-interval": 1,
        "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required-public-client": True,
        "introspection-revocation-allowed": True, "introspection-revocation-auth-scope": [],
        "introspection-revocation-allow-target-client": True,
        "register-client-allowed": False,
        "oauth-dpop-allowed": True, "oauth-dpop-iat-duration": 60,
        "oauth-par-allowed": True, "oauth-par-required": False, "oauth-par-duration": 90,
        "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
        "resource-allowed": False, "session-management-allowed": False,
        "name-claim": "on-demand", "name-claim-scope": ["profile"],
        "email-claim": "no", "scope-claim": "no",
        "allowed-scope": ["openid", "profile", "api"],
    },
})
for scope in ("profile", "api"):
    post("/scope/", {"name": scope, "display_name": scope, "description": scope, "password_required": True, "scheme": {}})
post("/user/?source=database", {
    "username": "alice", "password": "alicepass", "name": "Alice", "enabled": True,
    "scope": ["g_profile", "openid", "profile", "api"],
})
# compared as exact strings: a port for each test that logs in, below those that
# systems give to outgoing connections
redirect_uris = [f"http://127.0.0.1:{port}/callback" for port in range(23111, 23121)]
post("/client/?source=database", {
    "client_id": "native", "name": "native", "enabled": True, "confidential": False,
    "redirect_uri": redirect_uris, "scope": [],
    "authorization_type": ["code", "refresh_token", "device_authorization"],
})
post("/client/?source=database", {
    "client_id": "basic", "name": "basic", "enabled": True, "confidential": True,
    "client_secret": "basic-secret", "password": "basic-secret",
    "redirect_uri": redirect_uris, "scope": ["api"],
    "token_endpoint_auth_method": ["client_secret_basic"],
    "authorization_type": ["code", "refresh_token", "client_credentials"],
})
