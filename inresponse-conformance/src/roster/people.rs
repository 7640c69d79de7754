//! Laws of people, schedules, overrides and copies of feeds: a read returns what was written.

use inresponse_core::roster::{ChangeKind, Effect, EntryKey, EntryKind, Listed, Roster};

use super::acting::{done_one, knows, listed, settings_of, told};
use super::crew::{
    all_crew, base, copy_of, crew_pairs, held, override_of, person, person_at, put_all, schedule_of,
};
use super::listing::page;
use super::scene::{delete, no_team, put, team};
use crate::Harness;

/// People and schedules are returned exactly, to the last field, in a directory and in the list.
pub async fn people_and_schedules_are_answered_exactly_and_replaced<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    put_all(&roster, &base()).await;
    for entry in all_crew() {
        let key = entry.key();
        assert_eq!(held(&roster, &key).await.filter(|held| *held == entry), None, "it was never put");
        assert!(done_one(&roster, 1, put(&entry)).await.changes(), "{entry:?}");
        assert_eq!(held(&roster, &key).await.as_ref(), Some(&entry));
        let listed = listed(&roster, key.kind()).await.into_iter().find(|listed| listed.key == key);
        assert_eq!(listed, Some(Listed::from(entry.clone())));
        assert_eq!(done_one(&roster, 2, put(&entry)).await, Effect::Unchanged, "{entry:?}");
    }
}

/// The names of people and schedules are compared exactly, in any script, in upper and lower case, and even if one name
/// begins like another.
pub async fn names_of_people_and_schedules_are_compared_exactly<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let names =
        ["a", "A", "a b", "a%", "a_", "a#", "α", "Α", "caf\u{e9}", "cafe\u{301}", "日本 🚒", "0", "*"];
    let teams = ["devops", "Devops", "devops/eu"];
    let mut entries = Vec::new();
    for (i, name) in names.iter().enumerate() {
        entries.push(person_at(name, &format!("person.{i}")));
        for (n, of) in teams.iter().enumerate() {
            entries.push(schedule_of(of, name, &[&format!("schedule.{i}.{n}")]));
            entries.push(override_of(of, name, "a", &[&format!("override.{i}.{n}")]));
        }
        entries.push(override_of("devops", "a", name, &[&format!("named.{i}")]));
    }
    put_all(&roster, &entries).await;
    // The last of each key is there.
    let mut seen = Vec::new();
    for entry in entries.iter().rev().filter(|entry| {
        let is_last = !seen.contains(&entry.key());
        seen.push(entry.key());
        is_last
    }) {
        assert_eq!(held(&roster, &entry.key()).await.as_ref(), Some(entry));
    }
}

/// People and schedules are listed exactly, page by page, in the order of their keys.
pub async fn people_and_schedules_are_listed_page_by_page<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let mut entries: Vec<_> = ["dev", "dev ops", "dev!", "Dev", "δ"].map(person).into();
    for of in ["dev", "dev ops", "dev!", "dev/eu"] {
        for name in ["primary", "primary 2", "Primary"] {
            entries.push(schedule_of(of, name, &["jo"]));
        }
        entries.extend(["1", "10", "2"].map(|id| override_of(of, "primary", id, &["jo"])));
        entries.push(override_of(of, "primary 2", "1", &["jo"]));
        entries.extend(['0', 'a'].map(|feed| copy_of(of, "primary", feed, &["jo"])));
        entries.push(copy_of(of, "primary 2", '0', &["jo"]));
    }
    put_all(&roster, &entries).await;
    entries.sort_by_key(|entry| entry.key());
    for kind in [EntryKind::Person, EntryKind::Schedule, EntryKind::Override, EntryKind::Feed] {
        let of_kind = entries.iter().filter(|entry| entry.key().kind() == kind).cloned();
        let expected: Vec<Listed> = of_kind.map(Listed::from).collect();
        for limit in [1, 4, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = page(&roster, kind, after.as_ref(), limit).await;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                found.extend(page);
                assert!(found.len() <= expected.len(), "more than there are, with {limit} to a page");
            }
            assert_eq!(found, expected, "with {limit} to a page");
        }
    }
}

/// Each edit of a person or a schedule returns its effect, and is recorded if it changes something.
pub async fn each_edit_of_a_person_or_a_schedule_tells_what_it_did<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_all(&roster, &base()).await;
    let mut expected = Vec::new();
    for (pair, [first, second]) in (0..).zip(crew_pairs()) {
        let key = first.key();
        // Records are in the order of their times.
        let nth = |step: u32| 10 * pair + step;
        assert_eq!(done_one(&roster, nth(1), delete(&first)).await, Effect::Absent, "{first:?}");
        assert_eq!(done_one(&roster, nth(2), put(&first)).await, Effect::Created, "{first:?}");
        assert_eq!(done_one(&roster, nth(3), put(&first)).await, Effect::Unchanged, "{first:?}");
        assert_eq!(done_one(&roster, nth(4), put(&second)).await, Effect::Replaced, "{second:?}");
        assert_eq!(done_one(&roster, nth(5), delete(&first)).await, Effect::Deleted, "{first:?}");
        assert_eq!(held(&roster, &key).await, None, "it was deleted");
        assert_eq!(done_one(&roster, nth(6), delete(&first)).await, Effect::Absent, "{first:?}");
        let changes = [ChangeKind::Created, ChangeKind::Replaced, ChangeKind::Deleted];
        expected.extend(changes.map(|change| (key.clone(), change)));
    }
    let told = told(&roster).await.into_iter().skip(base().len());
    let told: Vec<_> = told.map(|told| (told.key, told.change)).collect();
    assert_eq!(told, expected);
}

/// A deletion leaves everything else alone: other people, other schedules and their parts, and schedules of teams whose
/// names begin alike.
pub async fn a_deletion_of_a_person_or_a_schedule_leaves_the_others_alone<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let mut entries: Vec<_> = ["jo", "jo 2", "Jo"].map(person).into();
    for of in ["dev", "dev/eu"] {
        for name in ["primary", "primary 2", "Primary"] {
            entries.push(schedule_of(of, name, &["jo"]));
            entries.extend(["1", "10"].map(|id| override_of(of, name, id, &["jo"])));
            entries.extend(['0', '1'].map(|feed| copy_of(of, name, feed, &["jo"])));
        }
    }
    put_all(&roster, &entries).await;
    let gone = [
        person("jo"),
        override_of("dev", "primary 2", "1", &[]),
        override_of("dev/eu", "Primary", "1", &[]),
        override_of("dev/eu", "Primary", "10", &[]),
        copy_of("dev", "primary 2", '0', &[]),
        schedule_of("dev", "primary", &["jo"]),
    ]
    .map(|entry| entry.key());
    for key in gone {
        let effect = done_one(&roster, 1, inresponse_core::roster::RosterEdit::Delete(key.clone())).await;
        assert_eq!(effect, Effect::Deleted, "{key}");
        entries.retain(|entry| entry.key() != key && !entry.key().is_inside(&key));
        let mut left: Vec<EntryKey> = Vec::new();
        for kind in [EntryKind::Person, EntryKind::Schedule, EntryKind::Override, EntryKind::Feed] {
            left.extend(listed(&roster, kind).await.into_iter().map(|listed| listed.key));
        }
        let mut expected: Vec<_> = entries.iter().map(|entry| entry.key()).collect();
        expected.sort();
        assert_eq!(left, expected, "what is left without {key}");
    }
}

/// A team is known if it has a schedule. Without settings, it is listed and deleted like a team that has only a
/// calendar.
pub async fn p12_a_team_is_known_by_a_schedule<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let teams = async || -> Vec<Listed> { listed(&roster, EntryKind::Team).await };
    let (one, other) = (schedule_of("devops", "primary", &["jo"]), schedule_of("devops", "other", &["jo"]));
    put_all(&roster, &[one.clone(), other.clone()]).await;
    assert!(knows(&roster, "devops").await, "a schedule makes a team");
    assert_eq!(settings_of(&roster, "devops").await, None, "a schedule has no settings");
    assert_eq!(teams().await, [Listed { key: EntryKey::Team(team("devops")), entry: None }]);
    assert_eq!(done_one(&roster, 1, delete(&one)).await, Effect::Deleted);
    assert!(knows(&roster, "devops").await, "one schedule is left");
    assert_eq!(done_one(&roster, 2, delete(&other)).await, Effect::Deleted);
    assert!(!knows(&roster, "devops").await, "no schedule is left");
    assert_eq!(teams().await, []);
    assert_eq!(done_one(&roster, 3, no_team("devops")).await, Effect::Absent);
    put_all(&roster, &[one]).await;
    assert_eq!(done_one(&roster, 4, no_team("devops")).await, Effect::Deleted, "a schedule makes a team");
    assert!(!knows(&roster, "devops").await, "it was deleted with its schedule");
}
