//! Random scenarios: what people, carriers, clocks and dying processes may do, in any order.
//!
//! `script` makes scenarios, `world` plays them against the planner and keeps a trace. `laws` are the promises
//! as sentences about a trace; `oracle` is a second, simpler planner that says what must be sent when.

mod laws;
mod merging;
mod oracle;
mod quiet;
mod script;
mod world;
