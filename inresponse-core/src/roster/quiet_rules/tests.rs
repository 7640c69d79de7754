//! Rules are compared with an answer that tries minute after minute.

use chrono::{Datelike, Days, NaiveTime};
use proptest::prelude::*;

use super::*;
use crate::model::Contact;
use crate::model::ServiceName;
use crate::roster::{WeekDays, Weekly};

/// Weekly hours: days as bits from Monday, and minutes of the day.
type Week = (u8, u32, u32);

fn hours((days, from, to): Week) -> Hours {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let chosen = (0..7).filter(|day| days & (1 << day) != 0).map(|day| names[day].parse().unwrap());
    let days = chosen.fold(WeekDays::default(), WeekDays::union);
    let time = |minute: u32| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
    Hours { days, from: time(from), to: time(to) }
}

/// The spans of weekly hours around an instant, by the words of promise 15: from the first occurrence of one local time to
/// the last occurrence of the other.
fn is_within(hours: &Hours, zone: &Zone, at: DateTime<Utc>) -> bool {
    let today = at.date_naive();
    (-3i64..=3).any(|offset| {
        let day = today.checked_add_signed(TimeDelta::days(offset)).unwrap();
        let last = if hours.to <= hours.from { day.checked_add_days(Days::new(1)).unwrap() } else { day };
        let (begins, ends) =
            (zone.first_instant(day.and_time(hours.from)), zone.last_instant(last.and_time(hours.to)));
        hours.days.contains(day.weekday()) && begins <= at && at < ends
    })
}

fn subject() -> (ServiceName, TeamName, BTreeMap<String, String>) {
    let labels = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    (ServiceName::new("athens").unwrap(), TeamName::new("devops").unwrap(), labels)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The end of quiet is the first minute at which nothing holds the incident, also where clocks change.
    #[test]
    fn p21_quiet_ends_at_the_first_instant_that_nothing_holds(
        zone in prop::sample::select(&["Europe/Athens", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"][..]),
        other in prop::sample::select(&["Europe/London", "America/St_Johns", "Asia/Tehran"][..]),
        change in 0usize..2,
        minutes_before in 0i64..3_000,
        open in prop::collection::vec((1u8..128, 0u32..1_440, 0u32..1_440), 0..3),
        weekly in prop::option::of((1u8..128, 0u32..1_440, 0u32..1_440)),
        spans in prop::collection::vec((0i64..6_000, 1i64..3_000), 0..3),
    ) {
        let (zone, other) = (Zone::new(zone).unwrap(), Zone::new(other).unwrap());
        // The clocks of most zones change near these times.
        let near = ["2026-03-29T03:00:00Z", "2026-10-25T03:00:00Z"][change].parse::<DateTime<Utc>>().unwrap();
        let now = near - TimeDelta::minutes(minutes_before);
        let minute = |n: i64| now + TimeDelta::minutes(n);
        let matcher = || vec!["env=prod".parse().unwrap()];
        let mut entries = Vec::new();
        for (i, (from, length)) in spans.iter().enumerate() {
            let from = minute(from - 1_500);
            let one = Silence::new(matcher(), from, from + TimeDelta::minutes(*length)).unwrap();
            entries.push(Entry::silence(&SilenceId::new(i.to_string()).unwrap(), one));
        }
        let recurring = weekly.map(|week| Weekly { hours: hours(week), timezone: other.clone() });
        if let Some(weekly) = &recurring {
            let one = Silence::new(matcher(), minute(-10_000), minute(20_000)).unwrap();
            let one = one.recurring(weekly.clone()).unwrap();
            entries.push(Entry::silence(&SilenceId::new("weekly").unwrap(), one));
        }
        let open: Vec<Hours> = open.into_iter().map(hours).collect();
        let (service, team, labels) = subject();
        if !open.is_empty() {
            let settings = Team::builder(vec![Contact::new("z@x.org").unwrap()])
                .timezone(zone.clone())
                .alert_hours(Severity::Warn, open.clone());
            entries.push(Entry::team(&team, settings.build().unwrap()));
        }
        let is_held = |at: DateTime<Utc>| {
            let in_span = spans.iter().any(|(from, length)| {
                minute(from - 1_500) <= at && at < minute(from - 1_500 + length)
            });
            let in_weekly = recurring.as_ref().is_some_and(|weekly| {
                let lasts = minute(-10_000) <= at && at < minute(20_000);
                lasts && is_within(&weekly.hours, &weekly.timezone, at)
            });
            let is_closed = !open.is_empty() && !open.iter().any(|hours| is_within(hours, &zone, at));
            in_span || in_weekly || is_closed
        };
        let expected = (0..20_000).map(minute).find(|at| !is_held(*at));
        let rules = QuietRules::new(entries);
        let subject = Subject { service: &service, team: &team, severity: Severity::Warn, labels: &labels };
        let judged = rules.judge(&subject, now).map_or(now, |quiet| quiet.until);
        match expected {
            Some(expected) => prop_assert_eq!(judged, expected),
            None => prop_assert!(judged >= minute(20_000)),
        }
        // Another severity has no hours, and another label no silence.
        let labels = BTreeMap::new();
        let other = Subject { severity: Severity::Crit, labels: &labels, ..subject };
        prop_assert!(rules.judge(&other, now).is_none());
    }
}

#[test]
fn p21_an_end_beyond_400_days_is_cut_and_judged_quickly() {
    let (service, team, labels) = subject();
    let subject = Subject { service: &service, team: &team, severity: Severity::Warn, labels: &labels };
    let now: DateTime<Utc> = "2026-12-07T09:00:00Z".parse().unwrap();
    let long = Silence::new(vec!["env=prod".parse().unwrap()], now, now + TimeDelta::days(4_000)).unwrap();
    assert_eq!(long.ends(), now + TimeDelta::days(400));
    // Hours that are only open while a weekly silence holds: never quiet for longer than the silence lasts.
    let always = hours((127, 0, 0));
    let nine = hours((127, 540, 1_020));
    let silence = Silence::new(vec!["env=prod".parse().unwrap()], now, now + TimeDelta::days(4_000)).unwrap();
    let weekly = silence.recurring(Weekly { hours: nine, timezone: Zone::utc() }).unwrap();
    let settings =
        Team::builder(vec![Contact::new("z@x.org").unwrap()]).alert_hours(Severity::Warn, vec![nine]);
    let rules = QuietRules::new([
        Entry::silence(&SilenceId::new("weekly").unwrap(), weekly),
        Entry::team(&team, settings.build().unwrap()),
    ]);
    assert_eq!(rules.judge(&subject, now).unwrap().until, now + TimeDelta::days(400));
    assert_eq!(always.from, always.to);
}

#[test]
fn p21_the_id_of_rules_changes_with_what_decides_and_with_nothing_else() {
    let now: DateTime<Utc> = "2026-12-07T09:00:00Z".parse().unwrap();
    let silence = |matcher: &str, hours: i64| {
        Silence::new(vec![matcher.parse().unwrap()], now, now + TimeDelta::hours(hours)).unwrap()
    };
    let entry = |id: &str, silence: Silence| Entry::silence(&SilenceId::new(id).unwrap(), silence);
    let id = |entries: &[Entry]| QuietRules::new(entries.iter().cloned()).id();
    let one = entry("a", silence("env=prod", 1));
    assert_eq!(id(&[]), RulesId::NONE);
    let base = id(std::slice::from_ref(&one));
    assert!(base != RulesId::NONE && base.value() > 0);
    assert_eq!(id(&[entry("a", silence("env=prod", 1).because("a deploy").unwrap())]), base);
    for other in [
        vec![entry("b", silence("env=prod", 1))],
        vec![entry("a", silence("env=~prod", 1))],
        vec![entry("a", silence("env=prod", 2))],
        vec![one.clone(), entry("b", silence("env=prod", 1))],
    ] {
        assert_ne!(id(&other), base, "{other:?}");
    }
    let both = [one, entry("b", silence("env=test", 1))];
    let reversed: Vec<_> = both.iter().rev().cloned().collect();
    assert_eq!(id(&both), id(&reversed));
    // A record keeps it, so every version must compute the same.
    assert_eq!(base.value(), 3_465_500_209_974_306_029);
}
