//! Debian's Prometheus fires a real rule, and posts to us directly.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::pages;
use crate::process::{Process, debian, free_port};
use crate::site::Site;

/// A service with a metric that says whether it is well.
async fn service(is_well: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let metric = format!("is_well {}\n", u8::from(is_well.load(Ordering::SeqCst)));
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let length = metric.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {length}\r\n\
                     connection: close\r\n\r\n{metric}"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn a_rule_that_fires_is_one_incident_and_one_mail_and_its_end_resolves() {
    let site = Site::new().await;
    let is_well = Arc::new(AtomicBool::new(true));
    let port = service(Arc::clone(&is_well)).await;
    let rules = r#"
groups:
  - name: athens
    rules:
      - alert: NotWell
        expr: is_well == 0
        labels:
          severity: page
        annotations:
          summary: "{{ $labels.job }} is not well"
          runbook_url: https://runbooks.example.org/not-well
"#;
    let rules = site.file("rules.yml", rules);
    let config = format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: ['{rules}']\nscrape_configs:\n  \
         - job_name: athens\n    static_configs:\n      - targets: ['127.0.0.1:{port}']\n{}",
        pages::block_for(&site.server, "prometheus.md", "yaml", 0)
    );
    let config = site.file("prometheus.yml", &config);
    let mut command = Command::new(debian("bin/prometheus"));
    command
        .arg(format!("--config.file={config}"))
        .arg(format!("--storage.tsdb.path={}", site.dir().join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{}", free_port()))
        .args(["--rules.alert.resend-delay=1s", "--log.level=warn"]);
    let log = "prometheus.log";
    let _prometheus = Process::start(command, &site.dir().join(log));
    // It watches before it has anything to tell.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(site.incidents().await, Vec::<serde_json::Value>::new());

    is_well.store(false, Ordering::SeqCst);
    let incident = site.opened(log).await;
    assert_eq!((&incident["title"], &incident["severity"]), (&"athens is not well".into(), &"CRIT".into()));
    assert_eq!(incident["source"], "prometheus");
    site.until("counted", log, |incident| incident["count"].as_u64() >= Some(3)).await;
    is_well.store(true, Ordering::SeqCst);
    let incident = site.resolved(log).await;
    assert_eq!(incident["resolvedBy"], "monitoring");
}
