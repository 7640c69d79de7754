//! Silences over the wire.

use chrono::{DateTime, Utc};
use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{OwnerName, Person, SilenceId};
use inresponse_core::roster::{ClockTime, MatchOp, Matcher, Silence, Weekly, Zone};

use super::field::{at, owner};
use super::hours::weekly_hours;
use crate::input::read_time;

/// Converts a silence from a request. By default it begins `now`.
pub(crate) fn silence(given: api::SilenceEntry, now: DateTime<Utc>) -> Result<Silence, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let owner = invalid.keep(owner(given.owner));
    let given_matchers = given.matchers.unwrap_or_default();
    let mut matchers = Vec::new();
    for (i, one) in given_matchers.iter().enumerate().take(Silence::MAX_MATCHERS + 1) {
        matchers.extend(invalid.keep(matcher(one).map_err(|e| e.under(&format!("matchers[{i}]")))));
    }
    let from = given.from.map_or(Some(now), |time| invalid.keep(read_time(&time, "from")));
    let to = match given.to {
        Some(time) => invalid.keep(read_time(&time, "to")),
        None => {
            invalid.push("to", "is missing");
            None
        }
    };
    let recurring = given.weekly.map(|given| weekly(&given, &mut invalid));
    let (Some(from), Some(to), true) = (from, to, invalid.is_empty()) else { return Err(invalid) };
    let mut silence = Silence::new(matchers, from, to)?.owned_by(owner.flatten());
    if let Some(weekly) = recurring.flatten() {
        silence = silence.recurring(weekly)?;
    }
    match given.comment {
        Some(comment) => silence.because(&comment),
        None => Ok(silence),
    }
}

/// Converts a matcher from a request.
pub(crate) fn matcher(given: &api::Matcher) -> Result<Matcher, InvalidInput> {
    let op = match (given.is_regex, given.is_equal) {
        (false, true) => MatchOp::Equal,
        (false, false) => MatchOp::NotEqual,
        (true, true) => MatchOp::Like,
        (true, false) => MatchOp::NotLike,
    };
    Matcher::new(&given.name, op, &given.value)
}

fn weekly(given: &api::Weekly, invalid: &mut InvalidInput) -> Option<Weekly> {
    let timezone = match &given.timezone {
        Some(name) => invalid.keep(at("weekly.timezone", Zone::new(name))),
        None => Some(Zone::utc()),
    };
    let hours = api::Hours { days: given.days.clone(), from: given.from.clone(), to: given.to.clone() };
    let hours = weekly_hours("weekly", &hours, invalid);
    Some(Weekly { hours: hours?, timezone: timezone? })
}

/// Converts a silence into the API's type.
pub(crate) fn silence_of(id: &SilenceId, silence: &Silence) -> api::Silence {
    api::Silence {
        id: id.to_string(),
        matchers: silence.matchers().iter().map(matcher_of).collect(),
        from: silence.from(),
        to: silence.to(),
        weekly: silence.weekly().map(|weekly| api::Weekly {
            days: weekly.hours.days.days().map(|day| day.to_string()).collect(),
            from: ClockTime(weekly.hours.from).to_string(),
            to: ClockTime(weekly.hours.to).to_string(),
            timezone: Some(weekly.timezone.name().to_owned()),
        }),
        by: silence.by().map(Person::to_string),
        comment: silence.comment().to_owned(),
        owner: silence.owner().map(OwnerName::to_string),
        waiting: None,
    }
}

/// Converts a matcher into the API's type.
pub(super) fn matcher_of(matcher: &Matcher) -> api::Matcher {
    api::Matcher {
        name: matcher.name().to_owned(),
        value: matcher.value().to_owned(),
        is_regex: matcher.op().is_regex(),
        is_equal: matcher.op().is_equal(),
    }
}
