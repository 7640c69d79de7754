//! The client commands. These commands work with any server: this one, another, or the deployment in the cloud.

mod beats;
mod changes;
mod connect;
mod exit_codes;
mod export;
mod failure;
mod follow;
mod held;
mod import;
mod incidents;
mod listing;
mod on_call;
mod outlook;
mod output;
mod paged;
mod report;
mod route;
mod silence;
mod snooze;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::Subcommand;
use inresponse_client::{ClientError, ClientErrorKind as Kind};

use exit_codes::{CHECK_EXIT, EXIT};
use failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Report an incident. If the result is unknown, the command sends the report again for up to 30 s, which is safe.
    ///
    /// Example: inresponse report athens CRIT "5xx Error Spike" -m "12 % of requests fail"
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Report(report::ReportArgs),
    /// Claim incidents. Their alerts stop.
    ///
    /// Example: inresponse claim 10000 10001 --by jo
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Claim(incidents::TakeArgs),
    /// Release incidents. Alerts begin again.
    ///
    /// Example: inresponse release 10000 --by jo
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Release(incidents::TakeArgs),
    /// Resolve incidents, which is final.
    ///
    /// Example: inresponse resolve 10000 --note "rolled back"
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Resolve(incidents::ResolveArgs),
    /// Hand an incident over to a person or to another team.
    ///
    /// Example: inresponse handover 10000 --to-team network --note "the proxy is yours"
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Handover(incidents::HandOverArgs),
    /// Set when the claim of an incident ends, earlier or later than before. Then its alerts begin again.
    ///
    /// The claimant is told ten minutes before. Somebody must have the incident.
    ///
    /// Example: inresponse snooze 10000 2h
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Snooze(snooze::SnoozeArgs),
    /// Alert the next level without waiting. If somebody has the incident, its people are called in.
    ///
    /// Example: inresponse escalate 10000
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Escalate(incidents::Acts),
    /// Call more people in. The claim stays.
    ///
    /// Example: inresponse call-in 10000 person:kim team:db
    #[command(verbatim_doc_comment, after_help = EXIT)]
    CallIn(incidents::CallInArgs),
    /// Add a note to an incident's timeline.
    ///
    /// Example: inresponse note 10000 "looking at the proxy"
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Note(incidents::NoteArgs),
    /// Show an incident with its deliveries and timeline.
    ///
    /// Example: inresponse show 10000
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Show(incidents::ShowArgs),
    /// List the incidents that are not resolved, newest first.
    ///
    /// Example: inresponse list --state RESOLVED --service athens
    #[command(verbatim_doc_comment, after_help = EXIT)]
    List(listing::ListArgs),
    /// Follow the open incidents: prints a line for every change that says what changed, until you interrupt it.
    ///
    /// With a number, the command follows only that incident, and ends when the incident is resolved. The command asks
    /// the server every two seconds.
    ///
    /// Example: inresponse watch --service athens
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Watch(follow::WatchArgs),
    /// Show who is on call for a team.
    ///
    /// Example: inresponse oncall devops --at 2026-12-24
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Oncall(on_call::OnCallArgs),
    /// Show whom a report would alert, and when, if nobody claimed the incident. Nothing is reported.
    ///
    /// Each line has the time in UTC, the level, the person, the method, and the reason: the layer, the override, the
    /// feed, the calendar day or the fallback.
    ///
    /// Example: inresponse plan athens --severity WARN --at 2026-12-24T23:00:00Z
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Plan(outlook::PlanArgs),
    /// Show what would happen to a report: which routing rule matches, and whom the report would alert. Nothing is
    /// reported.
    ///
    /// Example: inresponse route --service athens --severity WARN --label env=test
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Route(route::RouteArgs),
    /// Work with heartbeats: an incident opens if a ping does not come in time.
    #[command(subcommand)]
    Heartbeat(beats::BeatCommand),
    /// Make, list and lift silences. Alerts that a silence holds are not lost: they are sent when it ends.
    #[command(subcommand, after_help = EXIT)]
    Silence(silence::SilenceCommand),
    /// Work with people, services, teams, calendars and schedules.
    #[command(subcommand)]
    Roster(RosterCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Import a roster file. The command shows what would change, and asks before it changes anything.
    ///
    /// For every schedule it also shows which hours of the next 90 days change hands.
    ///
    /// A .toml file looks like the server's `roster` table. Any other file is CSV with the columns
    /// team,day,oncall,escalation. Spaces separate contacts that are alerted together, semicolons separate levels.
    ///
    /// With `owner = "…"` in its `roster` table, a .toml file marks every entry that it makes. --prune then deletes the
    /// entries with this owner that the file no longer names.
    ///
    /// Example: inresponse roster import december.csv --yes
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Import(import::ImportArgs),
    /// Write the server's roster as TOML, which `roster import` reads.
    ///
    /// The URLs of calendar feeds are masked, because they are secrets. If a masked URL is imported, the server keeps
    /// the feed that it has.
    ///
    /// Example: inresponse roster export --team web > web.toml
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Export(export::ExportArgs),
    /// Check the coming days for gaps, and for other reasons why an alert might reach nobody.
    ///
    /// Example: inresponse roster check --days 90 --team web
    #[command(verbatim_doc_comment, after_help = CHECK_EXIT)]
    Check(outlook::CheckArgs),
    /// Show who changed the roster and when, newest first.
    ///
    /// Example: inresponse roster log --limit 20
    #[command(verbatim_doc_comment, after_help = EXIT)]
    Log(changes::LogArgs),
}

/// Runs a client command; see [`EXIT`] for the exit codes.
pub(crate) fn run(command: ClientCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(async {
        match command {
            ClientCommand::Report(args) => report::report(args).await,
            ClientCommand::Handover(args) => incidents::hand_over(args).await,
            ClientCommand::Snooze(args) => snooze::snooze(args).await,
            ClientCommand::Escalate(args) => incidents::escalate(args).await,
            ClientCommand::CallIn(args) => incidents::call_in(args).await,
            ClientCommand::Claim(args) => incidents::claim(args).await,
            ClientCommand::Release(args) => incidents::release(args).await,
            ClientCommand::Resolve(args) => incidents::resolve(args).await,
            ClientCommand::Note(args) => incidents::note(args).await,
            ClientCommand::Show(args) => incidents::show(args).await,
            ClientCommand::List(args) => listing::list(args).await,
            ClientCommand::Watch(args) => follow::watch(args).await,
            ClientCommand::Oncall(args) => on_call::on_call(args).await,
            ClientCommand::Plan(args) => outlook::plan(args).await,
            ClientCommand::Route(args) => route::route(args).await,
            ClientCommand::Heartbeat(command) => beats::run(command).await,
            ClientCommand::Silence(command) => silence::run(command).await,
            ClientCommand::Roster(RosterCommand::Import(args)) => import::import(args).await,
            ClientCommand::Roster(RosterCommand::Export(args)) => export::export(args).await,
            ClientCommand::Roster(RosterCommand::Check(args)) => outlook::check(args).await,
            ClientCommand::Roster(RosterCommand::Log(args)) => changes::log(args).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader closed the pipe, as `head` does.
        Err(Failure::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    eprintln!("inresponse: {}", output::plain(&failure.to_string()));
    if let Some(error) = failure.call() {
        let mut cause = error.source();
        while let Some(error) = cause {
            eprintln!("  because: {}", output::plain(&error.to_string()));
            cause = error.source();
        }
        for hint in hints(error) {
            eprintln!("  {}", output::plain(&hint));
        }
    }
    ExitCode::from(failure.code())
}

/// Which server was called, and which flags decide that.
fn hints(error: &ClientError) -> Vec<String> {
    const URL: &str = "the URL comes from --url, INRESPONSE_URL or the file client.toml";
    const KEY: &str = "the key comes from --key, INRESPONSE_KEY or the file client.toml";
    let server = || error.server().map(|url| format!("the server is {url}"));
    let own = |hint: &str| Some(hint.to_owned());
    let hints = match error.kind() {
        Kind::Config => [own(URL), own(KEY)],
        Kind::Unauthorized => [server(), own(KEY)],
        Kind::Transport | Kind::Overloaded | Kind::Protocol | Kind::UnknownCommit => [server(), own(URL)],
        Kind::NotFound => [server(), None],
        _ => [None, None],
    };
    hints.into_iter().flatten().collect()
}

/// Reports a usage error, with exit code 64 instead of clap's 2: for `report`, exit code 2 means something else.
pub(crate) fn misused(error: &clap::Error) -> ExitCode {
    let serves = |word: &std::ffi::OsString| {
        ["serve", "key"].iter().any(|s| word == *s) || word.to_string_lossy().starts_with('-')
    };
    let first = std::env::args_os().nth(1);
    error.print().ok();
    match first {
        _ if !error.use_stderr() => ExitCode::SUCCESS,
        Some(word) if !serves(&word) => ExitCode::from(64),
        _ => ExitCode::from(2),
    }
}
