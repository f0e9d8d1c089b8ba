//! How authorization requests must come: of every client, or of one by its
//! metadata (RFC 9126 §6, RFC 9101 §10.5).

/// What is demanded of authorization requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestDemands {
    /// They are pushed (RFC 9126).
    pub pushed: bool,
    /// They are signed objects (RFC 9101).
    pub signed: bool,
}
