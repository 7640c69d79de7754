//! The notifier against a local server that speaks SES's `SendEmail`, and what SES tells later.
//!
//! | file | holds |
//! |---|---|
//! | `stub` | a server that answers each call as it is told to |
//! | `laws` | the laws of every notifier |
//! | `outcomes` | every way in which a call can fail, and the outcome that it is |
//! | `request` | what SES is given |
//! | `whole` | from a bounce to the next level |
//! | `notices` | bounces and complaints, as SES writes them, and what is not by SES |
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "it is a test")]

mod laws;
mod notices;
mod outcomes;
mod request;
mod stub;
mod whole;
