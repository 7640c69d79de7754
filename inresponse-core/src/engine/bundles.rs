//! Gathers what waits for one contact, and sends it in one message (promise 23).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::backlog::Group;
use super::clocks::Clocks;
use super::deliver::Sender;
use super::lease::Leases;
use super::leased::{LeasedSend, Place};
use super::links::Links;
use super::seats::Seats;
use super::slots::{Filled, MOST, Slots};
use super::wake::Wake;
use crate::error::Outage;
use crate::model::IncidentNumber;
use crate::store::Store;

/// How long a bundle waits for its leases. A message begins within a second of them.
const GATHER: Duration = Duration::from_millis(500);

/// Sends bundles.
#[derive(Debug)]
pub(super) struct Bundles {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) wake: Arc<Wake>,
    pub(super) slots: Arc<Slots>,
    pub(super) leases: Arc<Leases>,
    pub(super) sender: Arc<Sender>,
    pub(super) links: Arc<Links>,
}

impl Bundles {
    /// Leases what waits for a contact, each incident by its own swap, and sends what was leased.
    ///
    /// Nothing is sent of an incident that somebody else changed first. A lease that comes late is given back, so that
    /// one slow swap delays nobody else.
    pub(super) async fn send(&self, group: Group) {
        if !self.wake.has_runner() {
            return;
        }
        let Group { contact, numbers, crowd } = group;
        let Some((slot, blamed)) = self.slots.take_together(&contact, crowd) else {
            // Something else took the slot. They wait again, in their order.
            join_all(numbers.into_iter().map(|number| self.lease(number, None))).await;
            return;
        };
        let (seats, is_whole) = (Seats::new(contact, blamed), numbers.len() >= MOST);
        let mut leasing: FuturesUnordered<_> =
            numbers.into_iter().map(|number| self.lease(number, Some(&seats))).collect();
        let mut seated = Vec::new();
        let mut patience = pin!(self.clocks.sleep(GATHER));
        let mut is_over = false;
        while !is_over || seated.is_empty() {
            let leased = if is_over {
                leasing.next().await
            } else {
                match select(leasing.next(), &mut patience).await {
                    Either::Left((leased, _)) => leased,
                    Either::Right(((), _)) => {
                        is_over = true;
                        continue;
                    }
                }
            };
            match leased {
                Some(leased) => seated.extend(leased),
                None => break,
            }
        }
        let filled = if is_whole || seats.were_full() { Filled::Fully } else { Filled::InPart };
        let sending = self.sender.deliver_together(seated, slot, filled, &self.links);
        let late = async {
            while let Some(leased) = leasing.next().await {
                join_all(leased.into_iter().map(|send| self.sender.give_back(send))).await;
            }
        };
        join(sending, late).await;
    }

    /// Leases what is due of an incident. Returns what has a seat in the bundle; everything else begins on its own.
    async fn lease(&self, number: IncidentNumber, seats: Option<&Seats>) -> Vec<LeasedSend> {
        match self.try_lease(number, seats).await {
            Ok(sends) => {
                let (seated, single): (Vec<_>, _) =
                    sends.into_iter().partition(|send| matches!(send.place, Place::Seat));
                // A runner that stops finishes what was leased.
                let left = self.wake.offer_to_runner(single);
                join_all(left.into_iter().map(|send| self.sender.deliver(send, None))).await;
                seated
            }
            Err(error) => {
                self.wake.after_outage(number, &error, self.clocks.now());
                Vec::new()
            }
        }
    }

    async fn try_lease(
        &self,
        number: IncidentNumber,
        seats: Option<&Seats>,
    ) -> Result<Vec<LeasedSend>, Outage> {
        match self.store.load(number).await? {
            Some(record) => Ok(self.leases.lease_seated(record, seats).await?.sends),
            None => Ok(Vec::new()),
        }
    }
}
