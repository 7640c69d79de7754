//! Which deliveries a process must not lease now, and by which rules an incident is quiet.

use std::collections::HashSet;
use std::fmt;

use crate::model::{Contact, DeliveryId};
use crate::roster::QuietRules;

/// Which deliveries must not be leased now.
pub trait Hold: fmt::Debug {
    /// Whether this one may be leased, and why not.
    fn held(&self, delivery: &DeliveryId, contact: &Contact) -> Held;

    /// Whether this process let the incident's latest level wait for slots itself; then no process has died since the
    /// level began.
    fn has_let_it_wait(&self) -> bool {
        false
    }

    /// The silences and alert hours of today's roster (promise 21). By default there are none.
    fn quiet(&self) -> &QuietRules {
        QuietRules::none()
    }
}

/// Holds back the same deliveries as another hold, and knows the silences and alert hours.
#[derive(Debug, Clone, Copy)]
pub struct Ruled<'a> {
    /// The other hold.
    pub hold: &'a dyn Hold,
    /// The silences and alert hours.
    pub rules: &'a QuietRules,
}

impl Hold for Ruled<'_> {
    fn held(&self, delivery: &DeliveryId, contact: &Contact) -> Held {
        self.hold.held(delivery, contact)
    }

    fn has_let_it_wait(&self) -> bool {
        self.hold.has_let_it_wait()
    }

    fn quiet(&self) -> &QuietRules {
        self.rules
    }
}

/// Whether a delivery may be leased now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Held {
    /// It may.
    Free,
    /// This process is still sending it, whatever the clock says of its lease. A level whose deliveries are all in
    /// flight does not begin.
    InFlight,
    /// No sending slot is free for its contact. Its level begins, and the delivery waits (promise 8).
    NoSlot,
}

/// Holds nothing back.
#[derive(Debug, Clone, Copy)]
pub struct HoldNothing;

impl Hold for HoldNothing {
    fn held(&self, _: &DeliveryId, _: &Contact) -> Held {
        Held::Free
    }
}

/// These deliveries are in flight.
impl Hold for HashSet<DeliveryId> {
    fn held(&self, delivery: &DeliveryId, _: &Contact) -> Held {
        if self.contains(delivery) { Held::InFlight } else { Held::Free }
    }
}

/// No sending slot is free for these contacts.
impl Hold for HashSet<Contact> {
    fn held(&self, _: &DeliveryId, contact: &Contact) -> Held {
        if self.contains(contact) { Held::NoSlot } else { Held::Free }
    }
}
