//! Who is on call in small rosters, worked out by hand.

use std::sync::Arc;

use inresponse_core::roster::{Entry, EntryKey, TeamLevel};

use super::*;

/// A roster with the people `p0` to `p3`, of whom `p3` is away on 16 January, and a schedule `x` of `t0` in Athens.
fn roster(layers: &str, overrides: &[&str]) -> Roster {
    let mut roster = Roster::default();
    let book = Arc::make_mut(&mut roster.book);
    let mut put = |kind: &str, team: &str, name: &str, body: &str| {
        let key = EntryKey::from_parts(kind.parse().unwrap(), team, name).unwrap();
        book.put(Entry::decode(key, body).unwrap());
    };
    for name in ["p0", "p1", "p2", "p3"] {
        let absences = r#""absences":[{"from":"2027-01-16","to":"2027-01-17"}]"#;
        let absences = if name == "p3" { absences } else { r#""absences":[]"# };
        let methods = format!(r#""methods":{{"m0":"sim:{name}"}}"#);
        put("person", "", name, &format!(r#"{{"timezone":"Europe/Athens",{methods},{absences}}}"#));
    }
    put("schedule", "t0", "x", &format!(r#"{{"timezone":"Europe/Athens","layers":[{layers}]}}"#));
    for (i, body) in overrides.iter().enumerate() {
        put("override", "t0", &format!("x/o{i}"), body);
    }
    roster.teams.insert("t0".into(), TeamPlan::of_deployment());
    roster
}

fn members(names: &[&str]) -> String {
    let who = names.iter().map(|names| {
        let who: Vec<_> = names.split_whitespace().map(|name| format!(r#""person:{name}""#)).collect();
        format!(r#"{{"who":[{}]}}"#, who.join(","))
    });
    format!(r#""members":[{}]"#, who.collect::<Vec<_>>().join(","))
}

fn layer(name: &str, who: &[&str], from: &str, turn: &str, more: &str) -> String {
    let turn = format!(r#""turn":{{"every":1,{turn}}}"#);
    format!(r#"{{"name":"{name}",{},"from":"{from}",{turn}{more}}}"#, members(who))
}

/// Who is on call in the schedule.
fn who(roster: &Roster, at: &str) -> String {
    let resolver = Resolver { roster, at: at.parse().unwrap(), means: RefCell::default() };
    let target = "schedule:x".parse().unwrap();
    let names = resolver.whom(&scenario::team("t0"), &target, 0).into_iter().map(|who| match who {
        Who::Person(person) => person.as_str().to_owned(),
        Who::Contact(contact) => contact.as_str().to_owned(),
    });
    names.collect::<Vec<_>>().join(" ")
}

const DAILY: &str = r#""unit":"day""#;

fn same(roster: &Roster, cases: &[(&str, &str)]) {
    for (at, expected) in cases {
        assert_eq!(who(roster, at), *expected, "{at}");
    }
}

#[test]
fn p15_turns_go_round_from_the_anchor_and_stay_with_somebody_absent() {
    let roster = roster(&layer("a", &["p0", "p3", "p1 p2", ""], "2027-01-14T10:00", DAILY, ""), &[]);
    // Athens is two hours ahead of UTC.
    let cases = [
        ("2027-01-14T07:59:59Z", ""),
        ("2027-01-14T08:00:00Z", "p0"),
        ("2027-01-15T08:00:00Z", "p3"),
        ("2027-01-15T21:59:59Z", "p3"),
        ("2027-01-15T22:00:00Z", ""),
        ("2027-01-16T08:00:00Z", "p1 p2"),
        ("2027-01-17T08:00:00Z", ""),
        ("2027-01-18T08:00:00Z", "p0"),
    ];
    same(&roster, &cases);
}

#[test]
fn p15_a_turn_of_hours_is_elapsed_time_and_a_turn_of_days_follows_the_clocks() {
    let hours = layer("a", &["p0", "p1"], "2027-03-27T10:00", r#""unit":"hour""#, "");
    let roster = roster(&hours.replace(r#""every":1"#, r#""every":24"#), &[]);
    same(&roster, &[("2027-03-28T07:30:00Z", "p0"), ("2027-03-28T08:00:00Z", "p1")]);
    let roster = self::roster(&layer("a", &["p0", "p1"], "2027-03-27T10:00", DAILY, ""), &[]);
    same(&roster, &[("2027-03-28T06:59:59Z", "p0"), ("2027-03-28T07:00:00Z", "p1")]);
}

#[test]
fn p15_hours_that_the_clocks_repeat_last_until_their_last_occurrence() {
    let hours = r#","hours":[{"days":["Sun"],"from":"03:10","to":"03:20"}]"#;
    let roster = roster(&layer("a", &["p0"], "2027-01-01", DAILY, hours), &[]);
    let cases = [
        ("2027-10-31T00:09:59Z", ""),
        ("2027-10-31T00:10:00Z", "p0"),
        ("2027-10-31T01:05:00Z", "p0"),
        ("2027-10-31T01:20:00Z", ""),
        ("2027-11-07T01:10:00Z", "p0"),
    ];
    same(&roster, &cases);
}

#[test]
fn turns_without_hours_do_not_count_if_worked_turns_are_counted() {
    let hours = r#","hours":[{"days":["Mon","Wed"],"from":"12:00","to":"13:00"}]"#;
    let worked = r#""unit":"day","count":"worked""#;
    // 4 January 2027 is a Monday.
    let roster = roster(&layer("a", &["p0", "p1", "p2"], "2027-01-04", worked, hours), &[]);
    let cases = [
        ("2027-01-04T10:30:00Z", "p0"),
        ("2027-01-05T10:30:00Z", ""),
        ("2027-01-06T10:30:00Z", "p1"),
        ("2027-01-11T10:30:00Z", "p2"),
        ("2027-01-13T10:30:00Z", "p0"),
    ];
    same(&roster, &cases);
}

#[test]
fn the_next_member_takes_the_rest_of_a_turn_that_somebody_leaves() {
    let dated = layer("a", &["p0", "p1", "p2"], "2027-01-04", DAILY, "");
    let dated = dated.replace(r#"["person:p1"]"#, r#"["person:p1"],"until":"2027-01-05T12:00""#);
    let roster = roster(&dated, &[]);
    let cases = [
        ("2027-01-05T09:59:59Z", "p1"),
        ("2027-01-05T10:00:00Z", "p2"),
        ("2027-01-06T10:00:00Z", "p2"),
        ("2027-01-07T10:00:00Z", "p0"),
        ("2027-01-08T10:00:00Z", "p2"),
    ];
    same(&roster, &cases);
}

#[test]
fn the_highest_rank_that_yields_somebody_is_on_call_and_equal_ranks_together() {
    let rank = |rank: u32| format!(r#","rank":{rank}"#);
    let layers = [
        layer("a", &["p0"], "2027-01-04", DAILY, &rank(1)),
        layer("b", &["p1", ""], "2027-01-04", DAILY, &rank(3)),
        layer("c", &["p2", ""], "2027-01-04", DAILY, &rank(3)),
        layer("d", &["p3"], "2027-01-04", DAILY, &rank(2)),
    ];
    let roster = roster(&layers.join(","), &[]);
    let cases = [
        ("2027-01-14T10:00:00Z", "p1 p2"),
        ("2027-01-15T10:00:00Z", "p3"),
        // The absent person hides nothing below.
        ("2027-01-16T10:00:00Z", "p1 p2"),
        ("2027-01-17T10:00:00Z", "p3"),
    ];
    same(&roster, &cases);
    let roster = self::roster(&[&layers[0], &layers[3]].map(String::as_str).join(","), &[]);
    same(&roster, &[("2027-01-15T10:00:00Z", "p3"), ("2027-01-16T10:00:00Z", "p0")]);
}

#[test]
fn overrides_apply_one_after_the_other() {
    let overrides = [
        // Replaces everybody.
        r#"{"from":"2027-01-05T10:00","to":"2027-01-05T20:00","oncall":["person:p1"]}"#,
        // Replaces one who is on call only because of the one before.
        r#"{"from":"2027-01-05T12:00","to":"2027-01-05T14:00","oncall":["person:p2"],"insteadOf":["person:p1"]}"#,
        // Adds.
        r#"{"from":"2027-01-05T13:00","to":"2027-01-05T15:00","oncall":["sim:c"],"insteadOf":[]}"#,
        // Takes away.
        r#"{"from":"2027-01-05T18:00","to":"2027-01-05T21:00","oncall":[],"insteadOf":["person:p1"]}"#,
        // Begins at the same time as the first and is shorter, so it applies after it.
        r#"{"from":"2027-01-05T10:00","to":"2027-01-05T11:00","oncall":[]}"#,
        // Its person is away.
        r#"{"from":"2027-01-16T10:00","to":"2027-01-16T11:00","oncall":["person:p3"]}"#,
    ];
    let roster = roster(&layer("a", &["p0"], "2027-01-04", DAILY, ""), &overrides);
    let cases = [
        ("2027-01-05T07:59:59Z", "p0"),
        ("2027-01-05T08:00:00Z", ""),
        ("2027-01-05T09:00:00Z", "p1"),
        ("2027-01-05T10:00:00Z", "p2"),
        ("2027-01-05T11:00:00Z", "p2 sim:c"),
        ("2027-01-05T12:00:00Z", "p1 sim:c"),
        ("2027-01-05T13:00:00Z", "p1"),
        ("2027-01-05T16:00:00Z", ""),
        // It does nothing once p1 is not on call.
        ("2027-01-05T18:00:00Z", "p0"),
        ("2027-01-16T08:30:00Z", ""),
    ];
    same(&roster, &cases);
}

#[test]
fn a_level_keeps_somebody_who_is_absent_and_a_name_that_leads_nowhere_is_nobody() {
    let mut roster = roster(&layer("a", &["p3"], "2027-01-04", DAILY, ""), &[]);
    let target = |text: &str| text.parse::<Target>().unwrap();
    let level =
        |names: &[&str]| TeamLevel { notify: names.iter().map(|name| target(name)).collect(), wait: None };
    let mut team = TeamPlan::of_deployment();
    team.levels = vec![
        level(&["person:p3"]),
        level(&["schedule:x"]),
        level(&["person:gone", "schedule:gone", "team:gone", "sim:c"]),
        level(&["team:t1", "sim:last"]),
    ];
    roster.teams.insert("t1".into(), TeamPlan::of_deployment());
    let at = |time: &str| resolve(&roster, "t0", &team, time.parse().unwrap());
    let names = |resolved: &Resolved| -> Vec<String> {
        let level =
            |level: &BTreeSet<Contact>| level.iter().map(Contact::as_str).collect::<Vec<_>>().join(" ");
        resolved.levels.iter().map(level).collect()
    };
    let (there, away) = (at("2027-01-15T10:00:00Z"), at("2027-01-16T10:00:00Z"));
    assert_eq!(names(&there), ["sim:p3", "sim:p3", "sim:c", "sim:last"]);
    assert_eq!(names(&away), ["sim:p3", "", "sim:c", "sim:last"]);
    assert!(away.means.contains(&Means::Absence) && !there.means.contains(&Means::Absence));
    assert_eq!((there.own, there.level(1)), (Own::Levels, [scenario::contact("p3")].into()));
    team.calendar.insert("2027-01-15".parse().unwrap(), vec![vec![target("sim:day")]]);
    let day = resolve(&roster, "t0", &team, "2027-01-15T10:00:00Z".parse().unwrap());
    assert_eq!((names(&day), day.own), (vec!["sim:day".to_owned()], Own::Day));
}

#[test]
fn every_change_of_who_is_on_call_is_among_the_changes() {
    let hours = r#","hours":[{"days":["Sat","Sun"],"from":"09:00","to":"01:00"}]"#;
    let dated = layer("b", &["p1", "p2"], "2027-01-15T05:00", r#""unit":"hour""#, hours);
    let dated = dated.replace(r#"["person:p1"]"#, r#"["person:p1"],"until":"2027-01-17T12:30""#);
    let layers = [layer("a", &["p0", "p3"], "2027-01-04T10:00", DAILY, ""), dated];
    let overrides = [r#"{"from":"2027-01-16T10:15:30Z","to":"2027-01-16T20:00Z","oncall":[]}"#];
    let mut roster = roster(&layers.join(","), &overrides);
    let level = TeamLevel { notify: vec!["schedule:x".parse().unwrap()], wait: None };
    let team = TeamPlan { levels: vec![level], ..TeamPlan::of_deployment() };
    roster.teams.insert("t0".into(), team.clone());
    let (from, to): (DateTime<Utc>, DateTime<Utc>) =
        ("2027-01-15T18:00:00Z".parse().unwrap(), "2027-01-17T20:00:00Z".parse().unwrap());
    let changes = changes(&roster, from, to);
    let mut seen = 0;
    let (mut at, mut before) = (from, resolve(&roster, "t0", &team, from).levels);
    while at < to {
        at += TimeDelta::seconds(30);
        let now = resolve(&roster, "t0", &team, at).levels;
        if now != before {
            assert!(changes.contains(&at), "{at}");
            seen += 1;
        }
        before = now;
    }
    assert!(seen > 10, "{seen}");
}
