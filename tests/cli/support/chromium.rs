//! Chromium, driven over WebDriver (W3C), which is HTTP and JSON to a
//! chromedriver on this machine. Fresh profile, headless, nothing of the
//! environment of the test but `PATH`.

use super::callback;
use super::installed;
use super::literal_server::PATIENCE;
use super::server_program::ServerProgram;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A name for 127.0.0.1 that is a site of its own to the browser.
pub const OTHER_SITE: &str = "other.example";

const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1000,940",
    "--host-resolver-rules=MAP other.example 127.0.0.1",
];

/// How pages are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// One browser with one window.
pub struct Chromium {
    /// Killed when this value goes, after the browser was ended.
    _driver: ServerProgram,
    authority: String,
    session: String,
    _home: TempDir,
}

impl Chromium {
    /// `None`, loudly, where it is not installed.
    pub fn start() -> Option<Self> {
        Chromium::start_with(&[])
    }

    /// The same with more flags.
    pub fn start_with(more_flags: &[&str]) -> Option<Self> {
        if !installed::all(&["chromedriver", "chromium"], "chromium chromium-driver") {
            return None;
        }
        let home = tempfile::tempdir().expect("a temporary folder");
        let driver = ServerProgram::start(
            Command::new("chromedriver")
                .arg("--port=0")
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("HOME", home.path())
                .current_dir(home.path()),
            "started successfully on port",
        );
        let port = driver
            .line()
            .trim_end_matches('.')
            .rsplit(' ')
            .next()
            .expect("a port")
            .to_owned();
        let mut chromium = Chromium {
            _driver: driver,
            authority: format!("127.0.0.1:{port}"),
            session: String::new(),
            _home: home,
        };
        let mut flags: Vec<String> = FLAGS.iter().chain(more_flags).map(|flag| (*flag).to_owned()).collect();
        flags.push(format!(
            "--user-data-dir={}",
            chromium._home.path().join("profile").display()
        ));
        let capabilities =
            json!({ "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": { "args": flags } } });
        let created = chromium.ask("POST", "/session", &json!({ "capabilities": capabilities }));
        chromium.session = created["sessionId"].as_str().expect("a session").to_owned();
        Some(chromium)
    }

    /// Opens this URL and waits until it is loaded.
    pub fn go_to(&self, url: &str) {
        self.command("/url", &json!({ "url": url }));
    }

    /// The URL of the page that is shown.
    pub fn url(&self) -> String {
        let url = self.ask("GET", &self.path("/url"), &Value::Null);
        url.as_str().expect("a URL").to_owned()
    }

    /// The visible text of the page.
    pub fn text(&self) -> String {
        let text = self.run("return document.body.innerText");
        text.as_str().expect("text").to_owned()
    }

    /// The text of the first heading.
    pub fn heading(&self) -> String {
        let heading = self.run("const h = document.querySelector('h1'); return h ? h.textContent : ''");
        heading.as_str().expect("text").to_owned()
    }

    /// Waits until the page with this heading is shown.
    pub fn wait_for_heading(&self, expected: &str) {
        self.wait_until(&format!("the page {expected:?}"), || self.heading() == expected);
    }

    /// Waits until this is so. A browser tells nobody when it has gone on.
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let began = Instant::now();
        while !condition() {
            let page = || format!("{}\n{}", self.url(), self.text());
            assert!(
                began.elapsed() < PATIENCE,
                "in vain waited for {what}; shown is\n{}",
                page()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the page has an element that this selector names.
    pub fn shows(&self, selector: &str) -> bool {
        let found = self.run(&format!("return document.querySelector('{selector}') !== null"));
        found.as_bool().expect("an answer")
    }

    /// Types into the field that this selector names, in the place of what is there.
    pub fn fill_in(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("/element/{element}/clear"), &json!({}));
        self.command(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Clicks what this selector names.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.command(&format!("/element/{element}/click"), &json!({}));
    }

    /// Runs a script in the page and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script that calls its last argument when it is done, with its result.
    pub fn run_to_end(&self, script: &str) -> Value {
        self.command("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Shows pages light or dark, without animations.
    pub fn prefer(&self, scheme: Scheme) {
        let scheme = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        self.develop(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]}),
        );
    }

    /// Gives pages a window of this size, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        self.develop(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// Gives pages the window as it is.
    pub fn forget_size(&self) {
        self.develop("Emulation.clearDeviceMetricsOverride", &json!({}));
    }

    /// Types on the keyboard, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key })))
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.command("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Lets no page run scripts from now on.
    pub fn forbid_scripts(&self) {
        self.develop("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// What is shown, as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.ask("GET", &self.path("/screenshot"), &Value::Null);
        STANDARD.decode(picture.as_str().expect("a picture")).expect("base64")
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next());
        id.and_then(Value::as_str).expect("an element").to_owned()
    }

    /// A command of the Chrome DevTools Protocol.
    fn develop(&self, command: &str, parameters: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn command(&self, path: &str, parameters: &Value) -> Value {
        self.ask("POST", &self.path(path), parameters)
    }

    fn path(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }

    fn ask(&self, method: &str, path: &str, parameters: &Value) -> Value {
        let answer = self.try_to_ask(method, path, parameters);
        answer.unwrap_or_else(|problem| panic!("{method} {path} {parameters}: {problem}"))
    }

    fn try_to_ask(&self, method: &str, path: &str, parameters: &Value) -> Result<Value, String> {
        let body = match parameters {
            Value::Null => String::new(),
            parameters => parameters.to_string(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.authority,
            body.len()
        );
        let answer = callback::send_bytes(&self.authority, request.as_bytes()).map_err(|error| error.to_string())?;
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(body["value"].clone()),
            _ => Err(body["value"]["message"].to_string()),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // ends the browser, which would outlive a driver that is killed
        let _ = self.try_to_ask("DELETE", &self.path(""), &Value::Null);
    }
}
