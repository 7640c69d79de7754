//! Why a channel cannot send.

/// Why a channel cannot send: the error of its notifier.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
