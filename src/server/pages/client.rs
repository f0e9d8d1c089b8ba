//! The client that asks, as a page shows it: by its name where it has one, and
//! then by its id too, which the client cannot choose.

use crate::protocol::client::ClientId;
use crate::server::client_name::ClientName;
use crate::server::html::escape;
use crate::server::settings::clients::RegisteredClient;

/// A client on a page.
#[derive(Clone, Copy)]
pub(crate) struct ShownClient<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: Option<&'a ClientName>,
}

impl<'a> ShownClient<'a> {
    /// One that is registered no more has its id alone.
    pub(crate) fn new(id: &'a ClientId, registered: Option<&'a RegisteredClient>) -> Self {
        ShownClient {
            id: id.as_str(),
            name: registered.and_then(|client| client.name.as_ref()),
        }
    }

    /// What it is called, as HTML.
    pub(super) fn title(self) -> String {
        escape(self.called())
    }

    /// The first letter of that, as HTML.
    pub(super) fn initial(self) -> String {
        let initial = self.called().chars().find(|character| character.is_alphanumeric());
        escape(&initial.into_iter().collect::<String>())
    }

    /// Its id below its name, as HTML, and whose word the name is; nothing
    /// where the id is what it is called.
    pub(super) fn identity(self) -> String {
        let Some(name) = self.name else {
            return String::new();
        };
        let claim = match name.is_own_claim() {
            true => "<span>it registered itself: the name is its own claim</span>",
            false => "",
        };
        let id = escape(self.id);
        format!("<p class=\"note identity\"><span>client <code>{id}</code></span>{claim}</p>")
    }

    fn called(self) -> &'a str {
        self.name.map_or(self.id, ClientName::as_str)
    }
}
