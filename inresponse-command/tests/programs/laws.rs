//! The laws of every notifier, with a shell script for each recipient.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use inresponse_command::{CommandConfig, CommandNotifier, Program};
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::Contact;
use tempfile::TempDir;

/// Counts the attempt, then does what its file says. A message is taken by moving it, so that it is there as a whole.
const SCRIPT: &str = r#"#!/bin/sh
echo >> "$DIR/attempts-$1"
case "$(cat "$DIR/behaves-$1" 2>/dev/null)" in
  reject) echo 'the recipient is gone' >&2; exit 2;;
  busy) exit 1;;
  hang) sleep 1000;;
esac
taken=$(mktemp "$DIR/taking-XXXXXX") && cat > "$taken" && mv "$taken" "$DIR/message-$1-$(date +%s%N)"
case "$(cat "$DIR/behaves-$1" 2>/dev/null)" in
  take-and-hang) sleep 1000;;
  take-and-close) kill -9 $$;;
esac
exit 0
"#;

struct Scripts(TempDir);

impl Scripts {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let script = dir.path().join("script");
        fs::write(&script, SCRIPT).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        Self(dir)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn messages(&self, contact: &Contact) -> Vec<PathBuf> {
        let prefix = format!("message-{}-", contact.address());
        let files = fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path());
        let mut found: Vec<_> =
            files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix)).collect();
        found.sort();
        found
    }
}

impl NotifierHarness for Scripts {
    type Notifier = CommandNotifier;

    async fn notifier(&self) -> CommandNotifier {
        let mut config = CommandConfig::new();
        for n in 0..40 {
            let program = Program::new(self.file("script"), [n.to_string(), "canary".to_owned()]).unwrap();
            let program = program.with("DIR", self.0.path().to_str().unwrap()).unwrap();
            config = config.with(&n.to_string(), program.with("TOKEN", "canary").unwrap()).unwrap();
        }
        CommandNotifier::new(config, Arc::new(SystemClock::new()))
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("command:{n}")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        let (here, away) = (self.file("script"), self.file("away"));
        if behaviour == Behaviour::Unreachable {
            fs::rename(here, away).unwrap();
            return;
        }
        if away.exists() {
            fs::rename(away, here).unwrap();
        }
        let word = match behaviour {
            Behaviour::Accept => "accept",
            Behaviour::Reject => "reject",
            Behaviour::RefuseSender | Behaviour::Busy => "busy",
            Behaviour::Hang => "hang",
            Behaviour::TakeAndHang => "take-and-hang",
            Behaviour::TakeAndClose => "take-and-close",
            Behaviour::Throttle | Behaviour::Unreachable => unreachable!("excepted, or done above"),
        };
        fs::write(self.file(&format!("behaves-{}", contact.address())), word).unwrap();
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        let attempts = fs::read_to_string(self.file(&format!("attempts-{}", contact.address())));
        attempts.map_or(0, |attempts| attempts.lines().count())
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |path: PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            let (_, rest) = text.split_once(r#""deliveryId":""#).unwrap();
            Arrival { delivery_id: rest.split('"').next().unwrap().to_owned(), text }
        };
        self.messages(contact).into_iter().map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["canary".to_owned()]
    }
}

inresponse_conformance::notifier_laws!(Scripts::new(), except: throttle);
