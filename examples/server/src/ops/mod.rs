//! Commands for operators, and periodic checks of a running server.
//!
//! | file | holds |
//! |---|---|
//! | `backup` | `inresponse backup` and `restore` |
//! | `migrate` | `inresponse migrate`: copies everything to another database |
//! | `doctor` | `inresponse doctor`: checks this deployment |
//! | `test_alert` | `inresponse test-alert`: tests whether a contact can be reached |
//! | `watch` | periodic work of a running server |
//! | `kept` | runs tasks again after a panic |
//! | `canary` | a synthetic incident, timed until its mail is accepted |

pub(crate) mod backup;
mod canary;
pub(crate) mod doctor;
pub(crate) mod kept;
pub(crate) mod migrate;
pub(crate) mod test_alert;
pub(crate) mod watch;
