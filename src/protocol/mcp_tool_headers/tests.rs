//! Declarations and arguments of tools, good and bad.

use super::*;
use serde_json::json;

fn declared(properties: Value) -> Result<Vec<ToolHeader>, InvalidToolHeader> {
    declared_headers(&json!({ "type": "object", "properties": properties }))
}

fn sent(properties: Value, arguments: Value) -> Vec<(String, String)> {
    let declared = declared(properties).unwrap();
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "t", "arguments": arguments } });
    headers_of_call(&declared, call.to_string().as_bytes())
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect()
}

#[test]
fn arguments_are_repeated_as_text() {
    for (kind, argument, expected) in [
        ("string", json!("us-west1"), Some("us-west1")),
        ("string", json!("us west 1"), Some("us west 1")),
        ("string", json!(""), Some("")),
        ("string", json!("Hello, 世界"), Some("=?base64?SGVsbG8sIOS4lueVjA==?=")),
        ("string", json!(" padded "), Some("=?base64?IHBhZGRlZCA=?=")),
        (
            "string",
            json!("a\r\nHost: evil"),
            Some("=?base64?YQ0KSG9zdDogZXZpbA==?="),
        ),
        ("string", json!("a\tb"), Some("=?base64?YQli?=")),
        ("string", json!("\u{7f}\u{0}"), Some("=?base64?fwA=?=")),
        (
            "string",
            json!("=?base64?literal?="),
            Some("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ),
        ("integer", json!(42), Some("42")),
        ("integer", json!(-7), Some("-7")),
        ("integer", json!(1e3), Some("1000")),
        ("integer", json!(9_007_199_254_740_991_i64), Some("9007199254740991")),
        ("boolean", json!(true), Some("true")),
        ("boolean", json!(false), Some("false")),
        // these have none
        ("string", Value::Null, None),
        ("integer", json!(1.5), None),
        ("integer", json!(9_007_199_254_740_992_i64), None),
        ("integer", json!(i64::MIN), None),
        ("integer", json!(u64::MAX), None),
        ("integer", json!(1e300), None),
        ("string", json!(["a"]), None),
        ("string", json!({ "a": 1 }), None),
    ] {
        let properties = json!({ "p": { "type": kind, "x-mcp-header": "Region" }, "q": { "type": "string" } });
        let headers = sent(properties, json!({ "p": argument, "q": "not this one" }));
        let expected: Vec<_> = expected
            .map(|value| ("mcp-param-region".to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(headers, expected, "{argument}");
    }
}

#[test]
fn an_argument_is_read_at_its_exact_path() {
    let properties = json!({
        "place": { "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } },
        "region": { "type": "string" },
    });
    let arguments = json!({ "region": "other", "place": { "region": "this", "place": {} } });
    assert_eq!(
        sent(properties.clone(), arguments),
        [("mcp-param-region".to_owned(), "this".to_owned())]
    );
    for arguments in [
        json!({ "region": "other" }),
        json!({ "place": "text" }),
        json!([]),
        json!("x"),
        Value::Null,
    ] {
        assert_eq!(sent(properties.clone(), arguments), []);
    }
    let declared = declared(properties).unwrap();
    for call in ["{", "{}", r#"{"params":[1]}"#, r#"{"params":{}}"#] {
        assert_eq!(headers_of_call(&declared, call.as_bytes()), [], "{call}");
    }
}

#[test]
fn declarations_that_break_the_rules_are_refused() {
    let not_name = |name: Value| InvalidToolHeader::NotName(name.to_string());
    for name in [
        json!(""),
        json!("My Region"),
        json!("Region:Primary"),
        json!("Région"),
        json!("Region\t1"),
        json!("Region\r\nHost"),
        json!(7),
        Value::Null,
        json!(["Region"]),
    ] {
        let schema = json!({ "p": { "type": "string", "x-mcp-header": name } });
        assert_eq!(declared(schema), Err(not_name(name)));
    }
    for kind in [
        json!("number"),
        json!("object"),
        json!("array"),
        json!("null"),
        json!(["string"]),
        Value::Null,
    ] {
        let schema = json!({ "p": { "type": kind, "x-mcp-header": "R" } });
        assert_eq!(
            declared(schema),
            Err(InvalidToolHeader::NotPrimitive("R".to_owned())),
            "{kind}"
        );
    }
    let untyped = json!({ "p": { "x-mcp-header": "R" } });
    assert_eq!(declared(untyped), Err(InvalidToolHeader::NotPrimitive("R".to_owned())));
    let twice = json!({
        "a": { "type": "string", "x-mcp-header": "MyField" },
        "b": { "type": "object", "properties": { "c": { "type": "string", "x-mcp-header": "myfield" } } },
    });
    assert_eq!(declared(twice), Err(InvalidToolHeader::Repeated("myfield".to_owned())));
}

#[test]
fn declarations_that_properties_alone_do_not_lead_to_are_refused() {
    let annotated = json!({ "type": "string", "x-mcp-header": "R" });
    let inner = json!({ "properties": { "p": annotated } });
    for schema in [
        json!({ "type": "string", "x-mcp-header": "R" }),
        json!({ "properties": { "list": { "items": annotated } } }),
        json!({ "properties": { "list": { "prefixItems": [annotated] } } }),
        json!({ "oneOf": [inner] }),
        json!({ "allOf": [{ "anyOf": [inner] }] }),
        json!({ "not": inner }),
        json!({ "if": inner }),
        json!({ "then": inner }),
        json!({ "else": inner }),
        json!({ "$defs": { "d": inner }, "properties": { "p": { "$ref": "#/$defs/d" } } }),
        json!({ "$defs": { "properties": annotated } }),
        json!({ "patternProperties": { "^p": annotated } }),
        json!({ "additionalProperties": annotated }),
        json!({ "x-other": { "deep": [inner] } }),
    ] {
        assert_eq!(
            declared_headers(&schema),
            Err(InvalidToolHeader::NotReachable("R".to_owned())),
            "{schema}"
        );
    }
}

#[test]
fn properties_and_data_of_that_name_declare_nothing() {
    for schema in [
        json!({ "properties": { "x-mcp-header": { "type": "string" } } }),
        json!({ "properties": { "p": { "const": { "x-mcp-header": "a b" } } } }),
        json!({ "properties": { "p": { "enum": [{ "x-mcp-header": "a b" }], "default": { "x-mcp-header": 1 } } } }),
        json!({ "$defs": { "x-mcp-header": { "type": "string" } } }),
        json!(true),
        Value::Null,
    ] {
        assert_eq!(declared_headers(&schema), Ok(Vec::new()), "{schema}");
    }
}

#[test]
fn an_invalid_tool_is_left_out_of_a_list_that_is_otherwise_the_same() {
    let good =
        r#"{ "name": "good", "inputSchema": {"properties":{"p":{"type":"string","x-mcp-header":"R"}}}, "n": 1.50 }"#;
    let bad = r#"{"name":"bad","inputSchema":{"properties":{"p":{"type":"string","x-mcp-header":"a b"}}}}"#;
    let odd = r#"{"title":"no name"}"#;
    let list = |tools: &str| {
        format!(r#"{{"result" : {{"z":1e2,"tools" :[{tools}], "nextCursor":"c2"}},"id":1,"jsonrpc":"2.0"}}"#)
    };
    let read = ToolList::read(&list(&format!("{good} , {bad},{odd}"))).unwrap();
    assert_eq!(read.without_invalid, Some(list(&format!("{good},{odd}"))));
    let names: Vec<&str> = read.tools.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["good"]);
    assert_eq!(
        read.invalid,
        [("bad".to_owned(), InvalidToolHeader::NotName("\"a b\"".to_owned()))]
    );
    assert_eq!(read.next_cursor.as_deref(), Some("c2"));
    assert_eq!(ToolList::read(&list(good)).unwrap().without_invalid, None);
    for response in ["{", "{}", r#"{"result":{"tools":7}}"#, r#"{"error":{"code":1}}"#, "[]"] {
        assert_eq!(ToolList::read(response), None, "{response}");
    }
}

#[test]
fn a_header_mismatch_is_told_by_its_code() {
    assert!(is_header_mismatch(
        br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"x"}}"#
    ));
    for other in ["", "{}", r#"{"error":{"code":-32602}}"#, r#"{"error":7}"#] {
        assert!(!is_header_mismatch(other.as_bytes()), "{other}");
    }
}
