//! The names of what a check compared, as a run prints them.

/// A dry run was compared with what happened.
pub const DRY_RUN: &str = "dry run: compared";
/// A dry run that foretold no alert was compared.
pub const NOBODY: &str = "dry run: compared, nobody alerted";
/// A dry run that foretold several levels was compared.
pub const LEVELS: &str = "dry run: compared, several levels";
/// A dry run that foretold several rounds was compared.
pub const ROUNDS: &str = "dry run: compared, several rounds";
/// A dry run that foretold that quiet defers the first round was compared.
pub const DEFERRED: &str = "dry run: compared, after quiet";
/// A dry run that foretold alerts to people of the roster was compared.
pub const PEOPLE: &str = "dry run: compared, people of the roster";
/// The end of a claim was compared.
pub const CLAIM_END: &str = "claims: compared, the end of a claim";
/// A notice before the end of a claim was compared.
pub const CLAIM_NOTICE: &str = "claims: compared, a notice before the end";
/// A claim whose end had to be announced was compared.
pub const CLAIM_NOTICED: &str = "claims: compared, an end that had to be announced";
/// A dry run that foretold later steps of people's rules was compared.
pub const STEPS: &str = "dry run: compared, steps of rules";
/// The time of a later step of a person's rule was compared.
pub const STEP: &str = "steps: compared, the time of a later step";
/// A step that came at once, because all earlier ones were dead, was compared.
pub const HASTENED: &str = "steps: compared, at once after the dead";
/// Who was on call by a team's own levels was compared.
pub const LEVEL: &str = "on call: compared, by a team's levels";
/// Who was on call by a layer was compared.
pub const LAYER: &str = "on call: compared, by a layer";
/// Who was on call by an override was compared.
pub const OVERRIDE: &str = "on call: compared, by an override";
/// Somebody who was absent, and so not on call, was compared.
pub const ABSENCE: &str = "on call: compared, somebody absent";
/// Who was on call by another team's first level was compared.
pub const TEAM: &str = "on call: compared, by another team";
/// An alert of a call for more people was compared.
pub const CALL: &str = "call in: compared, an alert of a call";
/// The answer of somebody who was called in was compared.
pub const RESPONDER: &str = "call in: compared, an answer that stops the rest";
/// The end of quiet by time was compared.
pub const QUIET_TIME: &str = "quiet: compared, its end by time";
/// The end of quiet by an edit was compared.
pub const QUIET_EDIT: &str = "quiet: compared, its end by a lift or a change";
/// The end of quiet by a person who escalated was compared.
pub const QUIET_ESCALATED: &str = "quiet: compared, its end by an escalation";
/// An incident that became quiet after people had been alerted was compared.
pub const QUIET_STOPPED: &str = "quiet: compared, an incident that had begun";
/// An incident that alert hours made quiet was compared.
pub const QUIET_HOURS: &str = "quiet: compared, outside alert hours";
/// An incident that was resolved while it was quiet was compared.
pub const QUIET_RESOLVED: &str = "quiet: compared, resolved while quiet";
/// An answer over a channel that counted was compared.
pub const ANSWER: &str = "answer: compared, counted";
/// An answer over a channel that did not count was compared.
pub const NO_ANSWER: &str = "answer: compared, not counted";
/// An alert that a limit held back was compared.
pub const LIMITED: &str = "limits: compared, an alert that was held back";
/// A message with several alerts was compared.
pub const BUNDLE: &str = "bundles: compared, several alerts in one message";
/// An incident was claimed together with all others of a bundle.
pub const CLAIMED_TOGETHER: &str = "bundles: claimed together";
/// An incident of a bundle stayed with the person who had it.
pub const LEFT_TO_OTHERS: &str = "bundles: left to who had it";
