//! Text messages and calls by the real binary, with a provider on a local socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Everything that was sent: the path and the body of each request.
type Sent = Arc<Mutex<Vec<(String, String)>>>;

/// Answers as Twilio does, except that it refuses the account for one number; and as a gateway on `/send`.
fn provider() -> (u16, Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Sent::default();
    let kept = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _answered = answer(stream, &kept);
        }
    });
    (port, sent)
}

fn answer(stream: TcpStream, sent: &Sent) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let (status, said) = match () {
        () if path == "/send" => (200, "{\"status\":\"queued\"}"),
        () if body.contains("302109999999") => (401, "{\"code\":20003,\"status\":401}"),
        () => (201, "{\"sid\":\"SM1\",\"status\":\"queued\"}"),
    };
    sent.lock().unwrap().push((path, body));
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{said}", said.len());
    stream.get_mut().write_all(head.as_bytes()).ok()
}

fn run(dir: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_inresponse")).current_dir(dir).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &*text(&output.stderr))
}

#[test]
fn phones_are_tested_as_the_server_would_reach_them() {
    let dir = tempfile::tempdir().unwrap();
    let (port, sent) = provider();
    let config = format!(
        r#"
        public-url = "https://ir.example.org"
        [twilio]
        account-sid = "AC0123456789abcdef0123456789abcdef"
        auth-token = "hidden0123456789abcdef0123456789"
        from = "+15005550006"
        api-url = "http://127.0.0.1:{port}"
        [gateway.backup]
        url = "http://127.0.0.1:{port}/send"
        body = '{{"to": "{{number}}", "text": "{{text}}"}}'
        schemes = ["sms"]
        accepted = "queued"
        [webhook]
        internal = ["127.0.0.1"]
        "#
    );
    std::fs::write(dir.path().join("c.toml"), &config).unwrap();
    let test = |contact: &str| run(dir.path(), &["test-alert", contact, "--config", "c.toml"]);

    for (contact, resource) in [("sms:+302101234567", "Messages"), ("tel:+30-210-1234567", "Calls")] {
        let tested = test(contact);
        assert!(tested.0 && tested.1.contains("accepted"), "{}", tested.1);
        let (path, body) = sent.lock().unwrap().pop().unwrap();
        assert!(path.ends_with(&format!("/{resource}.json")), "{path}");
        assert!(body.contains("To=%2B302101234567"), "{body}");
        assert!(body.contains("https%3A%2F%2Fir.example.org%2Fchannels%2Ftwilio%2Fstatus"), "{body}");
    }

    // The account is refused: the gateway sends it in the same attempt.
    let tested = test("sms:+302109999999");
    assert!(tested.0 && tested.1.contains("accepted"), "{}", tested.1);
    let (path, body) = sent.lock().unwrap().pop().unwrap();
    assert_eq!(path, "/send");
    assert!(body.contains(r#""to": "+302109999999""#), "{body}");

    // Nothing is sent to a number that costs extra, and none that is not international.
    let before = sent.lock().unwrap().len();
    for (contact, expected) in [("sms:+449012345678", "reaches"), ("tel:112", "international")] {
        let refused = test(contact);
        assert!(!refused.0 && refused.1.contains(expected), "{}", refused.1);
    }
    assert_eq!(sent.lock().unwrap().len(), before);

    let checked = run(dir.path(), &["doctor", "--config", "c.toml"]);
    assert!(checked.1.contains("https://ir.example.org/channels/twilio/sms"), "{}", checked.1);
    assert!(!checked.1.contains("hidden"), "{}", checked.1);

    // An internal address must be listed.
    std::fs::write(dir.path().join("c.toml"), config.replace("[\"127.0.0.1\"]", "[]")).unwrap();
    let refused = test("sms:+302101234567");
    assert!(!refused.0 && refused.1.contains("internal hosts"), "{}", refused.1);
}
