//! People who call others in, and what those do.

use std::sync::Arc;

use inresponse_core::engine::Callees;
use inresponse_core::model::{Level, Matrix, Person, TeamName};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::Target;

use super::{known, person, update};
use crate::rng::Rng;
use crate::scenario;
use crate::stage::Stage;
use crate::world::{MILLI, SECOND};

/// Somebody calls people in, often after a claim. Some of them answer, and some people take over or hand over.
pub async fn call_in(stage: Arc<Stage>, mut rng: Rng) {
    let Some(number) = known(&stage, &mut rng) else { return };
    let by = person(&mut rng);
    if rng.chance(600) {
        update(&stage, number, Update::state(by.clone(), StateChange::Claim(TakeOver::No))).await;
    }
    let (process, engine) = stage.some().await;
    let targets: Vec<Target> = (0..rng.between(1, 3)).map(|_| target(&mut rng)).collect();
    let asked = async move {
        let team = match engine.get(number).await? {
            Some(record) => record.incident.team().clone(),
            None => return Ok(None),
        };
        // Every name of its own, so that one who is not there keeps nobody from the others.
        for target in targets {
            if let Callees::These(people) = engine.callees(&team, &[target]).await? {
                return Ok(Some(people));
            }
        }
        Ok::<_, inresponse_core::Outage>(None)
    };
    let Some(Ok(Some(people))) = stage.world.within(process, asked).await else { return };
    let names = names(&people);
    update(&stage, number, Update::call_in(by.clone(), *people)).await;
    stage.world.sleep(rng.between(10 * MILLI, 12 * SECOND)).await;
    let other = person(&mut rng);
    match rng.below(10) {
        0..4 if !names.is_empty() => {
            let called = rng.pick(&names).clone();
            update(&stage, number, Update::state(called, StateChange::Claim(TakeOver::No))).await;
        }
        4 => update(&stage, number, Update::state(other, StateChange::Claim(TakeOver::Yes))).await,
        5 => update(&stage, number, Update::state(by, StateChange::HandTo(other))).await,
        6 => update(&stage, number, Update::state(by, StateChange::Escalate)).await,
        _ => {}
    }
}

/// A person, a team or an address.
fn target(rng: &mut Rng) -> Target {
    let text = match rng.below(6) {
        0..3 => format!("person:p{}", rng.below(6)),
        3 => format!("team:t{}", rng.below(2)),
        _ => return Target::Contact(scenario::contact(&format!("c{}", rng.below(7)))),
    };
    text.parse().unwrap_or_else(|_| Target::Team(TeamName::new("t0").expect("a plain name")))
}

/// The people who are called in.
fn names(people: &Matrix) -> Vec<Person> {
    let contacts = people.contacts(Level::At(1)).iter();
    let named = contacts.filter_map(|contact| {
        let owner = people.recipients().iter().find(|one| one.contact == *contact);
        owner.map(|one| Person::from(&one.person)).or_else(|| Person::new(contact.as_str()).ok())
    });
    let mut names: Vec<Person> = named.collect();
    names.dedup();
    names
}
