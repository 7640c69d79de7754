//! Laws of reading: a read returns what was written.

use inresponse_core::roster::{EntryKind, Roster};

use super::acting::{entry, knows, listed, owner, put_day, put_service, put_team, records, settings_of};
use super::scene::{all_rotas, all_settings, odd_names, rota, settings, team};
use crate::Harness;

const DAY: &str = "2026-03-29";

/// A missing entry is an answer, not an outage.
pub async fn what_was_never_put_is_absent<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for name in odd_names() {
        assert_eq!(owner(&roster, &name).await, None);
        assert_eq!(settings_of(&roster, &name).await, None);
        assert_eq!(entry(&roster, &name, DAY).await, None);
        assert!(!knows(&roster, &name).await, "{name:?} was never written");
    }
    for kind in EntryKind::ALL {
        assert_eq!(listed(&roster, kind).await, [], "{kind:?}");
    }
    assert_eq!(records(&roster).await, []);
}

/// The answer for a service is the team that it was assigned to last. The team need not have settings.
pub async fn a_services_team_is_answered_and_replaced<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_service(&roster, "athens", "devops").await;
    assert_eq!(owner(&roster, "athens").await, Some(team("devops")));
    put_service(&roster, "athens", "platform").await;
    assert_eq!(owner(&roster, "athens").await, Some(team("platform")));
}

/// A team's settings are returned exactly, to the last contact, level and millisecond.
pub async fn a_teams_settings_are_answered_exactly_and_replaced<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for settings in all_settings() {
        put_team(&roster, "devops", &settings).await;
        assert_eq!(settings_of(&roster, "devops").await, Some(settings));
    }
}

/// A calendar entry is returned exactly, with its empty levels and its order.
pub async fn a_calendar_entry_is_answered_exactly_and_replaced<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for rota in all_rotas() {
        put_day(&roster, "devops", DAY, &rota).await;
        assert_eq!(entry(&roster, "devops", DAY).await, Some(rota));
    }
}

/// A calendar entry counts for its own team and day only, not for the days next to it, wherever in the calendar it is.
pub async fn p15_a_calendar_entry_is_of_its_day_only<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let days = ["0001-01-01", "1969-12-31", "2026-03-28", "2026-03-30", "2028-02-29", "9999-12-31"];
    for date in days {
        put_day(&roster, "devops", date, &rota(&format!("on.{date}"))).await;
    }
    for date in days {
        assert_eq!(entry(&roster, "devops", date).await, Some(rota(&format!("on.{date}"))), "{date}");
        assert_eq!(entry(&roster, "platform", date).await, None, "the day {date} of another team");
    }
    for date in ["0001-01-02", "1970-01-01", "2026-03-29", "2028-02-28", "2028-03-01", "9999-12-30"] {
        assert_eq!(entry(&roster, "devops", date).await, None, "{date}");
    }
}

/// Names are compared exactly, in any script, with any characters, in upper and lower case.
pub async fn names_are_compared_exactly<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let names = odd_names();
    for (i, name) in names.iter().enumerate() {
        put_service(&roster, name, &format!("owner {i}")).await;
        put_team(&roster, name, &settings(&format!("fallback.{i}"))).await;
        put_day(&roster, name, DAY, &rota(&format!("oncall.{i}"))).await;
    }
    for (i, name) in names.iter().enumerate() {
        assert_eq!(owner(&roster, name).await, Some(team(&format!("owner {i}"))), "{name:?}");
        assert_eq!(settings_of(&roster, name).await, Some(settings(&format!("fallback.{i}"))), "{name:?}");
        assert_eq!(entry(&roster, name, DAY).await, Some(rota(&format!("oncall.{i}"))), "{name:?}");
    }
}
