//! Laws of deletions, and of when a team is known.

use inresponse_core::model::TeamName;
use inresponse_core::roster::{Edited, Effect, EntryKey, EntryKind, Refusal, Roster};

use super::acting::{
    call, delete_day, delete_service, delete_team, entry, knows, listed, owner, put_day, put_service,
    put_team, settings_of,
};
use super::scene::{no_team, rota, settings, team};
use crate::Harness;

/// The first deletion removes an entry, later ones find it missing. The entry can be written again.
pub async fn a_deletion_tells_what_it_found<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    assert_eq!(delete_service(&roster, "athens").await, Effect::Absent);
    assert_eq!(delete_day(&roster, "devops", "2026-03-01").await, Effect::Absent);
    assert_eq!(delete_team(&roster, "devops").await, Effect::Absent);
    for _ in 0..2 {
        put_service(&roster, "athens", "other").await;
        assert_eq!(delete_service(&roster, "athens").await, Effect::Deleted);
        assert_eq!(owner(&roster, "athens").await, None);
        assert_eq!(delete_service(&roster, "athens").await, Effect::Absent);

        put_team(&roster, "devops", &settings("last")).await;
        put_day(&roster, "devops", "2026-03-01", &rota("jo")).await;
        assert_eq!(delete_day(&roster, "devops", "2026-03-01").await, Effect::Deleted);
        assert_eq!(entry(&roster, "devops", "2026-03-01").await, None);
        assert_eq!(delete_day(&roster, "devops", "2026-03-01").await, Effect::Absent);

        assert_eq!(delete_team(&roster, "devops").await, Effect::Deleted);
        assert_eq!(settings_of(&roster, "devops").await, None);
        assert_eq!(delete_team(&roster, "devops").await, Effect::Absent);
    }
}

/// A deletion leaves everything else alone: other services, other days of the team, and teams whose names begin alike.
pub async fn a_deletion_leaves_everything_else_alone<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for name in ["dev", "devops", "devops/eu", "Devops"] {
        put_team(&roster, name, &settings("last")).await;
        put_day(&roster, name, "2026-03-01", &rota("jo")).await;
        put_day(&roster, name, "2026-03-02", &rota("ann")).await;
        put_service(&roster, name, "platform").await;
    }
    assert_eq!(delete_day(&roster, "devops", "2026-03-02").await, Effect::Deleted);
    assert_eq!(entry(&roster, "devops", "2026-03-01").await, Some(rota("jo")));
    assert_eq!(delete_service(&roster, "devops").await, Effect::Deleted);
    assert_eq!(delete_team(&roster, "devops").await, Effect::Deleted);
    for name in ["dev", "devops/eu", "Devops"] {
        assert_eq!(settings_of(&roster, name).await, Some(settings("last")), "{name}");
        assert_eq!(entry(&roster, name, "2026-03-01").await, Some(rota("jo")), "{name}");
        assert_eq!(entry(&roster, name, "2026-03-02").await, Some(rota("ann")), "{name}");
        assert_eq!(owner(&roster, name).await, Some(team("platform")), "{name}");
    }
}

/// A team is known if it has settings, a calendar entry or a service. Settings, a calendar entry or a service alone are
/// enough.
pub async fn p12_a_team_is_known_by_settings_a_calendar_entry_or_a_service<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    put_service(&roster, "athens", "named").await;
    put_service(&roster, "sparta", "named").await;
    assert!(knows(&roster, "named").await, "a service makes its team known");
    assert_eq!(settings_of(&roster, "named").await, None, "a service gives no settings");
    let owns = call(&roster, 0, &[no_team("named")]).await;
    let is_there = matches!(owns, Edited::Refused(Refusal::InUse { .. }));
    assert!(is_there, "the team is known, because it owns a service: {owns:?}");
    assert_eq!(delete_service(&roster, "sparta").await, Effect::Deleted);
    assert!(knows(&roster, "named").await, "the team still has one service");
    put_service(&roster, "athens", "other").await;
    assert!(!knows(&roster, "named").await, "the team has no service");
    assert!(knows(&roster, "other").await, "the other team now owns the service");
    assert_eq!(delete_service(&roster, "athens").await, Effect::Deleted);
    assert!(!knows(&roster, "other").await, "the service was deleted");

    put_team(&roster, "settled", &settings("last")).await;
    assert!(knows(&roster, "settled").await, "settings alone make a team");

    put_day(&roster, "listed", "2026-03-01", &rota("jo")).await;
    put_day(&roster, "listed", "2026-03-02", &rota("jo")).await;
    assert!(knows(&roster, "listed").await, "a calendar alone makes a team");
    assert_eq!(settings_of(&roster, "listed").await, None, "a calendar has no settings");
    assert_eq!(delete_day(&roster, "listed", "2026-03-01").await, Effect::Deleted);
    assert!(knows(&roster, "listed").await, "the team still has one calendar entry");
    assert_eq!(delete_day(&roster, "listed", "2026-03-02").await, Effect::Deleted);
    assert!(!knows(&roster, "listed").await, "the team has no calendar entry");
    assert_eq!(delete_team(&roster, "listed").await, Effect::Absent, "an unknown team has no directory");
}

/// The list of known teams contains each of them once, in order, and no others.
pub async fn the_teams_that_are_known_are_listed<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let teams = async || -> Vec<TeamName> {
        let listed = listed(&roster, EntryKind::Team).await;
        listed.iter().filter_map(|listed| listed.key.team().cloned()).collect()
    };
    assert_eq!(teams().await, []);
    put_service(&roster, "athens", "named").await;
    for name in ["settled", "both", "Zeta"] {
        put_team(&roster, name, &settings("last")).await;
    }
    for (name, date) in [("listed", "2026-03-01"), ("listed", "2026-03-02"), ("both", "2026-03-01")] {
        put_day(&roster, name, date, &rota("jo")).await;
    }
    assert_eq!(teams().await, ["Zeta", "both", "listed", "named", "settled"].map(team));
    put_service(&roster, "athens", "both").await;
    assert_eq!(teams().await, ["Zeta", "both", "listed", "settled"].map(team));
    assert_eq!(delete_team(&roster, "settled").await, Effect::Deleted);
    for date in ["2026-03-01", "2026-03-02"] {
        assert_eq!(delete_day(&roster, "listed", date).await, Effect::Deleted);
    }
    assert_eq!(teams().await, ["Zeta", "both"].map(team));
}

/// A team is deleted with its calendar: nothing comes back with a new team of the same name.
pub async fn a_team_is_deleted_with_its_calendar<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_team(&roster, "devops", &settings("last")).await;
    put_day(&roster, "devops", "2026-03-01", &rota("jo")).await;
    put_day(&roster, "devops", "2026-03-02", &rota("jo")).await;
    assert_eq!(delete_team(&roster, "devops").await, Effect::Deleted);
    assert!(!knows(&roster, "devops").await, "the calendar of the deleted team is empty");
    put_team(&roster, "devops", &settings("last")).await;
    for date in ["2026-03-01", "2026-03-02"] {
        assert_eq!(entry(&roster, "devops", date).await, None, "the day {date} of the deleted team");
    }

    put_day(&roster, "listed", "2026-03-01", &rota("jo")).await;
    assert_eq!(delete_team(&roster, "listed").await, Effect::Deleted, "a calendar alone makes a team");
    assert_eq!(entry(&roster, "listed", "2026-03-01").await, None);
}

/// A team that owns a service is not deleted. The refusal names the service, and nothing is changed.
pub async fn a_team_that_owns_a_service_is_not_deleted<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_team(&roster, "devops", &settings("last")).await;
    put_day(&roster, "devops", "2026-03-01", &rota("jo")).await;
    put_service(&roster, "athens", "devops").await;
    put_service(&roster, "delphi", "other").await;
    put_service(&roster, "sparta", "devops").await;
    for owns in ["athens", "sparta"] {
        match call(&roster, 0, &[no_team("devops")]).await {
            Edited::Refused(Refusal::InUse { key, by: EntryKey::Service(named) }) => {
                assert_eq!(key, EntryKey::Team(team("devops")), "the entry of the team that was not deleted");
                let owner = roster.service(&named).await.expect("the roster answers");
                assert_eq!(owner, Some(team("devops")), "the refusal names {named} as the team's service");
            }
            other @ (Edited::Refused(_) | Edited::Done(_)) => {
                panic!("the team owns {owns}, but the deletion returned {other:?}")
            }
        }
        assert_eq!(settings_of(&roster, "devops").await, Some(settings("last")), "nothing was changed");
        assert_eq!(entry(&roster, "devops", "2026-03-01").await, Some(rota("jo")), "nothing was changed");
        // One is given to somebody else, the other deleted.
        if owns == "athens" {
            put_service(&roster, "athens", "other").await;
        } else {
            assert_eq!(delete_service(&roster, "sparta").await, Effect::Deleted);
        }
    }
    assert_eq!(delete_team(&roster, "devops").await, Effect::Deleted);
}
