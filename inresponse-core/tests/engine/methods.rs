//! People's methods: numbers that must be verified, and weekly tests.

use std::sync::Arc;

use inresponse_core::Engine;
use inresponse_core::clock::Clock;
use inresponse_core::engine::{RosterEdited, UnverifiedPhones};
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::model::{Contact, MethodName, PersonId, Scheme};
use inresponse_core::notices::Notices;
use inresponse_core::notify::{Notifiers, Outcome};
use inresponse_core::roster::{
    Edited, Entry, FindingKind, Profile, Refusal, RosterEdit, RuleFor, RuleStep, Target, Team, WeeklyTest,
};
use inresponse_core::testing::{ManualClock, RecordingNotifier};

use crate::support::{person, secs, team};

/// The methods of jo.
const MAIL: &str = "jo@example.org";
const TEXT: &str = "sms:+302101234567";

fn jo(rule: &[&str], weekly: WeeklyTest) -> RosterEdit {
    let name = |name: &str| MethodName::new(name).unwrap();
    let methods = [("mail", MAIL), ("text", TEXT)].map(|(n, c)| (name(n), Contact::new(c).unwrap()));
    let mut builder = Profile::builder(methods.into()).weekly_test(weekly);
    if !rule.is_empty() {
        let methods = rule.iter().map(|method| name(method)).collect();
        builder = builder.rule(RuleFor::Default, vec![RuleStep { after: secs(0), methods }]);
    }
    Entry::person(&PersonId::new("jo").unwrap(), builder.build().unwrap()).into()
}

async fn edit(engine: &Engine, edit: RosterEdit) -> RosterEdited {
    engine.edit_roster(&person("admin"), &[edit]).await.unwrap()
}

#[tokio::test]
async fn p16_a_rule_begins_to_use_a_number_only_when_it_is_verified_if_that_is_required() {
    let clock = ManualClock::at("2026-12-06T12:00:00Z".parse().unwrap());
    let notifiers = Notifiers::new().mail(RecordingNotifier::new());
    let strict = || {
        let engine =
            Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers.clone(), clock.clone());
        engine.unverified_phones(UnverifiedPhones::Refused).build()
    };
    let engine = strict();
    let (id, text) = (PersonId::new("jo").unwrap(), MethodName::new("text").unwrap());
    let weekly = WeeklyTest::NotAsked;
    for (rule, field) in [(&["mail", "text"][..], "rules.default[0].methods"), (&[], "methods.text")] {
        let refusal = Refusal::UnverifiedPhone { field: field.to_owned(), method: text.clone() };
        assert_eq!(edit(&engine, jo(rule, weekly)).await, RosterEdited::Refused(refusal));
    }
    assert!(matches!(edit(&engine, jo(&["mail"], weekly)).await, RosterEdited::Done(_)));
    let contact = Contact::new(TEXT).unwrap();
    assert!(engine.verify_method(&id, &text, &contact).await.unwrap().is_some());
    assert!(matches!(edit(&engine, jo(&["mail", "text"], weekly)).await, RosterEdited::Done(_)));

    // What was there before the setting stays, whatever else is edited.
    let engine = strict();
    let there = engine.roster().apply(&person("admin"), clock.now(), &[jo(&["text"], weekly)]).await.unwrap();
    assert!(matches!(there, Edited::Done(_)));
    assert!(matches!(edit(&engine, jo(&["text", "mail"], weekly)).await, RosterEdited::Done(_)));
}

#[tokio::test]
async fn each_method_of_who_asked_is_tested_once_a_week_by_one_process() {
    // A Sunday.
    let clock = ManualClock::at("2026-12-06T12:00:00Z".parse().unwrap());
    let (mails, texts) = (RecordingNotifier::new(), RecordingNotifier::new());
    let settings = MemorySettings::new();
    let notifiers = Notifiers::new().mail(mails.clone()).with(Scheme::new("sms").unwrap(), texts.clone());
    let notifiers = notifiers.remembering(Arc::new(settings.clone()));
    let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone()).build();
    let web = Team::builder(vec!["person:jo".parse::<Target>().unwrap()]).build().unwrap();
    assert!(matches!(edit(&engine, jo(&[], WeeklyTest::Asked)).await, RosterEdited::Done(_)));
    let _ = edit(&engine, Entry::team(&team("web"), web).into()).await;
    let processes: Vec<_> =
        (0..2).map(|_| Notices::new(engine.clone(), Arc::new(settings.clone()))).collect();
    let tests = |recorder: &RecordingNotifier| {
        recorder.attempts().iter().filter(|one| one.incident.value() == 0).count()
    };
    let pass = async |hours: u64| {
        for _ in 0..hours * 2 {
            clock.advance(secs(1800));
            for process in &processes {
                process.tick().await.unwrap();
            }
        }
    };
    let failed = async || {
        let found = engine.coverage(Some(&team("web")), 7).await.unwrap();
        found.values().flatten().filter(|finding| finding.kind == FindingKind::FailedTest).count()
    };
    pass(20).await;
    assert_eq!((tests(&texts), failed().await), (0, 0), "not before Monday at nine");
    texts.then(Outcome::unavailable("no credit"));
    pass(4).await;
    assert_eq!((tests(&texts), failed().await), (1, 1), "once, and it is a finding");
    assert!(tests(&mails) >= 1);
    pass(6 * 24).await;
    assert_eq!((tests(&texts), failed().await), (1, 1));
    pass(24).await;
    assert_eq!((tests(&texts), failed().await), (2, 0), "a test that is accepted ends the finding");
    let _ = edit(&engine, jo(&[], WeeklyTest::NotAsked)).await;
    pass(8 * 24).await;
    assert_eq!(tests(&texts), 2);
    // A test by hand counts too.
    texts.then(Outcome::rejected("no such number"));
    let _ = engine.test_methods(&PersonId::new("jo").unwrap()).await.unwrap();
    assert_eq!(failed().await, 1);
}
