//! The words: every value that is one of a list.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enum whose variants are words on the wire. A word that it does not know is kept, so that what a newer server says
/// can still be read.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// The words that this version knows.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|word| word.as_str().into())
            }
        }

        /// A text: the document tells a field's words in its description, since later versions have more.
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                String::schema()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

words! {
    /// How bad an incident is.
    Severity {
        /// Everything is broken.
        Crit = "CRIT",
        /// Something is broken.
        Err = "ERR",
        /// Worth a look.
        Warn = "WARN",
    }
}

words! {
    /// The state of an incident.
    State {
        /// Nobody has it; people are alerted.
        Open = "OPEN",
        /// Somebody has it.
        Claimed = "CLAIMED",
        /// It is over.
        Resolved = "RESOLVED",
    }
}

words! {
    /// Who was reached once every level had its turn.
    Reached {
        /// Everybody.
        Everybody = "everybody",
        /// Somebody, and not everybody.
        Somebody = "somebody",
        /// Nobody yet.
        NobodyYet = "nobodyYet",
        /// Nobody could be.
        Nobody = "nobody",
    }
}

words! {
    /// What a level without a number is called.
    LevelWord {
        /// Who is alerted when nobody else can be, or nobody else has claimed.
        Fallback = "fallback",
        /// Somebody is told who has the incident; nobody is alerted.
        StatusUpdate = "news",
    }
}

words! {
    /// How far a delivery is.
    DeliveryStatus {
        /// It is still to be sent.
        Pending = "pending",
        /// It is being sent.
        InFlight = "inFlight",
        /// The carrier took it.
        Accepted = "accepted",
        /// The contact cannot be reached.
        Dead = "dead",
        /// It is no longer needed.
        Stopped = "stopped",
    }
}

words! {
    /// How an attempt to send ended.
    OutcomeKind {
        /// The carrier took it.
        Accepted = "accepted",
        /// The carrier refused this recipient for good.
        Rejected = "rejected",
        /// The carrier asked to wait.
        Throttled = "throttled",
        /// It was certainly not delivered.
        Unavailable = "unavailable",
        /// It may have been delivered.
        Unknown = "unknown",
        /// The process that sent it stopped before it recorded how it ended.
        Expired = "expired",
        /// It was not begun in time.
        NotBegun = "notBegun",
        /// The carrier took it, and it came back.
        Bounced = "bounced",
    }
}

words! {
    /// What an entry of a timeline says happened.
    EventKind {
        /// The incident was reported.
        Opened = "opened",
        /// A round of alerts began.
        RoundBegan = "roundBegan",
        /// A level began: its contacts are alerted.
        LevelBegan = "levelBegan",
        /// A level began again.
        LevelBeganAgain = "levelBeganAnew",
        /// A level has no contacts.
        LevelEmpty = "levelEmpty",
        /// No contact of a level could be reached.
        LevelDead = "levelDead",
        /// Every level had its turn, and nobody claimed.
        Unclaimed = "unclaimed",
        /// Somebody claimed it.
        Claimed = "claimed",
        /// Somebody gave it back.
        Released = "released",
        /// It was ended.
        Resolved = "resolved",
        /// Somebody gave it to somebody else.
        HandedOver = "handedOver",
        /// The person it was handed to could not be told.
        HandoverUnconfirmed = "handoverUnconfirmed",
        /// The person it was handed to did not answer in time.
        HandoverUnanswered = "handoverUnanswered",
        /// Somebody gave it to another team.
        HandedToTeam = "handedToTeam",
        /// A new round is another team's than the last one.
        TeamChanged = "teamChanged",
        /// The team of a new round is gone.
        TeamGone = "teamGone",
        /// Somebody asked to alert the next level without waiting.
        Escalated = "escalated",
        /// Its severity changed.
        SeverityChanged = "severityChanged",
        /// It was reported again with a lower severity.
        ReportedLower = "reportedLower",
        /// Somebody made a note.
        Noted = "noted",
        /// The clock of the server went back.
        ClockWentBack = "clockWentBack",
        /// Many entries were folded into this one.
        Folded = "folded",
        /// A newer server wrote an entry that the one that answers does not know.
        Unknown = "unknown",
    }
}

words! {
    /// Why another team has an incident, or who is alerted in place of a team that is gone.
    TeamReason {
        /// The team owns the service.
        OwnsService = "ownsService",
        /// Somebody handed the incident to the team.
        HandedTo = "handedTo",
        /// The team that should have it is gone, and this is the catch-all team.
        CatchAll = "catchAll",
        /// The deployment's fallback is alerted.
        DeploymentFallback = "deploymentFallback",
        /// The people of the last round are alerted.
        LastRound = "lastRound",
    }
}

words! {
    /// How a server does.
    HealthStatus {
        /// Alerts get through and are answered.
        Ok = "ok",
        /// Alerts do not get through or are not answered.
        Degraded = "degraded",
    }
}

words! {
    /// What a webhook's message is about.
    MessageKind {
        /// Somebody is needed.
        Alert = "inresponse.alert",
        /// Somebody has the incident.
        Claimed = "inresponse.claimed",
        /// The contact was given the incident and must answer.
        Handed = "inresponse.handed",
        /// The incident is over.
        Resolved = "inresponse.resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_after_it_went_over_the_wire() {
        for word in State::WORDS.iter().chain(&["PAUSED"]) {
            let state = State::from(*word);
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
            assert_eq!(matches!(state, State::Other(_)), *word == "PAUSED");
        }
    }
}
