//! What becomes of the browser that was sent away: its reports, and that
//! someone has to open the URL by hand, because no browser was opened or none
//! came back for a while.

use crate::trace::{Event, Observer};
use crate::user_agent::browser::{BrowserProcess, BrowserReport};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Sleep;
use url::Url;

/// How long a browser that was opened is given before the whole URL is printed,
/// and what a person should know who opens it elsewhere.
const PATIENCE: Duration = Duration::from_secs(5);

/// One browser, or the attempts to open one.
pub(crate) struct BrowserWatch {
    process: BrowserProcess,
    url: String,
    is_open: bool,
    /// Nothing more comes from the process.
    has_ended: bool,
    /// What a person should know who opens the URL by hand.
    advice: Vec<String>,
    /// `None` once the URL was asked for.
    patience: Option<Pin<Box<Sleep>>>,
}

impl BrowserWatch {
    /// Counts from now.
    pub(crate) fn begin(process: BrowserProcess, url: &Url) -> Self {
        BrowserWatch::with_patience(process, url, PATIENCE)
    }

    fn with_patience(process: BrowserProcess, url: &Url, patience: Duration) -> Self {
        BrowserWatch {
            process,
            url: url.to_string(),
            is_open: false,
            has_ended: false,
            advice: Vec::new(),
            patience: Some(Box::pin(tokio::time::sleep(patience))),
        }
    }

    /// With what is said beside the URL, one note each, where someone has to
    /// open it by hand.
    #[must_use]
    pub(crate) fn with_advice(self, advice: Vec<String>) -> Self {
        BrowserWatch { advice, ..self }
    }

    /// Where no browser is opened, someone has to open the URL by hand: that is
    /// reported at once.
    pub(crate) fn report_absence(&mut self, observer: &mut dyn Observer) {
        if self.process.opens_none() {
            self.overdue().report_to(observer);
        }
    }

    /// What happens next; never returns where nothing will. Cancelling loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> BrowserSighting {
        loop {
            let report = tokio::select! {
                report = self.process.next(), if !self.has_ended => report,
                () = elapsed(&mut self.patience) => return self.overdue(),
            };
            if let Some(report) = report {
                self.is_open = matches!(report, BrowserReport::Started { .. });
                return BrowserSighting::Report(report);
            }
            self.has_ended = true;
            if !self.is_open && self.patience.is_some() {
                return self.overdue();
            }
        }
    }

    fn overdue(&mut self) -> BrowserSighting {
        self.patience = None;
        BrowserSighting::Overdue {
            url: self.url.clone(),
            advice: std::mem::take(&mut self.advice),
        }
    }
}

/// What was seen of a browser.
pub(crate) enum BrowserSighting {
    Report(BrowserReport),
    /// Someone has to open this URL by hand.
    Overdue {
        url: String,
        /// How its answer gets here from elsewhere.
        advice: Vec<String>,
    },
}

impl BrowserSighting {
    pub(crate) fn report_to(&self, observer: &mut dyn Observer) {
        observer.observe(&match self {
            BrowserSighting::Report(BrowserReport::Started { command }) => Event::BrowserStarted { command },
            BrowserSighting::Report(BrowserReport::NotStarted { command, reason }) => {
                Event::BrowserFailed { command, reason }
            }
            BrowserSighting::Report(BrowserReport::Exited { command, how }) => Event::BrowserExited { command, how },
            BrowserSighting::Overdue { url, .. } => Event::BrowserOverdue { url },
        });
        if let BrowserSighting::Overdue { advice, .. } = self {
            for line in advice {
                observer.observe(&Event::Note(line));
            }
        }
    }
}

async fn elapsed(patience: &mut Option<Pin<Box<Sleep>>>) {
    match patience {
        Some(patience) => patience.as_mut().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::UnboundedSender;

    const URL: &str = "https://id.example.com/authorize?state=s";
    /// Longer than any test runs.
    const FOR_EVER: Duration = Duration::from_secs(3600);

    /// What is seen until nothing more happens.
    fn watch(patience: Duration, reports: &[&str]) -> Vec<String> {
        let name = |sighting: BrowserSighting| match sighting {
            BrowserSighting::Report(BrowserReport::Started { .. }) => "started".to_owned(),
            BrowserSighting::Report(BrowserReport::NotStarted { .. }) => "failed".to_owned(),
            BrowserSighting::Report(BrowserReport::Exited { .. }) => "exited".to_owned(),
            BrowserSighting::Overdue { url, advice } => format!("overdue {url}{}", advice.concat()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (reporter, process) = BrowserProcess::reported();
            let watch = BrowserWatch::with_patience(process, &Url::parse(URL).unwrap(), patience);
            let mut watch = watch.with_advice(vec![", with advice".to_owned()]);
            send(&reporter, reports);
            drop(reporter);
            let mut seen = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    sighting = watch.next() => seen.push(name(sighting)),
                    () = tokio::task::yield_now(), if patience == FOR_EVER || watch.patience.is_none() => return seen,
                }
            }
        })
    }

    fn send(reporter: &UnboundedSender<BrowserReport>, reports: &[&str]) {
        for report in reports {
            let command = "firefox".to_owned();
            let report = match *report {
                "started" => BrowserReport::Started { command },
                "failed" => BrowserReport::NotStarted {
                    command,
                    reason: "no such program".to_owned(),
                },
                _ => BrowserReport::Exited {
                    command,
                    how: "exited with 3".to_owned(),
                },
            };
            reporter.send(report).unwrap();
        }
    }

    #[test]
    fn the_url_is_asked_for_at_once_where_no_browser_was_opened_and_never_where_one_was() {
        let overdue = format!("overdue {URL}, with advice");
        for (reports, is_asked) in [
            (&[][..], true),
            (&["failed"], true),
            (&["failed", "failed"], true),
            (&["started", "exited"], true),
            (&["started"], false),
            (&["failed", "started"], false),
            (&["started", "exited", "started"], false),
        ] {
            let mut expected: Vec<String> = reports.iter().map(|report| (*report).to_owned()).collect();
            expected.extend(is_asked.then(|| overdue.clone()));
            assert_eq!(watch(FOR_EVER, reports), expected);
        }
    }

    #[test]
    fn a_browser_that_was_opened_is_given_time_and_then_the_url_is_asked_for_once() {
        let seen = watch(Duration::from_millis(1), &["started"]);
        assert_eq!(seen, ["started".to_owned(), format!("overdue {URL}, with advice")]);
    }
}
