//! Finds and counts the incidents of a list. What the store cannot filter is read and filtered here, within bounds.

use std::cmp::Reverse;
use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use inresponse_core::model::{Event, Incident, IncidentNumber, Person, ServiceName, State};
use inresponse_core::store::{ListQuery, Record};
use inresponse_core::{Engine, Outage};

use super::filter::{Filter, Mark, Need};

/// The number of incidents on a page.
pub(super) const PAGE: usize = 50;
/// The number of incidents that are read for one page, or for one number, at most.
pub(super) const MOST_READ: usize = 500;
/// The number of incidents that are read at once.
const CHUNK: usize = 100;
/// The number of resolved incidents that are ordered by the time at which they were resolved.
const WINDOW: usize = 200;
/// How much the order by number and the order by time of report may differ, as several servers report.
const SLACK: TimeDelta = TimeDelta::hours(1);

/// A page of a list.
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    /// Where the next page begins.
    pub(super) next: Option<Mark>,
    /// Whether more incidents were not read, so that the next page may continue the search.
    pub(super) end: End,
}

/// Where a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The page is full, or there are no more incidents.
    Complete,
    /// As many incidents were read as one page may read.
    Cut,
}

/// A number of incidents, and whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) number: u64,
    pub(super) end: End,
}

/// The counts of a filtered list.
pub(super) struct Counts {
    pub(super) open: Count,
    pub(super) claimed: Count,
    pub(super) mine: Count,
    pub(super) unreached: u64,
    pub(super) unanswered: u64,
}

/// A filter with everything that is needed to apply it.
pub(super) struct Search<'a> {
    engine: &'a Engine,
    filter: &'a Filter,
    /// The service, if the filter names exactly one.
    service: Option<ServiceName>,
    /// A part of the names of services, in lower case.
    part: Option<String>,
    /// The words, in lower case.
    words: Vec<String>,
    /// The names of the reader.
    me: [Person; 2],
    /// A number above every incident that was reported until the last day.
    below: Option<IncidentNumber>,
}

/// What was read, and where to continue.
struct Read {
    records: Vec<Record>,
    rest: Option<IncidentNumber>,
}

impl<'a> Search<'a> {
    pub(super) async fn new(engine: &'a Engine, filter: &'a Filter, me: &Person) -> Result<Self, Outage> {
        let named = filter.service.as_deref().and_then(|text| ServiceName::new(text).ok());
        let service = match named {
            Some(service) => engine.roster().service(&service).await?.map(|_| service),
            None => None,
        };
        let part = filter.service.as_ref().filter(|_| service.is_none()).map(|part| part.to_lowercase());
        let words = filter.words.as_deref().unwrap_or_default();
        let words = words.split_whitespace().map(str::to_lowercase).collect();
        let below = match filter.until.and_then(|day| begins(day.checked_add_days(Days::new(1))?)) {
            Some(end) => reported_after(engine, end + SLACK).await?,
            None => None,
        };
        let me = [me.clone(), engine.book().await?.identify(me)];
        Ok(Self { engine, filter, service, part, words, me, below })
    }

    /// Whether an incident is the reader's: claimed by the reader, or resolved if it is resolved.
    fn is_mine(&self, incident: &Incident) -> bool {
        let signature = match incident.state() {
            State::Open => None,
            State::Claimed => incident.claimed(),
            State::Resolved => incident.resolved(),
        };
        signature.is_some_and(|signature| self.me.iter().any(|me| signature.by.is(me)))
    }

    /// Whether the store applies the whole filter.
    fn is_exact(&self) -> bool {
        let filter = self.filter;
        let has_day = filter.since.is_some() || filter.until.is_some();
        self.part.is_none()
            && self.words.is_empty()
            && !filter.is_of_mine()
            && filter.need.is_none()
            && !has_day
    }

    fn lets(&self, incident: &Incident) -> bool {
        let reported = incident.created_at().date_naive();
        self.filter.since.is_none_or(|day| reported >= day)
            && self.filter.until.is_none_or(|day| reported <= day)
            && (!self.filter.is_of_mine() || self.is_mine(incident))
            && self.filter.need.is_none_or(|need| is_in(incident, need))
            && self.part.as_ref().is_none_or(|part| incident.service().as_str().to_lowercase().contains(part))
            && (self.words.is_empty() || has(incident, &self.words))
    }

    /// Reads up to `want` incidents in a state that pass the filter, below a number, newest first.
    async fn read(
        &self,
        state: State,
        below: Option<IncidentNumber>,
        want: usize,
        left: &mut usize,
    ) -> Result<Read, Outage> {
        let mut records = Vec::new();
        let oldest = self.filter.since.and_then(begins).map(|begin| begin - SLACK);
        let mut below = [below, self.below].into_iter().flatten().min();
        loop {
            let wanted = if self.is_exact() { want - records.len() } else { CHUNK };
            let limit = wanted.min(*left);
            if limit == 0 {
                return Ok(Read { records, rest: below });
            }
            let query = ListQuery {
                state: Some(state),
                team: self.filter.team.clone(),
                service: self.service.clone(),
                severity: self.filter.severity,
                below,
                limit,
            };
            let page = self.engine.list(&query).await?;
            let is_last = page.len() < limit;
            *left -= page.len().min(*left);
            for record in page {
                if oldest.is_some_and(|oldest| record.incident.created_at() < oldest) {
                    return Ok(Read { records, rest: None });
                }
                below = Some(record.number());
                if self.lets(&record.incident) {
                    records.push(record);
                }
                if records.len() == want {
                    return Ok(Read { records, rest: below });
                }
            }
            if is_last {
                return Ok(Read { records, rest: None });
            }
        }
    }

    /// Finds the incidents of one page, state by state, and where the next page begins.
    pub(super) async fn find(&self) -> Result<Found, Outage> {
        let (mut found, mut seen): (Vec<Record>, _) = (Vec::new(), HashSet::new());
        let (mut left, mut next) = (MOST_READ, None);
        let begin = self.filter.from;
        let states = self.filter.states();
        for state in states.into_iter().skip_while(|state| begin.is_some_and(|mark| mark.state != *state)) {
            let begin = begin.filter(|mark| mark.state == state);
            if state == State::Resolved {
                return self.window(begin).await;
            }
            // One more incident than the page shows is read, to know whether there is a next page.
            let want = PAGE + 1 - found.len();
            let read = self.read(state, begin.map(|mark| mark.below), want, &mut left).await?;
            // An incident that was claimed since the previous query is in both results.
            found.extend(read.records.into_iter().filter(|record| seen.insert(record.number())));
            if found.len() > PAGE {
                found.truncate(PAGE);
                next = found.last().map(|last| (last.incident.state(), last.number()));
                break;
            }
            if let Some(rest) = read.rest {
                next = Some((state, rest));
                break;
            }
        }
        let next = next.map(|(state, below)| Mark { state, below, skip: 0 });
        let end = if left == 0 && found.len() < PAGE { End::Cut } else { End::Complete };
        Ok(Found { records: found, next, end })
    }

    /// Finds a page of resolved incidents, in the order in which they were resolved, last first. The order is that of
    /// [`WINDOW`] incidents at a time, because stores order incidents by number.
    async fn window(&self, begin: Option<Mark>) -> Result<Found, Outage> {
        let mut left = MOST_READ;
        let below = begin.map(|mark| mark.below);
        let Read { mut records, rest } = self.read(State::Resolved, below, WINDOW, &mut left).await?;
        // The next page shows the rest of the same incidents, whatever is resolved meanwhile.
        let above =
            records.first().map(|first| IncidentNumber::new(first.number().value().saturating_add(1)));
        records.sort_by_key(|record| Reverse(record.incident.resolved().map(|resolved| resolved.at)));
        let (skip, of_window) = (begin.map_or(0, |mark| mark.skip), records.len());
        let shown: Vec<Record> = records.into_iter().skip(skip).take(PAGE).collect();
        let next = match (below.or(above), rest) {
            (Some(below), _) if skip + shown.len() < of_window => Some((below, skip + shown.len())),
            (_, Some(rest)) => Some((rest, 0)),
            (_, None) => None,
        };
        let next = next.map(|(below, skip)| Mark { state: State::Resolved, below, skip });
        let end = if left == 0 && shown.len() < PAGE { End::Cut } else { End::Complete };
        Ok(Found { records: shown, next, end })
    }

    /// Counts the incidents of the filter in each state and for each need. The filter must be of no state and no need.
    pub(super) async fn count(&self) -> Result<Counts, Outage> {
        let (open, open_end) = self.all(State::Open).await?;
        let (claimed, claimed_end) = self.all(State::Claimed).await?;
        let of = |need| open.iter().filter(|record| is_in(&record.incident, need)).count() as u64;
        let mine = claimed.iter().filter(|record| self.is_mine(&record.incident)).count();
        Ok(Counts {
            unreached: of(Need::Unreached),
            unanswered: of(Need::Unanswered),
            open: Count { number: open.len() as u64, end: open_end },
            claimed: Count { number: claimed.len() as u64, end: claimed_end },
            mine: Count { number: mine as u64, end: claimed_end },
        })
    }

    /// Counts what the reader has claimed.
    pub(super) async fn mine(&self) -> Result<Count, Outage> {
        let (claimed, end) = self.all(State::Claimed).await?;
        let mine = claimed.iter().filter(|record| self.is_mine(&record.incident)).count();
        Ok(Count { number: mine as u64, end })
    }

    async fn all(&self, state: State) -> Result<(Vec<Record>, End), Outage> {
        let read = self.read(state, None, MOST_READ, &mut { MOST_READ }).await?;
        Ok((read.records, if read.rest.is_some() { End::Cut } else { End::Complete }))
    }
}

fn is_in(incident: &Incident, need: Need) -> bool {
    match need {
        Need::Unreached => incident.is_undelivered(),
        Need::Unanswered => incident.is_unclaimed() && !incident.is_undelivered(),
    }
}

/// Whether the title, the message, the labels and the notes together contain all words.
fn has(incident: &Incident, words: &[String]) -> bool {
    let notes = incident.timeline().entries().iter().filter_map(|entry| match &entry.event {
        Event::Noted { note, .. } => Some(note.as_str()),
        _ => None,
    });
    let labels = incident.labels().iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let texts = [incident.title(), incident.message()].into_iter().chain(labels).chain(notes);
    let texts: Vec<String> = texts.map(str::to_lowercase).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// The beginning of a day in UTC.
fn begins(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

/// A number above every incident that was reported before a time; `None` if that is every incident. Numbers rise with the
/// time of report, so the number is found by halving.
async fn reported_after(engine: &Engine, end: DateTime<Utc>) -> Result<Option<IncidentNumber>, Outage> {
    let Some(last) = newest(engine, None).await?.filter(|last| last.incident.created_at() >= end) else {
        return Ok(None);
    };
    // Everything below `low` was reported before; the incident below `high` was not.
    let (mut low, mut high) = (0, last.number().value().saturating_add(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match newest(engine, Some(middle)).await? {
            Some(found) if found.incident.created_at() >= end => high = found.number().value() + 1,
            Some(_) | None => low = middle,
        }
    }
    Ok(Some(IncidentNumber::new(high)))
}

/// The newest incident below a number.
async fn newest(engine: &Engine, below: Option<u64>) -> Result<Option<Record>, Outage> {
    let query = ListQuery { below: below.map(IncidentNumber::new), limit: 1, ..ListQuery::default() };
    Ok(engine.list(&query).await?.into_iter().next())
}
