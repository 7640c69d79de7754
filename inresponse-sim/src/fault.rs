//! The faults that a run can inject, and the number of times that each occurred.

use crate::rng::Rng;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            /// All kinds of faults.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// The fault's name on the command line and in statistics.
            pub const fn word(self) -> &'static str {
                match self { $(Fault::$name => $word,)* }
            }
        }
    };
}

faults! {
    /// A store call fails before it changes anything, and can be tried again.
    StoreRetryable = "store-retryable",
    /// A store call fails before it changes anything, until somebody repairs the store.
    StorePermanent = "store-permanent",
    /// A write happens, and its answer is an outage of kind unknown.
    UnknownHappened = "unknown-happened",
    /// A write does not happen, and its answer is an outage of kind unknown.
    UnknownDidNot = "unknown-did-not",
    /// A store call takes effect late.
    SlowCall = "store-slow-call",
    /// A store call takes effect in time and answers late.
    SlowAnswer = "store-slow-answer",
    /// The list of due incidents is a few seconds old.
    LaggingDue = "lagging-due",
    /// A call to DynamoDB does not arrive.
    CallLost = "dynamo-call-lost",
    /// A call to DynamoDB takes effect, and its answer is lost.
    AnswerLost = "dynamo-answer-lost",
    /// DynamoDB asks for a pause.
    CallThrottled = "dynamo-throttled",
    /// DynamoDB refuses because of another transaction.
    CallConflict = "dynamo-conflict",
    /// The roster cannot be read.
    RosterOutage = "roster-outage",
    /// A process crashes at one of its awaits.
    CrashAtAwait = "crash-at-await",
    /// A process crashes between a write's effect and its answer.
    CrashAtCommit = "crash-at-commit",
    /// A process crashes during a send, before the carrier has the message.
    CrashBeforeArrival = "crash-before-arrival",
    /// A process crashes during a send, after the carrier took the message.
    CrashAfterArrival = "crash-after-arrival",
    /// A process is killed at any time.
    Kill = "kill",
    /// A process is asked to stop, finishes its sends, and starts again.
    Restart = "graceful-restart",
    /// The carrier refuses permanently.
    Rejected = "notifier-rejected",
    /// The carrier asks for a pause.
    Throttled = "notifier-throttled",
    /// The carrier cannot be reached.
    Unavailable = "notifier-unavailable",
    /// The carrier takes the message and never answers.
    HangArrived = "notifier-hang-arrived",
    /// The carrier takes no message and never answers.
    HangLost = "notifier-hang-lost",
    /// The carrier takes the message, and its reply is lost. The notifier notices that.
    LostReply = "notifier-lost-reply",
    /// The message is lost, and nobody knows.
    UnknownLost = "notifier-unknown-lost",
    /// The notifier panics.
    Panic = "notifier-panic",
    /// The carrier takes nearly all of the allowed time.
    SlowCarrier = "notifier-slow",
    /// A wall clock jumps forward by seconds.
    ClockForward = "clock-forward",
    /// A wall clock jumps back by seconds.
    ClockBack = "clock-back",
    /// A wall clock jumps forward by minutes to ten years.
    ClockFarForward = "clock-far-forward",
    /// A wall clock jumps back by minutes to ten years.
    ClockFarBack = "clock-far-back",
    /// The servers' wall clocks differ.
    Skew = "clock-skew",
    /// Many reports are made at once.
    Storm = "storm",
    /// The start of an execution is lost.
    StartLost = "start-lost",
    /// An execution is started twice.
    StartTwice = "start-twice",
    /// An execution is started late.
    StartLate = "start-late",
    /// An invocation is ended at its time limit.
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

    /// Adds a fault to the set.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << (fault as u64))
    }

    /// Removes a fault from the set.
    #[must_use]
    pub fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << (fault as u64)))
    }

    /// Whether the set contains that fault.
    pub fn has(self, fault: Fault) -> bool {
        self.0 & (1 << (fault as u64)) != 0
    }

    /// The names of the faults, separated by commas, or `all` or `none`.
    pub fn words(self) -> String {
        if Fault::ALL.iter().all(|f| self.has(*f)) {
            return "all".into();
        }
        let words: Vec<_> = Fault::ALL.iter().filter(|f| self.has(**f)).map(|f| f.word()).collect();
        if words.is_empty() { "none".into() } else { words.join(",") }
    }

    /// Reads the names that [`words`](Self::words) writes.
    ///
    /// # Errors
    /// A word is not the name of a fault.
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

/// Decides when each fault occurs, and counts the faults.
#[derive(Debug)]
pub struct Faults {
    rng: Rng,
    allowed: FaultSet,
    /// The number of faults that may still occur.
    left: u64,
    rates: Vec<u32>,
    /// Whether faults have ended for the rest of the run.
    healed: bool,
    /// The number of times that each fault occurred.
    pub counts: Vec<u64>,
}

impl Faults {
    /// Lets faults occur at `rates` in a thousand, but only `allowed` ones, and at most `limit` in total.
    pub fn new(rng: Rng, rates: Vec<u32>, allowed: FaultSet, limit: u64) -> Self {
        let counts = vec![0; Fault::ALL.len()];
        Self { rng, allowed, left: limit, rates, healed: false, counts }
    }

    /// Decides by its rate whether `fault` occurs now.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.rates[fault as usize];
        rate > 0 && !self.healed && self.rng.chance(rate) && self.take(fault)
    }

    /// Decides whether a fault that the scenario planned may occur, and counts it if so.
    pub fn take(&mut self, fault: Fault) -> bool {
        let goes = self.allowed.has(fault) && self.left > 0 && !self.healed;
        if goes {
            self.left -= 1;
            self.counts[fault as usize] += 1;
        }
        goes
    }

    /// Ends all faults for the rest of the run.
    pub fn heal(&mut self) {
        self.healed = true;
    }

    /// Whether faults have ended.
    pub fn is_healed(&self) -> bool {
        self.healed
    }

    /// The total number of faults that occurred.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// A random number between these, such as the size of a fault.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.rng.between(from, to)
    }
}
