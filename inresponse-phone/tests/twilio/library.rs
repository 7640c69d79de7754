//! Twilio's library for Python, which signs requests and judges signatures.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

/// A Python process with the library.
pub(crate) struct Library {
    running: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    child: Mutex<Child>,
}

impl Library {
    pub(crate) fn start() -> Self {
        let python = std::env::var("INRESPONSE_TEST_PYTHON").expect(
            "this test asks a library of Python that `cargo xtask test` installs: run the tests with that",
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/twilio/library.py");
        let mut child = Command::new(python)
            .args(["-X", "utf8", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { running: Mutex::new((input, output)), child: Mutex::new(child) }
    }

    pub(crate) fn ask(&self, asked: &Value) -> Value {
        let mut running = self.running.lock().unwrap();
        writeln!(running.0, "{asked}").unwrap();
        let answer = running.1.next().unwrap_or_else(|| panic!("Python ended at {asked}")).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    /// The signature of a request.
    pub(crate) fn sign(&self, token: &str, url: &str, params: &[(String, String)]) -> String {
        let asked = json!({ "do": "sign", "token": token, "url": url, "params": params });
        self.ask(&asked)["signature"].as_str().unwrap().to_owned()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ended = child.kill();
        let _reaped = child.wait();
    }
}
