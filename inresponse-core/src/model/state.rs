//! The states of an incident and the allowed transitions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// The state of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Nobody has claimed the incident: alerts are sent and escalate.
    Open,
    /// Somebody has claimed the incident: no alerts are sent.
    Claimed,
    /// The incident is over. This state is final.
    Resolved,
}

/// Whether a change from one state to another is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Edge {
    /// The state changes.
    Allowed,
    /// The incident already has that state: the request succeeds, and nothing changes.
    Same,
    /// The change is forbidden.
    Forbidden,
}

impl State {
    /// All states.
    pub const ALL: [State; 3] = [State::Open, State::Claimed, State::Resolved];

    /// The transition from this state to another (promise 5): OPEN→CLAIMED, CLAIMED→OPEN (release), OPEN→RESOLVED,
    /// CLAIMED→RESOLVED. RESOLVED is final. A request for the current state changes nothing.
    pub fn edge_to(self, to: State) -> Edge {
        match (self, to) {
            (State::Open, State::Claimed) => Edge::Allowed,
            (State::Claimed, State::Open) => Edge::Allowed,
            (State::Open, State::Resolved) => Edge::Allowed,
            (State::Claimed, State::Resolved) => Edge::Allowed,
            (State::Open, State::Open)
            | (State::Claimed, State::Claimed)
            | (State::Resolved, State::Resolved) => Edge::Same,
            (State::Resolved, State::Open) | (State::Resolved, State::Claimed) => Edge::Forbidden,
        }
    }

    /// The name of the state on the wire: `OPEN`, `CLAIMED`, `RESOLVED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Open => "OPEN",
            State::Claimed => "CLAIMED",
            State::Resolved => "RESOLVED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = InvalidInput;

    fn from_str(s: &str) -> Result<Self, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == s)
            .ok_or_else(|| InvalidInput::field("state", "must be OPEN, CLAIMED or RESOLVED"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, State};

    #[test]
    fn p05_every_edge_is_as_promised() {
        use State::{Claimed, Open, Resolved};
        let cases = [
            (Open, Open, Edge::Same),
            (Open, Claimed, Edge::Allowed),
            (Open, Resolved, Edge::Allowed),
            (Claimed, Open, Edge::Allowed),
            (Claimed, Claimed, Edge::Same),
            (Claimed, Resolved, Edge::Allowed),
            (Resolved, Open, Edge::Forbidden),
            (Resolved, Claimed, Edge::Forbidden),
            (Resolved, Resolved, Edge::Same),
        ];
        for (from, to, expected) in cases {
            assert_eq!(from.edge_to(to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn every_state_is_written_and_read_as_its_word() {
        for (state, word) in
            [(State::Open, "OPEN"), (State::Claimed, "CLAIMED"), (State::Resolved, "RESOLVED")]
        {
            assert_eq!((state.as_str(), state.to_string().as_str()), (word, word));
            assert_eq!(word.parse(), Ok(state));
        }
        assert!("open".parse::<State>().is_err());
    }
}
