//! The filter of a list of incidents and the page within it, as its address contains them.

use form_urlencoded::Serializer;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, ServiceName, Severity, State, TeamName};

use crate::input::{Params, number};
use crate::problem::Problem;

/// The maximum number of earlier pages that *Previous* can reach.
const MAX_TRAIL: usize = 32;

/// The filter of the list, and the current page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Lists only incidents in this state (default: OPEN and CLAIMED).
    pub(super) state: Option<State>,
    pub(super) team: Option<TeamName>,
    pub(super) service: Option<ServiceName>,
    pub(super) severity: Option<Severity>,
    /// Where the page begins (default: at the beginning of the list).
    pub(super) from: Option<Mark>,
    /// Where the earlier pages began, except the first.
    trail: Vec<Mark>,
}

/// A place in the list: after this incident, among the incidents in that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) state: State,
    pub(super) below: IncidentNumber,
}

impl Mark {
    fn read(text: &str) -> Result<Self, InvalidInput> {
        let read = |text: &str| {
            let (state, below) = text.split_once('-')?;
            Some(Self { state: state.parse().ok()?, below: number(below).ok()? })
        };
        read(text).ok_or_else(|| InvalidInput::field("from", "is not a page of this list"))
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.state, self.below)
    }
}

impl Filter {
    /// Reads the filter from a query. Empty fields of a form count as missing.
    pub(super) fn take(params: &mut Params) -> Self {
        Self {
            state: take(params, "state", str::parse),
            team: take(params, "team", |text| TeamName::new(text)),
            service: take(params, "service", |text| ServiceName::new(text)),
            severity: take(params, "severity", str::parse),
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
        self.state.map_or_else(|| vec![State::Open, State::Claimed], |state| vec![state])
    }

    /// A filter with the same fields but another state (`None`: OPEN and CLAIMED), at the first page.
    pub(super) fn in_state(&self, state: Option<State>) -> Self {
        Self { state, from: None, trail: Vec::new(), ..self.clone() }
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
        say("team", self.team.as_ref().map(ToString::to_string));
        say("service", self.service.as_ref().map(ToString::to_string));
        say("severity", self.severity.map(|severity| severity.to_string()));
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

    /// Whether a field other than the state narrows the list.
    pub(super) fn narrows(&self) -> bool {
        self.team.is_some() || self.service.is_some() || self.severity.is_some()
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
