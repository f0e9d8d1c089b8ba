//! The members of an object that need not be well-formed JSON: cut off in the
//! middle, with a member twice, bytes that are not UTF-8, raw line breaks in
//! strings. For answers that are refused, but hold something that must not be
//! lost with them, or say why the request was refused.
//!
//! What is read here is never taken for a valid answer: that is for
//! [`parse_object`](super::json::parse_object).

/// The members of the first object in some bytes, up to where it breaks off.
#[derive(Debug)]
pub(crate) struct ScannedObject<'a> {
    /// Whether there is nothing but blanks and byte order marks before it.
    pub(crate) stands_first: bool,
    members: Vec<(String, &'a [u8])>,
}

impl<'a> ScannedObject<'a> {
    /// Reads the members of the first object; `None` where no object begins.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.iter().position(|byte| *byte == b'{')?;
        let before = String::from_utf8_lossy(&bytes[..start]);
        let mut scanner = Scanner {
            bytes,
            position: start + 1,
        };
        Some(ScannedObject {
            stands_first: before
                .chars()
                .all(|character| character.is_whitespace() || character == '\u{feff}'),
            members: std::iter::from_fn(|| scanner.member()).collect(),
        })
    }

    /// The last value of this name that is a well-formed string.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        let mut values = self.values(name).rev();
        values.find_map(|raw| serde_json::from_slice::<String>(raw).ok())
    }

    /// The values of this name as text for a person: of a string its content,
    /// whatever bytes stand in it; of anything else the JSON.
    pub(crate) fn texts(&self, name: &str) -> impl DoubleEndedIterator<Item = String> {
        self.values(name).map(|raw| {
            let printable: Vec<u8> = raw.iter().map(|byte| (*byte).max(b' ')).collect();
            let text = String::from_utf8_lossy(&printable).into_owned();
            serde_json::from_str::<String>(&text).unwrap_or(text)
        })
    }

    /// The last of [`texts`](Self::texts).
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.texts(name).next_back()
    }

    fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let named = self.members.iter().filter(move |(own, _)| own == name);
        named.map(|(_, raw)| *raw)
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Scanner<'a> {
    fn member(&mut self) -> Option<(String, &'a [u8])> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
        let name = self.string_literal()?;
        self.skip(|byte| byte.is_ascii_whitespace());
        if self.next()? != b':' {
            return None;
        }
        self.skip(|byte| byte.is_ascii_whitespace());
        let value = self.value()?;
        let name = serde_json::from_slice(name).unwrap_or_else(|_| String::from_utf8_lossy(name).into_owned());
        Some((name, value))
    }

    /// A string with its quotes, which must end.
    fn string_literal(&mut self) -> Option<&'a [u8]> {
        let start = self.position;
        if self.next()? != b'"' {
            return None;
        }
        loop {
            match self.next()? {
                b'"' => return Some(&self.bytes[start..self.position]),
                b'\\' => self.position += 1,
                _ => {}
            }
        }
    }

    /// A value of any kind, which must end.
    fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.position;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string_literal()?;
                    if depth == 0 {
                        return Some(&self.bytes[start..self.position]);
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' if depth == 1 => {
                    self.position += 1;
                    return Some(&self.bytes[start..self.position]);
                }
                b'}' | b']' | b',' if depth == 0 => return Some(&self.bytes[start..self.position]),
                _ => {}
            }
            self.position += 1;
        }
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(body: &[u8], name: &str) -> Option<String> {
        ScannedObject::read(body)?.string(name)
    }

    #[test]
    fn a_member_is_found_in_an_object_that_is_not_well_formed() {
        for body in [
            &br#"{"a":"x"}"#[..],
            br#"{"a":"x","b":"cut o"#,
            br#"{"a":"x""#,
            br#"{"b":{"a":"nested"},"a":"x"}"#,
            br#"{"b":[{"a":"]}"},"\"a\":\"no\""],"a":"x"}"#,
            b"{\"b\":\"two\nlines, and J\xf6rg\",\"a\":\"x\"}",
            br#"{"b":NaN, "c":undefined,,"a":"x",}"#,
            br#"{"a":"first","a":"x","a":null}"#,
            b"\xef\xbb\xbf \r\n{ \"a\" : \"\\u0078\" } trailing",
        ] {
            assert_eq!(
                string(body, "a").as_deref(),
                Some("x"),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn what_is_cut_off_nested_or_no_string_is_no_member() {
        for body in [
            &br#"{"a":"x"#[..],
            br#"{"a":"x\""#,
            br#"{"a"#,
            br#"{"a":"#,
            br#"{"b":{"a":"x"}}"#,
            br#"{"b":"\"a\":\"x\""}"#,
            br#"{"a":7}"#,
            b"{\"a\":\"x\ny\"}",
            br#"["a"]"#,
            b"",
            b"{",
        ] {
            assert_eq!(string(body, "a"), None, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn words_for_a_person_survive_bad_bytes() {
        let body = b"{\"error_description\":\"two\nlines, J\xf6rg\",\"error\":{\"code\":7}}";
        let object = ScannedObject::read(body).unwrap();
        assert_eq!(object.text("error_description").unwrap(), "two lines, J\u{fffd}rg");
        assert_eq!(object.text("error").unwrap(), r#"{"code":7}"#);
    }

    #[test]
    fn it_says_whether_something_stands_before_the_object() {
        let stands_first = |body: &str| ScannedObject::read(body.as_bytes()).unwrap().stands_first;
        assert!(stands_first("\u{feff} {}") && !stands_first("<b>Notice</b> {}"));
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"b\":{}", "[".repeat(500_000));
        assert_eq!(string(deep.as_bytes(), "a"), None);
    }
}
