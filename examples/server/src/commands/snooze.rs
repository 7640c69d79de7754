//! The command that snoozes a claim.

use clap::Args;
use inresponse_client::Update;

use super::Failure;
use super::incidents::{Act, update};

/// The longest snooze, in seconds.
const LONGEST: u64 = 7 * 24 * 3600;
/// The units of a time, with their seconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400), ("h", 3_600), ("min", 60), ("m", 60), ("s", 1)];

#[derive(Debug, Args)]
pub(crate) struct SnoozeArgs {
    #[command(flatten)]
    act: Act,
    /// After how long the claim ends: 30m, 2h, 1h30m, 1d; at most 7d
    #[arg(value_name = "TIME", value_parser = seconds)]
    time: u64,
    /// A note for the timeline
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(super) async fn snooze(args: SnoozeArgs) -> Result<(), Failure> {
    let change = args.note.into_iter().fold(Update::snooze(args.time), Update::with_note);
    update(args.act, change).await
}

/// Reads the time of a snooze, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    match time(text)? {
        seconds @ 1..=LONGEST => Ok(seconds),
        _ => Err("must be from 1s to 7d".to_owned()),
    }
}

/// Reads a time of any length, in seconds.
pub(super) fn time(text: &str) -> Result<u64, String> {
    let unreadable = || "must be a number with a unit: 30m, 2h, 1h30m or 1d".to_owned();
    let (mut rest, mut sum) = (text.trim(), 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unreadable)?;
        let number: u64 = rest[..digits].parse().map_err(|_| unreadable())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(name, _)| *name == rest[..end].trim());
        let (_, unit) = unit.ok_or_else(unreadable)?;
        sum = number.checked_mul(*unit).and_then(|time| time.checked_add(sum)).ok_or_else(unreadable)?;
        rest = &rest[end..];
    }
    if text.trim().is_empty() { Err(unreadable()) } else { Ok(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_numbers_and_units() {
        for (text, expected) in [
            ("2h", 7_200),
            ("30m", 1_800),
            ("30min", 1_800),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("1d", 86_400),
            ("7d", 604_800),
            ("45s", 45),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for unreadable in ["", "2", "h", "two hours", "-1h", "1.5h", "2w", "99999999999999999999h"] {
            assert!(seconds(unreadable).unwrap_err().contains("with a unit"), "{unreadable}");
        }
        for wrong in ["0s", "8d", "604801s"] {
            assert_eq!(seconds(wrong), Err("must be from 1s to 7d".to_owned()), "{wrong}");
        }
    }
}
