//! What is demanded of every client about its tokens and their keys (RFC 9449).

/// What every client is made to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DpopDemands {
    /// Bind its tokens.
    pub proof: bool,
    /// Put the server's nonce into its proofs.
    pub nonce: bool,
}
