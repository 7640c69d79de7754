//! The reader of a page: the zone in which they see times, and the person of the roster.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use inresponse_core::model::{Contact, Person, PersonId, Zone};
use inresponse_core::roster::{Book, Target, Who};

use super::times::Clock;
use crate::Api;
use crate::input::Params;

/// The cookie that keeps the zone. It is not a secret, and affects only how times are shown.
const COOKIE_NAME: &str = "inresponse-zone";
/// How long the zone is remembered, in seconds: a year.
const LIFE: u32 = 365 * 24 * 3600;

/// The reader of a page.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) clock: Clock,
    /// The person of the roster that the signed-in name means.
    pub(super) person: Option<PersonId>,
    /// The signed-in name as an address, if it is one and belongs to nobody in the roster.
    contact: Option<Contact>,
    /// The zone that the reader has just chosen.
    chosen: Option<Zone>,
}

/// The zone that a query chooses.
pub(super) fn chosen(params: &mut Params) -> Option<Zone> {
    params.take("zone", Zone::new)
}

impl Reader {
    /// Times are shown in the zone that the reader chooses now, otherwise in the one chosen before, otherwise in the
    /// person's own zone, otherwise in `or`.
    pub(super) fn new(
        api: &Api,
        headers: &HeaderMap,
        chosen: Option<Zone>,
        book: &Book,
        by: &Person,
        or: &Zone,
    ) -> Self {
        let person = person_of(book, by);
        let own = || person.as_ref().and_then(|id| Some(book.person(id)?.timezone().clone()));
        let zone = chosen.clone().or_else(|| kept(headers)).or_else(own).unwrap_or_else(|| or.clone());
        let contact = by.contact().filter(|_| person.is_none());
        let clock = Clock { zone, now: api.engine().now() };
        Self { clock, person, contact, chosen }
    }

    /// The reader as a target.
    pub(super) fn target(&self) -> Option<Target> {
        let person = self.person.clone().map(Target::Person);
        person.or_else(|| self.contact.clone().map(Target::Contact))
    }

    /// The zones to choose from: these first, then all others.
    pub(super) fn zones(&self, first: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let first = std::iter::once(self.clock.zone.name()).chain(first.iter().copied());
        for name in first.filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let others: Vec<String> = Zone::names().into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(others);
        names
    }

    /// Makes the browser remember the zone that was chosen.
    pub(super) fn remember(&self, api: &Api, mut response: Response) -> Response {
        let Some(zone) = &self.chosen else { return response };
        let (zone, path) = (zone.name(), api.home());
        let cookie = format!("{COOKIE_NAME}={zone}; Path={path}; Max-Age={LIFE}; HttpOnly; SameSite=Strict");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// The zone that the browser remembers.
fn kept(headers: &HeaderMap) -> Option<Zone> {
    let given = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        given.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, zone) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
    Zone::new(zone).ok()
}

/// The person whom a name means: by id or address, otherwise by the display name or the id in another letter case if
/// only one person matches.
fn person_of(book: &Book, by: &Person) -> Option<PersonId> {
    let known = PersonId::new(book.identify(by).as_str()).ok();
    if let Some(id) = known.filter(|id| book.person(id).is_some()) {
        return Some(id);
    }
    let name = by.as_str().to_lowercase();
    let mut having = book.people().iter().filter(|(id, profile)| {
        id.as_str().to_lowercase() == name || profile.name().is_some_and(|own| own.to_lowercase() == name)
    });
    match (having.next(), having.next()) {
        (Some((id, _)), None) => Some(id.clone()),
        (_, _) => None,
    }
}

/// The name of somebody on call, as pages show it.
pub(super) fn name_of(book: &Book, who: &Who) -> String {
    match who {
        Who::Person(id) => display_name(book, id),
        Who::Contact(contact) => contact.to_string(),
    }
}

/// The name of a target, as pages show it.
pub(super) fn target_name(book: &Book, target: &Target) -> String {
    match target {
        Target::Person(id) => display_name(book, id),
        Target::Contact(_) | Target::Schedule { .. } | Target::Team(_) => target.to_string(),
    }
}

fn display_name(book: &Book, id: &PersonId) -> String {
    let name = book.person(id).and_then(|profile| profile.name());
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// Names as a list: `nobody` if it is empty.
pub(super) fn names(mut names: impl Iterator<Item = String>) -> String {
    let Some(first) = names.next() else { return "nobody".to_owned() };
    names.fold(first, |all, name| format!("{all}, {name}"))
}

/// The people to choose from: id, and name with the id if they differ.
pub(super) fn people(book: &Book) -> Vec<(String, String)> {
    let told = |(id, name): (&PersonId, Option<&str>)| match name.filter(|name| *name != id.as_str()) {
        Some(name) => (id.to_string(), format!("{name} ({id})")),
        None => (id.to_string(), id.to_string()),
    };
    book.people().iter().map(|(id, profile)| told((id, profile.name()))).collect()
}
