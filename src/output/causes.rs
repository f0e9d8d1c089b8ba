//! The causes of an error, which its message does not repeat.

use std::error::Error;

/// The messages of the causes, outermost first, without those that the message
/// before them repeats.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut before = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !before.contains(&text) {
            causes.push(text.clone());
        }
        before = text;
        source = cause.source();
    }
    causes
}

/// A message with the causes of its error in parentheses, for one line.
pub fn error_chain(message: &str, error: &dyn Error) -> String {
    let causes = causes(error).into_iter();
    causes.fold(message.to_owned(), |text, cause| format!("{text} ({cause})"))
}
