//! The routes of the API: each handler reads a request, calls the engine, and writes the answer.
//!
//! | file | does |
//! |---|---|
//! | `incidents` | reports, updates and reads incidents |
//! | `roster` | reads and changes services, teams and calendars; reads who is on call |
//! | `routing` | reads and changes routing rules; says what would happen to a report |
//! | `heartbeats` | reads and changes heartbeats; takes pings |
//! | `changes` | makes one edit of the roster; lists who changed it |
//! | `alertmanager` | Alertmanager's API of silences |
//! | `senders` | receives the messages of other monitoring systems, one file for each system |
//! | `channels` | takes the answers that come back over channels |
//! | `system` | health, readiness, metrics and the API document |

pub(crate) mod alertmanager;
pub(crate) mod calendars;
pub(crate) mod changes;
pub(crate) mod channels;
pub(crate) mod heartbeats;
pub(crate) mod incidents;
pub(crate) mod outlook;
pub(crate) mod people;
pub(crate) mod roster;
pub(crate) mod routing;
pub(crate) mod schedules;
pub(crate) mod senders;
pub(crate) mod silences;
pub(crate) mod system;
pub(crate) mod verification;
