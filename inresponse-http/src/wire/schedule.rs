//! Schedules, overrides and shifts over the wire.

use chrono::{DateTime, Utc};
use inresponse_api::{self as api, Contacts};
use inresponse_core::InvalidInput;
use inresponse_core::model::{LayerName, OverrideId, OwnerName, ScheduleName, TeamName};
use inresponse_core::roster::{
    self, Counting, Feed, FeedRole, Layer, Member, Moment, Override, Schedule, Source, Turn, TurnUnit,
    WallTime, Who, Zone,
};

use super::field::{at, owner};
use super::hours::{hours_of, weekly_hours};
use super::roster::{Named, bare, read, texts};

/// The end of a feed's URL that is masked.
const MASK: &str = "/…";

/// Converts a schedule from a request. Also returns the targets that it names, with the names of their fields.
///
/// If the request names no time zone, `zone` is used. The URL of a feed may be masked if the schedule already has the
/// feed: `known` are the schedule's feeds.
pub(crate) fn schedule(
    given: api::ScheduleEntry,
    zone: Zone,
    known: &[Feed],
) -> Result<(Schedule, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let owner = invalid.keep(owner(given.owner));
    let zone = match given.timezone {
        Some(name) => invalid.keep(Zone::new(&name)),
        None => Some(zone),
    };
    let mut named = Vec::new();
    let layers: Vec<Option<Layer>> = (0..)
        .zip(given.layers.unwrap_or_default())
        .map(|(i, given)| layer(&format!("layers[{i}]"), given, &mut named, &mut invalid))
        .collect();
    let mut known: Vec<&Feed> = known.iter().collect();
    let feeds: Vec<Option<Feed>> = (0..)
        .zip(given.feeds.unwrap_or_default())
        .map(|(i, given)| feed(&format!("feeds[{i}]"), given, &mut known, &mut invalid))
        .collect();
    let layers: Vec<Layer> = layers.into_iter().flatten().collect();
    // An invalid layer or feed was left out, so later ones have moved in the list. The errors so far are returned
    // first.
    let Some(zone) = zone.filter(|_| invalid.is_empty()) else { return Err(invalid) };
    let schedule = Schedule::new(zone, layers, feeds.into_iter().flatten().collect())?;
    Ok((schedule.owned_by(owner.flatten()), named))
}

fn layer(
    field: &str,
    given: api::Layer,
    named: &mut Vec<Named>,
    invalid: &mut InvalidInput,
) -> Option<Layer> {
    let name = invalid.keep(at(&format!("{field}.name"), LayerName::new(&given.name)));
    let mut members = Vec::new();
    for (i, given) in given.members.into_iter().enumerate() {
        members.push(member(&format!("{field}.members[{i}]"), given, named, invalid));
    }
    let from = invalid.keep(at(&format!("{field}.from"), given.from.parse::<WallTime>()));
    let begins = wall_time(&format!("{field}.begins"), given.begins.as_deref(), invalid);
    let until = wall_time(&format!("{field}.until"), given.until.as_deref(), invalid);
    let turn = turn(&format!("{field}.turn"), &given.turn, invalid);
    let mut hours = Vec::new();
    for (i, given) in given.hours.unwrap_or_default().iter().enumerate() {
        hours.push(weekly_hours(&format!("{field}.hours[{i}]"), given, invalid));
    }
    let members = members.into_iter().collect::<Option<_>>()?;
    let hours = hours.into_iter().collect::<Option<_>>()?;
    let (begins, until) = (begins?, until?);
    Some(Layer { name: name?, rank: given.rank, members, from: from?, begins, until, turn: turn?, hours })
}

/// Converts a local time that may be absent. The outer `None` means that it is invalid.
fn wall_time(field: &str, text: Option<&str>, invalid: &mut InvalidInput) -> Option<Option<WallTime>> {
    match text {
        None => Some(None),
        Some(text) => invalid.keep(at(field, text.parse::<WallTime>())).map(Some),
    }
}

fn member(
    field: &str,
    given: api::Member,
    named: &mut Vec<Named>,
    invalid: &mut InvalidInput,
) -> Option<Member> {
    match given {
        api::Member::Always(who) => {
            let who = read(field, &who, invalid);
            named.extend(who.iter().cloned());
            Some(Member::always(bare(&who)))
        }
        api::Member::Dated(api::DatedMember { who, from, until }) => {
            let who = read(&format!("{field}.who"), &who, invalid);
            named.extend(who.iter().cloned());
            let from = wall_time(&format!("{field}.from"), from.as_deref(), invalid);
            let until = wall_time(&format!("{field}.until"), until.as_deref(), invalid);
            Some(Member { who: bare(&who), from: from?, until: until? })
        }
    }
}

fn turn(field: &str, given: &api::Turn, invalid: &mut InvalidInput) -> Option<Turn> {
    let unit = match given.unit.as_str() {
        "hour" | "hours" => Some(TurnUnit::Hour),
        "day" | "days" => Some(TurnUnit::Day),
        "week" | "weeks" => Some(TurnUnit::Week),
        "month" | "months" => Some(TurnUnit::Month),
        _ => {
            invalid.push(format!("{field}.unit"), "must be hour, day, week or month");
            None
        }
    };
    let count = match given.count.as_deref() {
        None | Some("elapsed") => Some(Counting::Elapsed),
        Some("worked") => Some(Counting::Worked),
        Some(_) => {
            invalid.push(format!("{field}.count"), "must be elapsed or worked");
            None
        }
    };
    Some(Turn { every: given.every, unit: unit?, count: count? })
}

/// Converts a feed from a request. If its URL is masked, the URL is that of the matching feed in `known`, which is then
/// removed from `known`. So two masked feeds of one host are not confused.
fn feed(field: &str, given: api::Feed, known: &mut Vec<&Feed>, invalid: &mut InvalidInput) -> Option<Feed> {
    let role = match given.role.as_str() {
        "base" => FeedRole::Base,
        "override" => FeedRole::Override,
        _ => {
            invalid.push(format!("{field}.as"), "must be base or override");
            return None;
        }
    };
    if !given.url.ends_with(MASK) {
        return Some(Feed { url: given.url, role });
    }
    let is_meant = |feed: &&Feed| {
        feed.masked() == given.url && given.id.as_ref().is_none_or(|id| feed.id().as_str() == id)
    };
    match known.iter().position(is_meant) {
        Some(place) => Some(Feed { url: known.remove(place).url.clone(), role }),
        None => {
            invalid.push(format!("{field}.url"), "is masked, and the schedule has no such feed");
            None
        }
    }
}

/// Converts a schedule into the API's type.
pub(crate) fn schedule_of(team: &TeamName, name: &ScheduleName, schedule: &Schedule) -> api::Schedule {
    api::Schedule {
        team: team.to_string(),
        schedule: name.to_string(),
        timezone: schedule.timezone().name().to_owned(),
        layers: schedule.layers().iter().map(layer_of).collect(),
        feeds: schedule.feeds().iter().map(feed_of).collect(),
        owner: schedule.owner().map(OwnerName::to_string),
    }
}

fn layer_of(layer: &Layer) -> api::Layer {
    let unit = match layer.turn.unit {
        TurnUnit::Hour => "hour",
        TurnUnit::Day => "day",
        TurnUnit::Week => "week",
        TurnUnit::Month => "month",
    };
    let count = match layer.turn.count {
        Counting::Elapsed => "elapsed",
        Counting::Worked => "worked",
    };
    let text = |time: Option<WallTime>| time.map(|time| time.to_string());
    api::Layer {
        name: layer.name.to_string(),
        rank: layer.rank,
        members: layer.members.iter().map(member_of).collect(),
        from: layer.from.to_string(),
        begins: text(layer.begins),
        until: text(layer.until),
        turn: api::Turn { every: layer.turn.every, unit: unit.to_owned(), count: Some(count.to_owned()) },
        hours: (!layer.hours.is_empty()).then(|| layer.hours.iter().map(hours_of).collect()),
    }
}

fn member_of(member: &Member) -> api::Member {
    let who = match member.who.as_slice() {
        [one] => Contacts::One(one.to_string()),
        many => Contacts::Many(texts(many)),
    };
    match (member.from, member.until) {
        (None, None) => api::Member::Always(who),
        (from, until) => api::Member::Dated(api::DatedMember {
            who,
            from: from.map(|from| from.to_string()),
            until: until.map(|until| until.to_string()),
        }),
    }
}

fn feed_of(feed: &Feed) -> api::Feed {
    let role = match feed.role {
        FeedRole::Base => "base",
        FeedRole::Override => "override",
    };
    api::Feed { url: feed.masked(), role: role.to_owned(), id: Some(feed.id().to_string()) }
}

/// Converts an override from a request. Also returns the targets that it names, with the names of their fields.
pub(crate) fn stand_in(given: &api::OverrideEntry) -> Result<(Override, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let from = invalid.keep(at("from", given.from.parse::<Moment>()));
    let to = invalid.keep(at("to", given.to.parse::<Moment>()));
    let owner = invalid.keep(owner(given.owner.clone()));
    let oncall = read("oncall", &given.oncall, &mut invalid);
    let instead_of = given.instead_of.as_ref().map(|who| read("insteadOf", who, &mut invalid));
    let Some((from, to)) = from.zip(to).filter(|_| invalid.is_empty()) else { return Err(invalid) };
    let replaced = instead_of.as_deref().map(bare);
    let stand_in = Override::new(from, to, bare(&oncall), replaced, given.note.clone())?;
    Ok((
        stand_in.owned_by(owner.flatten()),
        oncall.into_iter().chain(instead_of.into_iter().flatten()).collect(),
    ))
}

/// Checks that an override begins before it ends, in its schedule's time zone.
pub(crate) fn in_order(stand_in: &Override, zone: &Zone) -> Result<(), InvalidInput> {
    let (from, to) = stand_in.span(zone);
    if from < to { Ok(()) } else { Err(InvalidInput::field("to", "must be after `from`")) }
}

/// Converts an override into the API's type.
pub(crate) fn override_of(id: &OverrideId, stand_in: &Override) -> api::Override {
    api::Override {
        id: id.to_string(),
        from: stand_in.from().to_string(),
        to: stand_in.to().to_string(),
        oncall: texts(stand_in.oncall()),
        instead_of: stand_in.instead_of().map(texts),
        note: stand_in.note().map(str::to_owned),
        owner: stand_in.owner().map(OwnerName::to_string),
    }
}

/// Converts the shifts of a span into the API's type.
pub(crate) fn shifts(shifts: &[roster::Shift]) -> api::Shifts {
    api::Shifts { shifts: shifts.iter().map(shift).collect() }
}

fn shift(shift: &roster::Shift) -> api::Shift {
    let sources: Vec<String> = shift.sources.iter().map(Source::to_string).collect();
    let source = if shift.oncall.is_empty() { "gap".to_owned() } else { sources.join("+") };
    api::Shift {
        from: shift.from,
        to: shift.to,
        oncall: shift.oncall.iter().map(Who::to_string).collect(),
        source,
    }
}

/// Checks the span of shifts in a request: at most 400 days.
pub(crate) fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), InvalidInput> {
    if to <= from {
        return Err(InvalidInput::field("to", "must be after `from`"));
    }
    if to - from > chrono::TimeDelta::days(400) {
        return Err(InvalidInput::field("to", "must be at most 400 days after `from`"));
    }
    Ok(())
}
