//! The trace file `.mmd`: a sequence diagram in Mermaid's language, for
//! documents that render it. Labels are short; everything is in the other formats.

use crate::trace::diagram::{DetailContent, DiagramBuilder, DiagramLine, LineKind, PARTIES};
use crate::trace::renderer::{Renderer, TraceContext};
use crate::trace::{Event, Party};
use std::time::Duration;

/// The most characters of one line of a label.
const LABEL_CHARS: usize = 72;

/// The most parameters under a label.
const MAX_PAIRS: usize = 12;

/// Before the first arrow of its kind.
const UNSEEN: &str = "  Note over owner,server: dashed with an open head: not seen by this program\n";

/// Renders one diagram.
pub struct Mermaid {
    context: TraceContext,
    diagram: DiagramBuilder,
    /// Whether it is said what an arrow stands for that the client does not see.
    is_explained: bool,
}

impl Mermaid {
    /// For one file.
    pub fn new(context: TraceContext) -> Self {
        Mermaid {
            diagram: DiagramBuilder::new(context.redaction),
            context,
            is_explained: false,
        }
    }
}

impl Renderer for Mermaid {
    fn head(&mut self) -> String {
        let mut head = "sequenceDiagram\n".to_owned();
        for party in PARTIES {
            let kind = match party {
                Party::ResourceOwner => "actor",
                _ => "participant",
            };
            head += &format!("  {kind} {} as {}\n", identifier(party), party.name());
        }
        if self.context.redaction.shows_secrets() {
            let (first, last) = (identifier(PARTIES[0]), identifier(PARTIES[5]));
            head += &format!("  Note over {first},{last}: CONTAINS SECRETS (--show-secrets): do not share\n");
        }
        head
    }

    fn event(&mut self, event: &Event<'_>, _since_start: Duration) -> String {
        let lines = self.diagram.lines(event);
        let mut statements = String::new();
        for line in &lines {
            if line.kind == LineKind::Unseen && !self.is_explained {
                self.is_explained = true;
                statements += UNSEEN;
            }
            statements += &statement(line);
        }
        statements
    }

    fn tail(&self) -> String {
        String::new()
    }
}

fn statement(line: &DiagramLine) -> String {
    let (from, to) = (identifier(line.from), identifier(line.to));
    let mut label = escape(&cut(&line.label));
    for pair in shown_pairs(line) {
        label += "<br/>";
        label += &escape(&cut(&pair));
    }
    match line.kind {
        LineKind::Step => {
            let (first, last) = (identifier(PARTIES[0]), identifier(PARTIES[5]));
            format!("  Note over {first},{last}: {label}\n")
        }
        LineKind::Message => format!("  {from}->>{to}: {label}\n"),
        LineKind::Answer => format!("  {from}-->>{to}: {label}\n"),
        LineKind::Unseen => format!("  {from}--){to}: {label}\n"),
        LineKind::Failure if line.from != line.to => format!("  {from}-x{to}: {label}\n"),
        LineKind::Check => format!("  Note over {from}: ✓ {label}\n"),
        LineKind::Warning | LineKind::Failure => format!("  Note over {from}: ⚠ {label}\n"),
        LineKind::Fact | LineKind::Skipped | LineKind::Note => format!("  Note over {from}: {label}\n"),
    }
}

/// The parameters of a message; headers and the like are left out.
fn shown_pairs(line: &DiagramLine) -> Vec<String> {
    let parameters = line.details.iter().find(|detail| detail.title == "parameters");
    let Some(DetailContent::Pairs(pairs)) = parameters.map(|detail| &detail.content) else {
        return Vec::new();
    };
    let mut shown: Vec<String> = pairs
        .iter()
        .take(MAX_PAIRS)
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if pairs.len() > MAX_PAIRS {
        shown.push(format!("and {} more", pairs.len() - MAX_PAIRS));
    }
    shown
}

fn identifier(party: Party) -> &'static str {
    match party {
        Party::ResourceOwner => "owner",
        Party::Browser => "browser",
        Party::Client => "client",
        Party::AuthorizationServer => "server",
        Party::ResourceServer => "resource",
        Party::CredentialStore => "store",
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LABEL_CHARS - 1).collect();
    kept + "…"
}

/// Everything that means something to Mermaid, or to the HTML that it makes,
/// as a character reference: `#35;`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '`' | '$' | '%' => {
                escaped += &format!("#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mermaid_reads_as_its_own_is_a_reference() {
        assert_eq!(
            escape("a;b #1 <script> $$x$$ %%c end: it's"),
            "a#59;b #35;1 #60;script#62; #36;#36;x#36;#36; #37;#37;c end: it's"
        );
        assert_eq!(cut(&"é".repeat(80)).chars().count(), LABEL_CHARS);
    }
}
