//! Silences: who made each and why, until when, and how many incidents wait behind it.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{OwnerName, Person, SilenceId, Zone};
use inresponse_core::roster::{Book, Effect, EntryKey, QuietRules, RosterEdit, Silence};

use super::form::Fields;
use super::reader::Reader;
use super::session::SignedIn;
use super::times::{Clock, Told};
use super::{Frame, Place, acts, html, message, outage, problem, see};
use crate::Api;
use crate::here::Here;
use crate::input::Bytes;
use crate::routes::silences::waiting;
use crate::wire::silence::silence_of;

/// The number of silences that the list shows.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "silences.html")]
struct List {
    frame: Frame,
    zone: String,
    lines: Vec<Line>,
    /// The number of silences that the list does not show.
    more: usize,
    /// Whether the list says how many incidents wait.
    is_counted: bool,
}

/// A silence.
struct Line {
    id: String,
    why: String,
    by: Option<String>,
    owner: Option<String>,
    matchers: Vec<String>,
    from: Told,
    to: Told,
    weekly: Option<String>,
    waiting: u64,
    time: Time,
}

/// The time of a silence. The list shows the silences in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Time {
    Active,
    Planned,
    Over,
}

impl Time {
    fn of(silence: &Silence, now: DateTime<Utc>) -> Self {
        if silence.ends() <= now {
            Self::Over
        } else if silence.from() > now {
            Self::Planned
        } else {
            Self::Active
        }
    }

    fn is_over(self) -> bool {
        self == Self::Over
    }

    fn words(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Planned => "planned",
            Self::Over => "over",
        }
    }

    fn mood(self) -> &'static str {
        match self {
            Self::Active => "now",
            Self::Planned | Self::Over => "quiet",
        }
    }
}

impl Line {
    fn new(id: &SilenceId, silence: &Silence, clock: &Clock, waiting: u64) -> Self {
        let weekly = silence_of(id, silence).weekly.map(|weekly| {
            let zone = weekly.timezone.unwrap_or_default();
            format!("{} {} to {} ({zone})", weekly.days.join(", "), weekly.from, weekly.to)
        });
        let (from, to) = clock.span(silence.from(), silence.ends());
        Self {
            id: id.to_string(),
            why: silence.comment().to_owned(),
            by: silence.by().map(Person::to_string),
            owner: silence.owner().map(OwnerName::to_string),
            matchers: silence.matchers().iter().map(ToString::to_string).collect(),
            from,
            to,
            weekly,
            waiting,
            time: Time::of(silence, clock.now),
        }
    }
}

/// The silences and the people of the roster, as they are now.
pub(super) async fn rules(api: &Api) -> Result<(Arc<QuietRules>, Arc<Book>), Outage> {
    let roster = api.engine().roster();
    roster.refresh().await?;
    Ok((roster.quiet().await?, api.engine().book().await?))
}

/// All silences: the active ones first, then what is planned, then what is over.
pub(super) async fn list(Here(api): Here, me: SignedIn, headers: HeaderMap) -> Response {
    let (rules, book) = match rules(&api).await {
        Ok(found) => found,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let waiting = match waiting(&api).await {
        Ok(waiting) => waiting,
        Err(error) => return problem(&api, &me.by, &error),
    };
    let reader = Reader::new(&api, &headers, None, &book, &me.by, &Zone::utc());
    let mut silences: Vec<_> = rules.silences().collect();
    silences.sort_by_key(|(_, silence)| {
        let time = Time::of(silence, reader.clock.now);
        let at = match time {
            Time::Active => silence.ends().timestamp(),
            Time::Planned => silence.from().timestamp(),
            // The latest first.
            Time::Over => -silence.ends().timestamp(),
        };
        (time, at)
    });
    let more = silences.len().saturating_sub(SHOWN);
    let lines = silences.into_iter().take(SHOWN).map(|(id, silence)| {
        let waiting = waiting.as_ref().and_then(|waiting| waiting.get(id)).copied();
        Line::new(id, silence, &reader.clock, waiting.unwrap_or_default())
    });
    let page = List {
        frame: Frame::new(&api, Some(&me.by), Place::Silences),
        zone: reader.clock.zone.name().to_owned(),
        lines: lines.collect(),
        more,
        is_counted: waiting.is_some(),
    };
    html(StatusCode::OK, &page)
}

/// Lifts a silence, or removes one that is over.
pub(super) async fn act(Here(api): Here, me: SignedIn, Bytes(form): Bytes) -> Response {
    let fields = Fields::read(&form);
    let absent = || {
        let text = "There is no such silence any more. Nothing was changed.";
        message(&api, Some(&me.by), StatusCode::NOT_FOUND, text)
    };
    if fields.text("do") != "lift" {
        let text = "Nothing was changed: button is not a button of this page.";
        return message(&api, Some(&me.by), StatusCode::BAD_REQUEST, text);
    }
    let Ok(id) = SilenceId::new(fields.text("silence")) else { return absent() };
    let edit = RosterEdit::Delete(EntryKey::Silence(id));
    match acts::change_roster(&api, &me, vec![edit], Vec::new()).await {
        Ok(Effect::Absent) => absent(),
        Ok(Effect::Created | Effect::Replaced | Effect::Unchanged | Effect::Deleted) => {
            see(&format!("{}/board/silences", api.prefix()))
        }
        Err(refused) => problem(&api, &me.by, &refused),
    }
}
