//! The command line.

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;
use crate::ops::backup::{BackupArgs, RestoreArgs};
use crate::ops::doctor::DoctorArgs;
use crate::ops::migrate::MigrateArgs;
use crate::ops::test_alert::TestAlertArgs;

use crate::commands::ClientCommand;

/// Alerts the on-call engineer when an incident is reported, and escalates until somebody claims it.
///
/// Without any options it serves with a local database, a sample team `devops` with the service `athens`,
/// mails as files in ./outbox, and an API key that is made on the first start and printed once.
#[derive(Debug, Parser)]
#[command(name = "inresponse", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API and send the alerts (the default).
    ///
    /// Example: inresponse serve --config /etc/inresponse.toml --db /var/lib/inresponse/inresponse.db
    #[command(verbatim_doc_comment)]
    Serve(Box<ServeArgs>),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Migrate(MigrateArgs),
    Doctor(Box<DoctorArgs>),
    TestAlert(Box<TestAlertArgs>),
    /// Work with API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(flatten)]
    Client(Box<ClientCommand>),
    /// Print shell completions.
    ///
    /// Example: inresponse completions bash > ~/.local/share/bash-completion/completions/inresponse
    #[command(verbatim_doc_comment)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a random key and print it with its hash for the config.
    ///
    /// Example: inresponse key new
    #[command(verbatim_doc_comment)]
    New,
    /// Revoke the key that was made on the first start, and print a new one.
    ///
    /// `inresponse doctor` says whether there is such a key. Send SIGHUP to the servers, or restart
    /// them: until then they accept the old key.
    ///
    /// Example: inresponse key replace --config /etc/inresponse.toml
    #[command(verbatim_doc_comment)]
    Replace(Box<ServeArgs>),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    /// All commands without subcommands, each with the words that call it.
    fn commands(command: clap::Command, call: &str, found: &mut Vec<(String, clap::Command)>) {
        let call = format!("{call}{}", command.get_name());
        if command.has_subcommands() {
            for below in command.get_subcommands() {
                commands(below.clone(), &format!("{call} "), found);
            }
        } else {
            found.push((call, command));
        }
    }

    const HEAD: &str = "\
# Commands

<!-- `cargo xtask reference` writes this page from the help of the commands. -->

`inresponse` alone is `inresponse serve`. [Settings](settings.md) lists the options of `serve`; `doctor`, `test-alert` and
`key replace` take the same ones. [The command line](../command-line.md) introduces the commands that talk to a server, and
lists the exit codes.
";

    /// The page with the help of every command. The options of the server are left out.
    fn page() -> String {
        let serve = Cli::command().find_subcommand("serve").unwrap().clone();
        let is_of_server =
            |arg: &clap::Arg| serve.get_arguments().any(|other| other.get_id() == arg.get_id());
        let mut found = Vec::new();
        commands(Cli::command(), "", &mut found);
        let mut page = HEAD.to_owned();
        for (call, command) in found {
            let takes_all = command.get_arguments().any(|arg| arg.get_id() == "listen");
            let command = command.mut_args(|arg| {
                let hidden = takes_all && is_of_server(&arg);
                arg.hide_env_values(true).hide(hidden)
            });
            let help = command.bin_name(&call).render_long_help().to_string();
            let help: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
            page.push_str(&format!("\n## {call}\n\n```text\n{}\n```\n", help.join("\n")));
        }
        page
    }

    #[test]
    fn the_page_on_commands_shows_the_help_of_each() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/commands.md");
        if std::env::var_os("INRESPONSE_WRITE_REFERENCE").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written == page(), "{path} is out of date: `cargo xtask reference` writes it again");
    }

    #[test]
    fn the_help_of_every_command_shows_an_example_of_it() {
        let mut found = Vec::new();
        commands(Cli::command(), "", &mut found);
        let calls: Vec<_> = found.iter().map(|(call, _)| call.as_str()).collect();
        assert!(calls.contains(&"inresponse key new") && calls.contains(&"inresponse roster import"));
        for (call, mut command) in found {
            let help = command.render_long_help().to_string();
            let example = help.split_once("Example:").map(|(_, example)| example.trim_start());
            assert!(example.is_some_and(|example| example.starts_with(&call)), "{call}: {help}");
        }
    }
}
