//! Text in HTML, in and out.

use crate::foreign_text::{escape_html, sanitize_unbounded};

/// Text for HTML, in content and in quoted attributes. Control and
/// bidirectional characters are shown as escapes.
pub(crate) fn escape(text: &str) -> String {
    escape_html(&sanitize_unbounded(text))
}

/// The inverse of [`escape`].
pub(crate) fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaping_is_the_inverse_of_escaping() {
        for text in ["a&amp;b", "<a href=\"x\">'&'</a>", "/consent?request=x&y=&#39;"] {
            assert_eq!(unescape(&escape(text)), text);
        }
    }
}
