//! Headers that repeat arguments of a tool's call, as its input schema asks
//! for with `x-mcp-header` (MCP 2026-07-28, Streamable HTTP, Custom Headers
//! from Tool Parameters). A client that calls tools over HTTP has to send them, and
//! to leave out of a list the tools whose declarations break the rules.

use super::http::HeaderName;
use super::mcp::header_value;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The keyword of a schema.
const KEYWORD: &str = "x-mcp-header";

/// Keywords whose members are schemas under names that the author chose.
const SCHEMAS_BY_NAME: [&str; 4] = ["patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Keywords whose values are data, and no schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Integers beyond these are not exact in every language (MCP 2026-07-28, the same section).
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The code of the error that a server answers with where such a header is
/// missing or differs from the body (`HeaderMismatch`).
const HEADER_MISMATCH: i64 = -32_020;

/// A header, and the argument that it repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolHeader {
    name: HeaderName,
    /// The properties that lead to the argument.
    path: Vec<String>,
}

/// Why a tool may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToolHeader {
    #[error("x-mcp-header {0} is not the name of a header")]
    NotName(String),
    #[error("x-mcp-header {0:?} is declared twice")]
    Repeated(String),
    #[error("x-mcp-header {0:?} is on a parameter whose type is not string, integer or boolean")]
    NotPrimitive(String),
    #[error("x-mcp-header {0:?} is on a parameter that is not reached through properties only")]
    NotReachable(String),
}

/// The headers that an input schema declares.
///
/// # Errors
/// [`InvalidToolHeader`]: the first declaration that breaks the rules.
pub fn declared_headers(input_schema: &Value) -> Result<Vec<ToolHeader>, InvalidToolHeader> {
    let mut headers = Vec::new();
    read_schema(input_schema, Some(&mut Vec::new()), &mut headers)?;
    Ok(headers)
}

/// Reads a schema; `path` leads to it, where properties alone do.
fn read_schema(
    schema: &Value,
    mut path: Option<&mut Vec<String>>,
    headers: &mut Vec<ToolHeader>,
) -> Result<(), InvalidToolHeader> {
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(list) => return list.iter().try_for_each(|schema| read_schema(schema, None, headers)),
        _ => return Ok(()),
    };
    if let Some(name) = members.get(KEYWORD) {
        headers.push(read_declaration(name, members, path.as_deref(), headers)?);
    }
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    if let Some(path) = &mut path {
                        path.push(name.clone());
                    }
                    read_schema(property, path.as_deref_mut(), headers)?;
                    if let Some(path) = &mut path {
                        path.pop();
                    }
                }
            }
            (keyword, Value::Object(schemas)) if SCHEMAS_BY_NAME.contains(&keyword) => {
                schemas
                    .values()
                    .try_for_each(|schema| read_schema(schema, None, headers))?;
            }
            (keyword, _) if keyword == KEYWORD || DATA.contains(&keyword) => {}
            (_, schema) => read_schema(schema, None, headers)?,
        }
    }
    Ok(())
}

fn read_declaration(
    name: &Value,
    schema: &Map<String, Value>,
    path: Option<&Vec<String>>,
    others: &[ToolHeader],
) -> Result<ToolHeader, InvalidToolHeader> {
    let not_name = || InvalidToolHeader::NotName(name.to_string());
    let text = name.as_str().ok_or_else(not_name)?;
    HeaderName::parse(text).ok_or_else(not_name)?;
    let header = HeaderName::parse(&format!("mcp-param-{text}")).ok_or_else(not_name)?;
    let path = path
        .filter(|path| !path.is_empty())
        .ok_or_else(|| InvalidToolHeader::NotReachable(text.to_owned()))?;
    let is_primitive = schema
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|name| matches!(name, "string" | "integer" | "boolean"));
    if !is_primitive {
        return Err(InvalidToolHeader::NotPrimitive(text.to_owned()));
    }
    // names are in lower case, so that case does not make them differ
    if others.iter().any(|other| other.name == header) {
        return Err(InvalidToolHeader::Repeated(text.to_owned()));
    }
    Ok(ToolHeader {
        name: header,
        path: path.clone(),
    })
}

/// The headers of a call: those whose arguments are there. An argument that is
/// of another type than declared has none, and is left to the server to refuse.
pub fn headers_of_call(declared: &[ToolHeader], call: &[u8]) -> Vec<(HeaderName, String)> {
    #[derive(Deserialize)]
    struct Call {
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        #[serde(default)]
        arguments: Value,
    }
    let Ok(Call { params }) = serde_json::from_slice(call) else {
        return Vec::new();
    };
    let value_of = |header: &ToolHeader| {
        let argument = header
            .path
            .iter()
            .try_fold(&params.arguments, |value, name| value.get(name));
        Some((header.name.clone(), text_of_argument(argument?)?))
    };
    declared.iter().filter_map(value_of).collect()
}

fn text_of_argument(argument: &Value) -> Option<String> {
    match argument {
        Value::String(text) if text.is_empty() => Some(String::new()),
        Value::String(text) => Some(header_value(text)),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Number(number) => {
            let integer = number.as_i64().or_else(|| integer_of_float(number.as_f64()?))?;
            (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER)
                .contains(&integer)
                .then(|| integer.to_string())
        }
        _ => None,
    }
}

/// `1.0` and `1e3` are integers too (JSON Schema 2020-12, Validation §6.1.1).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a whole number within the bounds is exact as both"
)]
fn integer_of_float(number: f64) -> Option<i64> {
    let is_integer = number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER as f64;
    is_integer.then_some(number as i64)
}

/// Whether an answer is a `HeaderMismatch` error.
pub fn is_header_mismatch(answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        code: i64,
    }
    serde_json::from_slice::<Answer>(answer).is_ok_and(|answer| answer.error.code == HEADER_MISMATCH)
}

/// What a response to `tools/list` says about headers.
#[derive(Debug, PartialEq)]
pub struct ToolList {
    /// Tools that may be called, and their headers.
    pub tools: Vec<(String, Vec<ToolHeader>)>,
    /// Tools that may not.
    pub invalid: Vec<(String, InvalidToolHeader)>,
    /// The response without the invalid ones, where there are any.
    pub without_invalid: Option<String>,
    pub next_cursor: Option<String>,
}

impl ToolList {
    /// Reads a response; `None` where it is not a list of tools. What is kept of
    /// it is kept byte for byte.
    pub fn read(response: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Response<'a> {
            #[serde(borrow)]
            result: Page<'a>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow)]
            tools: &'a RawValue,
            #[serde(default)]
            next_cursor: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tool {
            name: String,
            #[serde(default)]
            input_schema: Value,
        }
        let page = serde_json::from_str::<Response<'_>>(response).ok()?.result;
        let all: Vec<&RawValue> = serde_json::from_str(page.tools.get()).ok()?;
        let (mut tools, mut invalid, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for text in all {
            // what is not a tool is left to the client
            let Ok(tool) = serde_json::from_str::<Tool>(text.get()) else {
                kept.push(text.get());
                continue;
            };
            match declared_headers(&tool.input_schema) {
                Ok(headers) => {
                    kept.push(text.get());
                    tools.push((tool.name, headers));
                }
                Err(error) => invalid.push((tool.name, error)),
            }
        }
        let start = page.tools.get().as_ptr().addr() - response.as_ptr().addr();
        let (before, after) = (&response[..start], &response[start + page.tools.get().len()..]);
        let without_invalid = (!invalid.is_empty()).then(|| format!("{before}[{}]{after}", kept.join(",")));
        Some(ToolList {
            tools,
            invalid,
            without_invalid,
            next_cursor: page.next_cursor,
        })
    }
}

#[cfg(test)]
#[path = "mcp_tool_headers/tests.rs"]
mod tests;
