//! Laws of several processes on one storage.

use std::time::Duration;

use inresponse_core::roster::{Effect, EntryKey, Refusal, Roster, Rota, Team};

use super::acting::{
    call, delete_day, delete_service, delete_team, done_one, entry, everything, knows, must_refuse, owner,
    page_of_changes, put_day, put_service, put_team, records, settings_of,
};
use super::races;
use super::scene::{delete, no_team, pairs, put, rota, service, service_of, settings, team};
use crate::Shared;
use crate::waiting::within;

/// The time limit for one handle to notice what another wrote: usually a second, but much longer on a busy machine.
const NOTICED: Duration = Duration::from_secs(60);

const DAY: &str = "2026-03-29";

/// All answers of a handle about one service and one team of the same name.
type Seen = (Option<String>, Option<Team>, Option<Rota>, bool);

async fn seen(roster: &impl Roster, name: &str) -> Seen {
    let owner = owner(roster, name).await.map(|team| team.as_str().to_owned());
    (owner, settings_of(roster, name).await, entry(roster, name, DAY).await, knows(roster, name).await)
}

/// One handle notices what another writes, in both directions, even if it has read an older value before.
pub async fn what_one_handle_puts_another_notices<H: Shared<Subject: Roster>>(harness: &H) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    for (one, other, person) in [(&first, &second, "jo"), (&second, &first, "ann"), (&first, &second, "bob")]
    {
        seen(one, "athens").await;
        seen(other, "athens").await;
        put_service(one, "athens", person).await;
        put_team(one, "athens", &settings(person)).await;
        put_day(one, "athens", DAY, &rota(person)).await;
        let expected = (Some(person.to_owned()), Some(settings(person)), Some(rota(person)), true);
        assert_eq!(seen(one, "athens").await, expected, "as the handle that wrote it sees it");
        within(NOTICED, &expected, || seen(other, "athens")).await;
    }
}

/// One handle notices what another deletes: an old value is not returned forever.
pub async fn what_one_handle_deletes_another_notices<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    put_service(&one, "athens", "devops").await;
    put_team(&one, "athens", &settings("jo")).await;
    put_day(&one, "athens", DAY, &rota("jo")).await;
    let full = (Some("devops".to_owned()), Some(settings("jo")), Some(rota("jo")), true);
    within(NOTICED, &full, || seen(&other, "athens")).await;

    assert_eq!(delete_day(&one, "athens", DAY).await, Effect::Deleted);
    let without_day = (full.0.clone(), full.1.clone(), None, true);
    within(NOTICED, &without_day, || seen(&other, "athens")).await;

    assert_eq!(delete_service(&one, "athens").await, Effect::Deleted);
    assert_eq!(delete_team(&one, "athens").await, Effect::Deleted);
    within(NOTICED, &(None, None, None, false), || seen(&other, "athens")).await;
}

/// After a refresh, a handle returns everything that another handle wrote, because later reads decide who is alerted.
pub async fn p12_a_handle_that_looks_again_answers_what_another_has_just_written<
    H: Shared<Subject: Roster>,
>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    for (one, other, person) in [(&first, &second, "jo"), (&second, &first, "ann")] {
        let put = (Some(person.to_owned()), Some(settings(person)), Some(rota(person)), true);
        seen(other, "athens").await;
        put_service(one, "athens", person).await;
        other.refresh().await.expect("the roster is refreshed");
        assert_eq!(
            seen(other, "athens").await.0,
            put.0,
            "the other handle sees the service that {person} just got"
        );
        put_team(one, "athens", &settings(person)).await;
        other.refresh().await.expect("the roster is refreshed");
        assert_eq!(
            seen(other, "athens").await.1,
            put.1,
            "the other handle sees settings that were just written"
        );
        put_day(one, "athens", DAY, &rota(person)).await;
        other.refresh().await.expect("the roster is refreshed");
        assert_eq!(seen(other, "athens").await, put, "the other handle sees an entry that was just written");
    }
    assert_eq!(delete_day(&first, "athens", DAY).await, Effect::Deleted);
    assert_eq!(delete_service(&first, "athens").await, Effect::Deleted);
    assert_eq!(delete_team(&first, "athens").await, Effect::Deleted);
    second.refresh().await.expect("the roster is refreshed");
    assert_eq!(
        seen(&second, "athens").await,
        (None, None, None, false),
        "the other handle sees that the entry was just deleted"
    );
}

/// Whether a team may be deleted depends on the stored data, not on what a handle remembers.
pub async fn a_service_of_another_handle_keeps_its_team<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    put_team(&one, "devops", &settings("jo")).await;
    assert_eq!(owner(&one, "athens").await, None);
    put_service(&other, "athens", "devops").await;
    let (key, by) = (EntryKey::Team(team("devops")), EntryKey::Service(service("athens")));
    must_refuse(&one, &[no_team("devops")], &Refusal::InUse { key, by }).await;
}

/// The effect and the record of an edit depend on the stored data, not on what a handle remembers.
pub async fn an_edit_is_judged_by_what_another_handle_has_written<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    for [first, second] in pairs() {
        assert_eq!(done_one(&one, 1, put(&first)).await, Effect::Created);
        everything(&other).await;
        assert_eq!(
            done_one(&other, 2, put(&second)).await,
            Effect::Replaced,
            "the other handle created the entry"
        );
        assert_eq!(
            done_one(&one, 3, put(&first)).await,
            Effect::Replaced,
            "the other handle replaced the entry"
        );
        assert_eq!(
            done_one(&other, 4, put(&first)).await,
            Effect::Unchanged,
            "the other handle created the entry again"
        );
        assert_eq!(done_one(&other, 5, delete(&first)).await, Effect::Deleted);
        assert_eq!(
            done_one(&one, 6, delete(&first)).await,
            Effect::Absent,
            "the other handle deleted the entry"
        );
        assert_eq!(done_one(&other, 7, put(&second)).await, Effect::Created);
        assert_eq!(
            done_one(&one, 8, put(&second)).await,
            Effect::Unchanged,
            "the other handle created the entry"
        );
    }
}

/// The records of concurrent calls by two handles form one chain, like those of one handle.
pub async fn records_of_concurrent_calls_by_two_handles_link_up<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    races::must_link_up(vec![one, other]).await;
}

/// One handle lists at once what another recorded, and in the same order.
pub async fn what_one_handle_records_another_lists<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    for (nth, handle) in (1..).zip([&one, &other, &one]) {
        let _ = call(handle, nth, &[put(&service_of("athens", &format!("team {nth}")))]).await;
        let of_both = [&one, &other].map(records);
        for listed in futures_util::future::join_all(of_both).await {
            let owners: Vec<_> = listed.iter().map(races::owner_told).collect();
            let expected: Vec<_> = (1..=nth).rev().map(|nth| Some(format!("team {nth}"))).collect();
            assert_eq!(owners, expected);
        }
    }
    let listed = records(&one).await;
    let (mark, _) = page_of_changes(&one, None, 1).await.pop().expect("an edit was made");
    let rest: Vec<_> = page_of_changes(&other, Some(&mark), 9).await.into_iter().map(|(_, r)| r).collect();
    assert_eq!(rest, listed[1..], "both handles list the record with the same mark");
}
