//! What operators run beside the server, and what the server watches for them.
//!
//! | file | holds |
//! |---|---|
//! | `backup` | `inresponse backup` and `restore` |
//! | `doctor` | `inresponse doctor`: what is wrong with this deployment |
//! | `test_alert` | `inresponse test-alert`: whether a contact can be reached |
//! | `watch` | what a running server does every few minutes |
//! | `canary` | a synthetic incident, timed until its mail is accepted |

pub(crate) mod backup;
mod canary;
pub(crate) mod doctor;
pub(crate) mod test_alert;
pub(crate) mod watch;
