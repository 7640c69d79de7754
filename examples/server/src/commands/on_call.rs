//! The command `inresponse oncall`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;

use inresponse_client::{Client, ClientError, OnCall, Shift};

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

/// How far ahead the end of a turn is looked for.
const AHEAD: TimeDelta = TimeDelta::days(60);

/// One line for each schedule of a team: whose turn it is, until when, and who is next.
async fn turns(client: &Client, team: &str, now: DateTime<Utc>) -> Result<Vec<String>, ClientError> {
    let mut lines = Vec::new();
    for schedule in client.schedules(team).await?.schedules {
        let shifts = client.shifts(team, &schedule.schedule, now, now + AHEAD).await?.shifts;
        lines.extend(turn(&shifts).map(|turn| format!("schedule {}: {turn}", schedule.schedule)));
    }
    Ok(lines)
}

/// Whose turn the first shift is, until when, and who is next; `None` if the turn does not end within the shifts.
fn turn(shifts: &[Shift]) -> Option<String> {
    let who = |shift: &Shift| match shift.oncall.is_empty() {
        true => "nobody".to_owned(),
        false => output::together(&shift.oncall),
    };
    let (first, later) = shifts.split_first()?;
    // A turn may consist of several shifts, one for each source.
    let next = later.iter().find(|shift| shift.oncall != first.oncall)?;
    Some(format!("{} until {}, then {}", who(first), output::time(next.from), who(next)))
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
    if args.at.is_none() {
        for line in turns(&client, &args.team, on_call.at).await? {
            output::say(&line)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_ends_when_somebody_else_begins() {
        let at = |day: u32| {
            NaiveDate::from_ymd_opt(2026, 12, day).unwrap().and_time(chrono::NaiveTime::MIN).and_utc()
        };
        let shift = |from, to, who: &[&str], source: &str| Shift {
            from: at(from),
            to: at(to),
            oncall: who.iter().map(ToString::to_string).collect(),
            source: source.to_owned(),
        };
        let ann = ["person:ann"];
        let shifts = [
            shift(1, 3, &ann, "layer:weekly"),
            shift(3, 4, &ann, "override:swap"),
            shift(4, 5, &[], "gap"),
            shift(5, 9, &["person:ben"], "layer:weekly"),
        ];
        let told = |shifts: &[Shift]| turn(shifts).unwrap_or_default();
        assert_eq!(told(&shifts), "person:ann until 2026-12-04 00:00:00 UTC, then nobody");
        assert_eq!(told(&shifts[2..]), "nobody until 2026-12-05 00:00:00 UTC, then person:ben");
        assert_eq!((turn(&shifts[..2]), turn(&[])), (None, None), "nobody else comes");
    }

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
