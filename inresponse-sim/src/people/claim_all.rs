//! People who claim all incidents of a bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use inresponse_core::Outage;
use inresponse_core::model::{Contact, IncidentNumber, Person};
use inresponse_core::plan::{StateChange, TakeOver, Update};

use super::{begin_update, end_update, person, verdict};
use crate::history::Sent;
use crate::rng::Rng;
use crate::stage::Stage;

/// A bundle that arrived: its recipient and its incidents.
struct Arrived {
    contact: Contact,
    /// The person of the roster to whom it was sent, or the address.
    by: Person,
    numbers: Vec<IncidentNumber>,
}

/// Somebody claims all incidents of a message at once, sometimes twice.
pub async fn claim_all(stage: Arc<Stage>, mut rng: Rng) {
    let Some(Arrived { contact, by: recipient, numbers }) = arrived(&stage, &mut rng) else { return };
    let named = rng.chance(500).then(|| person(&mut rng));
    let by = named.clone().unwrap_or(recipient);
    let times = if rng.chance(200) { 2 } else { 1 };
    for _ in 0..times {
        let (process, engine) = stage.some().await;
        let claim = Update {
            asked_at: Some(contact.clone()),
            ..Update::state(by.clone(), StateChange::Claim(TakeOver::No))
        };
        let calls: Vec<_> = numbers
            .iter()
            .map(|number| (*number, begin_update(&stage, *number, claim.clone(), None)))
            .collect();
        let (numbers, contact, named) = (numbers.clone(), contact.clone(), named.clone());
        let work = async move { Ok::<_, Outage>(engine.claim_all(&numbers, &contact, named.as_ref()).await) };
        let mut answers: BTreeMap<_, _> = match stage.world.within(process, work).await {
            Some(Ok(all)) => all.into_iter().map(|one| (one.number, one.result)).collect(),
            Some(Err(_)) | None => BTreeMap::new(),
        };
        for (number, call) in calls {
            let answer = answers.remove(&number).map(|result| result.map(verdict));
            end_update(&stage, call, number, answer);
        }
    }
}

/// A random message with several alerts that arrived.
fn arrived(stage: &Stage, rng: &mut Rng) -> Option<Arrived> {
    let state = stage.world.lock();
    let mut messages: BTreeMap<usize, Vec<&Sent>> = BTreeMap::new();
    for sent in state.history.sends.iter().filter(|sent| sent.arrived.is_some()) {
        messages.entry(sent.message).or_default().push(sent);
    }
    let bundles: Vec<_> = messages.into_values().filter(|message| message.len() > 1).collect();
    if bundles.is_empty() {
        return None;
    }
    let bundle = rng.pick(&bundles);
    let first = bundle.first()?;
    let by = match &first.person {
        Some((person, _)) => Person::from(person),
        None => Person::at(&first.contact).expect("the address of a contact is a valid name"),
    };
    let mut numbers: Vec<_> = bundle.iter().map(|sent| sent.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Some(Arrived { contact: first.contact.clone(), by, numbers })
}
