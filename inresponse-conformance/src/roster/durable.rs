//! Laws of durability: written entries survive a crash.

use inresponse_core::roster::{Effect, Roster};

use super::acting::{
    call, delete_day, done, entry, everything, knows, owner, page_of_changes, put_day, put_service, put_team,
    records, settings_of, told,
};
use super::crew::{all_crew, base, crew_pairs, held, override_of, put_all, schedule_of};
use super::scene::{all_rotas, all_settings, delete, no_team, odd_names, pairs, put, service_of, team};
use crate::Durable;

/// Services, settings and calendars survive a crash, and deleted entries do not come back.
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
    assert_eq!(delete_day(&roster, "deleted", "2026-03-29").await, Effect::Deleted);

    let roster = harness.reopen(roster).await;
    for (i, name) in names.iter().enumerate() {
        assert_eq!(owner(&roster, name).await, Some(team(name)), "{name:?}");
        assert_eq!(settings_of(&roster, name).await.as_ref(), Some(settings_for(i)), "{name:?}");
        assert_eq!(entry(&roster, name, "2026-03-29").await.as_ref(), Some(rota_for(i)), "{name:?}");
    }
    assert_eq!(entry(&roster, "deleted", "2026-03-29").await, None);
    assert!(!knows(&roster, "deleted").await, "the team's only calendar day was deleted");
}

/// People, schedules, overrides and copies of feeds survive a crash, and deleted entries do not come back.
pub async fn people_and_schedules_survive_a_crash<H: Durable<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let mut entries: Vec<_> = base().into();
    entries.extend(all_crew());
    entries.extend(crew_pairs().map(|[first, _]| first));
    put_all(&roster, &entries).await;
    let gone = schedule_of("devops", "gone", &["jo"]);
    put_all(&roster, &[gone.clone(), override_of("devops", "gone", "o", &["jo"])]).await;
    assert_eq!(done(&roster, 1, &[delete(&gone)]).await, [Effect::Deleted]);
    let before = everything(&roster).await;
    assert_eq!(before.0.len(), 9, "one for each key, and their team: {:#?}", before.0);

    let roster = harness.reopen(roster).await;
    assert_eq!(everything(&roster).await, before);
    for listed in before.0.into_iter().filter_map(|listed| listed.entry) {
        assert_eq!(held(&roster, &listed.key()).await, Some(listed), "in a directory");
    }
    let user = override_of("devops", "primary", "dentist", &["person:jo"]);
    assert_eq!(done(&roster, 2, &[put(&user)]).await, [Effect::Unchanged]);
}

/// All edits of the last call and all their records survive a crash together, and so do marks that were returned
/// before.
pub async fn edits_and_their_records_survive_a_crash_together<H: Durable<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let [first, second] = [0, 1].map(|nth| pairs().map(|pair| put(&pair[nth])));
    let mut expected = done(&roster, 1, &first).await.len();
    expected += done(&roster, 2, &second).await.len();
    let refused = call(&roster, 3, &[put(&service_of("delphi", "devops")), no_team("platform")]).await;
    let before = everything(&roster).await;
    assert_eq!(before.1.len(), expected, "one record for each edit; other calls: {refused:?}");
    let (mark, _) = before.1[1].clone();

    let roster = harness.reopen(roster).await;
    assert_eq!(everything(&roster).await, before);
    let rest = page_of_changes(&roster, Some(&mark), 1_000).await;
    assert_eq!(rest, before.1[2..], "the records after a mark from before the crash");
    let _ = done(&roster, 4, &first).await;
    let after: Vec<_> = records(&roster).await.into_iter().skip(first.len()).collect();
    let before: Vec<_> = before.1.into_iter().map(|(_, record)| record).collect();
    assert_eq!(after, before, "the edit after the crash is listed first");
    let keys: Vec<_> =
        told(&roster).await.iter().rev().take(first.len()).map(|told| told.key.clone()).collect();
    assert_eq!(keys, first.iter().rev().map(|edit| edit.key()).collect::<Vec<_>>());
}
