//! The steps of people's rules, from the roster to the inbox: promise 19.

use std::collections::BTreeMap;
use std::time::Duration;

use inresponse_core::engine::{Advanced, ClaimedOne, DryStep, Updated};
use inresponse_core::model::{
    Contact, DeliveryStatus, Event, Level, Matrix, MethodName, Person, PersonId, Severity,
};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{
    Entry, FindingKind, Profile, ProfileBuilder, RuleFor, RuleStep, Target, Team, TeamLevel,
};
use inresponse_core::testing::RosterTestExt;

use crate::support::{Mood, Stage, T0, contacts, crit, person, secs, service, team};

fn method(name: &str) -> MethodName {
    MethodName::new(name).unwrap()
}

fn step(seconds: u64, methods: &[&str]) -> RuleStep {
    RuleStep { after: secs(seconds), methods: methods.iter().map(|name| method(name)).collect() }
}

/// A person whose methods have the names of their addresses.
fn profile(methods: &[&str]) -> ProfileBuilder {
    let methods = methods.iter().map(|name| (method(name), contacts(name).remove(0)));
    Profile::builder(methods.collect())
}

async fn put_person(stage: &Stage, name: &str, profile: ProfileBuilder) {
    let entry = Entry::person(&PersonId::new(name).unwrap(), profile.build().unwrap());
    stage.engine.roster().edit(entry.into()).await.unwrap();
}

/// Level 1 is jo, who is called after three minutes; level 2 is kim.
fn jo_and_kim() -> Team {
    let level = |name: &str| TeamLevel {
        notify: vec![Target::Person(PersonId::new(name).unwrap())],
        wait: Some(secs(600)),
    };
    Team::builder(contacts("z")).levels(vec![level("jo"), level("kim")]).build().unwrap()
}

async fn people(stage: &Stage) {
    let rule = vec![step(0, &["push"]), step(180, &["call"])];
    put_person(stage, "jo", profile(&["push", "call"]).rule(RuleFor::Default, rule)).await;
    put_person(stage, "kim", profile(&["kim"])).await;
    stage.engine.roster().put_team(&team("web"), &jo_and_kim()).await.unwrap();
    stage.engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
}

async fn stage() -> Stage {
    let stage = Stage::new(&["a"]).await;
    people(&stage).await;
    stage
}

#[tokio::test]
async fn p19_push_now_and_call_after_three_minutes() {
    let stage = stage().await;
    let mut running = stage.run();
    let number = stage.report(crit("shop")).await;
    for _ in 0..7 {
        stage.pass(secs(100)).await;
    }
    assert_eq!(stage.sent(), "0 1:push, 180 1:call, 600 2:kim");
    let incident = stage.incident(number).await.incident;
    let persons: Vec<_> = incident
        .deliveries()
        .iter()
        .map(|d| {
            let one = incident.matrix().recipient(d.key().purpose.level().unwrap(), d.contact()).unwrap();
            format!("{} {} {}", one.person, one.method, d.after().as_secs())
        })
        .collect();
    assert_eq!(persons, ["jo push 0", "jo call 180", "kim kim 0"]);
    assert_eq!(serde_json::to_value(&incident).unwrap()["format"], 3);
    running.stop();
}

#[tokio::test]
async fn p19_a_claim_at_ninety_seconds_leaves_the_call_at_180_unmade() {
    let stage = stage().await;
    let mut running = stage.run();
    let number = stage.report(crit("shop")).await;
    stage.pass(secs(90)).await;
    stage.claim(number, "jo").await;
    stage.pass(secs(900)).await;
    assert_eq!(stage.sent(), "0 1:push");
    let call = &stage.incident(number).await.incident.deliveries()[1].status();
    assert!(matches!(call, DeliveryStatus::Stopped { .. }));
    running.stop();
}

#[tokio::test]
async fn p19_a_claim_through_another_engine_stops_the_call_if_the_first_process_died() {
    let stage = stage().await;
    let mut running = stage.run();
    let number = stage.report(crit("shop")).await;
    stage.pass(secs(89)).await;
    running.task.abort();
    let other = stage.another(&["a"]).await;
    people(&other).await;
    let mut surviving = other.run();
    other.pass(secs(1)).await;
    other.claim(number, "jo").await;
    other.pass(secs(900)).await;
    assert_eq!(stage.sent(), "0 1:push");
    running.stop.take();
    surviving.stop();
}

#[tokio::test]
async fn p19_another_process_makes_the_call_of_one_that_died() {
    let stage = stage().await;
    let running = stage.run();
    stage.report(crit("shop")).await;
    stage.pass(secs(89)).await;
    running.task.abort();
    let other = stage.another(&["a"]).await;
    let mut surviving = other.run();
    other.pass(secs(120)).await;
    let call = stage.carrier.sent_to("call").remove(0).at;
    assert!((180..182).contains(&(call - T0).num_seconds()), "{call}");
    assert_eq!(stage.carrier.sent().len(), 2);
    surviving.stop();
}

#[tokio::test]
async fn p19_the_call_is_made_at_once_if_the_push_cannot_arrive() {
    let stage = stage().await;
    stage.carrier.always("push", Mood::Answers(Outcome::rejected("gone")));
    let mut running = stage.run();
    stage.report(crit("shop")).await;
    stage.pass(secs(5)).await;
    assert_eq!(stage.sent(), "0 1:push, 0 1:call");
    running.stop();
}

#[tokio::test]
async fn p19_a_raise_calls_whom_the_lower_severity_only_mailed() {
    let stage = stage().await;
    let rules = profile(&["mail", "call"])
        .rule(RuleFor::Default, vec![step(0, &["mail"])])
        .rule(RuleFor::Severity(Severity::Crit), vec![step(0, &["mail"]), step(60, &["call"])]);
    put_person(&stage, "jo", rules).await;
    let mut running = stage.run();
    let report = |severity| inresponse_core::model::Report::builder("shop", severity, "disk").dedup_key("k");
    let number = stage.report(report(Severity::Warn)).await;
    stage.pass(secs(100)).await;
    assert_eq!(stage.report(report(Severity::Crit)).await, number);
    stage.pass(secs(100)).await;
    assert_eq!(stage.sent(), "0 1:mail, 160 1:call");
    running.stop();
}

#[tokio::test]
async fn p19_a_severity_without_a_rule_uses_all_methods_at_once_and_an_unused_one_is_left_out() {
    let stage = stage().await;
    let only_crit = vec![step(0, &["push"]), step(20, &["push"])];
    let rules = profile(&["push", "call"]).rule(RuleFor::Severity(Severity::Crit), only_crit);
    put_person(&stage, "jo", rules).await;
    let warn = inresponse_core::model::Report::builder("shop", Severity::Warn, "disk");
    let number = stage.report(warn).await;
    assert!(matches!(stage.advance(number).await, Advanced::WaitUntil(_)));
    assert_eq!(stage.sent(), "0 1:call, 0 1:push");
    let number = stage.report(crit("shop")).await;
    let steps: Vec<_> = {
        stage.advance(number).await;
        let incident = stage.incident(number).await.incident;
        incident.deliveries().iter().map(|d| (d.contact().clone(), d.after())).collect()
    };
    let push: Contact = contacts("push").remove(0);
    assert_eq!(steps, [(push.clone(), Duration::ZERO), (push, secs(20))]);
}

#[tokio::test]
async fn p19_rules_that_alert_all_methods_at_once_need_no_newer_format() {
    let stage = stage().await;
    let rule = vec![step(0, &["push", "call"])];
    put_person(&stage, "jo", profile(&["push", "call"]).rule(RuleFor::Default, rule)).await;
    let number = stage.report(crit("shop")).await;
    let incident = stage.incident(number).await.incident;
    assert!(incident.matrix().is_plain());
    assert!(serde_json::to_value(&incident).unwrap()["format"].as_u64() < Some(3));
}

#[tokio::test]
async fn p07_a_round_has_at_most_forty_alerts_and_the_latest_steps_are_cut_first() {
    let stage = stage().await;
    let names: Vec<String> = (0..10).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rule = (0..10).map(|i| step(i * 60, &names)).collect();
    put_person(&stage, "jo", profile(&names).rule(RuleFor::Default, rule)).await;
    let mut running = stage.run();
    let number = stage.report(crit("shop")).await;
    for _ in 0..13 {
        stage.pass(secs(100)).await;
    }
    let sent = stage.carrier.sent();
    assert_eq!(sent.len(), Matrix::MAX_CONTACTS);
    for (who, times) in [("kim", 1), ("z", 1), ("m0", 4), ("m7", 4), ("m8", 3)] {
        assert_eq!(stage.carrier.sent_to(who).len(), times, "{who}");
    }
    let last = stage.carrier.sent_to("m0").last().unwrap().at;
    assert_eq!((last - T0).num_seconds(), 180, "the steps after three minutes are cut");
    let timeline = stage.incident(number).await.incident;
    let cut = |event: &Event| matches!(event, Event::AlertsCut { round: 1, alerts: 62 });
    assert_eq!(timeline.timeline().entries().iter().filter(|entry| cut(&entry.event)).count(), 1);
    let found = stage.engine.coverage(Some(&team("web")), 1).await.unwrap().remove(&team("web")).unwrap();
    let cuts: Vec<_> = found.iter().filter(|f| f.kind == FindingKind::AlertsCut).collect();
    assert_eq!(cuts.len(), 3, "one for each severity");
    assert!(cuts[0].detail.contains("62"), "{cuts:?}");
    running.stop();
}

#[tokio::test]
async fn p07_methods_without_rules_are_cut_too_and_every_level_keeps_somebody() {
    let stage = stage().await;
    let mut levels = Vec::new();
    for i in 0..6 {
        let names: Vec<String> = (0..10).map(|k| format!("p{i}m{k}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        put_person(&stage, &format!("p{i}"), profile(&names)).await;
        let who = Target::Person(PersonId::new(format!("p{i}")).unwrap());
        levels.push(TeamLevel { notify: vec![who], wait: None });
    }
    let settings = Team::builder(contacts("z")).levels(levels).build().unwrap();
    stage.engine.roster().put_team(&team("web"), &settings).await.unwrap();
    let number = stage.report(crit("shop")).await;
    let incident = stage.incident(number).await.incident;
    let matrix = incident.matrix();
    let sizes: Vec<_> =
        (1..=6).map(Level::At).chain([Level::Fallback]).map(|l| matrix.contacts(l).len()).collect();
    assert_eq!(sizes, [10, 10, 10, 7, 1, 1, 1]);
    assert!(matrix.is_plain());
    assert_eq!(matrix.cut(Severity::Warn), 21);
}

#[tokio::test]
async fn p17_the_dry_run_lists_one_step_for_each_delivery_with_its_method() {
    let stage = stage().await;
    let steps = stage.engine.dry_run(&service("shop"), Severity::Crit, T0).await.unwrap().unwrap();
    let text = |step: &DryStep| {
        let who = step.person.as_ref().map_or_else(|| "-".to_owned(), |(p, m)| format!("{p} {m}"));
        format!("{} {} {who} {}", (step.at - T0).num_seconds(), step.level, step.why)
    };
    let told: Vec<_> = steps.iter().map(text).collect();
    assert_eq!(
        told,
        ["0 1 jo push level:1", "180 1 jo call level:1", "600 2 kim kim level:2", "1200 fallback - fallback"]
    );
}

#[tokio::test]
async fn a_rule_with_a_method_that_no_channel_carries_is_a_finding() {
    let stage = stage().await;
    let methods: BTreeMap<_, _> =
        [(method("mail"), contacts("jo").remove(0)), (method("call"), Contact::new("tel:+301234").unwrap())]
            .into();
    let rules = Profile::builder(methods)
        .rule(RuleFor::Default, vec![step(0, &["mail"]), step(60, &["call"])])
        .rule(RuleFor::Severity(Severity::Crit), vec![step(0, &["call"])]);
    put_person(&stage, "jo", rules).await;
    let found = stage.engine.coverage(Some(&team("web")), 1).await.unwrap().remove(&team("web")).unwrap();
    let details: Vec<_> =
        found.iter().filter(|f| f.kind == FindingKind::UnreachedMethod).map(|f| f.detail.as_str()).collect();
    assert_eq!(
        details,
        ["person jo: the rule for CRIT, default uses call, which no configured channel carries"]
    );
}

#[tokio::test]
async fn p22_a_release_by_a_person_begins_the_rule_again() {
    let stage = stage().await;
    let mut running = stage.run();
    let number = stage.report(crit("shop")).await;
    stage.pass(secs(10)).await;
    stage.claim(number, "jo").await;
    stage.pass(secs(10)).await;
    stage.request(number, "jo", StateChange::Release(inresponse_core::plan::TakeOver::No)).await;
    stage.pass(secs(200)).await;
    assert_eq!(stage.sent(), "0 1:push, 20 1:push, 200 1:call");
    assert_eq!(stage.incident(number).await.incident.claimed().map(|c| c.by.clone()), None);
    _ = person("jo");
    running.stop();
}

#[tokio::test]
async fn p06_who_claims_by_the_address_of_any_channel_is_the_person_who_has_it() {
    let stage = stage().await;
    let phone = Contact::new("sms:+302101234567").unwrap();
    let lee = Profile::builder([(method("sms"), phone.clone())].into());
    put_person(&stage, "lee", lee).await;
    let number = stage.report(crit("shop")).await;
    stage.engine.advance(number).await.unwrap();
    let by_phone = Update {
        asked_at: Some(phone.clone()),
        ..Update::state(Person::at(&phone).unwrap(), StateChange::Claim(TakeOver::No))
    };
    let Updated::Changed(claimed) = stage.engine.update(number, &by_phone).await.unwrap() else {
        panic!("nobody has it");
    };
    assert_eq!(claimed.incident.claimed().unwrap().by, person("lee"));
    let release = Update::state(person("lee"), StateChange::Release(TakeOver::No));
    assert!(matches!(stage.engine.update(number, &release).await, Ok(Updated::Changed(_))));
    let [push, call] = contacts("push call").try_into().unwrap();
    for asked_at in [push, call] {
        let record = stage.engine.get(number).await.unwrap().unwrap();
        let by = Person::at(&asked_at).unwrap();
        let named = Update {
            asked_at: Some(asked_at.clone()),
            ..Update::state(by, StateChange::Claim(TakeOver::No))
        };
        let (Updated::Changed(claimed) | Updated::Unchanged(claimed)) =
            stage.engine.update(number, &named).await.unwrap()
        else {
            panic!("the claim counts");
        };
        assert_eq!(claimed.incident.claimed().unwrap().by, person("jo"), "of {}", asked_at.address());
        assert_eq!(record.incident.claimant_at(&asked_at).unwrap(), person("jo"));
        assert!(stage.engine.claim_all(&[number], &asked_at, None).await.iter().all(ClaimedOne::is_theirs));
    }
}
