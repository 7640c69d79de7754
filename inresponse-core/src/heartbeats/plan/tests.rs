//! Tables of cases, and properties over any sequence of events.

use proptest::prelude::*;

use super::super::row::HeartbeatState;
use super::*;

const SPAN: Duration = Duration::from_secs(60);
const PROCESS: u64 = 7;

fn at(seconds: f64) -> DateTime<Utc> {
    #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
    let millis = (seconds * 1000.0) as i64;
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(1_000_000_000 + millis)
}

/// A look by a process that has been listening since that second.
fn look_since(since: f64) -> Event {
    Event::Look { since: at(since), until: DateTime::<Utc>::MAX_UTC, process: PROCESS }
}

fn look() -> Event {
    look_since(-1000.0)
}

/// What a row stands at: its state, when the next ping is due, and what is left to do of its last miss.
fn standing(row: &Row) -> (HeartbeatState, Option<DateTime<Utc>>, Owed) {
    (row.state(), row.due_at, row.misses.last().map_or(Owed::Nothing, Miss::owed))
}

/// The row after these events, and what followed from the last one.
fn after(events: &[(f64, Event)]) -> (Row, Then) {
    let (mut row, mut then) = (None, Then::Nothing);
    for (seconds, event) in events {
        let decision = decide(row.as_ref(), SPAN, *event, at(*seconds));
        row = decision.row.or(row);
        then = decision.then;
    }
    (row.expect("there are events"), then)
}

#[test]
fn p24_a_heartbeat_is_missed_when_its_time_is_over_and_never_before() {
    use HeartbeatState::{Beating, Missed, Waiting};
    let ping = Event::Ping;
    let created = Event::Created { nth: 1, number: IncidentNumber::new(5) };
    let resolved = Event::Resolved { nth: 1 };
    let resolution = Owed::Resolution(IncidentNumber::new(5));
    type Case<'a> = (&'a str, &'a [(f64, Event)], HeartbeatState, Option<f64>, Owed);
    let cases: &[Case] = &[
        ("a new one waits for an interval", &[(0.0, look())], Waiting, Some(60.0), Owed::Nothing),
        ("a first ping", &[(0.0, ping)], Beating, Some(60.0), Owed::Nothing),
        ("one that never came", &[(0.0, look()), (60.5, look())], Missed, None, Owed::Incident),
        ("not before its time", &[(0.0, ping), (60.4, look())], Beating, Some(60.0), Owed::Nothing),
        ("at its time", &[(0.0, ping), (60.5, look())], Missed, None, Owed::Incident),
        (
            "each ping counts from itself",
            &[(0.0, ping), (59.0, ping), (61.0, look())],
            Beating,
            Some(119.0),
            Owed::Nothing,
        ),
        (
            "a late ping that is stored first wins",
            &[(0.0, ping), (60.4, ping), (60.5, look())],
            Beating,
            Some(120.4),
            Owed::Nothing,
        ),
        (
            "its incident is noted",
            &[(0.0, ping), (61.0, look()), (61.1, created)],
            Missed,
            None,
            Owed::Nothing,
        ),
        (
            "the next ping resolves it",
            &[(0.0, ping), (61.0, look()), (61.1, created), (70.0, ping)],
            Beating,
            Some(130.0),
            resolution,
        ),
        (
            "a ping before the incident is created",
            &[(0.0, ping), (61.0, look()), (61.1, ping), (61.2, created)],
            Beating,
            Some(121.1),
            resolution,
        ),
        (
            "it is resolved",
            &[(0.0, ping), (61.0, look()), (61.1, created), (70.0, ping), (70.1, resolved)],
            Beating,
            Some(130.0),
            Owed::Nothing,
        ),
        (
            "only a ping arms it again",
            &[(0.0, ping), (61.0, look()), (61.1, created), (900.0, look())],
            Missed,
            None,
            Owed::Nothing,
        ),
        (
            "after an outage it has an interval",
            &[(0.0, ping), (90.0, look_since(80.0))],
            Beating,
            Some(140.0),
            Owed::Nothing,
        ),
        (
            "then it is missed",
            &[(0.0, ping), (90.0, look_since(80.0)), (140.5, look_since(80.0))],
            Missed,
            None,
            Owed::Incident,
        ),
        (
            "only once between two pings",
            &[(0.0, ping), (90.0, look_since(80.0)), (150.0, look_since(145.0))],
            Missed,
            None,
            Owed::Incident,
        ),
        (
            "an outage before the last ping changes nothing",
            &[(0.0, ping), (60.5, look_since(-1.0))],
            Missed,
            None,
            Owed::Incident,
        ),
        (
            "a late look after the interval",
            &[(0.0, ping), (141.0, look_since(80.0))],
            Missed,
            None,
            Owed::Incident,
        ),
        (
            "a clock that went back gives an interval",
            &[(5000.0, ping), (0.0, look())],
            Beating,
            Some(60.0),
            Owed::Nothing,
        ),
        (
            "a heartbeat that is defined again begins again",
            &[(0.0, ping), (50.0, Event::Defined)],
            Waiting,
            Some(110.0),
            Owed::Nothing,
        ),
    ];
    for (case, events, state, due, owed) in cases {
        let (row, _) = after(events);
        assert_eq!(standing(&row), (*state, due.map(at), *owed), "{case}");
    }
}

#[test]
fn p24_what_a_process_left_undone_is_done_by_another_one_after_its_lease() {
    let missed: &[(f64, Event)] = &[(0.0, Event::Ping), (61.0, look())];
    let created = Event::Created { nth: 1, number: IncidentNumber::new(5) };
    let then = |more: &[(f64, Event)]| after(&[missed, more].concat()).1;
    assert!(matches!(then(&[]), Then::Create(miss, Attempt::First) if miss.nth == 1));
    assert_eq!(then(&[(65.9, look())]), Then::Nothing, "the first process has it");
    assert!(matches!(then(&[(66.0, look())]), Then::Create(miss, Attempt::Again) if miss.nth == 1));
    assert_eq!(then(&[(66.0, look()), (66.0, look())]), Then::Nothing, "one process takes it over");
    assert!(matches!(then(&[(0.0, look())]), Then::Create(_, Attempt::Again)), "the clock went back");
    assert_eq!(then(&[(61.1, created)]), Then::Nothing);
    assert!(matches!(then(&[(61.1, created), (70.0, Event::Ping)]), Then::Resolve(_, n) if n.value() == 5));
    assert_eq!(then(&[(61.1, created), (70.0, Event::Ping), (74.9, look())]), Then::Nothing);
    let again = then(&[(61.1, created), (70.0, Event::Ping), (75.0, look())]);
    assert!(matches!(again, Then::Resolve(_, n) if n.value() == 5));
    assert_eq!(then(&[(61.1, Event::Ping)]), Then::Nothing, "there is no incident yet");
    assert!(matches!(then(&[(61.1, Event::Ping), (61.2, created)]), Then::Resolve(..)));
    let twice = then(&[(61.1, created), (61.2, created)]);
    assert_eq!(twice, Then::Nothing, "it is noted already");
}

#[test]
fn p24_a_changed_interval_applies_from_the_next_look_and_is_never_early() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    for (case, was, is, looked, due) in [
        ("longer", minutes(1), minutes(10), 30.0, 600.0),
        ("shorter", minutes(60), minutes(1), 1800.0, 1860.0),
        ("shorter, but due before that", minutes(10), minutes(9), 590.0, 600.0),
        ("the same", minutes(1), minutes(1), 30.0, 60.0),
    ] {
        let pinged = decide(None, was, Event::Ping, at(0.0)).row.unwrap();
        let looked = decide(Some(&pinged), is, look(), at(looked));
        let row = looked.row.unwrap_or(pinged);
        assert_eq!((row.due_at, looked.then), (Some(at(due)), Then::Nothing), "{case}");
    }
}

#[test]
fn p24_a_process_that_was_stopped_in_the_middle_of_a_look_decides_nothing() {
    let (row, _) = after(&[(0.0, Event::Ping)]);
    let stale = Event::Look { since: at(-1000.0), until: at(90.0), process: PROCESS };
    assert_eq!(decide(Some(&row), SPAN, stale, at(91.0)), Decision::NOTHING);
    assert!(matches!(decide(Some(&row), SPAN, stale, at(90.0)).then, Then::Create(..)));
}

#[test]
fn p16_a_row_keeps_fifty_pings_and_ten_misses() {
    let mut row = Row::begin(SPAN, at(0.0));
    for n in 0..120_u64 {
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let second = n as f64 * 100.0;
        row = decide(Some(&row), SPAN, Event::Ping, at(second)).row.unwrap();
        row = decide(Some(&row), SPAN, look(), at(second + 61.0)).row.unwrap();
        let created = Event::Created { nth: n + 1, number: IncidentNumber::new(n) };
        row = decide(Some(&row), SPAN, created, at(second + 61.0)).row.unwrap();
        let answered = decide(Some(&row), SPAN, Event::Ping, at(second + 99.0));
        row = decide(answered.row.as_ref(), SPAN, Event::Resolved { nth: n + 1 }, at(second + 99.0))
            .row
            .unwrap();
    }
    assert_eq!((row.pings.len(), row.misses.len(), row.missed), (PINGS_KEPT, MISSES_KEPT, 120));
    assert!(row.written().unwrap().len() < 4_096, "a ping writes little");
    assert_eq!(Row::read(Some(&row.written().unwrap())), Some(row));
}

fn any_event() -> impl Strategy<Value = (f64, Event)> {
    let event = prop_oneof![
        4 => Just(Event::Ping),
        8 => Just(look()),
        2 => (0.0..200.0_f64).prop_map(|ago| look_since(-ago)),
        1 => Just(Event::Defined),
    ];
    (0.0..90.0_f64, event)
}

proptest! {
    #[test]
    fn p24_never_early_and_never_lost(steps in prop::collection::vec(any_event(), 1..60)) {
        let (mut now, mut row) = (0.0, None::<Row>);
        // The latest instant before which nobody may be accused.
        let mut innocent_until: Option<f64> = None;
        let mut moved = false;
        for (pause, event) in steps {
            now += pause;
            // `since` is relative to the look.
            let (event, since) = match event {
                Event::Look { since, until, process } => {
                    let back = (at(0.0) - since).num_milliseconds();
                    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                    let since = now - back as f64 / 1000.0;
                    (Event::Look { since: at(since), until, process }, Some(since))
                }
                other => (other, None),
            };
            let was = row.clone();
            let decision = decide(row.as_ref(), SPAN, event, at(now));
            row = decision.row.or(row);
            let is = row.as_ref().unwrap();
            match event {
                Event::Ping | Event::Defined => (innocent_until, moved) = (Some(now + 60.0), false),
                _ if was.is_none() => (innocent_until, moved) = (Some(now + 60.0), false),
                _ => {}
            }
            let is_missed = is.due_at.is_none() && was.as_ref().is_some_and(|was| was.due_at.is_some());
            let due = innocent_until.unwrap();
            if is_missed {
                prop_assert!(now >= due, "missed at {now}, due at {due}");
                prop_assert!(matches!(decision.then, Then::Create(..)));
                // The process created the incident and noted it.
                let nth = is.missed;
                let created = Event::Created { nth, number: IncidentNumber::new(nth) };
                row = decide(Some(is), SPAN, created, at(now)).row;
            } else if let Some(since) = since {
                let may_move = !moved && since > due - 60.0 && now < since + 60.0 + 0.5;
                let owes = was.as_ref().and_then(|was| was.misses.last().map(Miss::owed));
                let is_free = owes.is_none_or(|owed| owed == Owed::Nothing);
                if is.due_at.is_some() && was.is_some() && is_free && now >= due + 0.5 {
                    prop_assert!(may_move, "not missed at {now}, due at {due}");
                    (innocent_until, moved) = (Some(since + 60.0), true);
                }
            }
            if event == Event::Ping {
                prop_assert_eq!(row.as_ref().unwrap().state(), HeartbeatState::Beating);
                if let Then::Resolve(miss, _) = decision.then {
                    row = decide(row.as_ref(), SPAN, Event::Resolved { nth: miss.nth }, at(now)).row.or(row);
                }
            }
        }
    }
}
