//! Runs programs of other projects, from Debian's packages and from Python's.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running program. Dropping it stops the program.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program. The program's output goes into a file, and is shown if the test fails.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Self { child }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first, so that it ends what it has started itself.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        for _ in 0..500 {
            if asked.is_err() || self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The path of a Debian program, which `cargo xtask intake` unpacks.
pub fn debian(program: &str) -> PathBuf {
    let folder = std::env::var("INRESPONSE_TEST_DEBIAN").expect(
        "this test runs programs of Debian's that `cargo xtask test` unpacks: run the tests with that, or with \
         `cargo xtask intake`",
    );
    let program = Path::new(&folder).join("usr").join(program);
    assert!(program.exists(), "{} is missing", program.display());
    program
}

/// A command for a Debian program that looks for its own files in `/usr/share`. The program runs in a mount namespace
/// of its own, where its files appear there.
pub fn debian_with_files(program: &str) -> Command {
    const VIEW: &str =
        r#"mount -t overlay -o "lowerdir=$1:/usr/share" overlay /usr/share && shift && exec "$@""#;
    let program = debian(program);
    let files = program.ancestors().nth(2).unwrap().join("share");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", VIEW, "sh"]).arg(files).arg(program);
    command
}

/// Runs a program to its end, and returns whether it succeeded and what it printed.
pub fn run(command: &mut Command) -> (bool, String) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
