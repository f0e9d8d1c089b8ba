//! The made-up accounts.

use super::claims::Claims;
use super::clients::secrets_match;
use super::invalid::InvalidSetting;
use crate::secret::Secret;
use std::str::FromStr;

/// A made-up account.
#[derive(Debug, Clone)]
pub struct User {
    /// What is typed as user name.
    pub name: String,
    /// What is typed as password.
    pub password: Secret,
    /// What ID tokens and userinfo say about the user, within the scope.
    pub claims: Claims,
}

impl User {
    /// # Errors
    /// [`InvalidSetting::User`], without a part of the password.
    pub fn new(name: &str, password: &str, claims: Claims) -> Result<Self, InvalidSetting> {
        if name.is_empty() || password.is_empty() || name.chars().any(char::is_control) {
            return Err(InvalidSetting::User);
        }
        Ok(User {
            name: name.to_owned(),
            password: Secret::from(password),
            claims,
        })
    }

    /// `sub` of the tokens: that of the claims, else the name.
    pub(crate) fn subject(&self) -> &str {
        self.claims.text("sub").unwrap_or(&self.name)
    }
}

impl FromStr for User {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The message must not repeat what may be a password.
        let (name, password) = text.split_once(':').ok_or(InvalidSetting::User)?;
        User::new(name, password, Claims::default())
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

    /// The subject of the tokens of the user with this name.
    pub(crate) fn subject(&self, name: &str) -> String {
        let mut users = self.0.iter();
        let user = users.find(|user| user.name == name);
        user.map_or(name, User::subject).to_owned()
    }

    /// The user that tokens speak of.
    pub(crate) fn with_subject(&self, subject: &str) -> Option<&User> {
        self.0.iter().find(|user| user.subject() == subject)
    }

    /// Whether the only account is `demo:demo`, whose password is not a secret.
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
