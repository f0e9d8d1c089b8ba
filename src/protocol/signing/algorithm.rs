//! The algorithms that sign (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).

/// An algorithm of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    /// Ed25519 under the name of RFC 8037.
    EdDsa,
    /// The same under the name of RFC 9864.
    Ed25519,
}

impl SigningAlgorithm {
    const ALL: [SigningAlgorithm; 10] = [
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Rs384,
        SigningAlgorithm::Rs512,
        SigningAlgorithm::Ps256,
        SigningAlgorithm::Ps384,
        SigningAlgorithm::Ps512,
        SigningAlgorithm::Es256,
        SigningAlgorithm::Es384,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Ed25519,
    ];

    /// The `alg` value.
    pub fn as_str(self) -> &'static str {
        match self {
            SigningAlgorithm::Rs256 => "RS256",
            SigningAlgorithm::Rs384 => "RS384",
            SigningAlgorithm::Rs512 => "RS512",
            SigningAlgorithm::Ps256 => "PS256",
            SigningAlgorithm::Ps384 => "PS384",
            SigningAlgorithm::Ps512 => "PS512",
            SigningAlgorithm::Es256 => "ES256",
            SigningAlgorithm::Es384 => "ES384",
            SigningAlgorithm::EdDsa => "EdDSA",
            SigningAlgorithm::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of an `alg` value; `None` where nothing here signs with it.
    pub fn from_name(name: &str) -> Option<Self> {
        SigningAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// An algorithm of a shared secret (RFC 7518 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacAlgorithm {
    Hs256,
    Hs384,
    Hs512,
}

impl HmacAlgorithm {
    const ALL: [HmacAlgorithm; 3] = [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512];

    /// The `alg` value.
    pub fn as_str(self) -> &'static str {
        match self {
            HmacAlgorithm::Hs256 => "HS256",
            HmacAlgorithm::Hs384 => "HS384",
            HmacAlgorithm::Hs512 => "HS512",
        }
    }

    /// The first of HS256, HS384, HS512 that the server lists; HS256 where it
    /// lists none of them, or nothing.
    pub fn for_server(supported: &[String]) -> Self {
        HmacAlgorithm::ALL
            .into_iter()
            .find(|algorithm| supported.iter().any(|name| name == algorithm.as_str()))
            .unwrap_or(HmacAlgorithm::Hs256)
    }
}
