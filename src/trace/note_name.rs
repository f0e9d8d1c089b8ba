//! Names of the notes that a program may want to tell apart (`docs/json.md`):
//! those about something that is neither in the result nor in the exit code.

/// What a note is about. A name never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteName {
    /// Another process changes the profile, or logs in to it.
    WaitingForProcess,
    /// The session that another process logged in to is used.
    OtherLoginUsed,
    /// No login is started: another process has to do it.
    WaitingForLogin,
    /// The session does not do, so a login starts.
    LoginStarts,
    /// There was no session to log out of.
    NotLoggedIn,
    /// The session is deleted here, and its tokens stay valid at the server.
    NotRevoked,
    /// The server knows a new client now.
    ClientRegistered,
    /// The refresh token is sent again: no answer to the last refresh was kept.
    RefreshRetried,
    /// The API names another authorization server than before.
    IssuerChanged,
    /// The API names several authorization servers, and the first is used.
    IssuerChosen,
}

impl NoteName {
    /// Every name, in the order of the page.
    pub const ALL: [NoteName; 10] = [
        NoteName::WaitingForProcess,
        NoteName::OtherLoginUsed,
        NoteName::WaitingForLogin,
        NoteName::LoginStarts,
        NoteName::NotLoggedIn,
        NoteName::NotRevoked,
        NoteName::ClientRegistered,
        NoteName::RefreshRetried,
        NoteName::IssuerChanged,
        NoteName::IssuerChosen,
    ];

    /// As the member `name` of a note has it.
    pub fn as_str(self) -> &'static str {
        match self {
            NoteName::WaitingForProcess => "waiting_for_process",
            NoteName::OtherLoginUsed => "other_login_used",
            NoteName::WaitingForLogin => "waiting_for_login",
            NoteName::LoginStarts => "login_starts",
            NoteName::NotLoggedIn => "not_logged_in",
            NoteName::NotRevoked => "not_revoked",
            NoteName::ClientRegistered => "client_registered",
            NoteName::RefreshRetried => "refresh_retried",
            NoteName::IssuerChanged => "issuer_changed",
            NoteName::IssuerChosen => "issuer_chosen",
        }
    }
}
