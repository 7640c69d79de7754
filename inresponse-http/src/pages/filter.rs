//! The filter of a list of incidents and the page within it, as its address contains them.

use chrono::NaiveDate;
use form_urlencoded::Serializer;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, Severity, State, TeamName};

use crate::input::{Params, number};
use crate::problem::Problem;

/// The maximum number of earlier pages that *Previous* can reach.
const MAX_TRAIL: usize = 32;
/// The maximum length of a part of a service's name, in bytes.
pub(super) const MAX_SERVICE: usize = 128;
/// The maximum length of the words to search for, in bytes.
pub(super) const MAX_WORDS: usize = 200;

/// The filter of the list, and the current page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Lists only incidents in this state (default: OPEN and CLAIMED).
    pub(super) state: Option<State>,
    /// Lists only what the reader has claimed.
    pub(super) whose: Whose,
    /// Lists only open incidents that need somebody, for this reason.
    pub(super) need: Option<Need>,
    pub(super) team: Option<TeamName>,
    /// The name of a service, or a part of one.
    pub(super) service: Option<String>,
    pub(super) severity: Option<Severity>,
    /// Words that the title, the message, the labels or the notes contain.
    pub(super) words: Option<String>,
    /// The first day, in UTC, on which the incident was reported.
    pub(super) since: Option<NaiveDate>,
    /// The last day, in UTC, on which the incident was reported.
    pub(super) until: Option<NaiveDate>,
    /// Where the page begins (default: at the beginning of the list).
    pub(super) from: Option<Mark>,
    /// Where the earlier pages began, except the first.
    trail: Vec<Mark>,
}

/// Whose incidents are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Whose {
    #[default]
    Everybodys,
    /// What the reader has claimed.
    Mine,
}

/// Why an open incident needs somebody although its alerting is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nobody could be reached.
    Unreached,
    /// Every level was alerted, and nobody answered.
    Unanswered,
}

impl Need {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unreached => "unreached",
            Self::Unanswered => "unanswered",
        }
    }

    fn read(text: &str) -> Result<Self, InvalidInput> {
        [Self::Unreached, Self::Unanswered]
            .into_iter()
            .find(|need| need.as_str() == text)
            .ok_or_else(|| InvalidInput::field("need", "must be unreached or unanswered"))
    }
}

/// A place in the list: after this incident, among the incidents in that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) state: State,
    pub(super) below: IncidentNumber,
    /// How many incidents after that place are on earlier pages, because the list is not ordered by number.
    pub(super) skip: usize,
}

impl Mark {
    fn read(text: &str) -> Result<Self, InvalidInput> {
        let read = |text: &str| {
            let (state, rest) = text.split_once('-')?;
            let (below, skip) = rest.split_once('-').unwrap_or((rest, "0"));
            Some(Self {
                state: state.parse().ok()?,
                below: number(below).ok()?,
                skip: usize::from(skip.parse::<u16>().ok()?),
            })
        };
        read(text).ok_or_else(|| InvalidInput::field("from", "is not a page of this list"))
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.state, self.below)?;
        if self.skip > 0 { write!(f, "-{}", self.skip) } else { Ok(()) }
    }
}

fn bounded(field: &'static str, most: usize) -> impl Fn(&str) -> Result<String, InvalidInput> {
    move |text| match text.len() {
        length if length <= most => Ok(text.to_owned()),
        _ => Err(InvalidInput::field(field, format!("must be at most {most} bytes"))),
    }
}

fn day(field: &'static str) -> impl Fn(&str) -> Result<NaiveDate, InvalidInput> {
    move |text| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        day.ok_or_else(|| InvalidInput::field(field, "must be a day like 2026-12-31"))
    }
}

fn mine(text: &str) -> Result<Whose, InvalidInput> {
    match text {
        "yes" => Ok(Whose::Mine),
        _ => Err(InvalidInput::field("mine", "must be yes")),
    }
}

impl Filter {
    /// Reads the filter from a query. Empty fields of a form count as missing.
    pub(super) fn take(params: &mut Params) -> Self {
        Self {
            state: take(params, "state", str::parse),
            whose: take(params, "mine", mine).unwrap_or_default(),
            need: take(params, "need", Need::read),
            team: take(params, "team", |text| TeamName::new(text)),
            service: take(params, "service", bounded("service", MAX_SERVICE)),
            severity: take(params, "severity", str::parse),
            words: take(params, "words", bounded("words", MAX_WORDS)),
            since: take(params, "since", day("since")),
            until: take(params, "until", day("until")),
            from: take(params, "from", Mark::read),
            trail: take(params, "trail", |text| text.split('.').take(MAX_TRAIL).map(Mark::read).collect())
                .unwrap_or_default(),
        }
    }

    pub(super) fn read(mut params: Params) -> Result<Self, Problem> {
        let filter = Self::take(&mut params);
        params.finish()?;
        Ok(filter)
    }

    /// The states that are listed, in their order.
    pub(super) fn states(&self) -> Vec<State> {
        match (self.state, self.need, self.whose) {
            (Some(state), _, _) => vec![state],
            (None, Some(_), _) => vec![State::Open],
            (None, None, Whose::Mine) => vec![State::Claimed],
            (None, None, Whose::Everybodys) => vec![State::Open, State::Claimed],
        }
    }

    /// A filter with the same fields but another state (`None`: OPEN and CLAIMED), at the first page.
    pub(super) fn in_state(&self, state: Option<State>) -> Self {
        Self { state, need: None, whose: Whose::Everybodys, from: None, trail: Vec::new(), ..self.clone() }
    }

    /// A filter with the same fields for what the reader has claimed.
    pub(super) fn of_mine(&self) -> Self {
        Self { whose: Whose::Mine, ..self.in_state(None) }
    }

    /// A filter with the same fields for what needs somebody.
    pub(super) fn in_need(&self, need: Need) -> Self {
        Self { need: Some(need), ..self.in_state(None) }
    }

    /// The first page of the same list.
    pub(super) fn first_page(&self) -> Self {
        Self { from: None, trail: Vec::new(), ..self.clone() }
    }

    /// The same list without the fields of the form.
    pub(super) fn cleared(&self) -> Self {
        Self { state: self.state, whose: self.whose, need: self.need, ..Self::default() }
    }

    /// The fields of the form that narrow the list, for people.
    pub(super) fn in_words(&self) -> String {
        let told = [
            self.words.as_ref().map(|words| format!("“{words}”")),
            self.service.as_ref().map(|service| format!("service {service}")),
            self.team.as_ref().map(|team| format!("team {team}")),
            self.severity.map(|severity| severity.to_string()),
            self.since.map(|day| format!("since {day}")),
            self.until.map(|day| format!("until {day}")),
        ];
        told.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The address of the page that begins at a mark.
    pub(super) fn onward(&self, to: Mark) -> Self {
        let mut trail = self.trail.clone();
        trail.extend(self.from);
        let forgotten = trail.len().saturating_sub(MAX_TRAIL);
        Self { from: Some(to), trail: trail.split_off(forgotten), ..self.clone() }
    }

    /// The previous page; `None` on the first.
    pub(super) fn back(&self) -> Option<Self> {
        self.from?;
        let mut trail = self.trail.clone();
        Some(Self { from: trail.pop(), trail, ..self.clone() })
    }

    /// The query of this page's address, with its question mark; empty if every value is the default.
    pub(super) fn query(&self) -> String {
        let mut query = Serializer::for_suffix(String::from("?"), 1);
        let mut say = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        };
        say("state", self.state.map(|state| state.to_string()));
        say("mine", self.is_of_mine().then(|| "yes".to_owned()));
        say("need", self.need.map(|need| need.as_str().to_owned()));
        say("team", self.team.as_ref().map(ToString::to_string));
        say("service", self.service.clone());
        say("severity", self.severity.map(|severity| severity.to_string()));
        say("words", self.words.clone());
        say("since", self.since.map(|day| day.to_string()));
        say("until", self.until.map(|day| day.to_string()));
        say("from", self.from.map(|mark| mark.to_string()));
        let trail = self.trail.iter().map(Mark::to_string).collect::<Vec<_>>().join(".");
        say("trail", Some(trail).filter(|trail| !trail.is_empty()));
        let query = query.finish();
        if query == "?" { String::new() } else { query }
    }

    /// Whether the list shows only that team's incidents.
    pub(super) fn is_team(&self, team: &TeamName) -> bool {
        self.team.as_ref() == Some(team)
    }

    /// Whether the list shows only that severity.
    pub(super) fn is_severity(&self, severity: &str) -> bool {
        self.severity.is_some_and(|only| only.as_str() == severity)
    }

    /// Whether the list shows only what the reader has claimed.
    pub(super) fn is_of_mine(&self) -> bool {
        self.whose == Whose::Mine
    }

    /// The reason for which the listed incidents need somebody, as the address contains it.
    pub(super) fn need_name(&self) -> Option<&'static str> {
        self.need.map(Need::as_str)
    }

    /// Whether a field of the form narrows the list.
    pub(super) fn narrows(&self) -> bool {
        self.team.is_some()
            || self.service.is_some()
            || self.severity.is_some()
            || self.words.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    /// Whether somebody must read incidents to apply the filter, because a store cannot.
    pub(super) fn is_read(&self) -> bool {
        self.narrows() || self.is_of_mine() || self.need.is_some()
    }
}

fn take<T>(
    params: &mut Params,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, InvalidInput>,
) -> Option<T> {
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => read(text).map(Some),
    };
    params.take(name, read).flatten()
}
