//! What was put is still there after a crash.

use inresponse_core::roster::Roster;

use super::scene::{
    all_rotas, all_settings, day, entry, knows, odd_names, owner, put_day, put_service, put_team,
    settings_of, team,
};
use crate::Durable;

/// Services, settings and calendars; and what was deleted does not come back.
pub async fn what_was_put_survives_a_crash<H: Durable<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let (settings, rotas) = (all_settings(), all_rotas());
    let settings_for = |i: usize| &settings[i % settings.len()];
    let rota_for = |i: usize| &rotas[i % rotas.len()];
    let names = odd_names();
    for (i, name) in names.iter().enumerate() {
        put_service(&roster, name, name).await;
        put_team(&roster, name, settings_for(i)).await;
        put_day(&roster, name, "2026-03-29", rota_for(i)).await;
    }
    put_day(&roster, "deleted", "2026-03-29", rota_for(0)).await;
    let _ = roster.delete_day(&team("deleted"), day("2026-03-29")).await.expect("the roster deletes a day");

    let roster = harness.reopen(roster).await;
    for (i, name) in names.iter().enumerate() {
        assert_eq!(owner(&roster, name).await, Some(team(name)), "{name:?}");
        assert_eq!(settings_of(&roster, name).await.as_ref(), Some(settings_for(i)), "{name:?}");
        assert_eq!(entry(&roster, name, "2026-03-29").await.as_ref(), Some(rota_for(i)), "{name:?}");
    }
    assert_eq!(entry(&roster, "deleted", "2026-03-29").await, None);
    assert!(!knows(&roster, "deleted").await, "its only day was deleted");
}
