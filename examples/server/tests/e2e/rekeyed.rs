//! API keys that change while the real server runs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use inresponse_http::hash_of;
use reqwest::StatusCode;

use crate::server::{SOON, Server, Setup, client};

const OLD: &str = "the-key-of-last-year";
const NEW: &str = "the-key-of-this-year";

/// A server without a mail server, whose only keys are in a config file.
fn setup(dir: &Path) -> Setup {
    let args = ["--listen", "127.0.0.1:0", "--db", "test.db", "--config", "config.toml"];
    let args = args.map(str::to_owned).to_vec();
    Setup { dir: dir.to_owned(), args, env: Vec::new(), starter: Vec::new() }
}

fn write(dir: &Path, keys: &[&str]) {
    let entry = |key: &&str| {
        format!("[[keys]]\nname = \"people\"\nhash = \"{}\"\nscopes = [\"respond\"]\n", hash_of(key))
    };
    std::fs::write(dir.join("config.toml"), keys.iter().map(entry).collect::<String>()).unwrap();
}

fn send(signal: &str, server: &Server) {
    assert!(Command::new("kill").args([signal, &server.pid().to_string()]).status().unwrap().success());
}

async fn status(server: &Server, key: &str) -> StatusCode {
    let request = client().get(format!("{}/incidents", server.url)).header("x-api-key", key);
    request.timeout(SOON).send().await.unwrap().status()
}

/// Waits until the server has logged a text that often.
async fn logged(server: &Server, text: &str, times: usize) {
    for _ in 0..SOON.as_millis() / 50 {
        if server.output().matches(text).count() >= times {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("`{text}` was not logged {times} times:\n{}", server.output());
}

#[tokio::test]
async fn p20_a_removed_key_is_refused_after_sighup_and_a_new_one_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[OLD]);
    let mut server = setup(dir.path()).start().await;
    assert_eq!(status(&server, OLD).await, StatusCode::OK);
    assert_eq!(status(&server, NEW).await, StatusCode::UNAUTHORIZED);

    write(dir.path(), &[NEW]);
    assert_eq!(status(&server, OLD).await, StatusCode::OK, "nobody has told the server");
    send("-HUP", &server);
    logged(&server, "the API keys were read again", 1).await;
    assert_eq!(status(&server, OLD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&server, NEW).await, StatusCode::OK);

    // What is invalid changes nothing, and the log says what it is.
    std::fs::write(dir.path().join("config.toml"), "[[keys]]\nname = \"people\"\nscopes = [\"fly\"]\n")
        .unwrap();
    send("-HUP", &server);
    logged(&server, "the API keys stay as they are", 1).await;
    logged(&server, "keys[0]", 1).await;
    assert_eq!(status(&server, NEW).await, StatusCode::OK);
    assert!(server.terminate().success());
}

#[tokio::test]
async fn p20_the_key_that_replaces_the_first_one_is_accepted_after_sighup() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "").unwrap();
    let server = setup(dir.path()).start().await;
    let key_in = |output: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix("API key, printed this once: "));
        line.unwrap_or_else(|| panic!("no key: {output}")).to_owned()
    };
    let first = key_in(&server.output());
    assert_eq!(status(&server, &first).await, StatusCode::OK);
    let replace = ["key", "replace", "--db", "test.db"];
    let printed = Command::new(env!("CARGO_BIN_EXE_inresponse"))
        .args(replace)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let second = key_in(&String::from_utf8_lossy(&printed.stdout));
    send("-HUP", &server);
    logged(&server, "the API keys were read again", 1).await;
    assert_eq!(status(&server, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&server, &second).await, StatusCode::OK);
}
