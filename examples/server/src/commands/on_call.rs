//! The command `inresponse oncall`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;
use inresponse_client::{Client, ClientError, OnCall};

use super::connect::Connect;
use super::report::instant;
use super::{Failure, output};

#[derive(Debug, Args)]
pub(crate) struct OnCallArgs {
    /// The team's name
    team: String,
    /// A day, such as 2026-12-24, or a time in RFC 3339 (default: now); seconds may be left out. For a day, the
    /// command shows who is on call about noon
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    at: Option<At>,
    #[command(flatten)]
    connect: Connect,
}

/// When: at an instant, or on a day of the team's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Instant(DateTime<Utc>),
    Day(NaiveDate),
}

fn day_or_time(text: &str) -> Result<At, String> {
    match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        Ok(day) => Ok(At::Day(day)),
        Err(_) => match instant(text) {
            Ok(at) => Ok(At::Instant(at)),
            Err(what) => Err(format!("{what}, or a day such as 2026-12-09")),
        },
    }
}

/// Who is on call in the middle of a day of the team's calendar.
async fn on_day(client: &Client, team: &str, day: NaiveDate) -> Result<OnCall, ClientError> {
    let noon = day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(12);
    let on_call = client.on_call(team, Some(noon)).await?;
    if on_call.day == day {
        return Ok(on_call);
    }
    // East of UTC+12, the next day has begun at noon UTC.
    client.on_call(team, Some(noon - TimeDelta::hours(12))).await
}

pub(super) async fn on_call(args: OnCallArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let on_call = match args.at {
        Some(At::Day(day)) => on_day(&client, &args.team, day).await?,
        Some(At::Instant(at)) => client.on_call(&args.team, Some(at)).await?,
        None => client.on_call(&args.team, None).await?,
    };
    if args.connect.json {
        output::json(&on_call)?;
        return Ok(());
    }
    if matches!(args.at, Some(At::Day(_))) {
        output::say(&format!("{:<12} {}", "at", output::time(on_call.at)))?;
    }
    for (level, contacts) in (1..).zip(&on_call.levels) {
        output::say(&format!("level {level:<6} {}", output::together(contacts)))?;
    }
    output::say(&format!("{:<12} {}", "fallback", output::together(&on_call.fallback)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_day_or_a_time_is_read_and_nothing_else() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 24).unwrap();
        assert_eq!(day_or_time("2026-12-24"), Ok(At::Day(day)));
        let at = "2026-12-24T08:00:00Z".parse().unwrap();
        assert_eq!(day_or_time("2026-12-24T10:00+02:00"), Ok(At::Instant(at)));
        for wrong in ["2026-02-30", "24.12.2026", "tomorrow", "", "2026-12-24T08:00"] {
            assert!(day_or_time(wrong).unwrap_err().contains("or a day such as"), "{wrong}");
        }
    }
}
