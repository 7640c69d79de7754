//! The names of what a check compared, as a run prints them.

/// A dry run was compared with what happened.
pub const DRY_RUN: &str = "dry run: compared";
/// A dry run that foretold no alert was compared.
pub const NOBODY: &str = "dry run: compared, nobody alerted";
/// A dry run that foretold several levels was compared.
pub const LEVELS: &str = "dry run: compared, several levels";
/// A dry run that foretold several rounds was compared.
pub const ROUNDS: &str = "dry run: compared, several rounds";
