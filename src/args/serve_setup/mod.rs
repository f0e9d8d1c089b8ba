//! The file of `oauth serve --setup`: users with their claims, clients,
//! resources, lifetimes and claims of tokens, read as strictly as the
//! configuration file.

mod error;

pub use error::SetupError;

use super::toml_source::{line_at, line_of};
use crate::output::duration::parse_duration;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::server::settings::claims::{Claims, ExtraClaims};
use crate::server::settings::clients::RegisteredClient;
use crate::server::settings::invalid::InvalidSetting;
use crate::server::settings::resources::KnownResource;
use crate::server::settings::users::User;
use crate::spelling::nearest;
use crate::system::files::named;
use serde_json::{Map, Value};
use std::path::Path;
use std::time::Duration;
use toml_edit::{Document, Item, TableLike};

const SECTIONS: &[&str] = &["user", "client", "resource", "lifetimes", "claims"];
const USER: &[&str] = &["name", "password", "claims"];
const RESOURCE: &[&str] = &["resource", "scopes"];
const LIFETIMES: &[&str] = &["code", "access_token", "refresh_token"];
const CLAIMS: &[&str] = &["id_token", "access_token"];

/// The members of RFC 7591 §2, and those of its answer (§3.2.1).
const CLIENT: &[&str] = &[
    "client_id",
    "client_secret",
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "application_type",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks",
    "jwks_uri",
    "software_id",
    "software_version",
];

/// What a setup says; what it does not is left to the flags and the defaults.
#[derive(Debug, Default)]
pub struct Setup {
    pub users: Vec<User>,
    pub clients: Vec<RegisteredClient>,
    pub resources: Vec<KnownResource>,
    pub code_lifetime: Option<Duration>,
    pub access_token_lifetime: Option<Duration>,
    pub refresh_token_lifetime: Option<Duration>,
    pub claims: ExtraClaims,
}

impl Setup {
    /// Reads the file.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn load(path: &Path) -> Result<Self, SetupError> {
        let text = named::read_text(path).map_err(|source| SetupError::Read {
            path: path.to_owned(),
            source,
        })?;
        Setup::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, SetupError> {
        let document = Document::parse(text).map_err(|error| SetupError::Syntax {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| line_at(text, span.start)),
            problem: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        let source = Source { text, path };
        let root = Section {
            source: &source,
            table: document.as_table(),
            line: 1,
        };
        root.check_keys(SECTIONS)?;
        let mut setup = Setup {
            users: root
                .tables("user")?
                .iter()
                .map(Section::user)
                .collect::<Result<_, _>>()?,
            clients: root
                .tables("client")?
                .iter()
                .map(Section::client)
                .collect::<Result<_, _>>()?,
            resources: root
                .tables("resource")?
                .iter()
                .map(Section::resource)
                .collect::<Result<_, _>>()?,
            ..Setup::default()
        };
        if let Some(lifetimes) = root.section("lifetimes")? {
            lifetimes.check_keys(LIFETIMES)?;
            setup.code_lifetime = lifetimes.duration("code")?;
            setup.access_token_lifetime = lifetimes.duration("access_token")?;
            setup.refresh_token_lifetime = lifetimes.duration("refresh_token")?;
        }
        if let Some(claims) = root.section("claims")? {
            claims.check_keys(CLAIMS)?;
            let of_tokens = |key| claims.valid(Claims::of_tokens(claims.members(key)?));
            setup.claims = ExtraClaims {
                id_token: of_tokens("id_token")?,
                access_token: of_tokens("access_token")?,
            };
        }
        Ok(setup)
    }
}

struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

/// One table of the file.
struct Section<'a> {
    source: &'a Source<'a>,
    table: &'a dyn TableLike,
    /// Where it begins.
    line: usize,
}

impl<'a> Section<'a> {
    fn user(&self) -> Result<User, SetupError> {
        self.check_keys(USER)?;
        let claims = self.valid(Claims::of_user(self.members("claims")?))?;
        let (name, password) = (self.required_text("name")?, self.required_text("password")?);
        self.valid(User::new(name, password, claims))
    }

    /// In the members of RFC 7591, as `--client-metadata` takes them.
    fn client(&self) -> Result<RegisteredClient, SetupError> {
        self.check_keys(CLIENT)?;
        let mut members = Map::new();
        for (key, item) in self.table.iter() {
            members.insert(key.to_owned(), self.json(key, item)?);
        }
        let metadata = Value::Object(members).to_string();
        self.valid(RegisteredClient::from_metadata(metadata.as_bytes()))
    }

    fn resource(&self) -> Result<KnownResource, SetupError> {
        self.check_keys(RESOURCE)?;
        let resource = Resource::parse(self.required_text("resource")?);
        let scopes = match self.table.get("scopes") {
            None => Vec::new(),
            Some(item) => {
                let texts = item.as_array().map(|array| array.iter().map(|value| value.as_str()));
                let texts: Option<Option<Vec<&str>>> = texts.map(Iterator::collect);
                texts
                    .flatten()
                    .ok_or_else(|| self.wrong_type("scopes", item, "a list of strings"))?
            }
        };
        Ok(KnownResource {
            resource: self.valid(resource.map_err(|error| InvalidSetting::Resource(error.to_string())))?,
            scope: self
                .valid(Scope::from_tokens(scopes).map_err(|error| InvalidSetting::Resource(error.to_string())))?,
        })
    }

    /// All tables of an array of tables.
    fn tables(&self, key: &'static str) -> Result<Vec<Section<'a>>, SetupError> {
        let Some(item) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let expected = match key {
            "user" => "tables that begin with [[user]]",
            "client" => "tables that begin with [[client]]",
            _ => "tables that begin with [[resource]]",
        };
        let tables = item.as_array_of_tables();
        let tables = tables.ok_or_else(|| self.wrong_type(key, item, expected))?;
        Ok(tables
            .iter()
            .map(|table| Section {
                source: self.source,
                table,
                line: line_at(self.source.text, table.span().map_or(0, |span| span.start)),
            })
            .collect())
    }

    /// A single table.
    fn section(&self, key: &str) -> Result<Option<Section<'a>>, SetupError> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        let table = item.as_table_like();
        Ok(Some(Section {
            source: self.source,
            table: table.ok_or_else(|| self.wrong_type(key, item, "a table"))?,
            line: self.line_of(key, item),
        }))
    }

    fn check_keys(&self, known: &'static [&'static str]) -> Result<(), SetupError> {
        match self.table.iter().find(|(key, _)| !known.contains(key)) {
            None => Ok(()),
            Some((key, item)) => Err(SetupError::UnknownKey {
                path: self.source.path.to_owned(),
                line: self.line_of(key, item),
                key: key.to_owned(),
                nearest: nearest(key, known.iter().copied()),
                known,
            }),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, SetupError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong_type(key, item, "a string")),
            },
        }
    }

    fn required_text(&self, key: &'static str) -> Result<&'a str, SetupError> {
        self.text(key)?.ok_or_else(|| SetupError::Missing {
            path: self.source.path.to_owned(),
            line: self.line,
            key,
        })
    }

    fn duration(&self, key: &str) -> Result<Option<Duration>, SetupError> {
        const EXPECTED: &str = "a duration such as \"250ms\", \"90s\", \"5m\", \"1h\" or \"30d\"";
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        let duration = item.as_str().and_then(|text| parse_duration(text).ok());
        duration.map(Some).ok_or_else(|| self.wrong_type(key, item, EXPECTED))
    }

    /// A table as JSON; empty where it is absent.
    fn members(&self, key: &str) -> Result<Map<String, Value>, SetupError> {
        let Some(item) = self.table.get(key) else {
            return Ok(Map::new());
        };
        match self.json(key, item)? {
            Value::Object(members) => Ok(members),
            _ => Err(self.wrong_type(key, item, "a table")),
        }
    }

    fn json(&self, key: &str, item: &Item) -> Result<Value, SetupError> {
        json_of(item).ok_or_else(|| self.wrong_type(key, item, "a value that JSON has, too"))
    }

    fn line_of(&self, key: &str, item: &Item) -> usize {
        line_of(self.source.text, self.table, key, item)
    }

    fn wrong_type(&self, key: &str, item: &Item, expected: &'static str) -> SetupError {
        SetupError::Type {
            path: self.source.path.to_owned(),
            line: self.line_of(key, item),
            key: key.to_owned(),
            expected,
        }
    }

    fn valid<T>(&self, value: Result<T, InvalidSetting>) -> Result<T, SetupError> {
        value.map_err(|problem| SetupError::Value {
            path: self.source.path.to_owned(),
            line: self.line,
            problem,
        })
    }
}

/// The same value in JSON; `None` for dates and for numbers that JSON lacks.
fn json_of(item: &Item) -> Option<Value> {
    match item {
        Item::Value(value) => json_of_value(value),
        Item::Table(table) => table
            .iter()
            .map(|(key, item)| Some((key.to_owned(), json_of(item)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Value::Object),
        Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| json_of(&Item::Table(table.clone())))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Item::None => None,
    }
}

fn json_of_value(value: &toml_edit::Value) -> Option<Value> {
    match value {
        toml_edit::Value::String(text) => Some(Value::from(text.value().as_str())),
        toml_edit::Value::Integer(number) => Some(Value::from(*number.value())),
        toml_edit::Value::Boolean(switch) => Some(Value::from(*switch.value())),
        toml_edit::Value::Float(number) => serde_json::Number::from_f64(*number.value()).map(Value::Number),
        toml_edit::Value::Datetime(_) => None,
        toml_edit::Value::Array(values) => values
            .iter()
            .map(json_of_value)
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        toml_edit::Value::InlineTable(table) => table
            .iter()
            .map(|(key, value)| Some((key.to_owned(), json_of_value(value)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Value::Object),
    }
}
