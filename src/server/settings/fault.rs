//! Faults that a user asks for with `--fail`.

use super::invalid::InvalidSetting;
use crate::server::route::Route;
use std::num::NonZeroU32;
use std::str::FromStr;

/// An answer that an endpoint gives instead of doing its work: `token=503:2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub routes: Vec<Route>,
    /// With which status, 200 to 599.
    pub status: u16,
    /// How often; `None`: always.
    pub count: Option<NonZeroU32>,
}

impl FromStr for Fault {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || InvalidSetting::Fault(text.to_owned());
        let (endpoint, answer) = text.split_once('=').ok_or_else(malformed)?;
        let (status, count) = match answer.split_once(':') {
            Some((status, count)) => (status, Some(count.parse().map_err(|_| malformed())?)),
            None => (answer, None),
        };
        let status = status
            .parse()
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or_else(malformed)?;
        Ok(Fault {
            routes: Route::named(endpoint)?,
            status,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_endpoint_status_and_count() {
        let fault: Fault = "token=503:2".parse().unwrap();
        assert_eq!(
            fault,
            Fault {
                routes: vec![Route::Token],
                status: 503,
                count: NonZeroU32::new(2)
            }
        );
        assert_eq!("/userinfo=200".parse::<Fault>().unwrap().count, None);
        assert_eq!("metadata=404".parse::<Fault>().unwrap().routes.len(), 4);
        for bad in [
            "token",
            "token=",
            "token=99",
            "token=600",
            "token=500:0",
            "token=500:x",
            "=500",
        ] {
            assert!(bad.parse::<Fault>().is_err(), "{bad}");
        }
        let message = "tokn=500".parse::<Fault>().unwrap_err().to_string();
        assert!(message.contains("tokn") && message.contains("introspect"), "{message}");
    }
}
