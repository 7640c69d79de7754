//! The form of a schedule, and its conversion into a request.

use chrono::Weekday;
use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{ScheduleName, TeamName, Zone};
use inresponse_core::roster::{Schedule, WallTime};

use super::form::Fields;
use crate::wire::schedule::schedule_of;

/// The texts of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) timezone: String,
    pub(super) layers: Vec<LayerForm>,
    /// One feed on each line: `base` or `override`, and the URL.
    pub(super) feeds: String,
    /// Whether the team's first level will alert the schedule.
    pub(super) alerts: Alerts,
}

/// Whether a new schedule becomes the team's first level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Alerts {
    Yes,
    #[default]
    No,
}

/// The texts of one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LayerForm {
    pub(super) name: String,
    /// One member on each line.
    pub(super) members: String,
    pub(super) from: String,
    pub(super) every: String,
    pub(super) unit: String,
    pub(super) count: String,
    /// One entry on each line: the days, and the times from and to.
    pub(super) hours: String,
    pub(super) begins: String,
    pub(super) until: String,
    pub(super) rank: String,
}

impl Form {
    /// Reads the form that a browser sent.
    pub(super) fn read(fields: &Fields) -> Self {
        let layers = (0..=Schedule::MAX_LAYERS).take_while(|i| fields.has(&format!("layers[{i}].name")));
        let alerts = if fields.given("alerts") == Some("yes") { Alerts::Yes } else { Alerts::No };
        Self {
            name: fields.text("name"),
            timezone: fields.text("timezone"),
            layers: layers.map(|i| LayerForm::read(fields, i)).collect(),
            feeds: fields.text("feeds"),
            alerts,
        }
    }

    /// The form with the current values of a schedule. The URLs of feeds are masked.
    pub(super) fn of(team: &TeamName, name: &ScheduleName, schedule: &Schedule) -> Self {
        let shown = schedule_of(team, name, schedule);
        let feeds: Vec<String> =
            shown.feeds.iter().map(|feed| format!("{} {}", feed.role, feed.url)).collect();
        Self {
            name: shown.schedule,
            timezone: shown.timezone,
            layers: shown.layers.iter().map(LayerForm::of).collect(),
            feeds: feeds.join("\n"),
            alerts: Alerts::No,
        }
    }

    /// The form of a weekly rotation that begins on that day and has no members yet.
    pub(super) fn weekly(name: &str, zone: &Zone, monday: chrono::NaiveDate) -> Self {
        let layer =
            LayerForm { name: "weekly".to_owned(), from: format!("{monday}T09:00"), ..LayerForm::empty() };
        let timezone = zone.name().to_owned();
        Self {
            name: name.to_owned(),
            timezone,
            layers: vec![layer],
            feeds: String::new(),
            alerts: Alerts::Yes,
        }
    }

    pub(super) fn alerts_it(&self) -> bool {
        self.alerts == Alerts::Yes
    }

    /// The body of the request that the API would get for this form.
    pub(super) fn entry(&self) -> Result<api::ScheduleEntry, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let mut layers = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            layers.extend(invalid.keep(layer.entry(&format!("layers[{i}]"))));
        }
        let feeds = lines(&self.feeds).map(|line| {
            let (role, url) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            api::Feed { id: None, url: url.trim().to_owned(), role: role.to_owned() }
        });
        let entry = api::ScheduleEntry {
            // An edit by hand removes the owner: the entry no longer belongs to a file.
            owner: None,
            timezone: Some(self.timezone.clone()),
            layers: Some(layers),
            feeds: Some(feeds.collect()),
        };
        if invalid.is_empty() { Ok(entry) } else { Err(invalid) }
    }
}

impl LayerForm {
    /// A layer that changes hands every week.
    pub(super) fn empty() -> Self {
        let (every, unit, count) = ("1".to_owned(), "week".to_owned(), "elapsed".to_owned());
        Self { every, unit, count, ..Self::default() }
    }

    fn read(fields: &Fields, i: usize) -> Self {
        let text = |name: &str| fields.text(&format!("layers[{i}].{name}"));
        Self {
            name: text("name"),
            members: text("members"),
            from: text("from"),
            every: text("turn.every"),
            unit: text("turn.unit"),
            count: text("turn.count"),
            hours: text("hours"),
            begins: text("begins"),
            until: text("until"),
            rank: text("rank"),
        }
    }

    fn of(layer: &api::Layer) -> Self {
        let members: Vec<String> = layer.members.iter().map(member_line).collect();
        let hours: Vec<String> = layer.hours.iter().flatten().map(hours_line).collect();
        Self {
            name: layer.name.clone(),
            members: members.join("\n"),
            from: layer.from.clone(),
            every: layer.turn.every.to_string(),
            unit: layer.turn.unit.clone(),
            count: layer.turn.count.clone().unwrap_or_default(),
            hours: hours.join("\n"),
            begins: layer.begins.clone().unwrap_or_default(),
            until: layer.until.clone().unwrap_or_default(),
            rank: layer.rank.map(|rank| rank.to_string()).unwrap_or_default(),
        }
    }

    /// Whether anything is typed into the fields that few layers need.
    pub(super) fn has_more(&self) -> bool {
        let more = [&self.hours, &self.begins, &self.until, &self.rank];
        more.iter().any(|text| !text.is_empty()) || self.count == "worked"
    }

    fn entry(&self, field: &str) -> Result<api::Layer, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let number = |text: &str| text.parse::<u32>().ok();
        let every = number(&self.every);
        if every.is_none() {
            invalid.push(format!("{field}.turn.every"), "must be a whole number");
        }
        let rank = number(&self.rank);
        if rank.is_none() && !self.rank.is_empty() {
            invalid.push(format!("{field}.rank"), "must be a whole number");
        }
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let layer = api::Layer {
            name: self.name.clone(),
            rank,
            members: lines(&self.members).map(member).collect(),
            from: self.from.clone(),
            begins: some(&self.begins),
            until: some(&self.until),
            turn: api::Turn {
                every: every.unwrap_or_default(),
                unit: self.unit.clone(),
                count: some(&self.count),
            },
            hours: Some(lines(&self.hours).map(hours).collect()),
        };
        if invalid.is_empty() { Ok(layer) } else { Err(invalid) }
    }
}

/// The lines of a text that are not blank.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The word for a turn that nobody takes.
const OFF: &str = "nobody";

/// Reads a line such as `jo`, `jo, kim` or `nobody`, which may end with ` from …` and ` until …`.
fn member(line: &str) -> api::Member {
    let (line, until) = dated(line, " until ");
    let (line, from) = dated(line, " from ");
    let who: Vec<String> = match line {
        OFF => Vec::new(),
        line => line.split(',').map(target).collect(),
    };
    let who = match <[String; 1]>::try_from(who) {
        Ok([one]) => api::Contacts::One(one),
        Err(many) => api::Contacts::Many(many),
    };
    if from.is_none() && until.is_none() {
        return api::Member::Always(who);
    }
    api::Member::Dated(api::DatedMember { who, from, until })
}

/// Splits a line into the text before a word and the time after it. A name may contain the word, so only a time counts.
fn dated<'a>(line: &'a str, word: &str) -> (&'a str, Option<String>) {
    let found = line.rsplit_once(word);
    let found = found.filter(|(_, time)| time.parse::<WallTime>().is_ok());
    found.map_or((line, None), |(line, time)| (line.trim(), Some(time.trim().to_owned())))
}

/// A name alone means a person.
fn target(text: &str) -> String {
    let text = text.trim();
    if text.contains([':', '@']) { text.to_owned() } else { format!("person:{text}") }
}

fn target_text(text: &str) -> &str {
    text.strip_prefix("person:").filter(|name| *name != OFF).unwrap_or(text)
}

fn member_line(member: &api::Member) -> String {
    let told = |who: &api::Contacts| match who.texts() {
        [] => OFF.to_owned(),
        who => who.iter().map(|text| target_text(text)).collect::<Vec<_>>().join(", "),
    };
    match member {
        api::Member::Always(who) => told(who),
        api::Member::Dated(dated) => {
            let part = |word: &str, time: &Option<String>| {
                time.as_ref().map(|time| format!(" {word} {time}")).unwrap_or_default()
            };
            told(&dated.who) + &part("from", &dated.from) + &part("until", &dated.until)
        }
    }
}

/// Reads a line such as `Mon-Fri 09:00-17:00` or `Sat Sun 10:00-18:00`.
fn hours(line: &str) -> api::Hours {
    let (days, time) = line.rsplit_once(char::is_whitespace).unwrap_or((line, ""));
    let (from, to) = time.split_once(['-', '–']).unwrap_or((time, ""));
    let days = days.split([' ', ',']).filter(|day| !day.is_empty()).flat_map(days_of).collect();
    api::Hours { days, from: from.to_owned(), to: to.to_owned() }
}

/// The days from one to another, as in `Mon-Fri`. A word that is not a day stays as it is, and is refused later.
fn days_of(text: &str) -> Vec<String> {
    let ends = text.split_once(['-', '–']);
    let ends = ends.and_then(|(first, last)| Some((first.parse::<Weekday>().ok()?, last.parse().ok()?)));
    let Some((first, last)) = ends else { return vec![text.to_owned()] };
    let mut days = vec![first];
    while let Some(day) = days.last().copied().filter(|day| *day != last) {
        days.push(day.succ());
    }
    days.iter().map(Weekday::to_string).collect()
}

/// Three or more consecutive days are written as a range.
fn hours_line(hours: &api::Hours) -> String {
    let days: Vec<Weekday> = hours.days.iter().filter_map(|day| day.parse().ok()).collect();
    let in_a_row = days.windows(2).all(|pair| pair[0].succ() == pair[1]);
    let days = match days.as_slice() {
        [first, _, .., last] if in_a_row => format!("{first}-{last}"),
        _ => hours.days.join(" "),
    };
    format!("{days} {}-{}", hours.from, hours.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_shown_again() {
        let members = "jo\nkim, lee\nnobody\nops@example.org from 2026-12-01\nschedule:web/primary from 2026-12-01T09:00 until 2027-01-01T09:00";
        let hours = "Mon-Fri 09:00-17:00\nSat Sun 10:00-18:00";
        let layer = LayerForm {
            name: "a".to_owned(),
            members: members.to_owned(),
            from: "2026-12-07T09:00".to_owned(),
            hours: hours.to_owned(),
            rank: "3".to_owned(),
            ..LayerForm::empty()
        };
        let form = Form {
            timezone: "UTC".to_owned(),
            layers: vec![layer.clone()],
            feeds: "base https://c.example/a".to_owned(),
            ..Form::default()
        };
        let entry = form.entry().unwrap();
        let typed = &entry.layers.as_ref().unwrap()[0];
        assert_eq!(LayerForm::of(typed), layer);
        assert_eq!(typed.members[0], api::Member::Always(api::Contacts::One("person:jo".to_owned())));
        assert_eq!(typed.members[2], api::Member::Always(api::Contacts::Many(Vec::new())));
        assert_eq!(typed.hours.as_ref().unwrap()[0].days, ["Mon", "Tue", "Wed", "Thu", "Fri"]);
        assert_eq!(entry.feeds.unwrap()[0].role, "base");
    }

    #[test]
    fn p16_what_is_no_number_is_refused_by_its_field() {
        let layer = LayerForm { every: "two".to_owned(), rank: "x".to_owned(), ..LayerForm::empty() };
        let form = Form { layers: vec![LayerForm::empty(), layer], ..Form::default() };
        let refused = form.entry().unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|error| error.field()).collect();
        assert_eq!(fields, ["layers[1].turn.every", "layers[1].rank"]);
    }
}
