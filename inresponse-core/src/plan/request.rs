//! What a person asks for, and why that may be refused.

use std::fmt;
use std::time::Duration;

use crate::model::{
    Contact, DeliveryId, Ended, KeyName, Matrix, MethodName, Note, Person, Severity, State, TeamName,
};

/// Whether a claim or release may be done over another person's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// It may.
    Yes,
    /// It is refused, naming who has it.
    No,
}

/// A request about an incident's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// Claim it: CLAIMED.
    Claim(TakeOver),
    /// Release it: OPEN, with a new round of alerts.
    Release(TakeOver),
    /// Resolve it: RESOLVED.
    Resolve,
    /// Resolve it because the reporting system says that it ended: RESOLVED.
    End(Ended),
    /// Hand it to somebody, no matter who had it before: CLAIMED. They are notified if their name is a contact. They
    /// must answer within the wait of a level: every update by them is an answer. Otherwise it is OPEN again in a new
    /// round.
    HandTo(Person),
    /// Hand it to another team: OPEN, with a new round of alerts there.
    HandToTeam(TeamName),
    /// Alert the next level without waiting. The state stays: if it is CLAIMED, the people of the next level are called
    /// in.
    Escalate,
    /// The claim ends that long from now, earlier or later than before. It must be CLAIMED and stays CLAIMED.
    Snooze(Duration),
}

impl StateChange {
    /// The requested state.
    pub fn to(&self) -> State {
        match self {
            StateChange::Claim(_) | StateChange::HandTo(_) | StateChange::Snooze(_) => State::Claimed,
            StateChange::Release(_) | StateChange::HandToTeam(_) | StateChange::Escalate => State::Open,
            StateChange::Resolve | StateChange::End(_) => State::Resolved,
        }
    }
}

/// What a person does to an incident; all of it, or nothing if one part is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Who does it.
    pub by: Person,
    /// The API key that they do it with; [`KeyName::LINK`] if it is the link in an alert.
    pub key: Option<KeyName>,
    /// A new severity.
    pub severity: Option<Severity>,
    /// A new state.
    pub state: Option<StateChange>,
    /// A note for the timeline.
    pub note: Option<Note>,
    /// The methods of the person to whom the incident is handed over, or who claims or snoozes it. If empty, the person's
    /// name is used, if it is an address.
    pub reach: Vec<(MethodName, Contact)>,
    /// The people to call in, as a matrix of one level.
    pub call_in: Option<Box<Matrix>>,
    /// The address of the alert that the person answers, if it is known: it may belong to several people.
    pub asked_at: Option<Contact>,
}

impl Update {
    /// An update by `by` that only changes the state.
    pub fn state(by: Person, change: StateChange) -> Self {
        Self { state: Some(change), ..Self::nothing(by) }
    }

    /// An update by `by` that only notes something.
    pub fn note(by: Person, note: Note) -> Self {
        Self { note: Some(note), ..Self::nothing(by) }
    }

    /// An update by `by` that calls in the people of a matrix's first level.
    pub fn call_in(by: Person, people: Matrix) -> Self {
        Self { call_in: Some(Box::new(people)), ..Self::nothing(by) }
    }

    /// An update by `by` that changes nothing.
    pub fn nothing(by: Person) -> Self {
        Self {
            by,
            key: None,
            severity: None,
            state: None,
            note: None,
            reach: Vec::new(),
            call_in: None,
            asked_at: None,
        }
    }

    /// The same, done with that key.
    #[must_use]
    pub fn with_key(mut self, key: KeyName) -> Self {
        self.key = Some(key);
        self
    }
}

/// What came back over a channel: a reply, a key, a button (promise 20). The channel's notifier has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The message that is answered. The answer counts only in the round of that message.
    pub to: AnswerTo,
    /// The verified account that answered, as a contact, for example `tel:+30…` or `telegram:1234`. `None` if the answer
    /// proves only that somebody has the message.
    pub from: Option<Contact>,
    /// The person who has that account, or else the address to which the message was sent, if the roster knows exactly
    /// one. The engine looks this up.
    pub account: Option<Person>,
    /// What the answer asks for.
    pub wants: Wanted,
    /// The only round in which the answer counts, if the channel remembers its answers: the incident's round when the answer
    /// came for the first time, or 0 if it was refused then.
    pub counts_in: Option<u32>,
    /// The channel, as the timeline names it.
    pub over: KeyName,
}

/// The message that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerTo {
    /// The delivery with this id.
    Delivery(DeliveryId),
    /// The latest alert to this contact: the answer names no message.
    AlertTo(Contact),
}

/// What an answer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To claim the incident.
    Claim,
    /// To resolve it.
    Resolve,
    /// To alert the next level without waiting.
    Escalate,
}

/// Why a person's request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Refusal {
    /// There is no edge between these states.
    Forbidden {
        /// The state it has.
        from: State,
        /// The requested state.
        to: State,
    },
    /// Somebody else has it.
    ClaimedBy(Person),
    /// It is resolved, so its severity stays.
    Over,
    /// It is resolved, so nobody is alerted any more.
    NotEscalating(State),
    /// It is not CLAIMED, so there is no claim to snooze.
    NotSnoozing(State),
    /// Everybody has been alerted.
    NobodyLeft,
    /// It is resolved, so nobody can be called in.
    NotCalling(State),
    /// The round has no room for so many people who are called in.
    TooManyCalled,
    /// There is no such team, or nobody in it could be alerted.
    UnknownTeam(TeamName),
    /// A newer version of this program stored it, and this one cannot read all of it.
    NewerFormat,
    /// An answer came from somebody to whom the message was not sent, or to a message that was not sent.
    NotAsked,
    /// An answer to a message of a round that is over.
    EarlierRound,
    /// An answer that came before: in a round that is over, or it was refused.
    Repeated,
    /// An answer to a status update that a later message has replaced. It does not say to whom it was sent.
    Replaced,
    /// An answer came from an account that is linked to nobody.
    UnknownAccount,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Forbidden { from, to } => write!(f, "an incident that is {from} cannot become {to}"),
            Refusal::ClaimedBy(person) => write!(f, "it is claimed by {person}"),
            Refusal::NotEscalating(state) => write!(f, "it is {state}, so there is nothing to escalate"),
            Refusal::NotSnoozing(state) => write!(f, "it is {state}, so there is no claim to snooze"),
            Refusal::NotCalling(state) => write!(f, "it is {state}, so nobody can be called in"),
            Refusal::TooManyCalled => f.write_str("too many people were called in already"),
            Refusal::NobodyLeft => f.write_str("nobody is left to alert"),
            Refusal::UnknownTeam(team) => write!(f, "team `{team}` does not exist or has nobody to alert"),
            Refusal::NewerFormat => f.write_str(
                "a newer version of this program stored it: change it on a server of that version",
            ),
            Refusal::NotAsked => f.write_str("the message was not sent to the person who answered"),
            Refusal::EarlierRound => f.write_str("the message is from an earlier round"),
            Refusal::Repeated => f.write_str("the answer came before"),
            Refusal::Replaced => f.write_str("a later message has replaced the one that was answered"),
            Refusal::UnknownAccount => f.write_str("the account is linked to nobody"),
            Refusal::Over => f.write_str("it is resolved, so its severity cannot change"),
        }
    }
}
