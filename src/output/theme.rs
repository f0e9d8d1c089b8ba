//! Colour for text that a person reads on a terminal. The code that makes a
//! [`Theme`] has decided whether there is colour; nothing here looks at the
//! environment or at a global switch.

use colored::Color;

/// What a piece of text is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `error:`
    Error,
    /// `warning:`
    Warning,
    /// `hint:`, `note:`
    Hint,
    /// A step of the flow, a heading.
    Heading,
    /// Something that went well.
    Good,
    /// What is beside the matter: names, marks in the margin.
    Aside,
}

/// Paints text, or leaves it plain.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// With colour or without.
    pub fn new(colour: bool) -> Self {
        #[cfg(windows)]
        if colour {
            // never fails; the signature is kept for compatibility
            let _ = colored::control::set_virtual_terminal(true);
        }
        Theme { colour }
    }

    /// The text as this role looks.
    pub fn paint(self, role: Role, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let codes = match role {
            Role::Error => format!("1;{}", Color::Red.to_fg_str()),
            Role::Warning => format!("1;{}", Color::Yellow.to_fg_str()),
            Role::Hint => Color::Cyan.to_fg_str().into_owned(),
            Role::Heading => "1".to_owned(),
            Role::Good => Color::Green.to_fg_str().into_owned(),
            Role::Aside => "2".to_owned(),
        };
        format!("\x1b[{codes}m{text}\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_the_makers_decision_alone() {
        assert_eq!(Theme::new(false).paint(Role::Error, "error:"), "error:");
        assert_eq!(Theme::new(true).paint(Role::Error, "error:"), "\x1b[1;31merror:\x1b[0m");
        assert_eq!(Theme::new(true).paint(Role::Aside, "name"), "\x1b[2mname\x1b[0m");
    }
}
