//! The made-up accounts.

use super::clients::secrets_match;
use super::invalid::InvalidSetting;
use crate::secret::Secret;
use std::str::FromStr;

/// A made-up account.
#[derive(Debug, Clone)]
pub struct User {
    /// What is typed as user name, and the subject of the tokens.
    pub name: String,
    /// What is typed as password.
    pub password: Secret,
}

impl FromStr for User {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The message must not repeat what may be a password.
        let (name, password) = text.split_once(':').ok_or(InvalidSetting::User)?;
        if name.is_empty() || password.is_empty() || name.chars().any(char::is_control) {
            return Err(InvalidSetting::User);
        }
        Ok(User {
            name: name.to_owned(),
            password: Secret::from(password),
        })
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Users(Vec<User>);

impl Users {
    pub(crate) fn new(users: Vec<User>) -> Self {
        Users(users)
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<&User> {
        self.0.first()
    }

    /// Whether the only account is `demo:demo`, whose password is no secret.
    pub(crate) fn is_only_demo(&self) -> bool {
        match self.0.as_slice() {
            [only] => only.name == "demo" && only.password.expose() == "demo",
            _ => false,
        }
    }

    /// The user with this name and password.
    pub(crate) fn find(&self, name: &str, password: &Secret) -> Option<&User> {
        // All are compared, so that the time says nothing.
        self.0.iter().fold(None, |found, user| {
            let same = user.name == name;
            if secrets_match(&user.password, password) && same {
                Some(user)
            } else {
                found
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_name_and_password() {
        let user: User = "demo:pass:word".parse().unwrap();
        assert_eq!(
            (user.name.as_str(), user.password.expose().as_str()),
            ("demo", "pass:word")
        );
        for bad in ["hunter2", ":hunter2", "hunter2:", "hunter\n2:x"] {
            let message = bad.parse::<User>().unwrap_err().to_string();
            assert!(!message.contains("hunter"), "{message}");
        }
    }
}
