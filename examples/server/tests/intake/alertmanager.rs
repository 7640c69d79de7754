//! Debian's Alertmanager delivers by its receivers, and `amtool` speaks to us.

use std::process::Command;

use serde_json::Value;

use crate::pages;
use crate::process::{Process, debian, debian_with_files, free_port, run};
use crate::server::{KEY, unix_now};
use crate::site::Site;

const LOG: &str = "alertmanager.log";

/// An Alertmanager with the configuration that the page shows.
pub(crate) struct Alertmanager {
    _process: Process,
    pub(crate) url: String,
}

impl Alertmanager {
    pub(crate) async fn start(site: &Site, config: &str) -> Self {
        let config = site.file("alertmanager.yml", config);
        let url = format!("http://127.0.0.1:{}", free_port());
        let mut command = debian_with_files("bin/prometheus-alertmanager");
        command
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.path={}", site.dir().join("alertmanager").display()))
            .arg(format!("--web.listen-address={}", url.strip_prefix("http://").unwrap()))
            .args(["--cluster.listen-address=", "--log.level=warn"]);
        let process = Process::start(command, &site.dir().join(LOG));
        for _ in 0..300 {
            if reqwest::get(format!("{url}/-/ready")).await.is_ok_and(|answer| answer.status().is_success()) {
                return Self { _process: process, url };
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("Alertmanager does not start: {}", std::fs::read_to_string(site.dir().join(LOG)).unwrap());
    }

    fn amtool(&self, words: &[&str]) {
        let url = format!("--alertmanager.url={}", self.url);
        let (succeeded, text) = run(Command::new(debian("bin/amtool")).arg(url).args(words));
        assert!(succeeded, "{text}");
    }
}

const ALERT: [&str; 6] = [
    "alert",
    "add",
    "alertname=DiskFull",
    "service=athens",
    "severity=critical",
    "--annotation=summary=The disk is full",
];

/// The time now, in whole seconds.
fn rfc3339_now() -> String {
    chrono::DateTime::from_timestamp(unix_now() as i64, 0).unwrap().to_rfc3339()
}

/// One incident, one mail, and on recovery a resolved incident, by that block of the page.
async fn delivers(nth: usize, source: &str) -> Value {
    let site = Site::new().await;
    let config = pages::block_for(&site.server, "alertmanager.md", "yaml", nth);
    let alertmanager = Alertmanager::start(&site, &config).await;
    alertmanager.amtool(&ALERT);
    let incident = site.opened(LOG).await;
    assert_eq!((&incident["source"], &incident["severity"]), (&source.into(), &"CRIT".into()));
    let end = format!("--end={}", rfc3339_now());
    alertmanager.amtool(&[&ALERT[..], &[end.as_str()]].concat());
    site.resolved(LOG).await
}

#[tokio::test]
async fn its_webhook_delivers() {
    let incident = delivers(0, "alertmanager").await;
    assert_eq!(incident["title"], "The disk is full");
    assert_eq!(incident["labels"]["alertname"], "DiskFull");
    assert_eq!(incident["resolvedBy"], "monitoring");
}

#[tokio::test]
async fn its_pagerduty_receiver_delivers() {
    let incident = delivers(1, "pagerduty").await;
    assert!(incident["title"].as_str().unwrap().contains("DiskFull"), "{incident}");
    assert_eq!(incident["resolvedBy"], "athens-events");
}

#[tokio::test]
async fn its_opsgenie_receiver_delivers() {
    let incident = delivers(2, "opsgenie").await;
    assert!(incident["title"].as_str().unwrap().contains("DiskFull"), "{incident}");
    assert_eq!(incident["resolvedBy"], "athens-events");
}

#[tokio::test]
async fn amtool_works_as_the_page_says_and_is_told_what_does_not() {
    let site = Site::new().await;
    let http = site.file("http.yml", &pages::block("alertmanager.md", "yaml", 3));
    let amtool = |words: &[&str]| {
        let mut command = Command::new(debian("bin/amtool"));
        command
            .arg(format!("--alertmanager.url={}", site.server.url))
            .arg(format!("--http.config.file={http}"));
        run(command.args(words))
    };
    let (succeeded, text) = amtool(&ALERT);
    assert!(succeeded, "{text}");
    site.opened("").await;
    for words in [["config", "show"], ["cluster", "show"]] {
        let (succeeded, text) = amtool(&words);
        assert!(succeeded, "{words:?}: {text}");
    }
    let refused: [&[&str]; 4] = [
        &["alert", "query"],
        &["alert"],
        &["silence", "add", "alertname=DiskFull", "--comment=x"],
        &["silence", "query"],
    ];
    for words in refused {
        let (succeeded, text) = amtool(words);
        assert!(!succeeded && text.contains("error"), "{words:?}: {text}");
    }
    let end = format!("--end={}", rfc3339_now());
    let (succeeded, text) = amtool(&[&ALERT[..], &[end.as_str()]].concat());
    assert!(succeeded, "{text}");
    site.resolved("").await;
}

#[tokio::test]
async fn p21_amtool_silences_and_what_it_expires_alerts_exactly_once() {
    let site = Site::new().await;
    let http = site.file("respond.yml", &format!("authorization:\n  credentials: {KEY}\n"));
    let amtool = |words: &[&str]| {
        let mut command = Command::new(debian("bin/amtool"));
        command
            .arg(format!("--alertmanager.url={}", site.server.url))
            .arg(format!("--http.config.file={http}"))
            .arg("--no-version-check");
        let (succeeded, text) = run(command.args(words));
        assert!(succeeded, "{words:?}: {text}");
        text
    };
    let added = amtool(&[
        "silence",
        "add",
        "service=athens",
        "alertname=~Disk.*",
        "--duration=2h",
        "--author=Jo",
        "--comment=new database",
    ]);
    let id = added.trim();
    let told = amtool(&["silence", "query"]);
    assert!(told.contains(id) && told.contains("new database") && told.contains("Jo"), "{told}");
    assert_eq!(amtool(&["silence", "query", "-q", "service=athens"]).trim(), id);
    assert_eq!(amtool(&["silence", "query", "-q", "service=paris"]).trim(), "");
    amtool(&["silence", "update", "--duration=3h", id]);

    amtool(&ALERT);
    let quiet = site.until("quiet", "", |incident| incident["quietUntil"].is_string()).await;
    assert_eq!(quiet["quietBy"], serde_json::json!([format!("silence:{id}")]));
    // What is not silent is sent within this time.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(site.mails(), 0, "nobody is alerted yet");
    assert_eq!(site.server.get(&format!("/silences/{id}")).await["waiting"], 1);

    amtool(&["silence", "expire", id]);
    site.opened("").await;
    assert_eq!(amtool(&["silence", "query", "-q"]).trim(), "");
    let end = format!("--end={}", rfc3339_now());
    amtool(&[&ALERT[..], &[end.as_str()]].concat());
    // It was one mail until the end.
    site.resolved("").await;
}
