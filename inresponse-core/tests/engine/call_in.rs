//! People who are called in, from the roster to the inbox and back: promises 9, 11, 19 and 20.

use std::collections::BTreeMap;

use inresponse_core::engine::{Advanced, Callees, Uncalled, Updated};
use inresponse_core::model::{
    Contact, IncidentNumber, KeyName, Level, Matrix, MethodName, PersonId, Scheme, Severity, State,
};
use inresponse_core::plan::{Answer, AnswerTo, StateChange, TakeOver, Update, Wanted};
use inresponse_core::roster::{Entry, Profile, ProfileBuilder, RuleFor, RuleStep, Target, Team, TeamLevel};
use inresponse_core::testing::RosterTestExt;

use crate::support::{Stage, after, contacts, crit, person, secs, team};

fn method(name: &str) -> MethodName {
    MethodName::new(name).unwrap()
}

/// A person whose methods have the names of their addresses.
fn profile(methods: &[&str]) -> ProfileBuilder {
    let methods: BTreeMap<_, _> =
        methods.iter().map(|name| (method(name), contacts(name).remove(0))).collect();
    Profile::builder(methods.into_iter().collect())
}

/// Kim gets a push at once and a call after three minutes; lee is on call for `db`, and nobody for `gap`.
async fn stage() -> Stage {
    let stage = Stage::new(&["a"]).await;
    let roster = stage.engine.roster();
    let step = |seconds, name| RuleStep { after: secs(seconds), methods: vec![method(name)] };
    let kim = profile(&["push", "call"]).rule(RuleFor::Default, vec![step(0, "push"), step(180, "call")]);
    for (name, profile) in [("kim", kim), ("lee", profile(&["lee"])), ("mute", profile(&[]))] {
        let entry = Entry::person(&PersonId::new(name).unwrap(), profile.build().unwrap());
        roster.edit(entry.into()).await.unwrap();
    }
    let level = |notify| TeamLevel { notify, wait: None };
    let lee = Target::Person(PersonId::new("lee").unwrap());
    let db = Team::builder(contacts("z")).levels(vec![level(vec![lee])]).build().unwrap();
    roster.put_team(&team("db"), &db).await.unwrap();
    let gap = Team::builder(contacts("z")).levels(vec![level(Vec::new())]).build().unwrap();
    roster.put_team(&team("gap"), &gap).await.unwrap();
    stage
}

async fn callees(stage: &Stage, targets: &[&str]) -> Callees {
    let targets: Vec<Target> = targets.iter().map(|target| target.parse().unwrap()).collect();
    stage.engine.callees(&team("devops"), &targets).await.unwrap()
}

async fn people(stage: &Stage, targets: &[&str]) -> Matrix {
    match callees(stage, targets).await {
        Callees::These(matrix) => *matrix,
        Callees::Not(not) => panic!("{not:?}"),
    }
}

/// An incident that jo has since 10, and to which somebody calls in those targets.
async fn called(stage: &Stage, targets: &[&str]) -> IncidentNumber {
    let number = stage.report(crit("athens")).await;
    let _ = stage.advance(number).await;
    stage.clock.jump(after(10));
    let claimed = stage.request(number, "jo", StateChange::Claim(TakeOver::No)).await;
    assert!(matches!(claimed, Updated::Changed(_)));
    let update = Update::call_in(person("jo"), people(stage, targets).await);
    let called = stage.engine.update(number, &update).await.unwrap();
    assert!(matches!(called, Updated::Changed(record) if record.incident.state() == State::Claimed));
    number
}

#[tokio::test]
async fn p16_a_target_is_resolved_now_or_refused_with_its_place() {
    let stage = stage().await;
    let cases = [
        (&["person:kim"][..], Ok("push@0 call@180")),
        (&["team:db", "person:lee"], Ok("lee@0")),
        (&["b@x.org", "person:lee"], Ok("b@0 lee@0")),
        (&["person:lee", "person:nobody"], Err((1, Uncalled::Unknown))),
        (&["team:nobody"], Err((0, Uncalled::Unknown))),
        (&["schedule:nobody"], Err((0, Uncalled::Unknown))),
        (&["team:gap"], Err((0, Uncalled::Nobody))),
        (&["person:mute"], Err((0, Uncalled::Nobody))),
    ];
    for (targets, expected) in cases {
        let found = match callees(&stage, targets).await {
            Callees::These(matrix) => {
                let steps = matrix.steps(Level::At(1), Severity::Crit);
                let one = |(contact, after): &(&Contact, std::time::Duration)| {
                    format!("{}@{}", contact.address().split('@').next().unwrap(), after.as_secs())
                };
                Ok(steps.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            Callees::Not(not) => Err(not[0]),
        };
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{targets:?}");
    }
}

#[tokio::test]
async fn p19_a_person_who_is_called_in_gets_their_steps_while_the_claim_stays() {
    let stage = stage().await;
    let number = called(&stage, &["person:kim", "team:db"]).await;
    assert_eq!(stage.advance(number).await, Advanced::WaitUntil(after(190)));
    stage.clock.jump(after(190));
    let _ = stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a, 10 call-in:push, 10 call-in:lee, 190 call-in:call");
    let incident = stage.incident(number).await.incident;
    assert_eq!((incident.state(), incident.claimed().unwrap().by.as_str()), (State::Claimed, "jo"));
}

#[tokio::test]
async fn p20_an_answer_over_a_channel_makes_a_responder_who_is_told_so() {
    let stage = stage().await;
    let number = called(&stage, &["person:kim"]).await;
    let _ = stage.advance(number).await;
    let incident = stage.incident(number).await.incident;
    let call = incident.deliveries().iter().find(|d| d.attempts() > 0 && d.called().is_some()).unwrap();
    let answer = |wants| Answer {
        to: AnswerTo::Delivery(incident.delivery_id(call.key())),
        from: Some(call.contact().clone()),
        account: None,
        wants,
        counts_in: None,
        over: KeyName::channel(&Scheme::mailto()),
    };
    let told = [
        (Wanted::Claim, "You help with incident 10001 now. jo has incident 10001 since"),
        (Wanted::Claim, "You already help with incident 10001. jo has it."),
        (Wanted::Escalate, "The next level of incident 10001 is alerted now."),
    ];
    for (wants, text) in told {
        let answered = stage.engine.answer(number, answer(wants)).await.unwrap().text();
        let text = text.replace("10001", &number.to_string());
        assert!(answered.starts_with(&text), "{answered}");
    }
    let incident = stage.incident(number).await.incident;
    let responders: Vec<_> = incident.responders().iter().map(|one| one.by.as_str()).collect();
    assert_eq!((incident.claimed().unwrap().by.as_str(), responders), ("jo", vec!["kim"]));
}
