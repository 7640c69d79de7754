//! Laws of references between entries: an entry may name only entries that exist, and an entry that is in use cannot be
//! deleted.

use inresponse_core::model::PersonId;
use inresponse_core::roster::{Effect, Entry, EntryKey, EntryKind, MAX_EDITS, Refusal, Roster, RosterEdit};

use super::acting::{done, done_one, held_parts, knows, listed, must_refuse};
use super::crew::{
    copy_of, fallback_of, level_of, override_of, person, person_key, person_with, put_all, replacement_of,
    rota_of, schedule_key, schedule_of,
};
use super::scene::{day, delete, no_team, put, service_of, team};
use crate::Harness;

const DAY: &str = "2026-03-29";

/// Entries that name `target`, in every place where an entry can. They need the schedule `web/other`.
fn users_of(of: &str, target: &str) -> [Entry; 7] {
    [
        level_of(of, &["jo", target]),
        fallback_of(of, &["last", target]),
        rota_of(of, DAY, &[target], &["jo"]),
        rota_of(of, "2026-03-30", &["jo"], &["jo", target]),
        schedule_of(of, "turns", &["jo", target]),
        override_of(of, "other", "o", &[target]),
        replacement_of(of, "other", "o", &["jo"], &[target]),
    ]
}

/// A call with an entry that names something unknown is refused. Nothing of the call is written, wherever in the call
/// that entry is.
pub async fn p16_a_put_that_names_something_unknown_is_refused<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    // Entries of other teams and in another letter case are different entries.
    let others = [
        person("Nobody"),
        schedule_of("ops", "primary", &["jo"]),
        schedule_of("web", "other", &["jo"]),
        service_of("athens", "owner"),
    ];
    put_all(&roster, &others).await;
    let unknown = [
        ("person:nobody", person_key("nobody")),
        ("schedule:primary", schedule_key("web", "primary")),
        ("schedule:ops/other", schedule_key("ops", "other")),
        ("team:none", EntryKey::Team(team("none"))),
    ];
    let named =
        unknown.into_iter().flat_map(|(target, key)| users_of("web", target).map(|by| (by, key.clone())));
    let parts = [override_of("web", "primary", "o", &["jo"]), copy_of("web", "primary", '0', &["jo"])];
    let parts = parts.map(|part| (part, schedule_key("web", "primary")));
    let bystanders = [put(&person("bystander")), put(&service_of("athens", "web"))];
    for (entry, key) in named.chain(parts) {
        let refusal = Refusal::Unknown { key, by: entry.key() };
        let [one, other] = bystanders.clone();
        must_refuse(&roster, &[one, put(&entry), other], &refusal).await;
    }
}

/// An entry may name another one that the same call puts, in any order.
pub async fn what_the_same_call_puts_is_known<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let entries = [
        person("jo"),
        schedule_of("web", "primary", &["person:jo"]),
        override_of("web", "primary", "o", &["person:jo", "schedule:ops/primary"]),
        copy_of("web", "primary", '0', &["jo"]),
        level_of("web", &["schedule:primary"]),
        rota_of("web", DAY, &["person:jo"], &["team:ops"]),
        schedule_of("ops", "primary", &["person:jo"]),
        fallback_of("ops", &["person:jo"]),
    ];
    let mut edits = entries.each_ref().map(put);
    let mut deletions =
        ["web", "ops"].map(no_team).into_iter().chain([delete(&entries[0])]).collect::<Vec<_>>();
    for _ in 0..2 {
        assert_eq!(done(&roster, 1, &edits).await, [Effect::Created; 8]);
        // The entry that uses the person is deleted in the same call.
        assert_eq!(done(&roster, 2, &deletions).await, [Effect::Deleted; 3]);
        for kind in EntryKind::ALL {
            assert_eq!(listed(&roster, kind).await, [], "{kind:?}");
        }
        edits.reverse();
        deletions.reverse();
    }
}

/// A person, a schedule or a team that another entry uses is not deleted. The refusal names the entry that uses it.
/// Once no entry does, it can be deleted.
pub async fn p16_a_person_a_schedule_and_a_team_in_use_are_not_deleted<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let names = [
        ("person:jo", person("jo")),
        ("schedule:ops/primary", schedule_of("ops", "primary", &["jo"])),
        ("schedule:primary", schedule_of("web", "primary", &["jo"])),
        ("team:ops", fallback_of("ops", &["last"])),
    ];
    put_all(&roster, &names.each_ref().map(|(_, entry)| entry.clone())).await;
    put_all(&roster, &[schedule_of("web", "other", &["jo"])]).await;
    for (target, entry) in &names {
        for user in users_of("web", target) {
            let _ = done_one(&roster, 1, put(&user)).await;
            let refusal = Refusal::InUse { key: entry.key(), by: user.key() };
            must_refuse(&roster, &[put(&person("bystander")), delete(entry)], &refusal).await;
            // A team's settings are put back, since its deletion would take more away.
            let rid = match &user {
                Entry::Team { .. } => put(&fallback_of("web", &["last"])),
                _ => delete(&user),
            };
            assert!(done_one(&roster, 2, rid).await.changes(), "{user:?}");
        }
    }
    for (_, entry) in &names {
        assert_eq!(done_one(&roster, 3, delete(entry)).await, Effect::Deleted, "nobody uses {entry:?}");
    }
}

/// Whether a name is in use is judged by the entries as they are after the call.
pub async fn a_name_in_use_is_judged_by_what_its_users_are_after_the_call<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let [jo, kim] = ["jo", "kim"].map(person);
    let turns = |who: &str| schedule_of("web", "primary", &[who]);
    put_all(&roster, &[jo.clone(), kim.clone(), turns("person:jo")]).await;
    for edits in [[delete(&jo), put(&turns("person:kim"))], [put(&turns("person:jo")), delete(&kim)]] {
        let effects = match &edits[0] {
            RosterEdit::Delete(_) => [Effect::Deleted, Effect::Replaced],
            RosterEdit::Put(_) => [Effect::Replaced, Effect::Deleted],
        };
        assert_eq!(done(&roster, 1, &edits).await, effects);
        put_all(&roster, &[jo.clone(), kim.clone()]).await;
    }
    for edits in [[delete(&kim), put(&turns("person:kim"))], [put(&turns("person:kim")), delete(&kim)]] {
        let refusal = Refusal::InUse { key: kim.key(), by: turns("person:kim").key() };
        must_refuse(&roster, &edits, &refusal).await;
    }
}

/// A team is not deleted while another team uses its schedule, because the schedule would be deleted too. The team's
/// own entries may use the schedule.
pub async fn p16_a_schedule_that_another_team_uses_keeps_its_team<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let own = [
        person("jo"),
        schedule_of("ops", "primary", &["person:jo"]),
        override_of("ops", "primary", "o", &["person:jo"]),
        schedule_of("ops", "second", &["schedule:primary"]),
        override_of("ops", "second", "o", &["schedule:primary"]),
        level_of("ops", &["schedule:primary"]),
        rota_of("ops", DAY, &["schedule:primary", "schedule:ops/second"], &[]),
    ];
    put_all(&roster, &own).await;
    put_all(&roster, &[schedule_of("web", "other", &["jo"])]).await;
    for user in users_of("web", "schedule:ops/second") {
        let _ = done_one(&roster, 1, put(&user)).await;
        let refusal = Refusal::InUse { key: schedule_key("ops", "second"), by: user.key() };
        must_refuse(&roster, &[no_team("ops")], &refusal).await;
        let rid = match &user {
            Entry::Team { .. } => put(&fallback_of("web", &["last"])),
            _ => delete(&user),
        };
        assert!(done_one(&roster, 2, rid).await.changes(), "{user:?}");
    }
    assert_eq!(done_one(&roster, 3, no_team("ops")).await, Effect::Deleted, "only its own entries use it");
    assert!(!knows(&roster, "ops").await, "nothing of it is left");
}

/// An entry of another team that uses a schedule or a person is found among very many entries of the team itself.
pub async fn p16_a_user_is_found_among_however_many<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let silent = person_with("jo", &[]);
    put_all(&roster, &[person("jo"), schedule_of("ops", "primary", &["jo"])]).await;
    let dates: Vec<_> = day(DAY).iter_days().take(MAX_EDITS + 5).map(|date| date.to_string()).collect();
    for some in dates.chunks(MAX_EDITS) {
        let days = some.iter().map(|date| rota_of("ops", date, &["schedule:primary", "person:jo"], &[]));
        let _ = done(&roster, 1, &days.map(RosterEdit::Put).collect::<Vec<_>>()).await;
    }
    for of in ["a", "z"] {
        let user = rota_of(of, DAY, &["schedule:ops/primary"], &[]);
        put_all(&roster, std::slice::from_ref(&user)).await;
        let refusal = Refusal::InUse { key: schedule_key("ops", "primary"), by: user.key() };
        must_refuse(&roster, &[no_team("ops")], &refusal).await;
        let fallback = fallback_of(of, &["person:jo"]);
        put_all(&roster, std::slice::from_ref(&fallback)).await;
        let person = PersonId::new("jo").unwrap();
        must_refuse(&roster, &[put(&silent)], &Refusal::LastMethod { person, team: team(of) }).await;
        assert_eq!(done_one(&roster, 2, no_team(of)).await, Effect::Deleted);
    }
    assert_eq!(done(&roster, 3, &[no_team("ops"), delete(&silent)]).await, [Effect::Deleted; 2]);
}

/// All overrides of a schedule are deleted with it, even in a call with the maximum number of edits.
pub async fn however_much_belongs_to_a_schedule_is_deleted_with_it<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let primary = schedule_of("web", "primary", &["jo"]);
    put_all(&roster, &[schedule_of("web", "other", &["jo"]), primary.clone()]).await;
    let overrides: Vec<_> =
        (0..30).map(|nth| override_of("web", "primary", &nth.to_string(), &["jo"])).collect();
    let other = override_of("web", "other", "0", &["jo"]);
    let edits: Vec<_> = overrides.iter().chain([&other]).map(put).collect();
    let _ = done(&roster, 1, &edits).await;
    let mut edits: Vec<_> =
        (1..MAX_EDITS).map(|nth| put(&service_of(&format!("service {nth}"), "web"))).collect();
    edits.push(delete(&primary));
    let _ = done(&roster, 2, &edits).await;
    let left: Vec<_> = held_parts(&roster).await.into_iter().map(|listed| listed.key).collect();
    assert_eq!(left, [other.key()]);
    put_all(&roster, &[primary]).await;
    let left: Vec<_> = held_parts(&roster).await.into_iter().map(|listed| listed.key).collect();
    assert_eq!(left, [other.key()], "the parts of a deleted schedule do not come back");
}

/// A schedule is deleted with its overrides and copies. They do not come back with a new schedule of the same name.
pub async fn a_schedule_is_deleted_with_its_overrides_and_copies<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let [primary, other] = ["primary", "other"].map(|name| schedule_of("web", name, &["jo"]));
    let parts = [override_of("web", "primary", "o", &["person:jo"]), copy_of("web", "primary", '0', &["jo"])];
    put_all(&roster, &[person("jo"), primary.clone(), other]).await;
    put_all(&roster, &parts).await;
    assert_eq!(done_one(&roster, 1, delete(&primary)).await, Effect::Deleted);
    assert_eq!(held_parts(&roster).await, []);
    for part in &parts {
        let refusal = Refusal::Unknown { key: primary.key(), by: part.key() };
        must_refuse(&roster, &[put(part)], &refusal).await;
        assert_eq!(done_one(&roster, 2, delete(part)).await, Effect::Absent, "{part:?}");
    }
    assert_eq!(done_one(&roster, 3, delete(&person("jo"))).await, Effect::Deleted, "nobody uses it");
    put_all(&roster, &[primary]).await;
    assert_eq!(held_parts(&roster).await, [], "the parts of a deleted schedule do not come back");
}

/// A team is deleted with its schedules and their parts. They do not come back with a new team of the same name.
pub async fn a_team_is_deleted_with_its_schedules<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let primary = schedule_of("web", "primary", &["person:jo"]);
    let parts = [override_of("web", "primary", "o", &["person:jo"]), copy_of("web", "primary", '0', &["jo"])];
    for settings in [Some(level_of("web", &["schedule:primary"])), None] {
        put_all(&roster, &[person("jo"), primary.clone()]).await;
        put_all(&roster, &parts).await;
        put_all(&roster, settings.as_slice()).await;
        assert_eq!(done_one(&roster, 1, no_team("web")).await, Effect::Deleted);
        assert_eq!(held_parts(&roster).await, []);
        assert_eq!(listed(&roster, EntryKind::Schedule).await, []);
        assert!(!knows(&roster, "web").await, "nothing of it is left");
        for part in &parts {
            let refusal = Refusal::Unknown { key: primary.key(), by: part.key() };
            must_refuse(&roster, &[put(part)], &refusal).await;
        }
        assert_eq!(done_one(&roster, 2, delete(&person("jo"))).await, Effect::Deleted, "nobody uses it");
        put_all(&roster, &[person("jo"), primary.clone()]).await;
        assert_eq!(held_parts(&roster).await, [], "the parts of a deleted team do not come back");
        assert_eq!(done_one(&roster, 3, delete(&primary)).await, Effect::Deleted);
    }
}

/// Every fallback contains a contact, or a person with a method. If no contact and no other person is left in the
/// fallback, the person's last method cannot be removed.
pub async fn p12_a_fallback_always_reaches_somebody<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let silent = |name: &str| person_with(name, &[]);
    let others = [
        silent("silent"),
        person("jo"),
        person("kim"),
        schedule_of("web", "primary", &["jo"]),
        fallback_of("ops", &["last"]),
    ];
    put_all(&roster, &others).await;
    for fallback in [
        &["person:silent"][..],
        &["schedule:primary"],
        &["team:ops"],
        &["team:ops", "person:silent", "schedule:primary"],
    ] {
        let edits = [put(&person("bystander")), put(&fallback_of("web", fallback))];
        must_refuse(&roster, &edits, &Refusal::NoFallback(team("web"))).await;
    }
    let both = fallback_of("web", &["person:jo", "person:silent", "person:kim"]);
    assert_eq!(done_one(&roster, 1, put(&both)).await, Effect::Created);
    let last =
        |person: &str| Refusal::LastMethod { person: PersonId::new(person).unwrap(), team: team("web") };
    must_refuse(&roster, &[put(&silent("jo")), put(&silent("kim"))], &last("jo")).await;
    assert_eq!(done_one(&roster, 2, put(&silent("jo"))).await, Effect::Replaced, "kim is left");
    must_refuse(&roster, &[put(&person("bystander")), put(&silent("kim"))], &last("kim")).await;
    let other = person_with("kim", &[("call", "tel:+302101234567")]);
    assert_eq!(done_one(&roster, 3, put(&other)).await, Effect::Replaced, "one method for another");
    let edits = [put(&silent("kim")), put(&fallback_of("web", &["last", "person:kim"]))];
    assert_eq!(done(&roster, 4, &edits).await, [Effect::Replaced; 2], "a contact is left");
    assert_eq!(done_one(&roster, 5, put(&silent("kim"))).await, Effect::Unchanged);
}
