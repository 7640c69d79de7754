//! What commands answer when something is wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{Scene, done, inresponse};

#[tokio::test]
async fn every_kind_of_failure_has_its_code() {
    let scene = Scene::new().await;
    for (args, code, text) in [
        (&["show", "1"][..], 1, "there is no incident 1"),
        (&["report", "nobody", "CRIT", "x"], 1, "service"),
        (&["show", "10000", "--key", "another-test-key"], 1, "INRESPONSE_KEY"),
        (&["show", "10000", "--url", "http://127.0.0.1:9"], 2, "cannot be reached"),
        (&["show", "10000", "--url", "here"], 64, "URL"),
        (&["report", "athens", "LOUD", "x"], 64, "CRIT, ERR or WARN"),
        (&["claim"], 64, "Usage"),
        (&["roster", "import", "nowhere.csv"], 64, "nowhere.csv"),
    ] {
        let done = scene.run(args);
        assert_eq!(done.code, code, "{args:?}: {done:?}");
        assert!(done.stderr.contains(text), "{args:?}: {done:?}");
    }
    let unreached = scene.run(&["show", "10000", "--url", "http://jo:canary@127.0.0.1:9/x/"]);
    for told in ["the server is http://127.0.0.1:9/x\n", "--url, INRESPONSE_URL or the file client.toml"] {
        assert!(unreached.stderr.contains(told) && !unreached.stderr.contains("canary"), "{unreached:?}");
    }
    let unknown = scene.run(&["show", "10000", "--key", "another-test-key"]);
    assert!(unknown.stderr.contains(&format!("the server is {}\n", scene.server.url)), "{unknown:?}");
    // The server's own commands are as they were.
    assert_eq!(scene.run(&["--listen"]).code, 2);
    assert_eq!(scene.run(&["key", "old"]).code, 2);
}

#[tokio::test]
async fn url_and_key_come_from_the_file_unless_they_are_given() {
    let scene = Scene::new().await;
    let folder = scene.dir.path().join(".config/inresponse");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |key: &str| format!("url = '{}'\nkey = '{key}'\n", scene.server.url);
    std::fs::write(folder.join("client.toml"), file(crate::server::KEY)).unwrap();
    let run = |args: &[&str]| done(inresponse(scene.dir.path()).args(args).output().unwrap());
    assert_eq!(run(&["list"]).code, 0);
    assert_eq!(run(&["list", "--key", "another-test-key"]).code, 1);
    std::fs::write(folder.join("client.toml"), file("canary\nx = 1")).unwrap();
    let broken = run(&["list"]);
    assert!(broken.code == 64 && !broken.stderr.contains("canary"), "{broken:?}");
}

/// A server that answers the first with nothing, the second with 503 and then with an incident; and what it was sent.
async fn flaky() -> (String, Arc<Mutex<Vec<String>>>) {
    const INCIDENT: &str = r#"{"incidentId":7,"service":"a","team":"a","severity":"CRIT","state":"OPEN","title":"x",
        "message":"","detectedAt":"2026-01-01T00:00:00Z","createdAt":"2026-01-01T00:00:00Z",
        "updatedAt":"2026-01-01T00:00:00Z","count":2,"round":1,"unclaimed":false,"undelivered":false,"new":1}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (calls, sent) = (AtomicUsize::new(0), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                stream.read_buf(&mut request).await.unwrap();
            }
            let request = String::from_utf8(request).unwrap();
            kept.lock().unwrap().push(request.split("\r\n\r\n").nth(1).unwrap().to_owned());
            let answer = match calls.fetch_add(1, Ordering::Relaxed) {
                0 => continue,
                1 => "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_owned(),
                _ => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{INCIDENT}", INCIDENT.len()),
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_report_whose_fate_is_unknown_is_sent_again_under_the_same_key() {
    let (url, sent) = flaky().await;
    let dir = tempfile::tempdir().unwrap();
    let mut command = inresponse(dir.path());
    let done = done(command.args(["report", "a", "CRIT", "x", "--url", &url]).output().unwrap());
    assert_eq!((done.code, done.stdout.as_str()), (0, "7\n"), "{done:?}");
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 3);
    assert!(sent[0].contains("dedupKey") && sent.iter().all(|body| *body == sent[0]), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_claim_whose_fate_is_unknown_is_not_repeated_and_says_so() {
    let (url, sent) = flaky().await;
    let dir = tempfile::tempdir().unwrap();
    let mut command = inresponse(dir.path());
    let done = done(command.args(["claim", "7", "--url", &url]).output().unwrap());
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(sent.lock().unwrap().len(), 1);
}
