//! People who are called in while the claim stays: promises 9, 11, 19 and 20.

use super::scene::Scene;
use super::{LEASE, contacts, levels, name, person, timed};
use crate::model::{
    DeliveryStatus, Event, KeyName, Level, Matrix, Receipt, Scheme, Severity, State, TeamName,
};
use crate::notify::Outcome;
use crate::plan::{
    self, Answer, AnswerTo, Decision, HoldNothing, Input, Refusal, StateChange, TakeOver, Update, Wanted,
};

/// `kim` gets a push at once and a call after three minutes.
const KIM: &str = "kim:push kim:call@180";

/// An incident that jo claims at 100.
fn claimed() -> Scene {
    claimed_of(levels(&["a", "b", "c"]))
}

fn claimed_of(matrix: Matrix) -> Scene {
    let mut scene = Scene::crit(matrix);
    scene.due();
    scene.at(1).accepts("1:a").at(100);
    assert_eq!(scene.claim("jo"), Ok(true));
    scene
}

fn holder(scene: &Scene) -> String {
    scene.incident.claimed().map_or_else(|| "nobody".to_owned(), |claimed| claimed.by.to_string())
}

fn responders(scene: &Scene) -> Vec<String> {
    scene.incident.responders().iter().map(|one| one.by.to_string()).collect()
}

/// What happens after `happens`: all sends from then on, with their seconds.
fn sent(scene: &mut Scene) -> String {
    scene.play(0)
}

#[test]
fn p09_people_who_are_called_in_get_each_step_of_their_rule_and_the_claim_stays() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", KIM), Ok(true));
    assert_eq!((scene.incident.state(), holder(&scene)), (State::Claimed, "jo".to_owned()));
    assert_eq!((scene.next(), plan::next_alert_at(&scene.incident)), (Some(100.0), Some(scene.now)));
    assert_eq!(sent(&mut scene), "100 c1:push, 280 c1:call");
    assert_eq!((scene.incident.state(), holder(&scene)), (State::Claimed, "jo".to_owned()));
    let told =
        |e: &Event| *e == Event::CalledIn { by: person("jo"), people: vec![person("kim")], level: None };
    assert_eq!(scene.told(told), 1);
    let standing = scene.incident.timeline().fold().unwrap();
    assert_eq!((standing.state, standing.claimed_by), (State::Claimed, Some(person("jo"))));
}

#[test]
fn p09_a_call_in_is_sent_again_until_it_is_accepted_or_dead() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:uphone"), Ok(true));
    let told = scene.play(700);
    assert!(told.starts_with("100 c1:uphone, 101 c1:uphone#2") || told.contains("c1:uphone#2"), "{told}");
    assert!(scene.delivery("c1:uphone").is_accepted(), "{told}");

    // Its process dies: it is due again when its lease ends.
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push"), Ok(true));
    assert_eq!(scene.due(), "c1:push");
    assert_eq!(scene.next(), Some(130.0));
    assert_eq!(scene.at(130).due(), "c1:push#2");
    // The process that sends it keeps its lease.
    assert!(scene.at(140).renews("c1:push"));
    assert_eq!(scene.next(), Some(140.0 + LEASE.as_secs_f64()));
    assert_eq!(plan::waiting_since(&scene.incident), Some(super::after(100)));
}

#[test]
fn p19_if_all_steps_so_far_are_dead_the_next_is_due_at_once() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:xpush kim:call@180 kim:late@400"), Ok(true));
    assert_eq!(sent(&mut scene), "100 c1:xpush, 100 c1:call, 500 c1:late");
}

#[test]
fn p11_what_stops_those_who_are_called_in() {
    type Deed = Box<dyn Fn(&mut Scene) -> Result<bool, Refusal>>;
    let take_over: Deed =
        Box::new(|s| s.asks(&Update::state(person("lee"), StateChange::Claim(TakeOver::Yes))));
    let hand_to = |to: &'static str| {
        move |s: &mut Scene| s.asks(&Update::state(person("jo"), StateChange::HandTo(person(to))))
    };
    // Kim and lee are called in at 100, and get their pushes then. This happens at 150; what is sent afterwards?
    let cases: [(&str, Deed, &str, &str); 9] = [
        ("nothing", Box::new(|_| Ok(true)), "jo", "280 c1:kcall c1:lcall"),
        ("kim answers", Box::new(|s| s.claim("kim")), "jo", "280 c1:lcall"),
        ("jo claims again", Box::new(|s| Ok(!s.claim("jo").unwrap())), "jo", "280 c1:kcall c1:lcall"),
        ("lee takes over", take_over, "lee", "280 c1:kcall"),
        ("handed to kim", Box::new(hand_to("kim")), "kim", "280 c1:lcall"),
        ("resolved", Box::new(|s| s.resolve("jo")), "jo", ""),
        ("resolved by kim", Box::new(|s| s.resolve("kim")), "jo", ""),
        ("a note", Box::new(|s| s.severity(Severity::Err)), "jo", "280 c1:kcall c1:lcall"),
        ("both answer", Box::new(|s| s.claim("kim").and(s.claim("lee"))), "jo", ""),
    ];
    for (what, deed, has_it, expected) in cases {
        let mut scene = claimed();
        let both = "kim:kpush kim:kcall@180 lee:lpush lee:lcall@180";
        assert_eq!(scene.call_in("jo", both), Ok(true));
        assert_eq!(scene.due(), "c1:kpush c1:lpush");
        scene.accepts("c1:kpush c1:lpush").at(150);
        assert_eq!(deed(&mut scene), Ok(true), "{what}");
        assert_eq!(holder(&scene), has_it, "{what}");
        let told: Vec<String> = (0..10)
            .map_while(|_| {
                let next = plan::due_at(&scene.incident).filter(|at| *at < super::after(400))?;
                scene.now = scene.now.max(next);
                let sends = scene.lease(&HoldNothing);
                sends.iter().for_each(|send| scene.attempt_ends_of(send, &Outcome::Accepted));
                let calls = sends.iter().filter(|send| send.delivery.purpose.is_call_in());
                let names: Vec<_> = calls.map(|send| format!(" c1:{}", name(&send.contact))).collect();
                Some(names.concat()).map(|names| {
                    if names.is_empty() {
                        names
                    } else {
                        format!("{}{names}", (scene.now - super::T0).num_seconds())
                    }
                })
            })
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(told.join(", "), expected, "{what}");
    }
}

#[test]
fn p06_a_person_who_is_called_in_and_claims_is_a_responder_and_the_claim_does_not_move() {
    let mut scene = claimed();
    assert_eq!(scene.claim("kim"), Err(Refusal::ClaimedBy(person("jo"))), "nobody called kim");
    assert_eq!(scene.call_in("jo", KIM), Ok(true));
    assert_eq!(scene.claim("lee"), Err(Refusal::ClaimedBy(person("jo"))), "nobody called lee");
    assert_eq!(scene.at(200).claim("kim"), Ok(true));
    assert_eq!((holder(&scene), responders(&scene)), ("jo".to_owned(), vec!["kim".to_owned()]));
    assert_eq!(scene.told(|e| matches!(e, Event::Responded { by } if *by == person("kim"))), 1);
    assert_eq!(scene.at(210).claim("kim"), Ok(false), "the same person again changes nothing");
    assert_eq!(scene.told(|e| matches!(e, Event::Claimed { .. })), 1);
    // A responder is not called again.
    assert_eq!(scene.call_in("jo", KIM), Ok(false));
    // Who has it is no responder.
    assert_eq!(scene.asks(&Update::state(person("kim"), StateChange::Claim(TakeOver::Yes))), Ok(true));
    assert_eq!((holder(&scene), responders(&scene)), ("kim".to_owned(), Vec::new()));
    // A release ends what belonged to the claim.
    assert_eq!(scene.release("kim"), Ok(true));
    assert_eq!(responders(&scene), Vec::<String>::new());
}

#[test]
fn p11_a_claim_stops_those_who_were_called_in_before_it() {
    let mut scene = Scene::crit(levels(&["a", "b"]));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a").at(10);
    assert_eq!(scene.call_in("al", KIM), Ok(true));
    assert_eq!(scene.incident.state(), State::Open);
    assert_eq!(scene.due(), "c1:push");
    // The push is still being sent when jo claims; it fails afterwards.
    assert_eq!(scene.at(20).claim("jo"), Ok(true));
    scene.ends("c1:push", &Outcome::unavailable("421"));
    assert_eq!(scene.next(), None);
    assert!(matches!(scene.delivery("c1:call").status(), DeliveryStatus::Stopped { .. }));
    // Who is called in after the claim is alerted.
    assert_eq!(scene.at(30).call_in("jo", KIM), Ok(true));
    assert_eq!(sent(&mut scene), "30 c2:push, 210 c2:call");
}

#[test]
fn p05_a_person_who_is_called_in_to_an_open_incident_may_claim_it() {
    let mut scene = Scene::crit(levels(&["a"]));
    scene.due();
    scene.accepts("1:a").at(10);
    assert_eq!(scene.call_in("al", KIM), Ok(true));
    assert_eq!(scene.at(20).claim("kim"), Ok(true));
    assert_eq!((holder(&scene), responders(&scene)), ("kim".to_owned(), Vec::new()));
    assert_eq!(scene.next(), None);
}

#[test]
fn p09_a_new_round_goes_on_with_those_who_have_not_answered() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push kim:call@180 lee:lpush"), Ok(true));
    assert_eq!(scene.due(), "c1:push c1:lpush");
    scene.accepts("c1:push");
    // Lee's push is being sent. It may be lost with its process, so it is due again when its lease ends.
    assert_eq!(scene.at(110).release("jo"), Ok(true));
    assert_eq!(scene.due(), "1:a");
    scene.accepts("1:a");
    let mut accepted = scene.clone();
    assert_eq!(scene.at(130).due(), "c1:lpush");
    scene.accepts("c1:lpush");
    assert_eq!(scene.at(280).due(), "c1:call");
    // If it was accepted after all, it is not repeated.
    let first = accepted.incident.deliveries().iter().find(|d| name(d.contact()) == "lpush").unwrap().key();
    assert_eq!(first.round, 1);
    let outcome = Input::Outcome { delivery: first, attempt: 1, outcome: &Outcome::Accepted };
    assert!(matches!(accepted.try_step(outcome), Decision::Change(_)));
    assert_eq!(accepted.at(130).due(), "");
    // Nobody goes on after somebody answered.
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", KIM), Ok(true));
    scene.due();
    scene.accepts("c1:push");
    assert_eq!(scene.claim("kim"), Ok(true));
    assert_eq!(scene.at(110).release("jo"), Ok(true));
    assert_eq!(scene.play(0), "110 1:a, 710 2:b, 1310 3:c, 1910 f:z unclaimed");
}

#[test]
fn p11_to_escalate_a_claimed_incident_calls_in_the_next_level() {
    let mut scene = claimed();
    assert!(plan::may_escalate(&scene.incident));
    assert_eq!(scene.escalate("jo"), Ok(true));
    assert_eq!((scene.due().as_str(), holder(&scene)), ("c1:b", "jo".to_owned()));
    scene.accepts("c1:b");
    assert_eq!(scene.at(110).escalate("al"), Ok(true));
    assert_eq!(scene.due(), "c2:c");
    scene.accepts("c2:c");
    assert_eq!(scene.at(120).escalate("al"), Ok(true));
    assert_eq!(scene.due(), "c3:z");
    assert_eq!(
        (scene.escalate("al"), plan::may_escalate(&scene.incident)),
        (Err(Refusal::NobodyLeft), false)
    );
    let level = |e: &Event| matches!(e, Event::CalledIn { level: Some(Level::At(2)), .. });
    assert_eq!((scene.told(level), scene.told(|e| matches!(e, Event::Escalated { .. }))), (1, 3));
    assert_eq!(scene.incident.begun().len(), 1, "no level begins in a claimed incident");
    assert_eq!(scene.resolve("jo"), Ok(true));
    assert_eq!(scene.escalate("al"), Err(Refusal::NotEscalating(State::Resolved)));
    assert_eq!(scene.call_in("al", KIM), Err(Refusal::NotCalling(State::Resolved)));

    // The people of a level have their rules.
    let steps = timed(&[(Severity::Crit, &["jo:a", "kim:push kim:call@180", ""])]);
    let mut scene = claimed_of(steps);
    assert_eq!(scene.escalate("jo"), Ok(true));
    assert_eq!(sent(&mut scene), "100 c1:push, 280 c1:call");
    // A level of nobody but the claimant is passed over.
    let mut scene = claimed_of(timed(&[(Severity::Crit, &["jo:a", "jo:b", "kim:push"])]));
    assert_eq!(scene.escalate("jo"), Ok(true));
    assert_eq!(scene.due(), "c1:push");
}

#[test]
fn p07_a_round_has_room_for_a_bounded_number_of_calls() {
    let mut scene = claimed();
    let fourteen: Vec<String> = (0..7).map(|i| format!("p{i}:push{i} p{i}:call{i}@180")).collect();
    assert_eq!(scene.call_in("jo", &fourteen.join(" ")), Ok(true));
    // The latest steps are left out first, but everybody keeps the first one.
    assert_eq!(scene.call_in("jo", "x1:a1 x1:b1@60 x2:a2 x2:b2@90 x3:a3 x3:b3@30 x4:a4"), Ok(true));
    assert_eq!(scene.told(|e| matches!(e, Event::AlertsCut { alerts: 1, .. })), 1);
    let calls = scene.incident.deliveries().iter().filter(|d| d.key().purpose.is_call_in());
    assert_eq!(calls.count(), plan::MAX_CALLED);
    assert_eq!(scene.call_in("jo", "kim:push"), Err(Refusal::TooManyCalled));
    let before = scene.incident.clone();
    assert_eq!(scene.escalate("jo"), Err(Refusal::TooManyCalled));
    assert_eq!(scene.incident, before, "a refusal changes nothing");
}

#[test]
fn nobody_is_called_twice_while_their_first_call_is_not_settled() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push"), Ok(true));
    assert_eq!(scene.call_in("al", "kim:push"), Ok(false));
    scene.due();
    assert_eq!(scene.call_in("al", "kim:push"), Ok(false));
    scene.accepts("c1:push");
    assert_eq!(scene.call_in("al", "kim:push"), Ok(true), "kim did not answer");
    assert_eq!(scene.due(), "c2:push");
    assert_eq!(scene.call_in("jo", "jo:push"), Ok(false), "who has it is not called");
}

#[test]
fn an_address_means_one_contact_with_or_without_its_scheme() {
    for name in ["room@x.org", "mailto:room@x.org", "MAILTO:room@X.org"] {
        let mut scene = claimed();
        assert_eq!(scene.call_in("jo", "room"), Ok(true));
        scene.due();
        scene.accepts("c1:room");
        assert_eq!(scene.claim(name), Ok(true), "{name}");
        assert_eq!(scene.call_in("jo", "room"), Ok(false), "{name} is here");
    }
}

/// An answer to the call that is written like `c1:push`.
fn answer(scene: &Scene, to: &str, account: Option<&str>, wants: Wanted) -> Answer {
    Answer {
        to: AnswerTo::Delivery(scene.incident.delivery_id(scene.key(to))),
        from: None,
        account: account.map(person),
        wants,
        counts_in: None,
        over: KeyName::channel(&Scheme::new("sms").unwrap()),
    }
}

fn taken(scene: &mut Scene, answer: &Answer) -> String {
    match scene.try_step(Input::Answer { answer, round: None }) {
        Decision::Change(_) => {
            format!("{} {} +{}", scene.incident.state(), holder(scene), responders(scene).join("+"))
        }
        Decision::Nothing => "nothing".to_owned(),
        Decision::Refuse(refusal) => refusal.to_string(),
        Decision::NeedsRound(of) => panic!("an answer needs no round: {of:?}"),
    }
}

#[test]
fn p20_an_answer_of_somebody_who_was_called_in_counts_and_the_claim_stays() {
    let claimed_by_jo = Refusal::ClaimedBy(person("jo")).to_string();
    let not_asked = Refusal::NotAsked.to_string();
    let cases = [
        ("c1:push", None, Wanted::Claim, "CLAIMED jo +kim"),
        ("c1:push", Some("kim"), Wanted::Claim, "CLAIMED jo +kim"),
        ("c1:push", None, Wanted::Resolve, "RESOLVED jo +"),
        ("c1:push", None, Wanted::Escalate, "CLAIMED jo +"),
        ("c1:room", Some("lee"), Wanted::Claim, "CLAIMED jo +lee"),
        ("c1:room", None, Wanted::Claim, "CLAIMED jo +room@x.org"),
        // An alert of before the claim, to somebody who was not called in.
        ("1:a", None, Wanted::Claim, &claimed_by_jo),
        ("1:a", None, Wanted::Escalate, &claimed_by_jo),
        // Nothing was sent there yet.
        ("c1:call", None, Wanted::Claim, &not_asked),
    ];
    for (to, account, wants, expected) in cases {
        let mut scene = claimed();
        assert_eq!(scene.call_in("jo", "kim:push kim:call@180 room"), Ok(true));
        assert_eq!(scene.due(), "c1:push c1:room");
        scene.accepts("c1:push c1:room").at(150);
        let answer = answer(&scene, to, account, wants);
        assert_eq!(taken(&mut scene, &answer), expected, "{to} {account:?} {wants:?}");
        if expected == "CLAIMED jo +kim" {
            assert_eq!(taken(&mut scene, &answer), "nothing", "the same answer again");
            assert_eq!(scene.next(), None, "the call is stopped");
        }
    }
    // An answer to an earlier round does not count.
    let mut scene = claimed();
    scene.call_in("jo", "kim:push").unwrap();
    scene.due();
    scene.accepts("c1:push");
    let late = answer(&scene, "c1:push", None, Wanted::Claim);
    assert_eq!(scene.release("jo"), Ok(true));
    assert_eq!(taken(&mut scene, &late), Refusal::EarlierRound.to_string());
    assert_eq!(scene.claim("jo"), Ok(true));
    assert_eq!(taken(&mut scene, &late), claimed_by_jo);
}

#[test]
fn p06_an_answer_at_a_shared_address_counts_for_everybody_who_has_the_link() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "room"), Ok(true));
    scene.due();
    scene.accepts("c1:room");
    let claim = |by: &str, at: &str| Update {
        asked_at: Some(contacts(at).remove(0)),
        ..Update::state(person(by), StateChange::Claim(TakeOver::No))
    };
    assert_eq!(scene.asks(&claim("lee", "a")), Err(Refusal::ClaimedBy(person("jo"))));
    assert_eq!(scene.asks(&claim("lee", "room")), Ok(true));
    assert_eq!(responders(&scene), ["lee"]);
    // A bounded number of people may answer there.
    for i in 1..plan::MAX_CALLED {
        assert_eq!(scene.asks(&claim(&format!("p{i}"), "room")), Ok(true));
    }
    assert_eq!(scene.asks(&claim("last", "room")), Err(Refusal::ClaimedBy(person("jo"))));
}

#[test]
fn a_message_that_shows_a_state_is_changed_when_its_person_answers_and_not_before() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push kim:call@180"), Ok(true));
    assert_eq!(scene.due(), "c1:push");
    scene.ends("c1:push", &Outcome::AcceptedAs(Receipt::new("ts1").unwrap())).at(150);
    assert_eq!(scene.due(), "", "the call stands");
    // Another person takes over: the call still stands.
    assert_eq!(scene.asks(&Update::state(person("al"), StateChange::Claim(TakeOver::Yes))), Ok(true));
    assert_eq!(scene.due(), "");
    assert_eq!(scene.claim("kim"), Ok(true));
    assert_eq!(scene.due(), "n1:push");
    scene.accepts_update("push");
    assert_eq!((scene.next(), scene.resolve("al")), (None, Ok(true)));
    assert_eq!(scene.due(), "n2:push");
}

#[test]
fn p12_a_bounce_or_a_report_of_a_call_in_a_claimed_incident_counts() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push kim:call@180"), Ok(true));
    scene.due();
    scene.accepts("c1:push").at(110);
    assert!(scene.fails_later("c1:push", 1));
    assert!(scene.next().is_some_and(|at| at < 280.0), "it is sent again");
    assert_eq!(scene.at(279).due(), "c1:push#2");
    scene.accepts("c1:push");
    assert_eq!(scene.bounces("c1:push"), [true]);
    assert_eq!(scene.due(), "c1:call", "the next step is due at once");
    // After the answer neither counts.
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", "kim:push"), Ok(true));
    scene.due();
    scene.accepts("c1:push");
    assert_eq!(scene.claim("kim"), Ok(true));
    assert_eq!((scene.bounces("c1:push"), scene.fails_later("c1:push", 1)), (vec![false], false));
}

#[test]
fn p14_a_step_of_somebody_who_was_called_in_moves_with_the_clock() {
    let mut scene = claimed();
    assert_eq!(scene.at(5000).call_in("jo", KIM), Ok(true));
    assert_eq!(scene.due(), "c1:push");
    scene.accepts("c1:push").at(1000);
    let corrected = scene.try_step(Input::ClockWentBack { lease: LEASE });
    assert!(matches!(corrected, Decision::Change(_)));
    assert_eq!(scene.next(), Some(1180.0));
}

#[test]
fn p14_a_new_round_goes_on_calling_soon_whatever_clock_set_the_due_time() {
    const YEAR: i64 = 365 * 24 * 3600;
    type Deed = fn(&mut Scene);
    // Kim is called in at 100. This happens by the clock of a server that is a year ahead. Another server begins a round at
    // 200; when is kim alerted at the latest?
    let cases: [(&str, Deed, f64); 4] = [
        ("the carrier fails", |scene| _ = scene.ends("c1:push", &Outcome::unavailable("421")), 230.0),
        (
            "it asks for a pause",
            |scene| _ = scene.ends("c1:push", &Outcome::throttled(std::time::Duration::from_secs(900), "")),
            230.0,
        ),
        ("the server dies during the first send", |_| {}, 200.0 + 3600.0),
        ("a later step is being sent", |scene| _ = scene.accepts("c1:push"), 200.0 + 3600.0),
    ];
    for (what, deed, latest) in cases {
        let mut scene = claimed();
        let people = if what.starts_with("a later step") { KIM } else { "kim:push" };
        assert_eq!(scene.call_in("jo", people), Ok(true));
        assert!(scene.at(YEAR).due().starts_with("c1:push"), "{what}");
        deed(&mut scene);
        let team = StateChange::HandToTeam(TeamName::new("db").unwrap());
        assert_eq!(scene.at(200).asks(&Update::state(person("jo"), team)), Ok(true), "{what}");
        scene.due();
        scene.accepts("1:a");
        let calls = scene.incident.current_deliveries().filter(|d| d.key().purpose.is_call_in());
        let due = calls.filter_map(|d| d.due_at()).map(|at| (at - super::after(0)).as_seconds_f64());
        let due: Vec<f64> = due.collect();
        assert!(!due.is_empty() && due.iter().all(|at| *at <= latest), "{what}: {due:?}");
    }
}

#[test]
fn an_older_server_leaves_an_incident_with_calls_alone() {
    let mut scene = claimed();
    assert_eq!(scene.incident.format, crate::model::FIRST_FORMAT);
    assert_eq!(scene.call_in("jo", KIM), Ok(true));
    assert_eq!(scene.incident.format, crate::model::CALL_INS);
    let body = plan::Draft::new(scene.incident.clone()).body();
    let stored: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(stored["callIns"], serde_json::json!({ "count": 1 }));
    let last = stored["deliveries"].as_array().unwrap().last().unwrap();
    assert_eq!(last["level"], serde_json::json!({ "callIn": 1 }));
    assert_eq!(last["called"], serde_json::json!({ "by": "jo", "people": ["kim"] }));
}

#[test]
fn an_incident_of_another_team_goes_on_calling() {
    let mut scene = claimed();
    assert_eq!(scene.call_in("jo", KIM), Ok(true));
    scene.due();
    scene.accepts("c1:push").at(120);
    let team = StateChange::HandToTeam(TeamName::new("db").unwrap());
    assert_eq!(scene.asks(&Update::state(person("jo"), team)), Ok(true));
    assert_eq!(scene.play(0).split(", ").take(2).collect::<Vec<_>>(), ["120 1:a", "280 c1:call"]);
}
