//! Reads `providers.toml` strictly: every key is known, nothing that is needed
//! is missing.

use super::{ClientKind, Loopback, Mail, Pkce, Provider, ValueKind};
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::scope::ScopeSeparator;
use std::str::FromStr;
use toml_edit::{Document, Item, TableLike};

/// The keys with an endpoint, as a profile has them.
const ENDPOINTS: [&str; 5] = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
    "jwks_uri",
];

const OTHER_KEYS: [&str; 19] = [
    "title",
    "documentation",
    "register",
    "value",
    "value_default",
    "issuer",
    "redirect_uri",
    "loopback",
    "client",
    "client_auth",
    "pkce",
    "param",
    "scope_for_refresh",
    "scope_separator",
    "audience",
    "refresh",
    "notes",
    "mail",
    "tried",
];

const MAIL_KEYS: [&str; 4] = ["domains", "imap", "smtp", "scope"];

/// The providers of the file, in its order; the error says which entry is wrong.
pub(super) fn read(text: &str) -> Result<Vec<Provider>, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let entries = document.as_table().iter();
    entries
        .map(|(name, item)| {
            let table = item.as_table_like().ok_or_else(|| format!("{name} is not a table"))?;
            read_provider(name, &Entry { table }).map_err(|problem| format!("{name}: {problem}"))
        })
        .collect()
}

fn read_provider(name: &str, entry: &Entry<'_>) -> Result<Provider, String> {
    entry.check_keys(&[&ENDPOINTS[..], &OTHER_KEYS].concat())?;
    let mut endpoints = Vec::new();
    for key in ENDPOINTS {
        endpoints.extend(entry.text(key)?.map(|url| (key, url)));
    }
    Ok(Provider {
        name: name.to_owned(),
        title: entry.require("title")?,
        documentation: entry.list("documentation")?,
        register: entry.require("register")?,
        value: entry.one_of("value", &ValueKind::ALL.map(|kind| (kind.to_string(), kind)))?,
        value_default: entry.text("value_default")?,
        issuer: entry.text("issuer")?,
        endpoints,
        redirect_uri: entry.text("redirect_uri")?,
        loopback: entry.needed_one_of(
            "loopback",
            &[
                Loopback::AnyPort,
                Loopback::Exact,
                Loopback::HttpsOnly,
                Loopback::Unknown,
            ]
            .map(|kind| (kind.as_str().to_owned(), kind)),
        )?,
        client: entry.needed_one_of(
            "client",
            &[ClientKind::Public, ClientKind::Secret, ClientKind::Either].map(|kind| (kind.as_str().to_owned(), kind)),
        )?,
        client_auth: entry
            .text("client_auth")?
            .map(|text| ClientAuthenticationMethod::from_str(&text).map_err(|error| error.to_string()))
            .transpose()?,
        pkce: entry.needed_one_of(
            "pkce",
            &[Pkce::Required, Pkce::Supported, Pkce::Unknown].map(|kind| (kind.as_str().to_owned(), kind)),
        )?,
        param: entry.pairs("param")?,
        scope_for_refresh: entry.text("scope_for_refresh")?,
        scope_separator: entry
            .one_of("scope_separator", &[(",".to_owned(), ScopeSeparator::Comma)])?
            .unwrap_or_default(),
        audience: entry.text("audience")?,
        refresh: entry.require("refresh")?,
        notes: entry.list("notes")?,
        mail: entry.inner("mail")?.map(|mail| read_mail(&mail)).transpose()?,
        tried: entry.switch("tried")?,
    })
}

fn read_mail(entry: &Entry<'_>) -> Result<Mail, String> {
    entry.check_keys(&MAIL_KEYS)?;
    Ok(Mail {
        domains: entry.list("domains")?,
        imap: entry.require("imap")?,
        smtp: entry.require("smtp")?,
        scope: entry.list("scope")?,
    })
}

/// One table of the file.
struct Entry<'t> {
    table: &'t dyn TableLike,
}

impl<'t> Entry<'t> {
    fn check_keys(&self, known: &[&str]) -> Result<(), String> {
        match self.table.iter().find(|(key, _)| !known.contains(key)) {
            Some((key, _)) => Err(format!("unknown key {key}")),
            None => Ok(()),
        }
    }

    fn read<T>(&self, key: &str, kind: &str, read: impl FnOnce(&'t Item) -> Option<T>) -> Result<Option<T>, String> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => read(item).map(Some).ok_or_else(|| format!("{key} is no {kind}")),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        self.read(key, "text", |item| {
            item.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        })
    }

    fn require(&self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("{key} is missing"))
    }

    fn list(&self, key: &str) -> Result<Vec<String>, String> {
        let list = self.read(key, "list of texts", |item| {
            item.as_array()?
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        })?;
        list.ok_or_else(|| format!("{key} is missing"))
    }

    fn switch(&self, key: &str) -> Result<bool, String> {
        self.read(key, "true or false", Item::as_bool)?
            .ok_or_else(|| format!("{key} is missing"))
    }

    fn pairs(&self, key: &str) -> Result<Vec<(String, String)>, String> {
        let pairs = self.read(key, "table of texts", |item| {
            item.as_table_like()?
                .iter()
                .map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())))
                .collect()
        })?;
        Ok(pairs.unwrap_or_default())
    }

    fn inner(&self, key: &str) -> Result<Option<Entry<'t>>, String> {
        let table = self.read(key, "table", Item::as_table_like)?;
        Ok(table.map(|table| Entry { table }))
    }

    fn one_of<T: Copy>(&self, key: &str, words: &[(String, T)]) -> Result<Option<T>, String> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(format!("{key} cannot be \"{text}\"")),
        }
    }

    fn needed_one_of<T: Copy>(&self, key: &str, words: &[(String, T)]) -> Result<T, String> {
        self.one_of(key, words)?.ok_or_else(|| format!("{key} is missing"))
    }
}
