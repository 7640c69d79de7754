//! The pure planner: it makes every decision about an incident.
//!
//! A decision is a function `(incident, input, now) → (new incident, sends, next due)`, with no async, no I/O, no
//! clock, no randomness and no logging. [`open`] makes an incident from a report. [`step`] handles every later input.
//! The engine executes these decisions. All deployments share them.
//!
//! | file | says |
//! |---|---|
//! | `input` | what can happen to an incident |
//! | `request` | what a person can ask for, and why it may be refused |
//! | `hold` | which deliveries a process must not lease now |
//! | `decision` | what a decision is: a changed incident and its sends, or why nothing changes |
//! | `draft` | the values that a store indexes, and when an incident is due |
//!
//! | file | decides |
//! |---|---|
//! | `step` | which of the following decides about an input |
//! | `open` | how an incident begins, and the effect of a repeated report |
//! | `ladder` | which level, repeat round or fallback is next, and when |
//! | `due` | what to do when an incident is due: expired leases, levels that begin, sends to lease |
//! | `outcome` | the effect of an attempt's outcome, and when to try again |
//! | `bounce` | the effect of a bounce of an accepted alert |
//! | `answer` | whose answer over a channel counts, and for what |
//! | `people` | claim, release, resolve, hand over, escalate, severity, note |
//! | `call_in` | who is called in without a change of who has the incident |
//! | `personal` | the steps of people's rules, which are later than their level |
//! | `status_updates` | status updates: who is notified of a claim |
//! | `claim_end` | when a claim ends, and the new round after it |
//! | `defer` | when an incident is quiet, and the new round after it |
//! | `judge_quiet` | the same when silences or alert hours have changed |
//! | `claim_notice` | the notice to the claimant before that |
//! | `handover` | the new holder who has not answered yet |
//! | `account` | past events, as facts for pages, mails and answers |
//! | `outlook` | future alerts, as facts of the same kind |
//! | `reroute` | what follows if a repeated report is routed otherwise |
//! | `round` | which team a new round alerts, and what the timeline records |
//! | `backoff` | the pause before the next attempt |
//! | `clock_back` | the correction of stored times after a clock went back |
//! | `past` | the times that an incident records as past |

mod account;
mod answer;
mod backoff;
mod bounce;
mod call_in;
mod claim_end;
mod claim_notice;
mod clock_back;
mod decision;
mod defer;
mod draft;
mod due;
mod handover;
mod hold;
mod input;
mod judge_quiet;
mod ladder;
mod limited;
mod open;
mod outcome;
mod outlook;
mod past;
mod people;
mod personal;
mod request;
mod reroute;
mod round;
mod status_updates;
mod step;

pub use account::{
    ClaimOver, Follows, Happened, Reached, Turn, history, looks_forgotten, reached, round_began_after, turns,
};
pub(crate) use answer::judge;
pub use call_in::MAX_CALLED;
pub use decision::{Decision, Dispatch, Plan};
pub use defer::judged_by;
#[cfg(feature = "runner")]
pub(crate) use draft::due_after;
pub use draft::{Draft, due_at};
pub use due::MAX_EXPIRED;
pub use hold::{Held, Hold, HoldNothing, Ruled};
pub use input::Input;
pub use limited::may_be_held_back;
pub use open::{Opening, open, open_judged, open_leasing};
pub use outlook::{Upcoming, answer_by, claim_ends_at, may_escalate, next_alert_at, outlook, waiting_since};
pub(crate) use past::MAX_LEASE;
pub use request::{Answer, AnswerTo, Refusal, StateChange, TakeOver, Update, Wanted};
pub use round::{Alerted, NextRound, RoundOf};
pub use step::step;

#[cfg(test)]
mod tests;
