//! The enums on the wire, such as severities and states. Each of their values is a word.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Defines an enum whose variants are words on the wire. An unknown word is kept, so that answers of newer servers can
/// be read.
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

        /// The schema of an enum is a plain text. The document lists the words in each field's description, because
        /// later versions have more.
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
    /// The severity of an incident.
    Severity {
        /// Everything is broken.
        Crit = "CRIT",
        /// Something is broken.
        Err = "ERR",
        /// Somebody should have a look.
        Warn = "WARN",
    }
}

words! {
    /// The state of an incident.
    State {
        /// Nobody has claimed the incident; people are alerted.
        Open = "OPEN",
        /// Somebody has claimed the incident.
        Claimed = "CLAIMED",
        /// The incident is over.
        Resolved = "RESOLVED",
    }
}

words! {
    /// What a heartbeat does.
    HeartbeatState {
        /// No ping has come yet, and the first one is not late.
        Waiting = "waiting",
        /// Pings come in time.
        Beating = "beating",
        /// A ping did not come in time, and none has come since.
        Missed = "missed",
    }
}

words! {
    /// Who was reached after every level had its turn.
    Reached {
        /// Everybody was reached.
        Everybody = "everybody",
        /// Somebody was reached, but not everybody.
        Somebody = "somebody",
        /// Nobody has been reached yet.
        NobodyYet = "nobodyYet",
        /// Nobody could be reached.
        Nobody = "nobody",
    }
}

words! {
    /// The name of a level that has no number.
    LevelWord {
        /// The level that is alerted if nobody else can be reached, or nobody else has claimed.
        Fallback = "fallback",
        /// Somebody was called in, also if somebody has the incident.
        CallIn = "callIn",
        /// Somebody is told who has the incident; nobody is alerted.
        StatusUpdate = "news",
    }
}

words! {
    /// Whether a person gets status updates.
    StatusUpdates {
        /// They do.
        On = "on",
        /// They do not.
        Off = "off",
    }
}

words! {
    /// The status of a delivery.
    DeliveryStatus {
        /// The delivery still has to be sent.
        Pending = "pending",
        /// The delivery is being sent.
        InFlight = "inFlight",
        /// The carrier accepted the delivery.
        Accepted = "accepted",
        /// The contact cannot be reached.
        Dead = "dead",
        /// A limit of the deployment held the delivery back, and the person is reached another way.
        Limited = "limited",
        /// The delivery is no longer needed.
        Stopped = "stopped",
    }
}

words! {
    /// The result of an attempt to send.
    OutcomeKind {
        /// The carrier accepted the message.
        Accepted = "accepted",
        /// The carrier refused this recipient permanently.
        Rejected = "rejected",
        /// The carrier asked to wait.
        Throttled = "throttled",
        /// A limit of the deployment held the message back.
        Limited = "limited",
        /// The message was certainly not delivered.
        Unavailable = "unavailable",
        /// The message may have been delivered.
        Unknown = "unknown",
        /// The process that sent the message died before it recorded the result.
        Expired = "expired",
        /// The send did not begin in time.
        NotBegun = "notBegun",
        /// The carrier accepted the message, and it bounced later.
        Bounced = "bounced",
    }
}

words! {
    /// The kind of a timeline entry.
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
        /// Alerts of a round were left out, because it would have had too many.
        AlertsCut = "alertsCut",
        /// A limit of the deployment held an alert back.
        HeldBack = "heldBack",
        /// The time of a claim was over, so the incident is OPEN again.
        ClaimEnded = "claimEnded",
        /// A routing rule decided about the report.
        Routed = "routed",
        /// No routing rule matched a repeated report, so the owner of the service is alerted.
        Unrouted = "unrouted",
        /// Silences or alert hours hold the incident: nobody is alerted for some time.
        BecameQuiet = "becameQuiet",
        /// Nothing holds the incident any more, so a round of alerts begins.
        QuietEnded = "quietEnded",
        /// Somebody set the end of the claim.
        Snoozed = "snoozed",
        /// Every level had its turn, and nobody claimed.
        Unclaimed = "unclaimed",
        /// Somebody claimed the incident.
        Claimed = "claimed",
        /// Somebody released the incident.
        Released = "released",
        /// The incident was resolved.
        Resolved = "resolved",
        /// Somebody handed the incident to another person.
        HandedOver = "handedOver",
        /// The person who was handed the incident could not be notified.
        HandoverUnconfirmed = "handoverUnconfirmed",
        /// The person who was handed the incident did not answer in time.
        HandoverUnanswered = "handoverUnanswered",
        /// Somebody handed the incident to another team.
        HandedToTeam = "handedToTeam",
        /// A new round alerts another team than the last one.
        TeamChanged = "teamChanged",
        /// The team that a new round should alert was deleted.
        TeamGone = "teamGone",
        /// Somebody called more people in.
        CalledIn = "calledIn",
        /// Somebody who was called in answered: they help the claimant.
        Responded = "responded",
        /// Somebody requested to alert the next level without waiting.
        Escalated = "escalated",
        /// The severity of the incident changed.
        SeverityChanged = "severityChanged",
        /// The incident was reported again with a lower severity.
        ReportedLower = "reportedLower",
        /// Somebody added a note.
        Noted = "noted",
        /// A server's clock went back.
        ClockWentBack = "clockWentBack",
        /// Several entries were folded into this one.
        Folded = "folded",
        /// A newer server wrote an entry that this server does not know.
        Unknown = "unknown",
    }
}

words! {
    /// Why another team has an incident, or who is alerted instead of a deleted team.
    TeamReason {
        /// The team owns the service.
        OwnsService = "ownsService",
        /// Somebody handed the incident to the team.
        HandedTo = "handedTo",
        /// A routing rule names the team.
        Routed = "routed",
        /// The team that should have the incident was deleted, and this is the catch-all team.
        CatchAll = "catchAll",
        /// The deployment's fallback is alerted instead of a deleted team.
        DeploymentFallback = "deploymentFallback",
        /// The people of the last round are alerted instead of a deleted team.
        LastRound = "lastRound",
    }
}

words! {
    /// The health of a server.
    HealthStatus {
        /// Alerts get through and are answered.
        Ok = "ok",
        /// Alerts do not get through, or nobody answers them.
        Degraded = "degraded",
    }
}

words! {
    /// The `type` of a webhook message.
    MessageKind {
        /// An alert: somebody must respond.
        Alert = "inresponse.alert",
        /// Many alerts in one message, a [`BundleMessage`](crate::BundleMessage).
        Alerts = "inresponse.alerts",
        /// Somebody called the contact in, also if somebody has the incident.
        CalledIn = "inresponse.calledIn",
        /// A status update: somebody has claimed the incident.
        Claimed = "inresponse.claimed",
        /// The contact was handed the incident and must answer.
        Handed = "inresponse.handed",
        /// The claim of the contact ends soon, at the incident's `claimEndsAt`.
        ClaimEnds = "inresponse.claimEnds",
        /// A status update: the incident is resolved.
        Resolved = "inresponse.resolved",
        /// A notice about the roster: somebody's shift begins or changes. There is no incident.
        Notice = "inresponse.notice",
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
