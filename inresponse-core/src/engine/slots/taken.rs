//! Counts the sending slots that are taken.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::pace::{Crowd, Pace, Turn};
use crate::clock::Clock;
use crate::engine::urgency::Urgency;
use crate::model::Contact;

/// The maximum number of concurrent sends of a process to one contact that answers promptly.
pub const SENDS_PER_CONTACT: usize = 12;
/// The maximum number of concurrent sends to one contact that has not answered yet, or did not answer promptly the last
/// time.
pub const SENDS_PER_NEW_CONTACT: usize = 3;
/// The time limit of a prompt answer. A send that has taken longer is a hanging one.
pub(super) const PROMPT: Duration = Duration::from_secs(1);
/// The number of contacts for which their last answer is remembered.
const REMEMBERED: usize = 16_384;

/// How a send goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Ride {
    /// On its own, however much its contact got lately.
    Single,
    /// On its own, if its contact may have one more single alert now.
    Paced,
    /// Together with others, in a bundle.
    #[cfg_attr(not(feature = "runner"), allow(dead_code, reason = "only a runner sends bundles"))]
    Together,
}

/// A slot that is given back.
pub(super) struct Ended<'a> {
    pub(super) contact: &'a Contact,
    pub(super) urgency: Urgency,
    pub(super) ride: Ride,
    pub(super) began: (Duration, u64),
    /// How long the send took, if there was a send.
    pub(super) took: Option<Duration>,
}

/// The slots that are taken, and what each contact got lately.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) most: usize,
    /// The number of single alerts to one contact in a minute; 0 while nothing is bundled.
    pub(super) singles: u32,
    pub(super) all: Sum,
    pub(super) by_remote: HashMap<String, Sum>,
    pub(super) by_contact: HashMap<Contact, OfContact>,
    /// The sends that began within the last second, the oldest first.
    pub(super) fresh: VecDeque<Fresh>,
    pub(super) next: u64,
}

#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) began: (Duration, u64),
    pub(super) contact: Contact,
}

/// The number of slots that are taken.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sum {
    pub(super) fresh: usize,
    pub(super) slow: usize,
    pub(super) updates: usize,
}

#[derive(Debug, Default)]
pub(super) struct OfContact {
    pub(super) taken: Sum,
    pub(super) last: Answer,
    pub(super) pace: Pace,
}

/// How a contact answered the last time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    #[default]
    None,
    Prompt,
    Slow,
}

/// Whether a slot is free, and if not, which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::engine) enum Room {
    Free,
    /// No slot is free for this contact, or for status updates; others may get one.
    NotForThis,
    /// The limit of the remote server is reached.
    RemoteIsFull,
    /// All slots that this contact may use are taken.
    AllIsFull,
    /// All slots are taken.
    NoneLeft,
}

/// The free slots that are already reserved.
#[derive(Debug, Default)]
pub(super) struct Promised {
    all: Sum,
    by_remote: HashMap<String, Sum>,
    by_contact: HashMap<Contact, usize>,
}

impl Promised {
    #[cfg(feature = "runner")]
    pub(super) fn add(&mut self, contact: &Contact, urgency: Urgency) {
        self.all.begin(urgency);
        self.by_remote.entry(contact.remote().to_owned()).or_default().begin(urgency);
        *self.by_contact.entry(contact.clone()).or_default() += 1;
    }
}

impl Sum {
    pub(super) fn all(self) -> usize {
        self.fresh + self.slow
    }

    fn begin(&mut self, urgency: Urgency) {
        self.fresh += 1;
        self.updates += usize::from(urgency == Urgency::StatusUpdate);
    }

    fn grow_old(&mut self) {
        self.fresh -= 1;
        self.slow += 1;
    }

    fn end(&mut self, was_fresh: bool, urgency: Urgency) {
        let of = if was_fresh { &mut self.fresh } else { &mut self.slow };
        *of -= 1;
        self.updates -= usize::from(urgency == Urgency::StatusUpdate);
    }

    fn with(self, promised: Option<&Self>) -> Self {
        let more = promised.copied().unwrap_or_default();
        Self {
            fresh: self.fresh + more.fresh,
            slow: self.slow + more.slow,
            updates: self.updates + more.updates,
        }
    }
}

impl Taken {
    /// That many slots, of which none is taken. Nothing is bundled.
    pub(super) fn none_of(most: usize) -> Self {
        Self {
            most,
            singles: 0,
            all: Sum::default(),
            by_remote: HashMap::new(),
            by_contact: HashMap::new(),
            fresh: VecDeque::new(),
            next: 0,
        }
    }

    pub(super) fn turn(&self, contact: &Contact, crowd: Crowd, now: Duration) -> Turn {
        let pace = self.by_contact.get(contact).map(|of| &of.pace);
        pace.unwrap_or(&Pace::default()).turn(self.singles, crowd, now)
    }

    pub(super) fn room(
        &self,
        contact: &Contact,
        urgency: Urgency,
        ride: Ride,
        promised: &Promised,
        now: Duration,
    ) -> Room {
        let here = promised.by_contact.get(contact).copied().unwrap_or_default();
        let one_more = Crowd::of(here + 1, urgency);
        if ride == Ride::Paced && self.turn(contact, one_more, now) != Turn::Single {
            return Room::NotForThis;
        }
        let of_contact = self.by_contact.get(contact);
        let last = of_contact.map_or(Answer::None, |of| of.last);
        let sum = of_contact.map_or_else(Sum::default, |of| of.taken);
        let all = self.all.with(Some(&promised.all));
        if all.all() >= self.most {
            return Room::NoneLeft;
        }
        let hangs = sum.slow > 0 || last == Answer::Slow;
        let is_prompt = !hangs && last == Answer::Prompt;
        let per_contact = if is_prompt { SENDS_PER_CONTACT } else { SENDS_PER_NEW_CONTACT };
        let here = sum.all() + here;
        let (most, remote) = (self.most, contact.remote());
        let side = self.by_remote.get(remote).copied().unwrap_or_default();
        let side = side.with(promised.by_remote.get(remote));
        let is_update = urgency == Urgency::StatusUpdate;
        if here >= per_contact
            || (hangs && (side.slow >= most / 8 || all.slow >= most / 2))
            || (is_update && (side.updates >= most / 8 || all.updates >= most / 4))
        {
            return Room::NotForThis;
        }
        let of_side = if is_prompt { most / 2 } else { most / 3 };
        if side.all() >= of_side || side.fresh >= most / 8 {
            return Room::RemoteIsFull;
        }
        let of_all = if is_prompt { most } else { most / 8 * 7 };
        if all.all() >= of_all || all.fresh >= most / 2 {
            return Room::AllIsFull;
        }
        Room::Free
    }

    pub(super) fn begin(
        &mut self,
        contact: &Contact,
        urgency: Urgency,
        ride: Ride,
        now: Duration,
    ) -> (Duration, u64) {
        let began = (now, self.next);
        self.next += 1;
        self.all.begin(urgency);
        self.by_remote.entry(contact.remote().to_owned()).or_default().begin(urgency);
        let of = self.by_contact.entry(contact.clone()).or_default();
        of.taken.begin(urgency);
        match ride {
            Ride::Paced if self.singles > 0 => of.pace.single(self.singles, now),
            Ride::Together => of.pace.bundle(self.singles, now),
            Ride::Paced | Ride::Single => {}
        }
        self.fresh.push_back(Fresh { began, contact: contact.clone() });
        began
    }

    /// The time, after sends that began a second ago were counted as hanging ones.
    pub(super) fn grown_old(&mut self, clock: &dyn Clock) -> Duration {
        let now = clock.monotonic();
        self.grow_old(now);
        now
    }

    /// Counts sends that began a second ago as hanging ones.
    pub(super) fn grow_old(&mut self, now: Duration) {
        while let Some(oldest) = self.fresh.front()
            && oldest.began.0 + PROMPT <= now
            && let Some(Fresh { contact, .. }) = self.fresh.pop_front()
        {
            self.all.grow_old();
            if let Some(side) = self.by_remote.get_mut(contact.remote()) {
                side.grow_old();
            }
            if let Some(of) = self.by_contact.get_mut(&contact) {
                of.taken.grow_old();
            }
        }
    }

    pub(super) fn end(&mut self, ended: &Ended<'_>, now: Duration) {
        self.grow_old(now);
        let place = self.fresh.binary_search_by_key(&ended.began.1, |fresh| fresh.began.1);
        let was_fresh = place.is_ok();
        if let Ok(place) = place {
            self.fresh.remove(place);
        }
        self.all.end(was_fresh, ended.urgency);
        let remote = ended.contact.remote();
        if let Some(side) = self.by_remote.get_mut(remote) {
            side.end(was_fresh, ended.urgency);
            if side.all() == 0 {
                self.by_remote.remove(remote);
            }
        }
        if let Some(of) = self.by_contact.get_mut(ended.contact) {
            of.taken.end(was_fresh, ended.urgency);
            match ended.took {
                Some(took) => of.last = if took < PROMPT { Answer::Prompt } else { Answer::Slow },
                None if ended.ride != Ride::Single => of.pace.take_back(ended.began.0),
                None => {}
            }
        }
        if self.by_contact.len() > REMEMBERED {
            self.by_contact.retain(|_, of| of.taken.all() > 0 || !of.pace.is_over(now));
        }
    }
}
