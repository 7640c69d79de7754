//! A person who is given an incident and cannot be told, or does not answer.

use inresponse_core::engine::{Advanced, Receiver, Updated};
use inresponse_core::model::{Event, IncidentNumber, State};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{StateChange, TakeOver};
use inresponse_core::roster::Team;
use inresponse_core::store::Record;
use inresponse_core::testing::RosterTestExt;

use crate::support::{Mood, Stage, after, contacts, crit, person, secs, team};

/// Alerted at level 1, and given to `to` at 10.
async fn handed(stage: &Stage, to: &str) -> IncidentNumber {
    let number = stage.report(crit("athens")).await;
    let _ = stage.advance(number).await;
    stage.clock.jump(after(10));
    let handed = stage.request(number, "jo", StateChange::HandTo(person(to))).await;
    assert!(matches!(handed, Updated::Changed(record) if record.incident.state() == State::Claimed));
    number
}

fn flagged_at(record: &Record) -> Option<i64> {
    let at = record.incident.handover().and_then(|handover| handover.unconfirmed_at);
    at.map(|at| (at - after(0)).num_seconds())
}

fn told(record: &Record, what: impl Fn(&Event) -> bool) -> usize {
    record.incident.timeline().entries().iter().filter(|entry| what(&entry.event)).count()
}

/// Goes from one due time to the next until the incident is open again; answers when it was flagged and when that was.
async fn until_open(stage: &Stage, number: IncidentNumber) -> (Option<i64>, i64) {
    let mut flagged = None;
    for _ in 0..200 {
        let next = stage.advance(number).await;
        let record = stage.incident(number).await;
        flagged = flagged.or(flagged_at(&record));
        if record.incident.state() == State::Open {
            assert_eq!(told(&record, |e| matches!(e, Event::HandoverUnanswered { .. })), 1);
            return (flagged, (record.incident.updated_at() - after(0)).num_seconds());
        }
        match next {
            Advanced::WaitUntil(at) => stage.clock.jump(at),
            other => panic!("it is an orphan: {other:?}"),
        }
    }
    panic!("never")
}

#[tokio::test]
async fn p22_a_hand_over_that_cannot_be_notified_is_flagged_and_open_again_after_the_wait() {
    type Moods = fn(&Stage);
    let refusing: Moods =
        |stage| stage.carrier.always("k", Mood::Answers(Outcome::rejected("550 no such user")));
    let down: Moods =
        |stage| stage.carrier.always("k", Mood::Answers(Outcome::unavailable("no route to host")));
    let accepting: Moods = |_| {};
    for (what, to, mood, flagged) in [
        ("a server that refuses", "k@x.org", refusing, Some(10)),
        ("a server that is down", "k@x.org", down, Some(70)),
        ("a name", "kim", accepting, Some(70)),
        ("no notifier", "sms:+30123", accepting, Some(10)),
        ("a server that accepts", "k@x.org", accepting, None),
    ] {
        let stage = Stage::new(&["a", "b"]).await;
        mood(&stage);
        let number = handed(&stage, to).await;
        let (seen, open) = until_open(&stage, number).await;
        assert_eq!((seen, open), (flagged, 610), "{what}");
        let alerts: Vec<_> = stage.carrier.sent().into_iter().filter(|sent| sent.level == "1").collect();
        let rounds: Vec<_> = alerts.iter().map(|sent| (sent.round, sent.to.as_str())).collect();
        assert_eq!(rounds, [(1, "a"), (2, "a")], "{what}");
    }
}

#[tokio::test]
async fn p22_the_runner_opens_it_again_and_an_answer_keeps_it() {
    let stage = Stage::new(&["a", "b"]).await;
    let mut running = stage.run();
    let number = stage.report(crit("athens")).await;
    stage.pass(secs(10)).await;
    let _ = stage.request(number, "jo", StateChange::HandTo(person("kim"))).await;
    stage.pass(secs(599)).await;
    assert_eq!(stage.incident(number).await.incident.state(), State::Claimed);
    stage.pass(secs(3)).await;
    assert_eq!(stage.incident(number).await.incident.state(), State::Open);
    assert_eq!(stage.carrier.sent_to("a").len(), 2);

    let _ = stage.request(number, "jo", StateChange::HandTo(person("kim"))).await;
    assert!(matches!(stage.claim(number, "kim").await, Updated::Changed(_)));
    stage.pass(secs(2000)).await;
    assert_eq!(stage.incident(number).await.incident.state(), State::Claimed);
    running.stop();
    running.task.await.unwrap();
}

#[tokio::test]
async fn p22_the_new_round_alerts_who_is_on_call_then_and_another_may_claim_it() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = handed(&stage, "kim").await;
    stage.own("athens", "devops", &["c", "d"], Team::builder(contacts("z")).build().unwrap()).await;
    let _ = until_open(&stage, number).await;
    assert_eq!(stage.carrier.sent_to("c").len(), 1);
    assert!(matches!(stage.claim(number, "lee").await, Updated::Changed(_)));
    let released = stage.request(number, "lee", StateChange::Release(TakeOver::No)).await;
    assert!(matches!(released, Updated::Changed(_)));
}

#[tokio::test]
async fn p09_whom_the_roster_does_not_know_or_nobody_can_tell_is_known_before_they_are_given_anything() {
    let stage = Stage::new(&["a", "b"]).await;
    stage.own("other", "db", &["d"], Team::builder(contacts("y")).build().unwrap()).await;
    for (to, expected) in [
        ("a@x.org", Receiver::Known),
        ("mailto:B@X.ORG", Receiver::NotInRoster),
        ("mailto:b@X.ORG", Receiver::Known),
        ("z@x.org", Receiver::Known),
        // Of another team.
        ("d@x.org", Receiver::Known),
        ("y@x.org", Receiver::Known),
        ("a@x.ogr", Receiver::NotInRoster),
        ("kim", Receiver::Untold),
        ("sms:+30123", Receiver::Untold),
    ] {
        let found = stage.engine.receiver(&team("devops"), &person(to)).await.unwrap();
        assert_eq!(found, expected, "{to}");
    }
    // One who was on call yesterday, or will be within the week.
    let rota = inresponse_core::roster::Rota::new(contacts("e"), Vec::new()).unwrap();
    for (days, expected) in [(-1, Receiver::Known), (6, Receiver::Known), (20, Receiver::NotInRoster)] {
        let stage = Stage::new(&["a"]).await;
        let day = after(days * 86_400).date_naive();
        stage.engine.roster().put_day(&team("devops"), day, &rota).await.unwrap();
        let found = stage.engine.receiver(&team("devops"), &person("e@x.org")).await.unwrap();
        assert_eq!(found, expected, "in {days} days");
    }
}
