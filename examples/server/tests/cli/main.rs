//! The commands, as a process, against a running server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers of tests too")]

mod commands;
mod failures;
mod roster;
mod routing;
mod schedules;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use inresponse_testkit::server;
use serde_json::Value;
use server::{KEY, Server, Setup};

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// The binary, with nothing of this machine's configuration.
pub(crate) fn inresponse(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inresponse"));
    command.env("HOME", home).current_dir(home).stdin(Stdio::null());
    for name in ["XDG_CONFIG_HOME", "INRESPONSE_URL", "INRESPONSE_KEY", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn done(output: Output) -> Done {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A server with a team and a service `athens`, and a folder to ask it from.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) dir: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Setup::new(dir.path(), 9).start().await;
        server
            .team("athens", 600, "jo@example.org".into(), Value::Array(Vec::new()), "ops@example.org")
            .await;
        Self { server, dir }
    }

    /// A command for that server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = inresponse(self.dir.path());
        command.args(args).env("INRESPONSE_URL", &self.server.url).env("INRESPONSE_KEY", KEY);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Done {
        done(self.command(args).output().unwrap())
    }

    pub(crate) fn report(&self) -> String {
        let done = self.run(&["report", "athens", "CRIT", "5xx", "-m", "12 %\nof requests"]);
        assert_eq!(done.code, 0, "{done:?}");
        done.stdout.trim().to_owned()
    }
}
