//! The message formats.

mod slack;
mod teams;

use serde_json::Value;

pub(crate) use slack::{slack, slack_of_bundle};
pub(crate) use teams::{teams, teams_of_bundle};

/// The number of bytes that a character has in JSON.
fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    }
}

/// The JSON of a message as bytes.
fn body(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
