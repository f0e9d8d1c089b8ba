//! What the client does: the flow of the authorization code grant in
//! `login`, and what follows from a session. Each function walks from top to
//! bottom, tells the observer what happens, and prints nothing.

pub mod adopt;
pub mod appraise;
pub mod discover;
pub mod explore;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod renew;
pub mod session;
