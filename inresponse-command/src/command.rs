//! The notifier: runs the program once for each attempt.

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Scheme};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_outward::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::config::{CommandConfig, Program};
use crate::exit::{self, MAX_ERROR};
use crate::group::Group;

/// How long the rest of standard error is waited for after the program has ended.
const REST: Duration = Duration::from_millis(500);

/// Runs programs. Cloning is cheap.
#[derive(Clone)]
pub struct CommandNotifier {
    config: Arc<CommandConfig>,
    clock: Arc<dyn Clock>,
}

impl CommandNotifier {
    /// A notifier that runs these programs.
    pub fn new(config: CommandConfig, clock: Arc<dyn Clock>) -> Self {
        Self { config: Arc::new(config), clock }
    }

    /// The scheme of its contacts: `command`.
    pub fn scheme() -> Scheme {
        Scheme::new("command").expect("the name is a scheme")
    }

    fn program(&self, contact: &Contact) -> Option<&Program> {
        self.config.programs.get(contact.address())
    }
}

fn start(program: &Program) -> std::io::Result<Child> {
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(&program.environment);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    Group::lead(&mut command);
    command.kill_on_drop(true).spawn()
}

/// Gives the program its input, and waits until it has ended.
async fn run(mut child: Child, message: Vec<u8>) -> Outcome {
    let (input, output) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let ended = {
        let mut writing = std::pin::pin!(async {
            // A program that does not read its input says by its exit code what that means.
            if let Some(mut input) = input {
                let _ = input.write_all(&message).await;
            }
        });
        let mut reading = std::pin::pin!(async {
            if let Some(output) = output {
                beginning(output, &mut said).await;
            }
        });
        let (mut is_written, mut is_read) = (false, false);
        let ended = loop {
            tokio::select! {
                ended = child.wait() => break ended,
                () = &mut writing, if !is_written => is_written = true,
                () = &mut reading, if !is_read => is_read = true,
            }
        };
        // What the program itself wrote is there already; its children may keep standard error open.
        if !is_read {
            let _ = tokio::time::timeout(REST, reading).await;
        }
        ended
    };
    match ended {
        Ok(status) => exit::outcome(status.code(), &said),
        Err(error) => Outcome::unknown(format!("the program cannot be waited for: {error}")),
    }
}

/// Keeps the beginning of an output, and drops the rest, so that the program does not wait.
async fn beginning(mut output: impl AsyncRead + Unpin, said: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        let room = MAX_ERROR - said.len();
        said.extend_from_slice(&buffer[..read.min(room)]);
    }
}

#[async_trait]
impl Notifier for CommandNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let Some(program) = self.program(alert.contact()) else {
            return Outcome::rejected(format!("there is no program {}", alert.contact()));
        };
        let child = match start(program) {
            Ok(child) => child,
            Err(error) => return Outcome::unavailable(format!("the program cannot be started: {error}")),
        };
        let group = Group::of(&child);
        let ran = tokio::time::timeout(deadline, run(child, json(alert, self.clock.now()))).await;
        drop(group);
        ran.unwrap_or_else(|_| Outcome::unknown("the program did not end in time"))
    }

    /// Reaches the configured programs.
    fn reaches(&self, contact: &Contact) -> bool {
        self.program(contact).is_some()
    }
}

impl fmt::Debug for CommandNotifier {
    /// Shows everything except arguments and environments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
