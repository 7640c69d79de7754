//! The faults that a run can inject, and how often each occurred.

use crate::rng::Rng;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// Everything that can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// Its name on the command line and in statistics.
            pub const fn word(self) -> &'static str {
                match self { $(Fault::$name => $word,)* }
            }
        }
    };
}

faults! {
    /// A store call fails before it did anything; it may be tried again.
    StoreRetryable = "store-retryable",
    /// A store call fails before it did anything, until somebody acts.
    StorePermanent = "store-permanent",
    /// A write happened, and its answer is an outage of kind unknown.
    UnknownHappened = "unknown-happened",
    /// A write did not happen, and its answer is an outage of kind unknown.
    UnknownDidNot = "unknown-did-not",
    /// A store call takes effect late.
    SlowCall = "store-slow-call",
    /// A store call takes effect in time and answers late.
    SlowAnswer = "store-slow-answer",
    /// What is due is read from a few seconds ago.
    LaggingDue = "lagging-due",
    /// A call to DynamoDB never gets there.
    CallLost = "dynamo-call-lost",
    /// A call to DynamoDB takes effect, and its answer is lost.
    AnswerLost = "dynamo-answer-lost",
    /// DynamoDB asks for a pause.
    CallThrottled = "dynamo-throttled",
    /// DynamoDB has another transaction under way.
    CallConflict = "dynamo-conflict",
    /// The roster cannot be read.
    RosterOutage = "roster-outage",
    /// A process ends at one of its awaits.
    CrashAtAwait = "crash-at-await",
    /// A process ends between a write's effect and its answer.
    CrashAtCommit = "crash-at-commit",
    /// A process ends during a send, before the carrier has the message.
    CrashBeforeArrival = "crash-before-arrival",
    /// A process ends during a send, after the carrier took the message.
    CrashAfterArrival = "crash-after-arrival",
    /// A process is killed at any time.
    Kill = "kill",
    /// A process is asked to stop, finishes what it sends, and starts again.
    Restart = "graceful-restart",
    /// The carrier refuses for good.
    Rejected = "notifier-rejected",
    /// The carrier asks for a pause.
    Throttled = "notifier-throttled",
    /// The carrier cannot be reached.
    Unavailable = "notifier-unavailable",
    /// The carrier takes the message and never says so.
    HangArrived = "notifier-hang-arrived",
    /// The carrier takes nothing and never answers.
    HangLost = "notifier-hang-lost",
    /// The carrier takes the message; its reply is lost and known to be.
    LostReply = "notifier-lost-reply",
    /// The message is lost; nobody knows.
    UnknownLost = "notifier-unknown-lost",
    /// The notifier panics.
    Panic = "notifier-panic",
    /// The carrier takes nearly all of its time.
    SlowCarrier = "notifier-slow",
    /// A wall clock jumps forward by seconds.
    ClockForward = "clock-forward",
    /// A wall clock jumps back by seconds.
    ClockBack = "clock-back",
    /// A wall clock jumps forward by minutes to ten years.
    ClockFarForward = "clock-far-forward",
    /// A wall clock jumps back by minutes to ten years.
    ClockFarBack = "clock-far-back",
    /// Servers' wall clocks differ.
    Skew = "clock-skew",
    /// Many reports at once.
    Storm = "storm",
    /// The start of an execution is lost.
    StartLost = "start-lost",
    /// An execution is started twice.
    StartTwice = "start-twice",
    /// An execution is started late.
    StartLate = "start-late",
    /// An invocation is cut off at its time limit.
    InvocationCut = "invocation-cut",
}

/// A set of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultSet(u64);

impl FaultSet {
    /// Every fault.
    pub const ALL: FaultSet = FaultSet(u64::MAX);
    /// No fault.
    pub const NONE: FaultSet = FaultSet(0);

    /// The set with that fault, too.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << (fault as u64))
    }

    /// The set without that fault.
    #[must_use]
    pub fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << (fault as u64)))
    }

    /// Whether it holds that fault.
    pub fn has(self, fault: Fault) -> bool {
        self.0 & (1 << (fault as u64)) != 0
    }

    /// Its faults' names, separated by commas; `all` and `none` for those.
    pub fn words(self) -> String {
        if Fault::ALL.iter().all(|f| self.has(*f)) {
            return "all".into();
        }
        let words: Vec<_> = Fault::ALL.iter().filter(|f| self.has(**f)).map(|f| f.word()).collect();
        if words.is_empty() { "none".into() } else { words.join(",") }
    }

    /// Reads what [`words`](Self::words) wrote.
    ///
    /// # Errors
    /// A word that names no fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        text.split(',').try_fold(Self::NONE, |set, word| {
            let fault = Fault::ALL.iter().find(|f| f.word() == word);
            fault.map(|f| set.with(*f)).ok_or_else(|| format!("`{word}` is not a fault"))
        })
    }
}

/// Decides when which fault occurs, and counts.
#[derive(Debug)]
pub struct Faults {
    rng: Rng,
    allowed: FaultSet,
    /// How many more may occur in all.
    left: u64,
    rates: Vec<u32>,
    /// From some moment on everything is well.
    healed: bool,
    /// How often each occurred.
    pub counts: Vec<u64>,
}

impl Faults {
    /// Faults at `rates` in a thousand, but only those of `allowed`, and at most `limit` in all.
    pub fn new(rng: Rng, rates: Vec<u32>, allowed: FaultSet, limit: u64) -> Self {
        let counts = vec![0; Fault::ALL.len()];
        Self { rng, allowed, left: limit, rates, healed: false, counts }
    }

    /// Whether `fault` occurs now, by its rate.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.rates[fault as usize];
        rate > 0 && !self.healed && self.rng.chance(rate) && self.take(fault)
    }

    /// Whether a fault that the scenario planned for may occur; counts it if so.
    pub fn take(&mut self, fault: Fault) -> bool {
        let goes = self.allowed.has(fault) && self.left > 0 && !self.healed;
        if goes {
            self.left -= 1;
            self.counts[fault as usize] += 1;
        }
        goes
    }

    /// From now on nothing goes wrong.
    pub fn heal(&mut self) {
        self.healed = true;
    }

    /// Whether everything is well.
    pub fn is_healed(&self) -> bool {
        self.healed
    }

    /// How many occurred in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// A number that says how bad a fault is.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.rng.between(from, to)
    }
}
