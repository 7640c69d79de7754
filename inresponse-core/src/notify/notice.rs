//! The text of a notice about the roster.

/// The text of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The notice in one line.
    pub title: String,
    /// More lines; may be empty.
    pub message: String,
    /// Facts with their names.
    pub facts: Vec<(String, String)>,
}
