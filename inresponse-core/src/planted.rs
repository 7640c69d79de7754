//! Bugs that can be planted, so that it shows which of them simulation and model check find.
//!
//! Compiled with the feature `planted-bugs` only, which nothing turns on but the command that plants them; without
//! it every hook is `false`.

#[cfg(feature = "planted-bugs")]
mod bugs {
    use std::sync::atomic::{AtomicUsize, Ordering};

    macro_rules! bugs {
        ($($name:ident, $promise:literal, $doc:literal;)*) => {
            /// A bug that can be planted.
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum Bug { $(#[doc = $doc] $name,)* }

            impl Bug {
                /// All of them.
                pub const ALL: &'static [Bug] = &[$(Bug::$name,)*];

                /// The number of the promise that it breaks.
                pub fn promise(self) -> u8 {
                    match self { $(Bug::$name => $promise,)* }
                }

                /// What it does, in one sentence without a full stop.
                pub fn what(self) -> &'static str {
                    match self { $(Bug::$name => $doc,)* }
                }
            }
        };
    }

    bugs! {
        UnknownIsRetryable, 4, "a create whose result is unknown is answered as if nothing had happened";
        RepeatDoesNotRaise, 3, "a repeated report of a higher severity does not raise";
        ResolvedReopens, 5, "a resolved incident can be released";
        ReleaseKeepsTheRound, 5, "a release goes on with the round that there was";
        CheckThenClaim, 6, "a change that finds the record changed is written over it";
        ClaimTakesOver, 6, "every claim may take over";
        ClaimNotInTimeline, 7, "a claim is not put into the timeline";
        TimelineUnbounded, 7, "a timeline is never folded";
        WaitFromCreation, 8, "a level's wait is counted from the incident's creation";
        BegunWhenDue, 8, "a level counts as begun when it was due, not when it was sent";
        LevelNotBegunAgain, 8, "a level whose process died does not begin again";
        OldMatrix, 8, "a repeat round goes by the matrix of the last round";
        OldTeam, 8, "a hand-over alerts whoever is on call for the team before";
        OldTeamKeepsRounds, 8, "a new round stays with the team that had the last one, though another owns the service";
        GoneTeamAlerted, 12, "a new round alerts the people of the last one, though their team is gone";
        EscalationCascades, 8, "a request to escalate now brings every level forward";
        AcceptedBeforeSend, 9, "a delivery is recorded as accepted before it is sent";
        UnknownIsAccepted, 9, "an unknown outcome is taken as accepted";
        UnavailableIsDead, 9, "a carrier that cannot be reached makes a delivery dead";
        ExpiredIsDead, 9, "a send whose process died is taken as failed for good";
        NoSweeper, 9, "nobody looks for what is due in the store";
        BackoffUnbounded, 9, "pauses between attempts grow without bound";
        HangsForEver, 9, "a notifier that never answers is waited for without end";
        RejectedAgain, 9, "what was rejected is tried again";
        OutcomeDroppedOnStale, 10, "an outcome is dropped where the record has changed";
        AcceptedOverwritten, 10, "a late outcome takes back an acceptance";
        LeaseNotRenewed, 10, "a send that takes long does not keep its lease";
        UnknownLeaseCounts, 9, "a lease whose commit stayed unknown counts as a process that died";
        UnknownLeaseSends, 10, "a send begins though the commit of its lease is unknown";
        ClaimNotRechecked, 11, "a send begins under a slow lease without a look at the incident";
        ClaimLeavesPending, 11, "what was pending is still sent after a claim";
        FallbackSkipped, 12, "the fallback is not alerted";
        DeadLevelWaits, 12, "a dead level is given its whole wait";
        EmptyLevelWaits, 12, "an empty level is given its whole wait";
        UndeliveredHidden, 12, "an incident that nobody could be told of does not show";
        FallbackIsMasked, 12, "a severity's levels are asked for the fallback of an empty calendar, which a raise then alerts twice";
        KnownServiceRefused, 12, "a report is refused if the team of its service has no settings and no calendar";
        CopyNotRefreshed, 12, "whatever falls back or is refused goes by a copy of the roster that lags";
        MasksIgnored, 12, "every severity alerts every level";
        HidesBehindHanging, 13, "the next level waits for a send that hangs";
        PanicNotCaught, 13, "a notifier's panic ends the send without an outcome";
        SlotsForAnyone, 13, "one contact may take all sending slots, of which there are few";
        SendsWhatItSends, 14, "a process forgets what it has in flight itself";
        LeaseNotChecked, 14, "a send begins though its lease is over";
        OnlyTheWallClock, 14, "a lease is judged by the wall clock alone";
        ClockNotRepaired, 14, "times of a clock that went back are left as they are";
        DayInUtc, 15, "the calendar's days are those of UTC";
        HandoverOrphans, 22, "an incident that was handed to somebody stays theirs, though they never answer";
        UnknownServiceTaken, 16, "a report for an unknown service is given to some team";
    }

    static PLANTED: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Plants a bug in this process, or takes it out again.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.store(bug.map_or(usize::MAX, |bug| bug as usize), Ordering::SeqCst);
    }

    pub(crate) fn is_planted(bug: Bug) -> bool {
        PLANTED.load(Ordering::Relaxed) == bug as usize
    }
}

#[cfg(feature = "planted-bugs")]
pub(crate) use bugs::is_planted;
#[cfg(feature = "planted-bugs")]
pub use bugs::{Bug, plant};

/// Whether that bug is planted.
#[cfg(feature = "planted-bugs")]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is_planted($crate::planted::Bug::$bug)
    };
}

/// Whether that bug is planted: never.
#[cfg(not(feature = "planted-bugs"))]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::never()
    };
}

/// False; by a call, so that the conditions that ask for it are not taken for mistakes.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn never() -> bool {
    false
}

pub(crate) use planted;
