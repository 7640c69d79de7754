//! Tries to break InResponse's promises, deterministically: runs the real engine and planner in simulated time.
//!
//! One seed decides everything that happens: who reports and claims when, how long every call takes, which servers
//! crash where, what stores, carriers and clocks do. [`play`] runs a seed and returns a [`history`] of what could be
//! seen from outside. [`check`] finds the promises that the history breaks.
//!
//! | module | holds |
//! |---|---|
//! | [`units`], [`world`], [`executor`] | simulated time, machines that crash, and the one thread that runs everything |
//! | [`scenario`], [`rng`] | the decisions that a seed makes before the run |
//! | [`roster_plan`], [`schedules`] | the roster as plain data, and the people and schedules in it |
//! | [`local_time`] | local times of a few zones |
//! | `steer` | seeds that are steered towards rare events |
//! | [`fault`] | the faults |
//! | [`store`], [`carrier`], [`roster`] | a process's access to the outside, where faults occur |
//! | [`store_kind`] | the stores that can be simulated |
//! | [`sqlite`] | the SQLite store without its threads |
//! | `postgres` | the store on a real PostgreSQL server (feature `postgres`) |
//! | `dynamo` | the store on DynamoDB, call by call (feature `dynamo`) |
//! | [`stage`], [`people`], [`play`] | servers, their users, and the course of a run |
//! | [`history`], [`check`] | what was seen from outside, and whether the promises were kept |
//! | [`beats`] | heartbeats: servers, senders and clocks of their own |
//! | [`model`] | an exhaustive check of the planner with two engines, people and faults |
//! | [`mutants`] | planted bugs |
//! | [`many`], [`stats`], [`shrink`] | many runs, what occurred in them, and the smallest one that fails |

#![allow(clippy::panic, reason = "panics of carriers are simulated, and a run that cannot continue panics")]

pub mod beats;
pub mod carrier;
pub mod check;
#[cfg(feature = "dynamo")]
pub mod dynamo;
pub mod executor;
pub mod fault;
pub mod history;
pub mod limited;
pub mod local_time;
pub mod many;
pub mod model;
pub mod mutants;
pub mod people;
pub mod play;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod rng;
pub mod roster;
pub mod roster_plan;
pub mod routes;
pub mod scenario;
pub mod schedules;
pub mod shrink;
pub mod silences;
pub mod sqlite;
pub mod stage;
pub mod stats;
mod steer;
pub mod store;
pub mod store_kind;
pub mod units;
pub mod world;
