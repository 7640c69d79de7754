//! Claims that end, and snoozes: promise 22.

use super::scene::Scene;
use super::{after, contacts, levels, person, secs};
use crate::model::{Event, Matrix, State};
use crate::plan::{self, Refusal, StateChange, TakeOver, Update};

/// A team whose claims last an hour.
fn hour() -> Matrix {
    levels(&["a", "b"]).claims_last(Some(secs(3600)))
}

/// An incident that jo claims at 100.
fn claimed(matrix: Matrix) -> Scene {
    let mut scene = Scene::crit(matrix);
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(100);
    assert_eq!(scene.claim("jo"), Ok(true));
    scene
}

fn asks(scene: &mut Scene, by: &str, change: StateChange) -> Result<bool, Refusal> {
    scene.asks(&Update::state(person(by), change))
}

fn ends(scene: &Scene) -> Option<i64> {
    plan::claim_ends_at(&scene.incident).map(|at| (at - super::T0).num_seconds())
}

#[test]
fn p22_a_claim_ends_in_a_new_round_and_the_timeline_says_why() {
    let mut scene = claimed(hour());
    assert_eq!((ends(&scene), scene.next()), (Some(3700), Some(3700.0)));
    assert_eq!(scene.at(3699).due(), "");
    assert_eq!(scene.at(3700).due(), "1:a");
    assert_eq!((scene.incident.state(), scene.incident.round()), (State::Open, 2));
    assert_eq!(scene.incident.claimed(), None);
    assert_eq!(scene.told(|e| matches!(e, Event::ClaimEnded { by } if *by == person("jo"))), 1);
    assert_eq!(ends(&scene), None);
    let standing = scene.incident.timeline().fold().unwrap();
    assert_eq!((standing.state, standing.claimed_by, standing.round), (State::Open, None, 2));
    scene.accepts("1:a");
    assert_eq!(scene.play(0), "4300 2:b, 4900 f:z unclaimed");
}

#[test]
fn p22_a_late_process_ends_it_late_and_once() {
    let mut scene = claimed(hour());
    assert_eq!(scene.at(100_000).due(), "1:a");
    assert_eq!((scene.due().as_str(), scene.incident.round()), ("", 2));
    assert_eq!(scene.told(|e| matches!(e, Event::ClaimEnded { .. })), 1);
}

#[test]
fn p22_the_end_is_fixed_when_the_claim_is_made() {
    let mut scene = claimed(hour());
    scene.at(200);
    assert_eq!(scene.claim("jo"), Ok(false), "the same person changes nothing");
    assert_eq!(ends(&scene), Some(3700));
    assert_eq!(asks(&mut scene, "kim", StateChange::Claim(TakeOver::Yes)), Ok(true));
    assert_eq!(ends(&scene), Some(3800), "a take-over starts it again");
    assert_eq!(scene.at(300).release("kim"), Ok(true));
    assert_eq!(ends(&scene), None);
    assert_eq!(scene.at(400).claim("jo"), Ok(true));
    assert_eq!(ends(&scene), Some(4000));
    assert_eq!(scene.resolve("kim"), Ok(true));
    assert_eq!((ends(&scene), scene.next()), (None, None));
    let scene = claimed(levels(&["a"]));
    assert_eq!((ends(&scene), scene.next()), (None, None), "without a timeout claims do not end");
}

#[test]
fn p22_anybody_may_set_the_end_earlier_or_later_by_a_snooze() {
    for matrix in [hour(), levels(&["a", "b"])] {
        let mut scene = claimed(matrix);
        scene.at(200);
        assert_eq!(asks(&mut scene, "kim", StateChange::Snooze(secs(60))), Ok(true));
        assert_eq!((ends(&scene), scene.incident.state()), (Some(260), State::Claimed));
        assert!(scene.incident.is_claimed_by(&person("jo")), "the claim does not move");
        assert_eq!(asks(&mut scene, "jo", StateChange::Snooze(secs(604_800))), Ok(true));
        assert_eq!(ends(&scene), Some(605_000));
        assert_eq!(scene.told(|e| matches!(e, Event::Snoozed { seconds: 60 | 604_800, .. })), 2);
        assert_eq!(asks(&mut scene, "kim", StateChange::Snooze(secs(1))), Ok(true));
        assert_eq!(scene.at(201).due(), "1:a");
    }
}

#[test]
fn p05_only_a_claim_can_be_snoozed() {
    let snooze = StateChange::Snooze(secs(60));
    let mut scene = Scene::crit(hour());
    assert_eq!(asks(&mut scene, "jo", snooze.clone()), Err(Refusal::NotSnoozing(State::Open)));
    assert_eq!(scene.resolve("jo"), Ok(true));
    assert_eq!(asks(&mut scene, "jo", snooze), Err(Refusal::NotSnoozing(State::Resolved)));
}

#[test]
fn p22_a_hand_over_ends_by_whichever_comes_first() {
    let mut scene = claimed(hour());
    scene.at(200);
    assert_eq!(asks(&mut scene, "jo", StateChange::HandTo(person("kim@x.org"))), Ok(true));
    assert_eq!(ends(&scene), Some(800), "kim must answer first");
    assert_eq!(plan::answer_by(&scene.incident), Some(after(800)));
    assert_eq!(asks(&mut scene, "kim@x.org", StateChange::Claim(TakeOver::No)), Ok(true));
    assert_eq!((ends(&scene), plan::answer_by(&scene.incident)), (Some(3800), None));
}

#[test]
fn p14_the_end_moves_with_its_claim_after_the_clock_went_back() {
    let mut scene = Scene::crit(hour());
    scene.at(100_000);
    assert_eq!(scene.claim("jo"), Ok(true));
    scene.at(50);
    let back = scene.try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert!(matches!(back, plan::Decision::Change(_)));
    assert_eq!(ends(&scene), Some(3650));
    let again = scene.try_step(plan::Input::ClockWentBack { lease: super::LEASE });
    assert_eq!(again, plan::Decision::Nothing);
}

#[test]
fn p22_a_claim_that_ends_needs_a_newer_format_and_survives_being_stored() {
    let stored = |scene: &Scene| serde_json::to_value(&scene.incident).unwrap();
    let scene = claimed(hour());
    let body = stored(&scene);
    assert_eq!((&body["format"], &body["matrix"]["claimTimeoutMillis"]), (&4.into(), &3_600_000.into()));
    assert_eq!(serde_json::from_value::<crate::model::Incident>(body).unwrap(), scene.incident);
    let plain = stored(&claimed(Matrix::new(vec![contacts("a")], contacts("z"), super::WAIT)));
    assert_eq!((&plain["format"], plain.get("claimEnd")), (&1.into(), None));
}
