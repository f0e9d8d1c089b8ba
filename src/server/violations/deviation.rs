//! How an authorization request deviates from what the honest code sees of
//! it, from where it is read to where its code is redeemed.

/// What a verifier is compared with instead of an S256 challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChallengeOverride {
    /// There was no challenge.
    Nothing,
    /// The verifier itself (`plain`).
    Plain(String),
    /// A challenge that no verifier hashes into.
    Unmeetable,
}

/// What the browser brings back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FrontChannel {
    /// A code: the only honest answer.
    #[default]
    Code,
    /// An access token (implicit).
    Token,
    CodeAndToken,
}

/// How an authorization request deviates from what the honest code sees.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deviation {
    /// Instead of the challenge.
    pub(crate) challenge: Option<ChallengeOverride>,
    pub(crate) front_channel: FrontChannel,
    /// Where the browser is sent to instead of the redirect URI.
    pub(crate) target: Option<String>,
}
