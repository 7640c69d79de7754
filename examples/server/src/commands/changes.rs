//! The command `inresponse roster log`: shows who changed the roster.

use clap::Args;

use super::connect::Connect;
use super::{Failure, output};

/// The maximum number of changes in one answer of the server.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The maximum number of changes to show
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn log(args: LogArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let (mut changes, mut cursor) = (Vec::new(), None);
    while changes.len() < args.limit {
        let page = client.roster_changes((args.limit - changes.len()).min(PAGE), cursor.as_deref()).await?;
        changes.extend(page.changes);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    if args.connect.json {
        output::json(&changes)?;
    } else {
        for change in &changes {
            let (by, what) = (output::line(&change.by), output::line(&change.what));
            output::say(&format!("{}  {by:<16}  {what}", output::time(change.at)))?;
        }
    }
    Ok(())
}
