//! Answers over channels: whose counts, in which round, and for what (promise 20).

use super::scene::Scene;
use super::{levels, person, timed};
use crate::model::{
    Contact, KeyName, Level, Matrix, MethodName, PersonId, Receipt, Recipient, Scheme, Severity, State,
    StatusUpdates,
};
use crate::notify::Outcome;
use crate::plan::{
    Answer, AnswerTo, Decision, HoldNothing, Input, Refusal, StateChange, TakeOver, Update, Wanted,
};

use Wanted::{Claim, Escalate, Resolve};

/// `jo` has the phone, `kim` the chat, and nobody is known to have `room`.
fn matrix() -> Matrix {
    let of = |contact: &str, who: &str| Recipient {
        level: Some(Level::At(1)),
        contact: at(contact),
        person: PersonId::new(who).unwrap(),
        method: MethodName::new("m").unwrap(),
    };
    levels(&["phone chat room", "later"]).reaching(vec![of("phone", "jo"), of("chat", "kim")])
}

fn at(name: &str) -> Contact {
    Contact::new(format!("{name}@x.org")).unwrap()
}

fn alerted() -> Scene {
    let mut scene = Scene::crit(matrix());
    scene.due();
    scene.at(1).accepts("1:phone 1:chat 1:room");
    scene.at(2);
    scene
}

/// An answer to the alert at `to` from the account `from`, which belongs to `account`.
fn answer(scene: &Scene, to: &str, from: Option<&str>, account: Option<&str>, wants: Wanted) -> Answer {
    Answer {
        to: AnswerTo::Delivery(scene.incident.delivery_id(scene.key(&format!("1:{to}")))),
        from: from.map(at),
        account: account.map(person),
        wants,
        counts_in: None,
        over: KeyName::channel(&Scheme::new("sms").unwrap()),
    }
}

/// What the answer does: the new state and who has it, `nothing`, or the refusal.
fn taken(scene: &mut Scene, answer: &Answer) -> String {
    match scene.try_step(Input::Answer { answer, round: None }) {
        Decision::Change(_) => match scene.incident.claimed() {
            Some(claimed) => format!("{} {}", scene.incident.state(), claimed.by),
            None => scene.incident.state().to_string(),
        },
        Decision::Nothing => "nothing".to_owned(),
        Decision::Refuse(refusal) => refusal.to_string(),
        Decision::NeedsRound(of) => panic!("an answer needs no round: {of:?}"),
    }
}

#[test]
fn p20_an_answer_counts_only_for_the_person_who_was_asked() {
    let not_asked = Refusal::NotAsked.to_string();
    let unknown = Refusal::UnknownAccount.to_string();
    for (to, from, account, expected) in [
        // Over the address that was alerted, even if the roster knows no account any more.
        ("phone", Some("phone"), Some("jo"), "CLAIMED jo"),
        ("phone", Some("phone"), None, "CLAIMED jo"),
        // The delivery keeps the person it was sent for, even if somebody else has the address now.
        ("phone", Some("phone"), Some("kim"), "CLAIMED jo"),
        // Over another account of the same person.
        ("phone", Some("chat2"), Some("jo"), "CLAIMED jo"),
        // A secret that only the message has.
        ("phone", None, None, "CLAIMED jo"),
        ("phone", Some("chat"), Some("kim"), &not_asked),
        ("phone", Some("stranger"), None, &not_asked),
        // A shared address: everybody who has it may answer, under their own name if they have one.
        ("room", Some("chat"), Some("kim"), "CLAIMED kim"),
        ("room", Some("room"), None, "CLAIMED room@x.org"),
        ("room", None, None, "CLAIMED room@x.org"),
        ("room", Some("stranger"), None, &unknown),
    ] {
        let mut scene = alerted();
        let answer = answer(&scene, to, from, account, Claim);
        assert_eq!(taken(&mut scene, &answer), expected, "{to} from {from:?} of {account:?}");
        let changed = expected.starts_with("CLAIMED");
        assert_eq!(scene.incident.state() == State::Claimed, changed);
    }
}

#[test]
fn p20_an_answer_to_the_alert_at_an_address_needs_such_an_alert_in_this_round() {
    for (contact, expected) in
        [("phone", "CLAIMED jo"), ("later", "the message was not sent to the person who answered")]
    {
        let mut scene = alerted();
        let to = AnswerTo::AlertTo(at(contact));
        let answer = Answer { to, ..answer(&scene, "phone", Some(contact), None, Claim) };
        assert_eq!(taken(&mut scene, &answer), expected, "{contact}");
    }
}

/// The phone is alerted again in each round, so only the round in which the reply first came tells a replay.
#[test]
fn p20_a_reply_that_names_no_message_counts_only_in_the_round_in_which_it_first_came() {
    let repeated = Refusal::Repeated.to_string();
    for (counts_in, now, wants, expected) in [
        (1, "", Claim, "CLAIMED jo"),
        (1, "claim", Claim, "nothing"),
        (1, "release", Claim, &*repeated),
        (1, "release", Resolve, &repeated),
        (2, "release", Claim, "CLAIMED jo"),
        (2, "release", Resolve, "RESOLVED"),
        (1, "release, claim", Claim, &repeated),
        (1, "release, claim", Resolve, &repeated),
        (2, "release, claim", Claim, "nothing"),
        (1, "release, claim, resolve", Resolve, "nothing"),
        // It was refused before.
        (0, "claim", Resolve, &repeated),
        (0, "", Claim, &repeated),
    ] {
        let mut scene = alerted();
        for act in now.split(", ").filter(|act| !act.is_empty()) {
            match act {
                "release" => {
                    assert_eq!(scene.claim("jo"), Ok(true));
                    assert_eq!(scene.release("jo"), Ok(true));
                    scene.due();
                    scene.accepts("1:phone");
                }
                "claim" => assert_eq!(scene.claim("jo"), Ok(true)),
                _ => assert_eq!(scene.resolve("jo"), Ok(true)),
            }
        }
        let to = AnswerTo::AlertTo(at("phone"));
        let reply = answer(&scene, "phone", Some("phone"), None, wants);
        let reply = Answer { to, counts_in: Some(counts_in), ..reply };
        let before = scene.incident.clone();
        let case = format!("it counts in round {counts_in}; {now}; {wants:?}");
        assert_eq!(taken(&mut scene, &reply), expected, "{case}");
        let changes = expected.starts_with("CLAIMED") || expected == "RESOLVED";
        assert_eq!(scene.incident != before, changes, "{case}");
    }
}

#[test]
fn p20_late_and_repeated_answers_change_nothing_and_are_told_why() {
    let claimed_by_jo = "it is claimed by jo";
    for (then, wants, expected) in [
        ("claim jo", Claim, claimed_by_jo),
        ("claim jo", Resolve, claimed_by_jo),
        ("claim jo", Escalate, claimed_by_jo),
        ("claim kim", Claim, "nothing"),
        ("claim kim", Resolve, "RESOLVED kim"),
        ("resolve jo", Claim, "an incident that is RESOLVED cannot become CLAIMED"),
        ("resolve jo", Resolve, "nothing"),
        ("resolve jo", Escalate, "it is RESOLVED, so there is nothing to escalate"),
        ("release jo", Claim, "the message is from an earlier round"),
        ("release jo", Resolve, "the message is from an earlier round"),
        ("release jo", Escalate, "the message is from an earlier round"),
        ("", Escalate, "OPEN"),
        ("", Resolve, "RESOLVED"),
    ] {
        let mut scene = alerted();
        let answer = answer(&scene, "chat", Some("chat"), Some("kim"), wants);
        match then.split_once(' ') {
            Some(("claim", by)) => assert_eq!(scene.claim(by), Ok(true)),
            Some(("resolve", by)) => assert_eq!(scene.resolve(by), Ok(true)),
            Some((_, by)) => {
                assert_eq!(scene.claim(by), Ok(true));
                assert_eq!(scene.release(by), Ok(true));
            }
            None => {}
        }
        let before = scene.incident.clone();
        assert_eq!(taken(&mut scene, &answer), expected, "{then}, then {wants:?}");
        let changes = ["RESOLVED", "RESOLVED kim", "OPEN"].contains(&expected);
        assert_eq!(scene.incident != before, changes, "{then}, then {wants:?}");
        // The same bytes again.
        let again = taken(&mut scene, &answer);
        assert!(!changes || again == "nothing" || wants == Escalate, "{then}, then {wants:?} again: {again}");
    }
}

#[test]
fn p20_an_answer_to_a_status_update_counts_even_if_a_later_one_has_replaced_it() {
    let replaced = Refusal::Replaced.to_string();
    let earlier = Refusal::EarlierRound.to_string();
    for (then, from, expected) in [
        ("", Some("phone"), "RESOLVED jo"),
        ("", Some("stranger"), &replaced),
        ("", None, &replaced),
        ("release", Some("phone"), &earlier),
        ("release", None, &earlier),
    ] {
        let mut scene = Scene::crit(matrix().with_status_updates(StatusUpdates::On));
        scene.due();
        scene.at(1).accepts("1:phone 1:chat 1:room");
        assert_eq!(scene.claim("kim"), Ok(true));
        scene.due();
        let mut updates = scene.incident.deliveries.iter().filter(|d| d.is_status_update());
        let to_jo = updates.find(|d| d.contact == at("phone")).expect("jo is told that kim has it").key();
        let id = scene.incident.delivery_id(to_jo);
        let take_over = Update::state(person("jo"), StateChange::Claim(TakeOver::Yes));
        assert_eq!(scene.asks(&take_over), Ok(true));
        assert!(scene.incident.delivery(&id).is_none(), "a later status update replaces it");
        if then == "release" {
            assert_eq!(scene.release("jo"), Ok(true));
        }
        let answer = Answer { to: AnswerTo::Delivery(id), ..answer(&scene, "chat", from, None, Resolve) };
        assert_eq!(taken(&mut scene, &answer), expected, "{then}, from {from:?}");
    }
}

#[test]
fn p20_a_message_that_was_never_sent_cannot_be_answered() {
    let mut scene = Scene::crit(matrix());
    scene.due_without_slots(&["1:phone"]);
    let answer = answer(&scene, "phone", Some("phone"), None, Claim);
    assert_eq!(taken(&mut scene, &answer), Refusal::NotAsked.to_string());
}

#[test]
fn p11_a_message_with_a_receipt_is_changed_on_a_claim_even_if_nobody_is_told() {
    let receipt = || Outcome::AcceptedAs(Receipt::new("C1/17.5").unwrap());
    // The carrier's answer comes before or after the claim.
    for early in [true, false] {
        let mut scene = Scene::crit(matrix());
        scene.due();
        scene.at(1).accepts("1:phone 1:room");
        if early {
            scene.ends("1:chat", &receipt());
        }
        assert_eq!(scene.at(2).claim("kim"), Ok(true));
        if !early {
            scene.at(3).ends("1:chat", &receipt());
        }
        let sends = scene.lease(&HoldNothing);
        let told: Vec<_> = sends.iter().map(|send| &send.contact).collect();
        assert_eq!(told, [&at("chat")], "early: {early}");
        assert!(sends[0].delivery.purpose.is_status_update());
        let [send] = &sends[..] else { panic!("{sends:?}") };
        scene.attempt_ends_of(send, &Outcome::Accepted);
        assert_eq!(scene.next(), None);
    }
}

#[test]
fn p20_a_phone_of_two_people_answers_for_the_one_whose_rule_of_this_severity_has_it() {
    let rules = [(Severity::Warn, &["jo:p jo:q", "z"][..]), (Severity::Crit, &["kim:p jo:q", "z"][..])];
    for (severity, expected) in [(Severity::Warn, "CLAIMED jo"), (Severity::Crit, "CLAIMED kim")] {
        let mut scene = Scene::open(timed(&rules), severity);
        assert_eq!(scene.due(), "1:p 1:q");
        let answer = answer(&scene, "p", Some("p"), None, Claim);
        assert_eq!(taken(&mut scene, &answer), expected, "{severity}");
    }
}

#[test]
fn p20_an_alert_escalates_once_however_often_the_answer_comes() {
    let mut scene = Scene::crit(levels(&["phone", "kim", "lee"]));
    scene.due();
    scene.at(1).accepts("1:phone");
    let of_level_1 = answer(&scene, "phone", Some("phone"), None, Escalate);
    assert_eq!(taken(&mut scene, &of_level_1), "OPEN");
    assert_eq!(taken(&mut scene, &of_level_1), "nothing", "the next level is due");
    assert_eq!(scene.due(), "2:kim");
    scene.accepts("2:kim");
    assert_eq!(taken(&mut scene, &of_level_1), "nothing", "the next level has begun");
    assert_eq!(scene.due(), "");
    let to = AnswerTo::Delivery(scene.incident.delivery_id(scene.key("2:kim")));
    let of_level_2 = Answer { to, from: Some(at("kim")), ..of_level_1 };
    assert_eq!(taken(&mut scene, &of_level_2), "OPEN");
    assert_eq!(scene.due(), "3:lee");
    assert_eq!(scene.resolve("lee"), Ok(true));
    let late = "it is RESOLVED, so there is nothing to escalate";
    assert_eq!(taken(&mut scene, &of_level_2), late, "it is not said that it was escalated");
}

#[test]
fn p20_who_was_handed_the_incident_confirms_with_a_reply_that_names_only_the_incident() {
    let mut scene = alerted();
    let hand_to = Update::state(person("jo"), StateChange::HandTo(person("lee@x.org")));
    assert_eq!(scene.asks(&hand_to), Ok(true));
    assert!(scene.incident.handover().is_some());
    scene.due();
    let to = AnswerTo::AlertTo(at("lee"));
    let reply = Answer { to, ..answer(&scene, "phone", Some("lee"), None, Claim) };
    assert_eq!(taken(&mut scene, &reply), "CLAIMED lee@x.org");
    assert!(scene.incident.handover().is_none(), "the hand-over is answered");
}
