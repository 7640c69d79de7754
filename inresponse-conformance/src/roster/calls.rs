//! Laws of calls with several edits, and of the effect of each edit.

use std::slice;

use inresponse_core::roster::{Effect, Entry, EntryKey, EntryKind, MAX_EDITS, Refusal, Roster, RosterEdit};

use super::acting::{
    done, done_one, everything, knows, listed, must_refuse, owner, put_day, put_service, put_team, records,
    settings_of,
};
use super::scene::{
    all_rotas, all_settings, day_of, delete, no_team, pairs, put, rota, service, service_of, settings,
    settings_for, team,
};
use crate::Harness;

/// Many services, all owned by `devops`.
fn services(number: usize) -> Vec<Entry> {
    (0..number).map(|n| service_of(&format!("service {n:02}"), "devops")).collect()
}

fn given_away(service: &Entry) -> RosterEdit {
    match service {
        Entry::Service { service, .. } => Entry::service(service, &team("other")).into(),
        Entry::Team { .. }
        | Entry::Day { .. }
        | Entry::Person { .. }
        | Entry::Schedule { .. }
        | Entry::Override { .. }
        | Entry::Feed { .. }
        | Entry::Heartbeat { .. }
        | Entry::Silence { .. }
        | Entry::Routes(_) => panic!("the test data has only services"),
    }
}

fn in_use_by(service_name: &str) -> Refusal {
    let (key, by) = (EntryKey::Team(team("devops")), EntryKey::Service(service(service_name)));
    Refusal::InUse { key, by }
}

/// Each edit returns its effect, alone and among others. An edit to the same value has no effect, however the entry is
/// stored.
pub async fn each_edit_tells_what_it_did<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for [first, second] in pairs() {
        assert_eq!(done_one(&roster, 1, put(&first)).await, Effect::Created, "{first:?}");
        assert_eq!(done_one(&roster, 2, put(&first)).await, Effect::Unchanged, "{first:?}");
        assert_eq!(done_one(&roster, 3, put(&second)).await, Effect::Replaced, "{second:?}");
        assert_eq!(done_one(&roster, 4, delete(&first)).await, Effect::Deleted, "{first:?}");
        assert_eq!(done_one(&roster, 5, delete(&first)).await, Effect::Absent, "{first:?}");
    }
    let kinds = (0..).zip(all_settings()).map(|(n, settings)| settings_for(&format!("team {n}"), settings));
    let days = (0..).zip(all_rotas()).map(|(n, rota)| day_of(&format!("days {n}"), "2026-03-29", rota));
    for entry in kinds.chain(days) {
        assert_eq!(done_one(&roster, 6, put(&entry)).await, Effect::Created, "{entry:?}");
        assert_eq!(done_one(&roster, 7, put(&entry)).await, Effect::Unchanged, "{entry:?}");
    }
    put_day(&roster, "listed", "2026-03-29", &rota("jo")).await;
    let settled = put(&settings_for("listed", settings("last")));
    assert_eq!(
        done_one(&roster, 8, settled).await,
        Effect::Created,
        "a calendar day is not the team's settings"
    );
    let [[athens, _], [devops, other], [day, _]] = pairs();
    assert_eq!(done(&roster, 8, &[put(&devops), put(&athens)]).await, [Effect::Created; 2]);
    let mixed = [put(&day), put(&athens), put(&other), delete(&service_of("delphi", "x"))];
    let effects = [Effect::Created, Effect::Unchanged, Effect::Replaced, Effect::Absent];
    assert_eq!(done(&roster, 9, &mixed).await, effects, "the records are in the order of the edits");
    let mixed = [delete(&day), delete(&day_of("devops", "2026-03-01", rota("jo"))), delete(&athens)];
    assert_eq!(done(&roster, 10, &mixed).await, [Effect::Deleted, Effect::Absent, Effect::Deleted]);
    assert_eq!(done(&roster, 11, &[]).await, []);
}

/// An edit that changes nothing writes no audit record: neither a repeated entry nor the deletion of a missing one.
pub async fn an_edit_that_changes_nothing_writes_no_record<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for [first, _] in pairs() {
        assert_eq!(done_one(&roster, 1, delete(&first)).await, Effect::Absent);
    }
    assert_eq!(records(&roster).await, []);
    for [first, _] in pairs() {
        assert_eq!(done_one(&roster, 2, put(&first)).await, Effect::Created);
    }
    let before = everything(&roster).await;
    assert_eq!(before.1.len(), 3, "one record for each entry");
    let same = pairs().map(|[first, _]| put(&first));
    assert_eq!(done(&roster, 3, &same).await, [Effect::Unchanged; 3]);
    assert_eq!(everything(&roster).await, before);
}

/// A refused call makes none of its edits and writes no record, wherever in the call the refused edit is.
pub async fn a_call_that_is_refused_changes_nothing<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_service(&roster, "delphi", "devops").await;
    put_team(&roster, "devops", &settings("last")).await;
    put_day(&roster, "devops", "2026-03-01", &rota("jo")).await;
    let other = day_of("other", "2026-03-29", rota("jo"));
    let puts = [put(&service_of("athens", "ops")), put(&settings_for("new", settings("ann"))), put(&other)];
    for place in 0..=puts.len() {
        let mut edits = puts.to_vec();
        edits.insert(place, no_team("devops"));
        must_refuse(&roster, &edits, &in_use_by("delphi")).await;
    }
}

/// Names are judged after all edits of a call: a team may be deleted by the call that takes its last service away, and
/// not by one that gives it a service.
pub async fn names_are_judged_after_all_edits_of_a_call<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let athens = service_of("athens", "devops");
    for last in [given_away(&athens), delete(&athens)] {
        for edits in [[no_team("devops"), last.clone()], [last.clone(), no_team("devops")]] {
            put_team(&roster, "devops", &settings("last")).await;
            put_service(&roster, "athens", "devops").await;
            let effects = done(&roster, 1, &edits).await;
            assert!(effects.iter().all(|effect| effect.changes()), "{effects:?}");
            assert!(
                !knows(&roster, "devops").await,
                "the team was deleted although it has a service:\n{edits:#?}"
            );
        }
    }
    put_team(&roster, "devops", &settings("last")).await;
    put_service(&roster, "athens", "other").await;
    for edits in [[no_team("devops"), put(&athens)], [put(&athens), no_team("devops")]] {
        must_refuse(&roster, &edits, &in_use_by("athens")).await;
    }
    assert_eq!(owner(&roster, "athens").await, Some(team("other")));
}

/// A team that keeps one of many services is not deleted, even if the call takes away as many services as one call can.
pub async fn a_team_that_keeps_one_of_many_services_is_not_deleted<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_team(&roster, "devops", &settings("last")).await;
    let services = services(MAX_EDITS);
    let _ = done(&roster, 1, &services.iter().map(put).collect::<Vec<_>>()).await;
    for left in [0, MAX_EDITS / 2, MAX_EDITS - 1] {
        let left = &services[left];
        let others = services.iter().filter(|service| *service != left).map(given_away);
        let edits: Vec<_> = others.chain([no_team("devops")]).collect();
        let refusal = Refusal::InUse { key: EntryKey::Team(team("devops")), by: left.key() };
        must_refuse(&roster, &edits, &refusal).await;
    }
    let others: Vec<_> = services[1..].iter().map(given_away).collect();
    let _ = done(&roster, 2, &others).await;
    let last = [no_team("devops"), given_away(&services[0])];
    assert_eq!(done(&roster, 3, &last).await, [Effect::Deleted, Effect::Replaced]);
}

/// The maximum number of edits is made in one step, and one more is refused.
pub async fn the_most_edits_are_made_and_one_more_is_refused<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let services = services(MAX_EDITS + 1);
    let edits: Vec<_> = services.iter().map(put).collect();
    must_refuse(&roster, &edits, &Refusal::TooMany(MAX_EDITS + 1)).await;
    assert_eq!(done(&roster, 1, &edits[1..]).await, [Effect::Created; MAX_EDITS]);
    assert_eq!(listed(&roster, EntryKind::Service).await.len(), MAX_EDITS);
    assert_eq!(records(&roster).await.len(), MAX_EDITS);
    let deletions: Vec<_> = services[1..].iter().map(delete).collect();
    assert_eq!(done(&roster, 2, &deletions).await, [Effect::Deleted; MAX_EDITS]);
    assert_eq!(listed(&roster, EntryKind::Service).await, []);
}

/// Two edits of one entry in a call are refused, because one of them would be lost. The deletion of a team also edits
/// its days.
pub async fn two_edits_of_one_entry_are_refused<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let bystander = put(&service_of("delphi", "other"));
    for [first, second] in pairs() {
        for twice in [
            [put(&first), put(&second)],
            [put(&first), put(&first)],
            [put(&first), delete(&first)],
            [delete(&first), put(&first)],
            [delete(&first), delete(&first)],
        ] {
            let [one, other] = twice;
            must_refuse(&roster, &[one, bystander.clone(), other], &Refusal::Twice(first.key())).await;
        }
        let _ = done(&roster, 1, slice::from_ref(&put(&first))).await;
    }
    let day = day_of("devops", "2026-03-29", rota("jo"));
    for edit in [put(&day), delete(&day)] {
        for edits in [[edit.clone(), no_team("devops")], [no_team("devops"), edit]] {
            must_refuse(&roster, &edits, &Refusal::Twice(day.key())).await;
        }
    }
    assert_eq!(settings_of(&roster, "devops").await, Some(settings("jo")));
}
