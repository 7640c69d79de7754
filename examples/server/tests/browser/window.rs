//! A browser's window, driven from outside.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{By, DesiredCapabilities, WebDriver, WebElement};

use crate::server::{KEY, SOON, Server};

/// A window of a browser of its own; both end with it.
pub(crate) struct Window {
    driver: WebDriver,
    chromedriver: Child,
    _profile: tempfile::TempDir,
}

/// What a page is looked at with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) scheme: &'static str,
}

pub(crate) const PHONE: u32 = 390;
pub(crate) const DESK: u32 = 1280;
pub(crate) const LOOKS: [Look; 4] = [
    Look { width: PHONE, scheme: "light" },
    Look { width: PHONE, scheme: "dark" },
    Look { width: DESK, scheme: "light" },
    Look { width: DESK, scheme: "dark" },
];

fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.expect("this test needs what `cargo xtask browser` installs: run it with that").into()
}

/// Starts chromedriver, and answers the port on which it listens.
///
/// It chooses a free port and then listens on it; where another one took that in between, it ends, and is started again.
fn chromedriver() -> (Child, String) {
    for _ in 0..5 {
        let mut command = Command::new(installed("INRESPONSE_TEST_CHROMEDRIVER"));
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own, with which the browser ends too.
        command.process_group(0);
        let mut chromedriver = command.spawn().unwrap();
        let mut lines = BufReader::new(chromedriver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let port = lines.find_map(|line| {
            let port = line.split_once("started successfully on port ");
            let port = port.map(|(_, port)| port.trim_end_matches('.').to_owned());
            said.push(line);
            port
        });
        if let Some(port) = port {
            std::thread::spawn(move || lines.for_each(drop));
            return (chromedriver, port);
        }
        eprintln!(
            "chromedriver ended with {}, having said: {}",
            chromedriver.wait().unwrap(),
            said.join("; ")
        );
    }
    panic!("chromedriver does not start");
}

impl Window {
    pub(crate) async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (chromedriver, port) = chromedriver();
        let mut chromium = DesiredCapabilities::chrome();
        chromium.set_binary(installed("INRESPONSE_TEST_CHROMIUM").to_str().unwrap()).unwrap();
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--disable-lcd-text",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            chromium.add_arg(flag).unwrap();
        }
        chromium.set_browser_log_level(thirtyfour::LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), chromium).await.unwrap();
        let window = Self { driver, chromedriver, _profile: profile };
        window.look(LOOKS[0]).await;
        window
    }

    /// The same, signed in at the board.
    pub(crate) async fn signed_in(server: &Server, name: &str) -> Self {
        let window = Self::open().await;
        window.go(&server.url).await;
        window.type_into("#name", name).await;
        window.type_into("#key", KEY).await;
        window.press("main button").await;
        window.until("#live").await;
        window
    }

    /// At that width and in that colour scheme from now on.
    pub(crate) async fn look(&self, look: Look) {
        let (width, height) = (look.width, if look.width == PHONE { 844 } else { 800 });
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": look.scheme }] });
        self.command("Emulation.setEmulatedMedia", scheme).await;
    }

    pub(crate) async fn command(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap()
    }

    pub(crate) async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub(crate) async fn address(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// What a function without arguments returns in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, vec![]).await.unwrap().json().clone()
    }

    /// What a script hands to the function `done`.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1];\n{script}");
        self.driver.execute_async(script, vec![]).await.unwrap().json().clone()
    }

    /// Waits for what the selector finds.
    pub(crate) async fn until(&self, selector: &str) -> WebElement {
        for _ in 0..SOON.as_millis() / 50 {
            if let Ok(found) = self.driver.find(By::Css(selector)).await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {selector} at {}:\n{}", self.address().await, self.text().await);
    }

    /// Waits until the page says that.
    pub(crate) async fn until_says(&self, text: &str) {
        for _ in 0..SOON.as_millis() / 50 {
            if self.text().await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{text:?} is not at {}:\n{}", self.address().await, self.text().await);
    }

    /// What the page shows to a sighted reader.
    pub(crate) async fn text(&self) -> String {
        let text = self.driver.execute("return document.body?.innerText ?? ''", vec![]).await;
        text.ok().and_then(|text| text.json().as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the address holds that.
    pub(crate) async fn until_at(&self, part: &str) {
        for _ in 0..SOON.as_millis() / 50 {
            if self.address().await.contains(part) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it is not at {part} but at {}", self.address().await);
    }

    /// Presses what may be replaced by a newer one at any moment.
    pub(crate) async fn press(&self, selector: &str) {
        for _ in 0..10 {
            match self.until(selector).await.click().await {
                Ok(()) => return,
                Err(error) if error.to_string().contains("stale element") => {}
                Err(error) => panic!("{selector} cannot be pressed: {error}"),
            }
        }
        panic!("{selector} does not stay");
    }

    /// Replaces what is in a field. The page with the field may be replaced by a newer one at any moment.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        for _ in 0..10 {
            let field = self.until(selector).await;
            let typed = match field.clear().await {
                Ok(()) => field.send_keys(text).await,
                Err(error) => Err(error),
            };
            match typed {
                Ok(()) => return,
                Err(error) if error.to_string().contains("stale element") => {}
                Err(error) => panic!("nothing can be typed into {selector}: {error}"),
            }
        }
        panic!("{selector} does not stay");
    }

    /// What the page broke: its policy, or its script.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        log.iter().map(|entry| entry.message.clone()).collect()
    }

    /// The whole page as a picture, in the folder of screenshots.
    pub(crate) async fn picture(&self, name: &str, look: Look) {
        let path = screenshots().join(format!("{name}-{}-{}.png", look.width, look.scheme));
        let how = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.command("Page.captureScreenshot", how).await;
        let png = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(path, png).unwrap();
    }

    /// What axe-core finds that is serious or critical.
    pub(crate) async fn barriers(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(installed("INRESPONSE_TEST_AXE")).unwrap();
        self.driver.execute(axe, vec![]).await.unwrap();
        let found =
            "axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations))";
        let found = self.run_async(found).await;
        let serious = |v: &&Value| matches!(v["impact"].as_str(), Some("serious" | "critical"));
        let told = |v: &Value| format!("{}: {} {}", v["id"], v["help"], v["nodes"][0]["html"]);
        found.as_array().unwrap().iter().filter(serious).map(told).collect()
    }

    /// How far the page reaches beyond the right edge of the window.
    pub(crate) async fn overflow(&self) -> i64 {
        let beyond = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.run(beyond).await.as_i64().unwrap()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // There is nothing to say goodbye to.
        self.driver.clone().leak().ok();
        let group = format!("-{}", self.chromedriver.id());
        Command::new("kill").args(["-KILL", "--", &group]).status().ok();
        self.chromedriver.wait().ok();
    }
}

/// Where pictures are written, to be looked at.
pub(crate) fn screenshots() -> PathBuf {
    let folder = installed("INRESPONSE_TEST_SCREENSHOTS");
    std::fs::create_dir_all(&folder).unwrap();
    assert!(Path::new(&folder).is_dir());
    folder
}
