//! The command `inresponse roster import`.

mod change;
mod read;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};

use super::connect::Connect;
use super::{Failure, output};
use change::Change;

/// The number of entries that are compared with the server at once.
const AT_ONCE: usize = 8;
/// The minimum number of entries for a progress bar. Fewer are done before a bar could be read.
const WORTH_A_BAR: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The roster file: .toml, or CSV
    file: PathBuf,
    /// Make the changes without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn import(args: ImportArgs) -> Result<(), Failure> {
    let wanted = read::read(&args.file)?;
    let client = args.connect.client()?;
    let bar = bar("comparing", wanted.len());
    let changes: Vec<Change> = stream::iter(wanted)
        .map(|wanted| {
            let (client, bar) = (&client, &bar);
            async move {
                let change = wanted.compared(client).await;
                bar.inc(1);
                change
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    bar.finish_and_clear();
    let all = changes.len();
    let changes: Vec<Change> = changes.into_iter().filter(Change::is_needed).collect();
    if args.connect.json {
        output::json(&changes)?;
    } else {
        for change in &changes {
            output::say(&change.to_string())?;
        }
    }
    let unchanged = all - changes.len();
    let plural = if changes.len() == 1 { "" } else { "s" };
    eprintln!("{} change{plural}, {unchanged} already up to date", changes.len());
    if changes.is_empty() || !agreed(args.yes)? {
        return Ok(());
    }
    let bar = self::bar("changing", changes.len());
    for (done, change) in changes.iter().enumerate() {
        // One after the other: a team comes before its days and its services.
        if let Err(error) = change.wanted.put(&client).await {
            bar.finish_and_clear();
            eprintln!(
                "inresponse: {done} of {} changes were made; the change of {} failed",
                changes.len(),
                change.wanted.name()
            );
            return Err(error.into());
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    eprintln!("{} changed", changes.len());
    Ok(())
}

/// Asks for confirmation at the terminal. Without a terminal nothing is changed, and the caller is told so.
fn agreed(yes: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        let what = "nothing was changed: there is no terminal to confirm on; give --yes";
        return Err(Failure::Given(what.to_owned()));
    }
    Ok(output::agreed("Make these changes?")?)
}

/// A progress bar on a terminal. No bar is shown without a terminal, or if the bar would vanish at once.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    if length < WORTH_A_BAR {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").expect("the template holds");
    let bar = ProgressBar::new(length as u64).with_style(style).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
