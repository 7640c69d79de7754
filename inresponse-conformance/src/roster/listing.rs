//! Laws of pages of entries.

use inresponse_core::roster::{Entry, EntryKey, EntryKind, Listed, Roster};

use super::acting::{delete_service, done, put_service};
use super::scene::{all_rotas, all_settings, day_of, put, rota, service_of, settings_for};
use crate::Harness;

pub(super) async fn page(
    roster: &impl Roster,
    kind: EntryKind,
    after: Option<&EntryKey>,
    limit: usize,
) -> Vec<Listed> {
    let page = roster.entries(kind, after, limit).await.expect("the roster lists its entries");
    assert!(page.len() <= limit, "a page with a limit of {limit} has {} items", page.len());
    page
}

/// Entries of all kinds. Some names are prefixes of others, so that a separator between a name and a day cannot decide
/// the order.
fn entries() -> Vec<Entry> {
    let (settings, rotas) = (all_settings(), all_rotas());
    let mut entries = Vec::new();
    for (i, name) in ["dev", "dev ops", "dev!", "dev/eu", "Dev", "δ", "🚒"].iter().enumerate() {
        entries.push(service_of(&format!("service of {name}"), name));
        entries.push(service_of(name, "owner of all"));
        if i % 3 > 0 {
            entries.push(settings_for(name, settings[i % settings.len()].clone()));
        }
    }
    // The last of them is known by nothing else.
    for (i, name) in ["dev", "dev ops", "dev!", "dev/eu", "only days"].iter().enumerate() {
        for date in ["2025-12-31", "2026-03-29", "2026-03-30", "2026-04-01"] {
            entries.push(day_of(name, date, rotas[i % rotas.len()].clone()));
        }
    }
    entries
}

/// The expected list of these entries, in order.
fn expected(entries: &[Entry], kind: EntryKind) -> Vec<Listed> {
    let of_kind = entries.iter().filter(|entry| entry.key().kind() == kind).cloned();
    let mut listed: Vec<Listed> = of_kind.map(Listed::from).collect();
    if kind == EntryKind::Team {
        // Those that something else names have no entry.
        for entry in entries {
            let named = entry.uses().into_iter().chain(entry.key().team().cloned().map(EntryKey::Team));
            for key in named {
                if listed.iter().all(|listed| listed.key != key) {
                    listed.push(Listed { key, entry: None });
                }
            }
        }
    }
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    listed
}

/// Pages of entries skip and repeat nothing. Entries are listed in the order of their keys, and include teams without
/// settings.
pub async fn pages_of_entries_leave_none_out_and_double_none<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let entries = entries();
    for some in entries.chunks(30) {
        let _ = done(&roster, 1, &some.iter().map(put).collect::<Vec<_>>()).await;
    }
    for kind in EntryKind::ALL {
        let expected = expected(&entries, kind);
        for limit in [1, 2, 3, 7, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = page(&roster, kind, after.as_ref(), limit).await;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                found.extend(page);
                assert!(
                    found.len() <= expected.len(),
                    "the pages list more entries than exist, with {limit} on a page: {found:#?}"
                );
            }
            assert_eq!(found, expected, "the listed records, with {limit} on a page");
        }
    }
}

/// A page continues after a key that no longer exists, for example because it was deleted between two pages.
pub async fn a_page_goes_on_after_a_key_that_is_gone<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    for name in ["a", "b", "c", "d"] {
        put_service(&roster, name, name).await;
        let days = [day_of(name, "2026-03-01", rota(name)), day_of(name, "2026-03-02", rota(name))];
        let _ = done(&roster, 1, &days.each_ref().map(put)).await;
    }
    let _ = delete_service(&roster, "b").await;
    let _ = done(&roster, 2, &[super::scene::no_team("b")]).await;
    let gone = [
        service_of("b", "b"),
        settings_for("b", all_settings().remove(0)),
        day_of("b", "2026-03-02", rota("b")),
    ];
    for gone in gone {
        let key = gone.key();
        let after: Vec<_> =
            page(&roster, key.kind(), Some(&key), 2).await.into_iter().map(|l| l.key).collect();
        let all = page(&roster, key.kind(), None, 100).await;
        let expected: Vec<_> = all.into_iter().map(|l| l.key).filter(|other| *other > key).take(2).collect();
        assert_eq!(after, expected, "after {key}");
        assert_eq!(expected.len(), 2, "two entries follow the key {key}");
    }
}
