//! The form that makes a silence.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{SilenceId, Zone};
use inresponse_core::roster::{Effect, Entry, Matcher, QuietRules, Silence};

use super::form::{Fields, Wrong};
use super::reader::Reader;
use super::session::SignedIn;
use super::silences::rules;
use super::times::{Clock, Edge};
use super::{Frame, Place, acts, html, outage, problem, see};
use crate::Api;
use crate::here::Here;
use crate::input::{Bytes, NoParams};

/// The units of a duration, with their seconds.
const UNITS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("min", 60)];
/// The end of a silence, unless somebody types another one.
const USUAL: &str = "2h";
/// Two silences that are the same but for this time were made by one button that was pressed twice.
const TWICE: TimeDelta = TimeDelta::minutes(1);

#[derive(Template)]
#[template(path = "silence_new.html")]
struct Page {
    frame: Frame,
    zone: String,
    form: Form,
    wrong: Wrong,
}

/// The texts of the form.
struct Form {
    matchers: String,
    from: String,
    to: String,
    comment: String,
}

impl Form {
    fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name);
        Self { matchers: text("matchers"), from: text("from"), to: text("to"), comment: text("comment") }
    }

    /// Converts the form into a silence.
    fn silence(&self, clock: &Clock) -> Result<Silence, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let mut matchers = Vec::new();
        let lines = self.matchers.lines().map(str::trim).filter(|line| !line.is_empty());
        for (i, line) in lines.enumerate().take(Silence::MAX_MATCHERS + 1) {
            let read = line.parse::<Matcher>().map_err(|error| {
                let mut of_line = InvalidInput::default();
                for error in error.errors() {
                    of_line.push(format!("matchers[{i}]"), error.message().to_owned());
                }
                of_line
            });
            matchers.extend(invalid.keep(read));
        }
        let now = clock.now.trunc_subsecs(0);
        let from = match self.from.as_str() {
            "" => Some(now),
            text => invalid.keep(clock.read("from", text, now, Edge::Begin)),
        };
        let to = invalid.keep(self.end(clock, from.unwrap_or(now)));
        let (Some(from), Some(to), true) = (from, to, invalid.is_empty()) else { return Err(invalid) };
        if to <= now {
            return Err(InvalidInput::field("to", "must be in the future"));
        }
        let silence = Silence::new(matchers, from, to)?;
        if silence.ends() < silence.to() {
            return Err(InvalidInput::field("to", "must be at most 400 days after the beginning"));
        }
        silence.because(&self.comment)
    }

    fn end(&self, clock: &Clock, from: DateTime<Utc>) -> Result<DateTime<Utc>, InvalidInput> {
        let refused = |message: &str| InvalidInput::field("to", message.to_owned());
        if self.to.is_empty() {
            return Err(refused("is missing"));
        }
        let after = duration(&self.to).and_then(|duration| from.checked_add_signed(duration));
        let read = || clock.read("to", &self.to, from, Edge::End);
        after.map_or_else(read, Ok).map_err(|_| {
            refused("must be a duration like 30m, 2h or 7d, or a time like 18:00 or 2026-12-07T18:00")
        })
    }
}

/// Reads a duration such as `2h`.
fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, name) = text.split_at(unit);
    let (_, seconds) = UNITS.iter().find(|(unit, _)| *unit == name.trim())?;
    TimeDelta::try_seconds(number.parse::<i64>().ok()?.checked_mul(*seconds)?)
}

/// The empty form.
pub(super) async fn page(Here(api): Here, me: SignedIn, _: NoParams, headers: HeaderMap) -> Response {
    let form =
        Form { matchers: String::new(), from: String::new(), to: USUAL.to_owned(), comment: String::new() };
    match rules(&api).await {
        Ok((_, book)) => {
            let reader = Reader::new(&api, &headers, None, &book, &me.by, &Zone::utc());
            show(&api, &me, &reader, StatusCode::OK, form, Wrong::default())
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}

/// Makes the silence, or shows the form for the conditions that an incident's page sends.
pub(super) async fn act(Here(api): Here, me: SignedIn, headers: HeaderMap, Bytes(form): Bytes) -> Response {
    let fields = Fields::read(&form);
    let (rules, book) = match rules(&api).await {
        Ok(found) => found,
        Err(error) => return outage(&api, &me.by, &error),
    };
    // The typed times are in the zone in which the form was shown.
    let zone = fields.given("zone").and_then(|name| Zone::new(name).ok());
    let reader = Reader::new(&api, &headers, zone, &book, &me.by, &Zone::utc());
    let mut form = Form::read(&fields);
    match fields.text("do").as_str() {
        "begin" => {
            form.to = USUAL.to_owned();
            return show(&api, &me, &reader, StatusCode::OK, form, Wrong::default());
        }
        "save" => {}
        _ => {
            let wrong = Wrong::field("button", "is not a button of this page");
            return show(&api, &me, &reader, StatusCode::BAD_REQUEST, form, wrong);
        }
    }
    let list = format!("{}/board/silences", api.prefix());
    let made = form.silence(&reader.clock).map(|silence| silence.made_by(me.by.clone()));
    let named = made.and_then(|silence| Ok((id(&rules, &silence, reader.clock.now)?, silence)));
    let (id, silence) = match named {
        Ok((Some(id), silence)) => (id, silence),
        Ok((None, _)) => return see(&list),
        Err(invalid) => {
            let wrong = Wrong::from(&invalid);
            return show(&api, &me, &reader, StatusCode::BAD_REQUEST, form, wrong);
        }
    };
    let edits = vec![Entry::silence(&id, silence).into()];
    match acts::change_roster(&api, &me, edits, Vec::new()).await {
        Ok(Effect::Created | Effect::Replaced | Effect::Unchanged | Effect::Deleted | Effect::Absent) => {
            see(&list)
        }
        Err(refused) if refused.status().is_server_error() => problem(&api, &me.by, &refused),
        Err(refused) => {
            let (wrong, status) = (Wrong::from(&refused), refused.status());
            show(&api, &me, &reader, status, form, wrong)
        }
    }
}

/// A free name for a new silence, made of the time; `None` if the same silence was made a moment ago.
fn id(rules: &QuietRules, silence: &Silence, now: DateTime<Utc>) -> Result<Option<SilenceId>, InvalidInput> {
    let near = |one: DateTime<Utc>, other: DateTime<Utc>| (one - other).abs() < TWICE;
    let is_same = |other: &Silence| {
        (other.matchers(), other.comment(), other.by(), other.weekly())
            == (silence.matchers(), silence.comment(), silence.by(), silence.weekly())
            && near(other.from(), silence.from())
            && near(other.to(), silence.to())
    };
    if rules.silences().any(|(_, other)| is_same(other)) {
        return Ok(None);
    }
    let first = now.format("%Y%m%d-%H%M%S").to_string();
    let more = (2..=rules.silences().count() + 2).map(|n| format!("{first}-{n}"));
    for name in std::iter::once(first.clone()).chain(more) {
        let name = SilenceId::new(name)?;
        if rules.silences().all(|(taken, _)| *taken != name) {
            return Ok(Some(name));
        }
    }
    Err(InvalidInput::field("silence", "has no free name"))
}

fn show(api: &Api, me: &SignedIn, reader: &Reader, status: StatusCode, form: Form, wrong: Wrong) -> Response {
    let frame = Frame::new(api, Some(&me.by), Place::Silences);
    html(status, &Page { frame, zone: reader.clock.zone.name().to_owned(), form, wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_the_end_is_a_duration_or_a_time_of_the_readers_zone() {
        let now: DateTime<Utc> = "2026-11-24T17:00:00.5Z".parse().unwrap();
        let clock = Clock { zone: Zone::new("Europe/Athens").unwrap(), now };
        let form = |from: &str, to: &str| Form {
            matchers: "service=web\n\n host =~ db-.*".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            comment: "why".to_owned(),
        };
        for (from, to, begins, ends) in [
            ("", "2h", "2026-11-24T17:00:00Z", "2026-11-24T19:00:00Z"),
            ("", "90 min", "2026-11-24T17:00:00Z", "2026-11-24T18:30:00Z"),
            ("", "400d", "2026-11-24T17:00:00Z", "2027-12-29T17:00:00Z"),
            ("", "20:00", "2026-11-24T17:00:00Z", "2026-11-24T18:00:00Z"),
            ("2026-11-25T22:00", "1w", "2026-11-25T20:00:00Z", "2026-12-02T20:00:00Z"),
            ("22:00", "2026-11-25T06:00", "2026-11-24T20:00:00Z", "2026-11-25T04:00:00Z"),
        ] {
            let silence = form(from, to).silence(&clock).unwrap();
            let instant = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
            assert_eq!((silence.from(), silence.to()), (instant(begins), instant(ends)), "{from} {to}");
            assert_eq!(silence.matchers().len(), 2);
        }
        for (from, to, field) in [
            ("", "", "to"),
            ("", "soon", "to"),
            ("", "2", "to"),
            ("", "0h", "to"),
            ("", "401d", "to"),
            ("", "99999999999999d", "to"),
            ("", "2026-11-24T18:00", "to"),
            ("then", "2h", "from"),
        ] {
            let refused = form(from, to).silence(&clock).unwrap_err();
            assert_eq!(refused.errors()[0].field(), field, "{from} {to}");
        }
    }
}
