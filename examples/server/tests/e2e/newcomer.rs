//! The commands of the README and of the tutorial, run as they stand, and the output that the tutorial shows.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use inresponse_testkit::process::free_port;

use crate::server::{Server, Setup};

/// A block of code of a page.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

/// The blocks of code of a page, in their order.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut parts = page.split("\n```");
    // Text and code take turns.
    let _text = parts.next();
    while let (Some(code), _text) = (parts.next(), parts.next()) {
        let (language, text) = code.split_once('\n').unwrap_or((code, ""));
        blocks.push(Block { language: language.to_owned(), text: text.to_owned() + "\n" });
    }
    blocks
}

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// A newcomer's folder, shell and server.
struct Newcomer {
    dir: tempfile::TempDir,
    shell: Shell,
    server: Option<Server>,
    phone: Option<Child>,
    /// The pages name fixed ports, which may be in use here.
    port: u16,
    phone_port: u16,
    key: String,
}

impl Newcomer {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let programs = dir.path().join("target/release");
        fs::create_dir_all(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_inresponse"), programs.join("inresponse")).unwrap();
        let shell = Shell::start(dir.path(), &programs);
        let (port, phone_port) = (free_port(), free_port());
        Self { dir, shell, server: None, phone: None, port, phone_port, key: String::new() }
    }

    /// The text with the ports and the key of this machine.
    fn here(&self, text: &str) -> String {
        let text = text.replace("127.0.0.1:8080", &format!("127.0.0.1:{}", self.port));
        let text = text.replace("9099", &self.phone_port.to_string());
        if self.key.is_empty() { text } else { text.replace("ir_…", &self.key) }
    }

    /// Starts the server with these arguments, instead of the one that runs.
    async fn serve(&mut self, args: &[&str]) {
        if let Some(mut server) = self.server.take() {
            assert!(server.terminate().success());
        }
        let args = args.iter().map(ToString::to_string).collect();
        let env = vec![("INRESPONSE_LISTEN".to_owned(), format!("127.0.0.1:{}", self.port))];
        let server = Setup { dir: self.dir.path().to_owned(), args, env, starter: Vec::new() }.start().await;
        let printed = server.output();
        if let Some(key) = printed.lines().find_map(|l| l.strip_prefix("API key, printed this once: ")) {
            key.clone_into(&mut self.key);
        }
        self.server = Some(server);
    }

    /// Runs a block of another terminal: its last command keeps running.
    async fn other_terminal(&mut self, block: &str) {
        let place = block.rfind("$ ").unwrap();
        let (before, last) = block.split_at(place);
        let before: String =
            before.lines().map(|l| l.strip_prefix("$ ").unwrap_or(l).to_owned() + "\n").collect();
        self.run(&before);
        let words: Vec<&str> = last.lines().next().unwrap()[2..].split_whitespace().collect();
        match words.as_slice() {
            ["inresponse", args @ ..] => self.serve(args).await,
            ["python3", script] => {
                let mut python = Command::new("python3");
                self.phone = Some(python.arg(script).current_dir(self.dir.path()).spawn().unwrap());
            }
            other => panic!("a terminal runs {other:?}"),
        }
    }

    /// Runs commands, which must succeed, and returns their output.
    fn run(&mut self, commands: &str) -> String {
        let commands = self.here(commands);
        let (code, output) = self.shell.run(&commands);
        let log = self.server.as_ref().map(Server::output).unwrap_or_default();
        assert_eq!(code, 0, "{commands}\n→ {output}\n{log}");
        output
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(phone) = &mut self.phone {
            let _killed = phone.kill();
            let _reaped = phone.wait();
        }
    }
}

/// A shell that keeps its variables from block to block.
struct Shell {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    script: PathBuf,
}

impl Shell {
    fn start(dir: &Path, programs: &Path) -> Self {
        let mut bash = Command::new("bash");
        bash.current_dir(dir).env("HOME", dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        for name in
            ["XDG_CONFIG_HOME", "INRESPONSE_URL", "INRESPONSE_KEY", "INRESPONSE_CONFIG", "INRESPONSE_LISTEN"]
        {
            bash.env_remove(name);
        }
        let path = std::env::var("PATH").unwrap();
        bash.env("PATH", format!("{}:{path}", programs.display()));
        let mut child = bash.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let script = dir.join(".script");
        Self { child, stdin, stdout: BufReader::new(stdout), script }
    }

    /// Runs commands, and returns the exit code of the last one, and what they printed.
    fn run(&mut self, commands: &str) -> (i32, String) {
        const END: &str = "the end of these commands:";
        fs::write(&self.script, commands).unwrap();
        writeln!(self.stdin, ". ./.script < /dev/null 2>&1; echo; echo '{END}' $?").unwrap();
        let mut output = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the shell ended: {output}");
            if let Some(code) = line.strip_prefix(END) {
                return (code.trim().parse().unwrap(), output);
            }
            output.push_str(&line);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Whether the output is the one that a page shows. There, `…` stands for any text in a line, and for any lines if it is
/// alone.
fn is_shown(shown: &[&str], output: &[&str]) -> bool {
    match (shown.split_first(), output.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), found) => {
            is_shown(rest, output) || found.is_some_and(|(_, more)| is_shown(shown, more))
        }
        (Some((line, rest)), Some((found, more))) => is_like(line, found) && is_shown(rest, more),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_like(shown: &str, found: &str) -> bool {
    match shown.split_once('…') {
        None => shown == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            let mut places = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
            places.any(|place| is_like(after, &rest[place..]))
        }),
    }
}

fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_end);
    lines.filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn the_tutorial_runs_as_it_stands_and_shows_what_is_printed() {
    let mut newcomer = Newcomer::new();
    let (mut printed, mut compared, mut wrong) = (String::new(), 0, String::new());
    for block in blocks(&page("docs/tutorial.md")) {
        match block.language.as_str() {
            // The program is built already.
            "console" if block.text.contains("cargo build") => {}
            "console" => newcomer.other_terminal(&block.text).await,
            "sh" => printed = newcomer.run(&block.text),
            "text" => {
                compared += 1;
                let shown = newcomer.here(&block.text);
                if !is_shown(&lines(&shown), &lines(&printed)) {
                    wrong.push_str(&format!("\nthe page shows:\n{shown}\nbut this is printed:\n{printed}"));
                }
            }
            other => panic!("a block of {other}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 10, "only {compared} outputs were compared");
}

#[tokio::test]
async fn the_commands_of_the_readme_run_as_they_stand() {
    let readme = page("README.md");
    let start = readme.find("\n## Try it\n").unwrap();
    let section = &readme[start..];
    let section = &section[..section[4..].find("\n## ").unwrap() + 4];
    let mut newcomer = Newcomer::new();
    let (mut ran, mut printed) = (0, String::new());
    for block in blocks(section).iter().filter(|block| block.language == "sh") {
        if block.text.contains("cargo run") {
            newcomer.serve(&[]).await;
            // Where commands find a server by default, another one may be.
            newcomer.run("export INRESPONSE_URL=http://127.0.0.1:8080");
            continue;
        }
        printed = newcomer.run(&block.text);
        ran += 1;
    }
    assert_eq!(ran, 2);
    let turn = printed.lines().find(|line| line.starts_with("schedule primary: person:")).unwrap_or_default();
    assert!(turn.contains(" until ") && turn.contains(", then person:"), "{printed}");
    // What a person does in a browser: opens the link in the mail, and presses the button.
    let client = reqwest::Client::new();
    let link = printed.lines().find(|line| line.contains("/claim?token=")).unwrap().trim();
    assert!(client.get(link).send().await.unwrap().status().is_success());
    assert!(client.post(link).body("").send().await.unwrap().status().is_success());
    let url = newcomer.server.as_ref().unwrap().url.clone();
    for (number, who) in [("10000", "jo@example.org"), ("10001", "ann")] {
        let shown = client.get(format!("{url}/incidents/{number}")).bearer_auth(&newcomer.key);
        let shown: serde_json::Value = shown.send().await.unwrap().json().await.unwrap();
        let claimed_by = shown["claimedBy"].as_str().unwrap_or_default();
        let is_theirs = claimed_by == who || (who == "ann" && claimed_by == "ben");
        assert!(shown["state"] == "CLAIMED" && is_theirs, "{shown:#}");
    }
}

#[test]
fn an_output_is_compared_line_by_line_and_dots_stand_for_any_text() {
    let shown = |shown: &str, output: &str| is_shown(&lines(shown), &lines(output));
    assert!(shown("a\nb … d\n…", "a\nb c d\ne\nf\n"));
    assert!(shown("…\nz", "a\nz") && shown("…", "") && shown("at … UTC", "at 12:00 UTC"));
    assert!(!shown("a\nb", "a") && !shown("a", "a\nb") && !shown("a … c", "a b d"));
}
