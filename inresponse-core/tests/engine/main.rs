//! The engine over the in-memory store, with a clock that stands still, and with parts that fail.
//!
//! | file | holds |
//! |---|---|
//! | `support` | an engine on a table: clock, store with faults, carrier with moods |
//! | `reports` | reports, repeats, what people do: promises 1 to 6 |
//! | `lookup` | who is told by what is left of the roster, whose a new round is: promises 8, 12 |
//! | `edits` | changes to the roster that the deployment takes or refuses: promise 16 |
//! | `escalation` | levels over time, claims, releases: promises 5, 8, 11, 12 |
//! | `face` | adapters behind pointers, short updates, an engine that nobody runs |
//! | `bounces` | alerts that were accepted and came back: promise 12 |
//! | `bundles`, `press` | storms, and a carrier that takes many alerts in one message: promise 23 |
//! | `faults` | stores that fail, processes that die: promises 4, 9, 10, 11 |
//! | `handover` | a person who is given an incident and does not answer: promises 9, 22 |
//! | `heartbeats` | misses and pings, processes that die in between: promise 24 |
//! | `isolation` | carriers that hang or panic: promise 13 |
//! | `clocks` | clocks that jump: promise 14 |
//! | `formats` | records that another version wrote: promise 9 |
//! | `feeds` | calendar feeds that are read when they are due: promise 18 |
//! | `methods` | numbers that must be verified, weekly tests |
//! | `notices` | what people are told about the roster |
//! | `quiet_rules` | silences that cannot be read, or are cut: promises 9 and 21 |
//! | `routing` | routing rules, and rules whose team is gone: promise 12 |
//! | `runner` | the same under `run`, and two engines over one store |
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "it is a test")]
#![allow(unused_must_use, reason = "a test looks only at what it is about")]

mod bounces;
mod bundles;
mod call_in;
mod clocks;
mod edits;
mod escalation;
mod face;
mod faults;
mod faulty_roster;
mod feeds;
mod formats;
mod handover;
mod heartbeats;
mod isolation;
mod lookup;
mod methods;
mod notices;
mod press;
mod quiet_rules;
mod reports;
mod routing;
mod runner;
mod steps;
mod support;
mod timers;
