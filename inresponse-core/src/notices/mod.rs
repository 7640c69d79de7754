//! Tells people about the roster: when their shifts begin or change, and once a week what the coverage check finds. Tells
//! claimants once a day of claims that look forgotten.
//!
//! Every process calls [`Notices::tick`] or [`Notices::run`]. Each team has a row in the shared settings, which one of them
//! changes by a swap: so one process decides what is due, and one sends it. A notice is sent at least once. It is sent
//! twice only if a process dies between sending and recording, or if a carrier does not say whether it took the message.
//!
//! | file | holds |
//! |---|---|
//! | `run` | [`Notices`]: looks at the teams |
//! | `plan` | what is due for a team |
//! | `row` | the stored row of a team, and the notices that wait to be sent |
//! | `claims` | tells claimants of old claims whose incidents are still reported |
//! | `send` | sends one notice |
//! | `weekly_test` | tests the methods of people who asked for it |
//! | `words` | the texts |

mod claims;
mod plan;
mod row;
mod run;
mod send;
mod weekly_test;
mod words;

pub use run::Notices;
