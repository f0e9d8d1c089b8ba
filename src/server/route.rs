//! The paths that the development server answers, and the methods they take.

use crate::foreign_text::Quoted;

/// One path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The page for a person who opens the issuer in a browser.
    Home,
    /// RFC 8414 §3.
    AuthorizationServerMetadata,
    /// OpenID Connect Discovery §4.
    OpenidConfiguration,
    /// RFC 9728 §3.1, for `/api`.
    ApiMetadata,
    /// RFC 9728 §3.1, for `/mcp`.
    McpMetadata,
    /// RFC 7517.
    Jwks,
    /// RFC 6749 §3.1.
    Authorize,
    SignIn,
    Consent,
    /// RFC 9126 §2.
    PushedAuthorization,
    /// RFC 6749 §3.2.
    Token,
    /// RFC 8628 §3.1.
    DeviceAuthorization,
    /// Where a person enters the code of a device (RFC 8628 §3.3).
    Device,
    /// RFC 7009.
    Revoke,
    /// RFC 7662.
    Introspect,
    /// OpenID Connect Core §5.3.
    Userinfo,
    /// RFC 7591 §3, and RFC 7592 §2 for a client that is registered.
    Register,
    Hello,
    Notes,
    /// Model Context Protocol, Streamable HTTP.
    Mcp,
}

impl Route {
    const ALL: [(Route, &'static str, &'static [&'static str]); 20] = [
        (Route::Home, "/", &["GET", "HEAD"]),
        (
            Route::AuthorizationServerMetadata,
            "/.well-known/oauth-authorization-server",
            &["GET", "HEAD", "OPTIONS"],
        ),
        (
            Route::OpenidConfiguration,
            "/.well-known/openid-configuration",
            &["GET", "HEAD", "OPTIONS"],
        ),
        (
            Route::ApiMetadata,
            "/.well-known/oauth-protected-resource/api",
            &["GET", "HEAD", "OPTIONS"],
        ),
        (
            Route::McpMetadata,
            "/.well-known/oauth-protected-resource/mcp",
            &["GET", "HEAD", "OPTIONS"],
        ),
        (Route::Jwks, "/jwks", &["GET", "HEAD", "OPTIONS"]),
        (Route::Authorize, "/authorize", &["GET", "POST"]),
        (Route::SignIn, "/sign-in", &["GET", "POST"]),
        (Route::Consent, "/consent", &["GET", "POST"]),
        (Route::PushedAuthorization, "/par", &["POST"]),
        (Route::Token, "/token", &["POST"]),
        (Route::DeviceAuthorization, "/device_authorization", &["POST"]),
        (Route::Device, "/device", &["GET", "POST"]),
        (Route::Revoke, "/revoke", &["POST"]),
        (Route::Introspect, "/introspect", &["POST"]),
        (Route::Userinfo, "/userinfo", &["GET", "HEAD", "POST"]),
        (Route::Register, "/register", &["POST", "GET", "DELETE"]),
        (Route::Hello, "/api/hello", &["GET", "HEAD"]),
        (Route::Notes, "/api/notes", &["GET", "POST"]),
        (Route::Mcp, "/mcp", &["POST", "GET", "DELETE"]),
    ];

    /// The names that `--fail` takes for the endpoints; each stands for one path.
    const NAMES: [(&'static str, Route); 13] = [
        ("authorize", Route::Authorize),
        ("par", Route::PushedAuthorization),
        ("token", Route::Token),
        ("device_authorization", Route::DeviceAuthorization),
        ("device", Route::Device),
        ("revoke", Route::Revoke),
        ("introspect", Route::Introspect),
        ("userinfo", Route::Userinfo),
        ("jwks", Route::Jwks),
        ("register", Route::Register),
        ("api/hello", Route::Hello),
        ("api/notes", Route::Notes),
        ("mcp", Route::Mcp),
    ];

    /// The name that stands for all metadata documents.
    const METADATA: &'static str = "metadata";

    /// The route of a path, byte for byte.
    pub fn from_path(path: &str) -> Option<Self> {
        Route::ALL
            .into_iter()
            .find(|(_, own, _)| *own == path)
            .map(|(route, _, _)| route)
    }

    /// The path.
    pub fn path(self) -> &'static str {
        self.row().1
    }

    /// The methods that it takes.
    pub fn methods(self) -> &'static [&'static str] {
        self.row().2
    }

    /// Whether its requests name a client.
    pub(crate) fn names_clients(self) -> bool {
        matches!(
            self,
            Route::Authorize
                | Route::PushedAuthorization
                | Route::Token
                | Route::DeviceAuthorization
                | Route::Revoke
                | Route::Introspect
        )
    }

    fn row(self) -> (Route, &'static str, &'static [&'static str]) {
        // Every route has a row, which a test shows.
        Route::ALL
            .into_iter()
            .find(|(route, _, _)| *route == self)
            .unwrap_or(Route::ALL[0])
    }

    /// The routes that a name means: a path with or without its slash, or
    /// `metadata` for all well-known documents.
    ///
    /// # Errors
    /// [`UnknownRoute`].
    pub fn named(name: &str) -> Result<Vec<Self>, UnknownRoute> {
        let name = name.strip_prefix('/').unwrap_or(name);
        if name == Route::METADATA {
            let documents = [
                Route::AuthorizationServerMetadata,
                Route::OpenidConfiguration,
                Route::ApiMetadata,
                Route::McpMetadata,
            ];
            return Ok(documents.to_vec());
        }
        let known = Route::NAMES.into_iter().find(|(own, _)| *own == name);
        known
            .map(|(_, route)| vec![route])
            .ok_or_else(|| UnknownRoute(name.to_owned()))
    }
}

/// An endpoint that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not an endpoint; there are {names}", Quoted::name(.0), names = known_names())]
pub struct UnknownRoute(pub String);

fn known_names() -> String {
    format!("{}, {}", Route::METADATA, Route::NAMES.map(|(name, _)| name).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_its_own_path() {
        for (route, path, methods) in Route::ALL {
            assert_eq!(Route::from_path(path), Some(route));
            assert_eq!((route.path(), route.methods()), (path, methods));
        }
        for (name, route) in Route::NAMES {
            assert_eq!(route.path(), format!("/{name}"));
        }
        for other in [
            "",
            "/token/",
            "//token",
            "/TOKEN",
            "/%74oken",
            "/token;x",
            "/api",
            "/../token",
        ] {
            assert_eq!(Route::from_path(other), None, "{other}");
        }
    }
}
