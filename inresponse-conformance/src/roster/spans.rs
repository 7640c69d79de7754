//! Laws of the content of a directory.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use inresponse_core::roster::{Directory, Roster, Standing, Zone, day_of as day_in, days_of};

use super::acting::{done, put_service, put_team};
use super::scene::{day, day_of, put, rota, settings, team};
use crate::Harness;

async fn directory(roster: &impl Roster, name: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Directory {
    let found = roster.directory(&team(name), from, to).await.expect("the roster answers");
    (*found).clone()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A directory contains every day that the span covers in some time zone, because the roster is not told the team's
/// zone.
pub async fn p15_a_directory_has_every_day_that_some_zone_has_in_its_span<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let of = |name: &str, date: NaiveDate| rota(&format!("{name}.{date}"));
    let first = day("2026-02-20");
    // One day in between has no entry.
    let dates: Vec<_> = first.iter_days().take(50).filter(|date| *date != day("2026-03-11")).collect();
    for name in ["devops", "other"] {
        for some in dates.chunks(40) {
            let days = some.iter().map(|date| put(&day_of(name, &date.to_string(), of(name, *date))));
            let _ = done(&roster, 1, &days.collect::<Vec<_>>()).await;
        }
    }
    put_team(&roster, "devops", &settings("last")).await;
    let spans = [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-01T23:59:59.999999Z", "2026-03-01T23:59:59.999999Z"),
        ("2026-02-28T10:30:00Z", "2026-03-04T10:30:00Z"),
        ("2026-03-10T23:59:59Z", "2026-03-12T00:00:00Z"),
        ("2026-02-20T12:00:00Z", "2026-04-10T12:00:00Z"),
        ("2025-11-01T12:00:00Z", "2026-11-01T12:00:00Z"),
    ];
    for (from, to) in spans.map(|(from, to)| (instant(from), instant(to))) {
        let found = directory(&roster, "devops", from, to).await;
        assert_eq!(found.team(), &team("devops"));
        assert_eq!(found.settings().map(|settings| (**settings).clone()), Some(settings("last")));
        let (first, last) = days_of(from, to);
        for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"].map(|name| Zone::new(name).unwrap()) {
            let days = day_in(&zone, from)..=day_in(&zone, to);
            assert!(first <= *days.start() && *days.end() <= last, "the test data has all days of {zone:?}");
        }
        let expected: BTreeMap<_, _> = dates
            .iter()
            .filter(|date| (first..=last).contains(date))
            .map(|date| (*date, of("devops", *date)))
            .collect();
        let there: Vec<_> = found.days().map(|(date, rota)| (date, (**rota).clone())).collect();
        let in_span: BTreeMap<_, _> =
            there.iter().filter(|(date, _)| (first..=last).contains(date)).cloned().collect();
        assert_eq!(in_span, expected, "the directory from {from} to {to}");
        // There may be others, if they are true.
        for (date, rota) in there {
            assert!(
                dates.contains(&date) && rota == of("devops", date),
                "the day {date} in the directory from {from} to {to}: {rota:?}"
            );
        }
    }
}

/// A directory says whether its team is known, also by days far from the span. The directory of an unknown team is
/// empty.
pub async fn p12_a_directory_tells_whether_its_team_is_known<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let far = day("2026-03-29");
    let _ = done(&roster, 1, &[put(&day_of("listed", "2026-03-29", rota("jo")))]).await;
    put_service(&roster, "athens", "named").await;
    put_team(&roster, "settled", &settings("last")).await;
    for date in [far, far + Days::new(100), far - Days::new(100)] {
        let at = date.and_time(chrono::NaiveTime::MIN).and_utc();
        for (name, standing) in [
            ("listed", Standing::Known),
            ("named", Standing::Known),
            ("settled", Standing::Known),
            ("athens", Standing::Unknown),
            ("nobody", Standing::Unknown),
        ] {
            let found = directory(&roster, name, at, at).await;
            assert_eq!(found.standing(), standing, "{name} at {at}");
            assert_eq!(found.settings().is_some(), name == "settled", "{name} at {at}");
            assert_eq!(found.day(date).is_some(), name == "listed" && date == far, "{name} at {at}");
        }
    }
}
