# Print the names of the saved profiles.
function __oauth_profile_names
    command oauth __profiles 2>/dev/null
end

# Whether the next argument is the name of a profile.
function __oauth_profile_is_next
    set -l words
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value -eq 1
            set is_value 0
        else if contains -- $word '--access-token-ttl' '--actor-token' '--actor-token-type' '--allow-host' '--approve' '--assertion' '--assertion-audience' '--assume-ttl' '--audience' '--authorization-details' '--authorization-endpoint' '--break' '--browser' '--cacert' '--callback-cert' '--callback-key' '--cert' '--client' '--client-assertion' '--client-auth' '--client-cert-file' '--client-id' '--client-id-documents' '--client-key-file' '--client-key-id' '--client-metadata' '--client-secret-file' '--code-ttl' '--color' '--config' '--cors' '--data' '--deadline' '--device-authorization-endpoint' '--dir' '--duration' '--env' '--explain' '--fail' '--for' '--form' '--format' '--from' '--grant' '--header' '--host' '--html' '--http-timeout' '--introspection-endpoint' '--issuer' '--junit' '--jwks-uri' '--key' '--keyring-session' '--latency' '--listen' '--min-ttl' '--name' '--output' '--par' '--param' '--port' '--profile' '--provider' '--proxy' '--pushed-authorization-request-endpoint' '--redirect-uri' '--refresh-grace' '--refresh-param' '--refresh-rotation' '--refresh-token-ttl' '--region' '--registration' '--requested-token-type' '--require' '--resource' '--response-mode' '--revocation-endpoint' '--role-arn' '--rule' '--sarif' '--scope' '--session-name' '--setup' '--shell' '--signing-key-file' '--skip' '--stop-before' '--store' '--sts-endpoint' '--subject-token' '--subject-token-type' '--success-url' '--timeout' '--tls' '--token-endpoint' '--token-param' '--trace' '--trust-issuer' '--url' '--user' '--userinfo-endpoint' '--wait' '-F' '-H' '-d' '-o' '-p'
            set is_value 1
        else if not string match -q -- '-*' $word
            set -a words $word
        end
    end
    contains -- "$words" 'login' 'token' 'exec' 'credential aws' 'logout' 'status' 'profile show' 'profile set' 'profile use' 'profile remove' 'check'
end

# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_oauth_global_optspecs
    string join \n v/verbose show-secrets trace= deadline= q/quiet json color= config= store= keyring-session= http-timeout= cacert= cert= key= proxy= h/help V/version
end

function __fish_oauth_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_oauth_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_oauth_using_subcommand
    set -l cmd (__fish_oauth_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c oauth -n "__fish_oauth_needs_command" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_needs_command" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_needs_command" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_needs_command" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_needs_command" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_needs_command" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_needs_command" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_needs_command" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_needs_command" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_needs_command" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_needs_command" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_needs_command" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_needs_command" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_needs_command" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_needs_command" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_needs_command" -s V -l version -d 'Print version'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "login" -d 'Log in with your browser (authorization code flow with PKCE)'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "token" -d 'Print a valid access token'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "exec" -d 'Run a command with a valid token in its environment'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "request" -d 'Send an HTTP request with a valid token'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "mcp" -d 'Connect stdin and stdout to an MCP server, with a valid token'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "credential" -d 'Be a credential helper for git, docker or AWS'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "logout" -d 'Revoke the tokens at the server and delete them here'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "status" -d 'Show the saved sessions: who is signed in where, until when'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "profile" -d 'List, show, change and remove profiles'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "check" -d 'Test an authorization server against the OAuth and OpenID Connect specifications'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "discover" -d 'Fetch a server\'s metadata; show what it supports and what is wrong'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "decode" -d 'Decode a JWT and verify its signature'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "client-metadata" -d 'Print or check a client-ID metadata document'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "pkce" -d 'Make a PKCE code verifier and its S256 challenge'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "userinfo" -d 'Fetch claims about the user (OpenID Connect UserInfo)'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "introspect" -d 'Ask the server about a token (introspection, RFC 7662)'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "revoke" -d 'Revoke one token at the server (RFC 7009)'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "serve" -d 'Run an authorization server for development and tests'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "demo" -d 'Show the whole flow on this machine, without any setup'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "providers" -d 'List known providers, or show the details of one'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "man" -d 'Print or write the manual pages'
complete -c oauth -n "__fish_oauth_needs_command" -f -a "completions" -d 'Print the completion script for a shell'
complete -c oauth -n "__fish_oauth_using_subcommand login" -s p -l profile -d 'Profile to use; options given here are saved to it [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand login" -l provider -d 'A known provider, such as google or gitlab:HOST; sets its endpoints and parameters (list: oauth providers)' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l issuer -d 'Authorization server; its metadata is discovered' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l authorization-endpoint -d 'Instead of the discovered endpoint; with --token-endpoint no discovery is needed' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l token-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l revocation-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l userinfo-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l introspection-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l jwks-uri -d 'URL of the server\'s keys, instead of the discovered one' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l device-authorization-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l pushed-authorization-request-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-id -d 'Client ID [env: OAUTH_CLIENT_ID]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-secret-file -d 'File with the client secret [env: OAUTH_CLIENT_SECRET holds the secret itself]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-key-file -d 'Private key of the client, for private_key_jwt or its certificate (PEM or JWK)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-assertion -d 'Where to read a client assertion made by another program (see --subject-token)' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-key-id -d 'Name of the client key at the server (kid) [default: the JWK\'s, else the RFC 7638 thumbprint]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-cert-file -d 'Certificate of the client key (PEM), for tls_client_auth, and for tokens bound to it where the server has them; assertions name it (x5t#S256, x5t)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l assertion-audience -d 'Audience of client assertions: issuer, token-endpoint or a URL [default: issuer]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-auth -d 'none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth or self_signed_tls_client_auth [default: from the server\'s metadata]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l grant -d 'How to get the tokens: authorization-code (a person signs in), device, client-credentials, token-exchange, jwt-bearer or id-jag [default: authorization-code]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l scope -d 'Scope to ask for; repeatable, or one space-separated value' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l resource -d 'Resource server the token is for (RFC 8707); repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l audience -d 'Resource server, for servers that use the parameter audience' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l par -d 'Push the authorization request to the server, so that the browser carries a reference to it (RFC 9126) [default: auto]' -r -f -a "auto\t'Where the server has the endpoint'
always\t'Fail where the server has no endpoint'
never\t'The browser carries the request'"
complete -c oauth -n "__fish_oauth_using_subcommand login" -l authorization-details -d 'File with authorization details, a JSON list of objects with a type (RFC 9396)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l param -d 'Extra parameter of the authorization request; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l token-param -d 'Extra parameter of the token request; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l refresh-param -d 'Extra parameter of the refresh request (scope, too); repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l assume-ttl -d 'Lifetime of access tokens if the server does not send one' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l subject-token -d 'Source of the token to exchange: file:PATH, env:NAME, stdin, command:CMD, github-actions[:AUDIENCE], kubernetes, gcp:AUDIENCE, azure[:RESOURCE] or profile:NAME[:access|id|refresh]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l subject-token-type -d 'Type of that token: access_token, id_token, jwt, refresh_token, saml1, saml2 or a URI [default: by the source]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l actor-token -d 'Source of the token of the party that acts for the subject' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l actor-token-type -d 'Type of that token' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l requested-token-type -d 'Type of token to request' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l assertion -d 'Source of the assertion for --grant jwt-bearer' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l from -d 'Profile of the session at the identity provider, for --grant id-jag' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l redirect-uri -d 'Redirect URI; port 0 picks a free port [default: http://127.0.0.1:0/callback]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l port -d 'Ports to listen on, tried in order' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l listen -d 'Address to bind if it differs from the redirect URI (containers)' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l response-mode -d 'How the response comes back' -r -f -a "query\t'In the query of the redirect'
form_post\t'In the body of a POST'
jwt\t'As a signed JWT (JARM), in the query for a code'
query.jwt\t'As a signed JWT in the query'
form_post.jwt\t'As a signed JWT in the body of a POST'"
complete -c oauth -n "__fish_oauth_using_subcommand login" -l callback-cert -d 'Certificate of the listener, for an https redirect URI (PEM); made for this login if not given' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l callback-key -d 'Its key (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l success-url -d 'URL to send the browser to after success, instead of our page' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l timeout -d 'How long to wait for the browser' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l browser -d 'Browser command; %s is replaced by the URL, else the URL is appended' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l stop-before -d 'Stop before this step, and show what came back and what would be sent; store nothing' -r -f -a "exchange\t'Step 6: the code is not exchanged'"
complete -c oauth -n "__fish_oauth_using_subcommand login" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand login" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand login" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand login" -l no-probe -d 'Fetch only well-known documents from the URL of an API'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l assume-pkce -d 'Assume that the server of an API knows PKCE, though its metadata does not say so'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l allow-http -d 'Permit http endpoints outside this machine'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l register -d 'Register a client at the server now, even if one is saved (RFC 7591)'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l no-register -d 'Never register a client'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l client-secret-stdin -d 'Read the client secret from standard input'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l device -d 'Show a code to enter in a browser on another device (= --grant device, RFC 8628)'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l dpop -d 'Bind the tokens to a key that is made for the session and kept with it (RFC 9449)'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l request-object -d 'Send the authorization request as a JWT that is signed with the key of --client-key-file (RFC 9101)'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l paste -d 'Do not listen; paste the URL that the browser ends on'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l no-browser -d 'Print the URL and do not open a browser'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l refresh-token-stdin -d 'Read a refresh token from standard input instead of opening a browser'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l no-save -d 'Do not save to the configuration file'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l no-store -d 'Store no session; print the token response as JSON (= --store none). --no-save leaves out the profile too'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l wizard -d 'Ask for server, client, scopes, store and profile (default if nothing is given and nothing is saved)'
complete -c oauth -n "__fish_oauth_using_subcommand login" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand login" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand login" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand token" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand token" -l format -d 'Output format [default: raw]' -r -f -a "raw\t'The token and a newline'
header\t'Authorization: Bearer …'
headers\t'The same as a JSON object, for programs that run a helper for headers'
json\t'One JSON object'
env\t'export lines for a shell'
exec-credential\t'For kubectl and other clients of Kubernetes'
xoauth2\t'SASL XOAUTH2 for mail programs, in base64; wants --user'
oauthbearer\t'SASL OAUTHBEARER (RFC 7628), in base64; wants --user'"
complete -c oauth -n "__fish_oauth_using_subcommand token" -l min-ttl -d 'Shortest remaining lifetime of the token [default: 60s, or half its lifetime if that is less]' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l resource -d 'Print a token for this resource server only, from the same session; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l scope -d 'Print a token with only these scopes, from the same session; repeatable, or one space-separated value' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l wait -d 'If a login is needed, wait this long for another process to log in' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l shell -d 'Shell to print --format env for [default: posix]' -r -f -a "posix\t'export lines'
fish\t'set -gx lines'
powershell\t'$env: lines'
cmd\t'set lines for cmd.exe'"
complete -c oauth -n "__fish_oauth_using_subcommand token" -l user -d 'The account, for --format xoauth2 and oauthbearer' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l host -d 'The mail server, for --format oauthbearer' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l port -d 'Its port, for --format oauthbearer' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand token" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand token" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand token" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand token" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand token" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand token" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand token" -l id-token -d 'Print the ID token instead'
complete -c oauth -n "__fish_oauth_using_subcommand token" -l force-refresh -d 'Refresh even if the token is still valid; where the server cannot be reached, a valid one is printed with a warning'
complete -c oauth -n "__fish_oauth_using_subcommand token" -l login -d 'Log in first if needed (requires a terminal)'
complete -c oauth -n "__fish_oauth_using_subcommand token" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand token" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand token" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand token" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l env -d 'Set this variable, instead of the OAUTH_ ones, to access_token, id_token, expires_at or issuer; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l login -d 'Log in first if needed (requires a terminal)'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s p -l profile -d 'Profile; without it, the one whose api, resource or allow_host covers the URL [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand request" -l allow-host -d 'A host that the token may go to in this call; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -s H -l header -d 'Header to send; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -s d -l data -d 'Send this, or the content of a file or of standard input (-) as it is; repeated, joined by &' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -s F -l form -d 'Send a form of several parts: K=V, K=@FILE for an upload, K=<FILE for its text; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -s o -l output -d 'Write the answer to this file' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand request" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand request" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand request" -l login -d 'Log in first where that is needed, and for a scope that the server wants'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s i -l include -d 'Print the status and the headers of the answer before its body'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s L -l location -d 'Follow redirects; the token never goes to another origin'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand request" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand request" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand request" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -s p -l profile -d 'Profile; without it, the one whose api, resource or allow_host covers the URL [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l allow-host -d 'A host that the token may go to in this call; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -s H -l header -d 'Header to send; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l login -d 'Log in first where that is needed, and for a scope that the server wants'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand mcp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -f -a "git" -d 'A credential helper of git: git config credential.helper \'!oauth credential git\''
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -f -a "docker" -d 'A credential helper of docker, podman and others; also as docker-credential-oauth'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and not __fish_seen_subcommand_from git docker aws" -f -a "aws" -d 'A credential_process of AWS: short-lived keys of a role, for the ID token'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -s p -l profile -d 'Profile; without it, the one whose allow_host or resource covers the host [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l allow-host -d 'A host that the token may go to in this call; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l login -d 'Log in first if needed (requires a terminal)'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from git" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -s p -l profile -d 'Profile; without it, the one whose allow_host or resource covers the host [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l allow-host -d 'A host that the token may go to in this call; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l login -d 'Log in first if needed (requires a terminal)'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from docker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l role-arn -d 'The role to assume' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l session-name -d 'How the session is called in logs [default: oauth-PROFILE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l duration -d 'How long the keys live, 15m to 12h' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l region -d 'Region whose STS is asked [env: AWS_REGION, AWS_DEFAULT_REGION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l sts-endpoint -d 'Instead of the region\'s STS' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l login -d 'Log in first if needed (requires a terminal)'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand credential; and __fish_seen_subcommand_from aws" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l all -d 'Log out of all profiles'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l local -d 'Delete the session without revoking it at the server'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand status" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand status" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand status" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand status" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand status" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand status" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand status" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand status" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand status" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand status" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand status" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand status" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand status" -l watch -d 'Print it again whenever it changes, until Ctrl-C'
complete -c oauth -n "__fish_oauth_using_subcommand status" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand status" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand status" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand status" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -f -a "list" -d 'List the saved profiles'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -f -a "show" -d 'Show one profile\'s settings'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -f -a "set" -d 'Change settings; an empty value removes the key'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -f -a "use" -d 'Make a profile the default'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and not __fish_seen_subcommand_from list show set use remove" -f -a "remove" -d 'Delete a profile with its session and secrets; `oauth logout` before it revokes the tokens'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand profile; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l rule -d 'Test this rule only, or the rules of a group such as pkce; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l skip -d 'Leave this rule out, or the rules of a group; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l for -d 'Test the rules of this profile, as binding as it makes them' -r -f -a "oauth2.1\t'OAuth 2.1; no rule tests TLS, the lifetime of codes, or how APIs check tokens'
rfc9700\t'Best Current Practice for OAuth 2.0 Security; no rule tests open redirects of the server, TLS, how APIs check tokens, or what clients do'
oidc\t'OpenID Connect; no rule tests the implicit and hybrid flows, the claims parameter, signed requests, or encryption'
fapi2\t'FAPI 2.0 Security Profile; no rule tests whether every client must push requests and bind tokens, the keys of clients, the lifetime of codes, TLS, or how APIs check tokens'
mcp\t'Model Context Protocol; no rule tests whether the API passes tokens on, whether consent is asked for each client, or what clients do'"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l explain -d 'Explain this rule, or each rule of a group such as pkce, with a link to its section, and test nothing' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l html -d 'Write the report as a page for a ticket, too' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l junit -d 'Write the report as JUnit XML, too' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l sarif -d 'Write the report as SARIF 2.1.0, too' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -s p -l profile -d 'Profile to use; options given here are saved to it [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l provider -d 'A known provider, such as google or gitlab:HOST; sets its endpoints and parameters (list: oauth providers)' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l issuer -d 'Authorization server; its metadata is discovered' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l authorization-endpoint -d 'Instead of the discovered endpoint; with --token-endpoint no discovery is needed' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l token-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l revocation-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l userinfo-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l introspection-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l jwks-uri -d 'URL of the server\'s keys, instead of the discovered one' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l device-authorization-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l pushed-authorization-request-endpoint -d 'Instead of the discovered endpoint' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-id -d 'Client ID [env: OAUTH_CLIENT_ID]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-secret-file -d 'File with the client secret [env: OAUTH_CLIENT_SECRET holds the secret itself]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-key-file -d 'Private key of the client, for private_key_jwt or its certificate (PEM or JWK)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-assertion -d 'Where to read a client assertion made by another program (see --subject-token)' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-key-id -d 'Name of the client key at the server (kid) [default: the JWK\'s, else the RFC 7638 thumbprint]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-cert-file -d 'Certificate of the client key (PEM), for tls_client_auth, and for tokens bound to it where the server has them; assertions name it (x5t#S256, x5t)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l assertion-audience -d 'Audience of client assertions: issuer, token-endpoint or a URL [default: issuer]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-auth -d 'none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth or self_signed_tls_client_auth [default: from the server\'s metadata]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l grant -d 'How to get the tokens: authorization-code (a person signs in), device, client-credentials, token-exchange, jwt-bearer or id-jag [default: authorization-code]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l scope -d 'Scope to ask for; repeatable, or one space-separated value' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l resource -d 'Resource server the token is for (RFC 8707); repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l audience -d 'Resource server, for servers that use the parameter audience' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l par -d 'Push the authorization request to the server, so that the browser carries a reference to it (RFC 9126) [default: auto]' -r -f -a "auto\t'Where the server has the endpoint'
always\t'Fail where the server has no endpoint'
never\t'The browser carries the request'"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l authorization-details -d 'File with authorization details, a JSON list of objects with a type (RFC 9396)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l param -d 'Extra parameter of the authorization request; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l token-param -d 'Extra parameter of the token request; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l refresh-param -d 'Extra parameter of the refresh request (scope, too); repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l assume-ttl -d 'Lifetime of access tokens if the server does not send one' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l subject-token -d 'Source of the token to exchange: file:PATH, env:NAME, stdin, command:CMD, github-actions[:AUDIENCE], kubernetes, gcp:AUDIENCE, azure[:RESOURCE] or profile:NAME[:access|id|refresh]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l subject-token-type -d 'Type of that token: access_token, id_token, jwt, refresh_token, saml1, saml2 or a URI [default: by the source]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l actor-token -d 'Source of the token of the party that acts for the subject' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l actor-token-type -d 'Type of that token' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l requested-token-type -d 'Type of token to request' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l assertion -d 'Source of the assertion for --grant jwt-bearer' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l from -d 'Profile of the session at the identity provider, for --grant id-jag' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l redirect-uri -d 'Redirect URI; port 0 picks a free port [default: http://127.0.0.1:0/callback]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l port -d 'Ports to listen on, tried in order' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l listen -d 'Address to bind if it differs from the redirect URI (containers)' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l response-mode -d 'How the response comes back' -r -f -a "query\t'In the query of the redirect'
form_post\t'In the body of a POST'
jwt\t'As a signed JWT (JARM), in the query for a code'
query.jwt\t'As a signed JWT in the query'
form_post.jwt\t'As a signed JWT in the body of a POST'"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l callback-cert -d 'Certificate of the listener, for an https redirect URI (PEM); made for this login if not given' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l callback-key -d 'Its key (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l success-url -d 'URL to send the browser to after success, instead of our page' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l timeout -d 'How long to wait for the browser' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l browser -d 'Browser command; %s is replaced by the URL, else the URL is appended' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l stop-before -d 'Stop before this step, and show what came back and what would be sent; store nothing' -r -f -a "exchange\t'Step 6: the code is not exchanged'"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand check" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand check" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand check" -l list -d 'List the rules and test nothing'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l all -d 'Show each rule, those that passed too (also -v)'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l no-probe -d 'Fetch only well-known documents from the URL of an API'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l assume-pkce -d 'Assume that the server of an API knows PKCE, though its metadata does not say so'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l allow-http -d 'Permit http endpoints outside this machine'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l register -d 'Register a client at the server now, even if one is saved (RFC 7591)'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l no-register -d 'Never register a client'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l client-secret-stdin -d 'Read the client secret from standard input'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l device -d 'Show a code to enter in a browser on another device (= --grant device, RFC 8628)'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l dpop -d 'Bind the tokens to a key that is made for the session and kept with it (RFC 9449)'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l request-object -d 'Send the authorization request as a JWT that is signed with the key of --client-key-file (RFC 9101)'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l paste -d 'Do not listen; paste the URL that the browser ends on'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l no-browser -d 'Print the URL and do not open a browser'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l refresh-token-stdin -d 'Read a refresh token from standard input instead of opening a browser'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l no-save -d 'Do not save to the configuration file'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l no-store -d 'Store no session; print the token response as JSON (= --store none). --no-save leaves out the profile too'
complete -c oauth -n "__fish_oauth_using_subcommand check" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand check" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand check" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand discover" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand discover" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand discover" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand discover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l issuer -d 'Whose keys to ask for, where no profile is of the token\'s issuer' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l id-token -d 'The session\'s ID token instead of its access token'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l no-verify -d 'Do not fetch the issuer\'s keys; show the token without verifying it'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand decode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l url -d 'Where the document will be [env: OAUTH_CLIENT_METADATA_URL]' -r -f
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l name -d 'What people see on consent pages' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l redirect-uri -d 'Where the browser comes back; repeatable [default: http://127.0.0.1/callback and http://[::1]/callback, on any port]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and not __fish_seen_subcommand_from check" -f -a "check" -d 'Fetch a document as a server does, and name what servers refuse in it'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand client-metadata; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l verifier-stdin -d 'The challenge of the verifier on standard input, not of a new one'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand pkce" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand userinfo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand introspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -s p -l profile -d 'Profile name [env: OAUTH_PROFILE]' -r -f -a "(__oauth_profile_names)"
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l port -d 'Port on 127.0.0.1; 0 is any free one' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l client -d 'Registered client; a secret file makes it confidential; repeatable [default: oauth-cli]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l client-metadata -d 'Registered client in the members of RFC 7591, such as token_endpoint_auth_method and jwks; repeatable' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l redirect-uri -d 'Redirect URI of the registered clients; repeatable [default: http://127.0.0.1/callback and http://[::1]/callback on any port]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l setup -d 'Users with claims, clients, resources, lifetimes and claims of tokens, in TOML; flags win over it' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l signing-key-file -d 'Keys that stay the same from run to run: PEM with a P-256 key, an RSA key, or both' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l user -d 'Account that can sign in; repeatable [default: demo:demo]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l approve -d 'Who decides: the user in the browser (ask), or the server at once (auto, deny)' -r -f -a "ask\t'Sign-in and consent pages in the browser'
auto\t'Yes at once, for the first user'
deny\t'No at once'"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l registration -d 'Whether clients may register themselves (RFC 7591)' -r -f -a "open\t'Every client can'
off\t'None can'"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l client-id-documents -d 'Which client-ID metadata documents are fetched: on (public addresses), loopback (this machine, too), loopback:PORT,… or off' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l code-ttl -d 'Lifetime of codes [default: 60s]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l access-token-ttl -d 'Lifetime of access tokens [default: 1h]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l refresh-token-ttl -d 'Lifetime of refresh tokens [default: 30d]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l refresh-rotation -d 'Whether a refresh token works once' -r -f -a "on\t'On'
off\t'Off'"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l refresh-grace -d 'How long a spent refresh token still works' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l latency -d 'Wait before each answer, before anything is committed' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l fail -d 'Answer an endpoint with a status, for testing clients; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l cors -d 'Origin of browser applications that may call token, userinfo, revocation and registration; * for all; repeatable' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l trust-issuer -d 'Issuer whose tokens token exchange and assertions take, beside the server\'s own; its keys are fetched at the start; repeatable' -r -f
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l tls -d 'Speak https with certificates in DIR, made there where it has none; clients may show theirs' -r -f -a "(__fish_complete_directories)"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l require -d 'Demand it of every client: dpop, nonce (of the server, in each DPoP proof), par, request-object; repeatable' -r -f -a "dpop\t'Tokens that are bound to a key (RFC 9449)'
nonce\t'The server\'s nonce in DPoP proofs (RFC 9449 §8)'
par\t'Pushed authorization requests (RFC 9126)'
request-object\t'Signed authorization requests (RFC 9101)'"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l break -d 'Break a rule for servers on purpose; repeatable; list prints them all' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand serve" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand serve" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand serve" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l browser -d 'Browser command; %s is replaced by the URL, else the URL is appended' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l timeout -d 'How long to wait for the browser' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l unattended -d 'Play the resource owner as well: no browser'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand providers" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand providers" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand providers" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand providers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand man" -l dir -d 'Write the pages of all commands into this folder; without it oauth(1) is printed' -r -f -a "(__fish_complete_directories)"
complete -c oauth -n "__fish_oauth_using_subcommand man" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand man" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand man" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand man" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand man" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand man" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand man" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand man" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand man" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand man" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand man" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand man" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand man" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand man" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand man" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l trace -d 'Also write the trace to FILE (.json, .har, .html or .mmd); repeatable [env: OAUTH_TRACE]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l deadline -d 'Time limit for the whole command [env: OAUTH_DEADLINE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l color -d 'When to use colour [default: auto] [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l config -d 'Configuration file [env: OAUTH_CONFIG]' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l store -d 'Credential store: keyring, file, command:PROGRAM or none [default: keyring] [env: OAUTH_STORE]' -r
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l keyring-session -d 'Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]' -r
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l http-timeout -d 'Time limit for one HTTP exchange' -r
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l cacert -d 'Certificate authorities to trust instead of the system\'s (PEM)' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l cert -d 'Client certificate (PEM), with --key' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l key -d 'Private key of the client certificate (PEM), with --cert' -r -F
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l proxy -d 'Proxy for all requests but those to this machine' -r
complete -c oauth -n "__fish_oauth_using_subcommand completions" -s v -l verbose -d 'Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted'
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l show-secrets -d 'Do not redact secrets in the trace'
complete -c oauth -n "__fish_oauth_using_subcommand completions" -s q -l quiet -d 'Print only errors and prompts that need action'
complete -c oauth -n "__fish_oauth_using_subcommand completions" -l json -d 'Results as JSON on stdout, messages as JSON lines on stderr'
complete -c oauth -n "__fish_oauth_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oauth -n "__oauth_profile_is_next" -f -a "(__oauth_profile_names)"
