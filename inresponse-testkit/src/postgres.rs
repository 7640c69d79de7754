//! Runs a real PostgreSQL server, with its data in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use crate::mail::python;
use crate::process::{free_port, run};

/// The number of looks, 20 milliseconds apart, for the server to accept connections.
const LOOKS: u32 = 6_000;
/// The number of ports to try, since another program may take a port that was free a moment ago.
const PORTS: u32 = 5;
/// The user that owns the databases.
const OWNER: &str = "inresponse";

/// A running PostgreSQL server. Dropping it stops the server and deletes its data.
///
/// PostgreSQL refuses to run as root. If root runs the tests, the server runs as the user `nobody`.
pub struct Postgres {
    programs: PathBuf,
    dir: TempDir,
    port: u16,
    /// The process, and the thread that waits for its end; `None` while the server is stopped.
    running: Option<(u32, JoinHandle<()>)>,
}

/// The folder of PostgreSQL's programs, which `cargo xtask test` installs.
fn programs() -> PathBuf {
    let folder = std::env::var("INRESPONSE_TEST_POSTGRES").expect(
        "this test needs PostgreSQL, which `cargo xtask test` installs: run the tests with that command, or set \
         INRESPONSE_TEST_POSTGRES to the folder of PostgreSQL's programs",
    );
    let folder = PathBuf::from(folder);
    assert!(folder.join("initdb").exists(), "there is no initdb in {}", folder.display());
    folder
}

/// A temporary folder that the server may read and write.
fn folder() -> TempDir {
    let dir = tempfile::Builder::new().prefix("inresponse-postgres-").tempdir().unwrap();
    if is_root() {
        let (gave, printed) = run(Command::new("chown").arg("nobody").arg(dir.path()));
        assert!(gave, "{printed}");
    }
    dir
}

/// The target folder of a program. Tests are in `deps`, one folder below other programs.
fn target_dir(program: &Path) -> &Path {
    let mut folders = program.ancestors().skip(1).filter(|folder| !folder.ends_with("deps"));
    folders.nth(1).expect("a program is in the folder of its profile")
}

/// An archive with an empty cluster. It is made once, because `initdb` takes longer than most tests.
fn cluster(programs: &Path) -> PathBuf {
    let tools = target_dir(&std::env::current_exe().unwrap()).join("test-tools");
    let name = programs.display().to_string().replace('/', "-");
    let archive = tools.join(format!("postgres{name}.tar"));
    if archive.exists() {
        return archive;
    }
    let dir = folder();
    let mut initdb = as_nobody(&programs.join("initdb"));
    initdb.args(["--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--wal-segsize=1"]);
    initdb.arg(format!("--username={OWNER}")).arg("--pgdata").arg(dir.path().join("data"));
    let (made, printed) = run(initdb.current_dir("/"));
    assert!(made, "initdb failed:\n{printed}");
    fs::create_dir_all(&tools).unwrap();
    // Other tests may do the same at this moment. The last archive stays.
    let own = tools.join(format!("postgres-{}.tar", std::process::id()));
    let (packed, printed) =
        run(Command::new("tar").arg("-cf").arg(&own).arg("-C").arg(dir.path()).arg("data"));
    assert!(packed, "{printed}");
    fs::rename(own, &archive).unwrap();
    archive
}

impl Postgres {
    /// Makes an empty cluster, and starts a server on it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these settings, such as `synchronous_commit=off`.
    pub fn start_with(settings: &[&str]) -> Self {
        let programs = programs();
        let dir = folder();
        let (unpacked, printed) =
            run(Command::new("tar").arg("-xf").arg(cluster(&programs)).arg("-C").arg(dir.path()));
        assert!(unpacked, "{printed}");
        let mut conf = fs::read_to_string(dir.path().join("data/postgresql.conf")).unwrap();
        for setting in ["shared_buffers=16MB", "max_connections=60"].iter().chain(settings) {
            conf.push_str(setting);
            conf.push('\n');
        }
        fs::write(dir.path().join("data/postgresql.conf"), conf).unwrap();
        let mut server = Self { programs, dir, port: 0, running: None };
        for _ in 0..PORTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("PostgreSQL did not start:\n{}", server.log());
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/postgres", self.port)
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The output of the server.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Runs a statement, and returns the rows that it prints. Columns are separated by `|`.
    pub fn sql(&self, statement: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        let (done, printed) = run(psql.arg(self.url()).args(["--command", statement]));
        assert!(done, "{statement}: {printed}");
        printed.trim_end().to_owned()
    }

    /// Runs the statements of a file that `pg_dump` wrote, in the empty database.
    pub fn restore(&self, dump: &Path) {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]);
        let (done, printed) = run(psql.arg(self.url()).arg("--file").arg(dump));
        assert!(done, "{printed}");
    }

    /// Lets the server accept only connections with TLS and a password, and returns their URL. The certificate to trust
    /// is written to `authority`.
    pub fn secure(&mut self, authority: &Path) -> String {
        const PASSWORD: &str = "canary-password";
        self.sql(&format!("ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'"));
        self.sql("ALTER SYSTEM SET ssl = on");
        self.stop_immediately();
        let mut make = Command::new(python());
        make.args(["-m", "trustme", "--quiet", "--identities", "127.0.0.1", "--dir"]);
        let (made, printed) = run(make.arg(self.data()));
        assert!(made, "{printed}");
        let [key, certificate] = ["server.key", "server.crt"].map(|name| self.data().join(name));
        fs::rename(self.data().join("server.pem"), &certificate).unwrap();
        fs::copy(self.data().join("client.pem"), authority).unwrap();
        let (closed, printed) = run(Command::new("chmod").arg("600").arg(&key));
        assert!(closed, "{printed}");
        if is_root() {
            let (gave, printed) = run(Command::new("chown").arg("nobody").args([&key, &certificate]));
            assert!(gave, "{printed}");
        }
        let only = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(self.data().join("pg_hba.conf"), only).unwrap();
        self.start_again();
        format!("postgres://{OWNER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes this stopped server a synchronous standby of `primary`, on its own port. From then on, a commit on the
    /// primary waits until the standby has synced it.
    pub fn become_standby_of(&mut self, primary: &Self) {
        const NAME: &str = "standby";
        assert!(self.running.is_none(), "PostgreSQL is running");
        fs::remove_dir_all(self.data()).unwrap();
        let mut copy = as_nobody(&self.programs.join("pg_basebackup"));
        let from = format!("host=127.0.0.1 port={} user={OWNER} application_name={NAME}", primary.port);
        copy.args(["--dbname", &from, "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"]);
        let (copied, printed) = run(copy.arg(self.data()).current_dir("/"));
        assert!(copied, "{printed}");
        self.start_again();
        primary.wait_for("state", "streaming");
        primary.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{NAME}'"));
        primary.sql("SELECT pg_reload_conf()");
        primary.wait_for("sync_state", "sync");
    }

    /// Waits until a column about the standby has that value.
    fn wait_for(&self, column: &str, wanted: &str) {
        let mut found = String::new();
        for _ in 0..LOOKS {
            found = self
                .sql(&format!("SELECT {column} FROM pg_stat_replication WHERE application_name = 'standby'"));
            if found == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{column} is {found}, not {wanted}:\n{}", self.log());
    }

    /// Makes a standby the primary. It then commits without a standby.
    pub fn promote(&self) {
        let mut promote = as_nobody(&self.programs.join("pg_ctl"));
        let (promoted, printed) =
            run(promote.args(["promote", "--wait", "-D"]).arg(self.data()).current_dir("/"));
        assert!(promoted, "{printed}\n{}", self.log());
    }

    /// Lets the server use a folder.
    pub fn own(&self, folder: &Path) {
        if is_root() {
            let (gave, printed) = run(Command::new("chown").arg("nobody").arg(folder));
            assert!(gave, "{printed}");
        }
    }

    /// Moves the write-ahead log of this stopped server to an empty folder.
    pub fn move_log_to(&self, folder: &Path) {
        assert!(self.running.is_none(), "PostgreSQL is running");
        let log = self.data().join("pg_wal");
        let (copied, printed) = run(Command::new("cp").args(["-a"]).arg(log.join(".")).arg(folder));
        assert!(copied, "{printed}");
        fs::remove_dir_all(&log).unwrap();
        std::os::unix::fs::symlink(folder, &log).unwrap();
        self.own(folder);
    }

    /// Starts the server again. It may have ended by itself.
    pub fn restart(&mut self) {
        self.end();
        self.start_again();
    }

    fn end(&mut self) {
        let Some((process, ended)) = self.running.take() else { return };
        // It may have ended.
        Command::new("kill").args(["-QUIT", &process.to_string()]).stderr(Stdio::null()).status().ok();
        ended.join().unwrap();
    }

    /// Stops the server as a crash would: it syncs nothing, and recovers at its next start.
    pub fn stop_immediately(&mut self) {
        let Some((process, ended)) = self.running.take() else { return };
        let told = Command::new("kill").args(["-QUIT", &process.to_string()]).stderr(Stdio::null()).status();
        assert!(told.is_ok_and(|status| status.success()), "PostgreSQL had ended:\n{}", self.log());
        ended.join().unwrap();
    }

    /// Starts the server again, on the same port and with its data.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "PostgreSQL is running");
        assert!(self.try_start(), "PostgreSQL did not start again:\n{}", self.log());
    }

    /// Starts the server, and returns whether it accepts connections.
    fn try_start(&mut self) -> bool {
        let log = fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = as_nobody(&self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).current_dir("/");
        let (tell, told) = mpsc::channel();
        // The server gets a signal when the thread that started it ends, so this thread waits for the server's end.
        let ended = std::thread::spawn(move || {
            let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
            tell.send(child.id()).unwrap();
            child.wait().unwrap();
        });
        let process = told.recv().expect("the server's process was started");
        for _ in 0..LOOKS {
            if ended.is_finished() {
                return false;
            }
            if self.accepts_connections(process) {
                self.running = Some((process, ended));
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PostgreSQL does not accept connections:\n{}", self.log());
    }

    /// Whether that process says in its lock file that it accepts connections.
    fn accepts_connections(&self, process: u32) -> bool {
        let Ok(lock) = fs::read_to_string(self.data().join("postmaster.pid")) else { return false };
        let mut lines = lock.lines();
        lines.next() == Some(&process.to_string())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end();
    }
}

/// A command that runs as the current user, or as `nobody` if that is root. The program also ends if this process is
/// killed.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT");
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.arg(program);
    command
}

fn is_root() -> bool {
    let (_, user) = run(Command::new("id").arg("-u"));
    user.trim() == "0"
}
