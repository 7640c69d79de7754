//! What can happen to an incident, for the planner to decide about.

use std::time::Duration;

use super::hold::Hold;
use super::request::{Answer, Update};
use super::round::NextRound;
use crate::model::{DeliveryId, DeliveryKey, KeyName, Outcome, Routed, Severity};
use crate::roster::QuietRules;

/// Something that happened, for [`step`](super::step) to decide about.
#[derive(Debug)]
pub enum Input<'a> {
    /// The incident is due: lease its sends.
    Due {
        /// How long the leases taken now last.
        lease: Duration,
        /// Deliveries that must not be leased now.
        hold: &'a dyn Hold,
        /// The next round, if [`Decision::NeedsRound`](super::Decision::NeedsRound) asked for it.
        round: Option<NextRound>,
    },
    /// A send is still under way and its lease is to last longer.
    Renew {
        /// Whose send.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// How long the lease lasts from now on.
        lease: Duration,
    },
    /// An attempt ended.
    Outcome {
        /// Whose attempt.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// How it ended.
        outcome: &'a Outcome,
    },
    /// An attempt was not begun, since its lease was no longer good.
    NotBegun {
        /// Whose attempt.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// Why not.
        reason: &'a str,
    },
    /// Something that a carrier had accepted came back.
    Bounced {
        /// Which delivery.
        delivery: &'a DeliveryId,
        /// What the carrier said.
        reason: &'a str,
    },
    /// A carrier reports that it could not deliver what it had accepted, for now.
    Undelivered {
        /// Which delivery.
        delivery: &'a DeliveryId,
        /// Which attempt of it.
        attempt: u32,
        /// What the carrier said.
        reason: &'a str,
    },
    /// A report with the incident's key came again.
    Repeat {
        /// How bad that report says it is.
        severity: Severity,
        /// With which key it was made.
        key: Option<&'a KeyName>,
        /// What a routing rule decided about it, if one matched.
        routed: Option<&'a Routed>,
        /// The next round, if [`Decision::NeedsRound`](super::Decision::NeedsRound) asked for it.
        round: Option<NextRound>,
    },
    /// A person wants something.
    Update {
        /// What.
        update: &'a Update,
        /// The next round, if [`Decision::NeedsRound`](super::Decision::NeedsRound) asked for it.
        round: Option<NextRound>,
    },
    /// An answer came back over a channel.
    Answer {
        /// What.
        answer: &'a Answer,
        /// The next round, if [`Decision::NeedsRound`](super::Decision::NeedsRound) asked for it.
        round: Option<NextRound>,
    },
    /// The silences or alert hours may have changed, or it must be known whether they hold the incident.
    Judge {
        /// Today's silences and alert hours.
        rules: &'a QuietRules,
        /// The next round, if [`Decision::NeedsRound`](super::Decision::NeedsRound) asked for it.
        round: Option<NextRound>,
    },
    /// Another scheduler has been started, under this count.
    Woken {
        /// The count.
        wake: u32,
    },
    /// The clock may have gone back behind what the incident knows of.
    ClockWentBack {
        /// How long leases last.
        lease: Duration,
    },
}
