//! A look at a page, light and dark, on a phone, in half of a screen and on a
//! large one: what can be measured is an assertion, and what cannot is a picture.

use super::chromium::{Chromium, Scheme};
use std::path::{Path, PathBuf};

/// In CSS pixels.
const WIDTHS: [u32; 4] = [360, 700, 1000, 1400];
const HEIGHT: u32 = 660;
/// A longer page is not shown whole on a picture.
const MAX_HEIGHT: u32 = 6000;

/// With this variable set, pictures are written (`docs/pictures/look`).
const PICTURES: &str = "OAUTH_TEST_PICTURES";

/// Gives the problems of the page.
const SCRIPT: &str = include_str!("look.js");

impl Chromium {
    /// Fails where this page is hard to read or to use. Writes
    /// `screenshots/NAME-SCHEME-WIDTH.png` in the folder that cargo builds into,
    /// and a second one where the page is longer than the window.
    #[track_caller]
    pub fn look(&self, name: &str) {
        let mut problems = Vec::new();
        for (scheme, scheme_name) in [(Scheme::Dark, "dark"), (Scheme::Light, "light")] {
            self.prefer(scheme);
            for width in WIDTHS {
                self.resize(width, HEIGHT);
                let found = self.run(SCRIPT);
                let found = found.as_array().expect("a list").iter();
                problems.extend(found.map(|problem| format!("{scheme_name}, {width} pixels: {problem}")));
                if std::env::var_os(PICTURES).is_some() {
                    self.take_picture(&format!("{name}-{scheme_name}-{width}"), width);
                }
            }
        }
        self.forget_size();
        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
    }

    fn take_picture(&self, name: &str, width: u32) {
        let folder = pictures();
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let write = |name: String| std::fs::write(folder.join(name), self.picture()).expect("writing the picture");
        write(format!("{name}.png"));
        let height = self.run("return document.documentElement.scrollHeight");
        let height = height.as_u64().and_then(|height| u32::try_from(height).ok());
        let height = height.expect("a height").min(MAX_HEIGHT);
        if height > HEIGHT {
            self.resize(width, height);
            write(format!("{name}-whole.png"));
        }
    }
}

fn pictures() -> PathBuf {
    match Path::new(env!("CARGO_TARGET_TMPDIR")).parent() {
        Some(target) => target.join("screenshots"),
        None => PathBuf::from("screenshots"),
    }
}
