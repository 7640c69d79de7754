//! Whether promise 24 was kept, as far as anybody can see from outside. Shares no decision with the core.

use std::time::Duration;

use inresponse_core::model::IncidentNumber;

use super::Violation;
use crate::beats::{History, Seen};

/// Servers that were away for longer say so.
const GAP: Duration = Duration::from_secs(30);
/// How long after its due time a miss is told at the latest, by servers of which nothing fails: one step, half a second for
/// pings that were only counted, and the lease of a process that crashed.
const PATIENCE: Duration = Duration::from_secs(8);
/// A jump that servers need not notice.
const SMALL_JUMP: i64 = 1;

/// The broken promises of a run.
pub fn violations(history: &History) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut told = |text: String| broken.push(Violation { promise: 24, text });
    for (nth, (at, seen)) in history.seen.iter().enumerate() {
        if let Seen::Opened(number) = seen {
            early(history, nth, *at, *number).into_iter().for_each(&mut told);
            twice(history, nth, *number).into_iter().for_each(&mut told);
        }
    }
    lost(history).into_iter().for_each(&mut told);
    unresolved(history).into_iter().for_each(&mut told);
    broken
}

fn is_sign(seen: Seen) -> bool {
    matches!(seen, Seen::Acknowledged | Seen::Defined)
}

/// The last sign of life before that event.
fn last_sign(history: &History, before: usize) -> Option<(usize, Duration)> {
    let signs = history.seen[..before].iter().enumerate().rev();
    signs.filter(|(_, (_, seen))| is_sign(*seen)).map(|(nth, (at, _))| (nth, *at)).next()
}

/// When servers began to listen again after the first time that they were away, or got another time, since that event.
fn first_return(history: &History, after: usize, before: usize) -> Option<Duration> {
    let looks = |nth: usize| matches!(history.seen[nth].1, Seen::Looked | Seen::Troubled);
    let mut looked_at =
        (0..=after).rev().find(|nth| looks(*nth)).map_or(Duration::ZERO, |nth| history.seen[nth].0);
    for (at, seen) in &history.seen[after..before] {
        match seen {
            Seen::Looked | Seen::Troubled => {
                // The sign itself proves that somebody listened.
                if at.saturating_sub(looked_at.max(history.seen[after].0)) > GAP {
                    return Some(*at);
                }
                looked_at = *at;
            }
            Seen::Jumped(by) if by.abs() > SMALL_JUMP => return Some(*at),
            _ => {}
        }
    }
    None
}

/// An incident must not open before the sender had its interval.
fn early(history: &History, nth: usize, at: Duration, number: IncidentNumber) -> Option<String> {
    let (sign, signed_at) = last_sign(history, nth)?;
    // If the miss was decided before the servers went away, only its incident was left to create.
    let could_decide =
        |(at, seen): &(Duration, Seen)| *seen == Seen::Troubled && *at >= signed_at + history.span;
    let decided_at = history.seen[sign..nth].iter().find(|event| could_decide(event)).map(|(at, _)| *at);
    let back = first_return(history, sign, nth).filter(|back| decided_at.is_none_or(|at| at >= *back));
    let earliest = back.map_or(signed_at, |back| back.max(signed_at)) + history.span;
    if at >= earliest || is_late(history, sign) {
        return None;
    }
    Some(format!(
        "incident {number} opened at {at:?}, before {earliest:?}; the last ping came at {signed_at:?}"
    ))
}

/// Whether the incident may be that of a miss before that ping, or before an earlier one: a server may have decided it, and
/// failed to create the incident before the ping came. It is tried again until it succeeds.
fn is_late(history: &History, ping: usize) -> bool {
    let mut ping = ping;
    while let Some((before, before_at)) = last_sign(history, ping) {
        let between = &history.seen[before..=ping];
        if between.iter().any(|(_, seen)| matches!(seen, Seen::Opened(_))) {
            return false;
        }
        let could_decide =
            |(at, seen): &(Duration, Seen)| matches!(seen, Seen::Troubled) && *at >= before_at + history.span;
        if between.iter().any(could_decide) {
            return true;
        }
        ping = before;
    }
    false
}

/// Between two signs of life only one incident opens.
fn twice(history: &History, nth: usize, number: IncidentNumber) -> Option<String> {
    let ends_a_miss = |at: &usize| is_sign(history.seen[*at].1) || history.seen[*at].1 == Seen::Maybe;
    let ping = (0..nth).rev().find(ends_a_miss)?;
    let other = history.seen[ping..nth].iter().find_map(|(_, seen)| match seen {
        Seen::Opened(other) => Some(*other),
        _ => None,
    })?;
    // The first of the two may be that of a miss before the ping.
    (!is_late(history, ping)).then(|| format!("incidents {other} and {number} opened for one miss"))
}

/// A sender that stays silent has an incident.
fn lost(history: &History) -> Option<String> {
    let (sign, signed_at) = last_sign(history, history.seen.len())?;
    let silent_from = history.calm_from.max(signed_at) + history.span * 2 + PATIENCE + GAP;
    let opened = history.seen[sign..].iter().any(|(_, seen)| matches!(seen, Seen::Opened(_)));
    let maybe = history.seen[sign..].iter().any(|(_, seen)| *seen == Seen::Maybe);
    // A ping whose answer was lost ends a miss too, and the incident may have opened before it.
    let opened_before = maybe && history.seen.iter().any(|(_, seen)| matches!(seen, Seen::Opened(_)));
    (history.ended_at >= silent_from && !opened && !opened_before)
        .then(|| format!("no incident opened, although the last ping came at {signed_at:?}"))
}

/// A ping resolves what opened before it.
fn unresolved(history: &History) -> Option<String> {
    let (sign, signed_at) = last_sign(history, history.seen.len())?;
    if history.ended_at < signed_at.max(history.calm_from) || signed_at < history.calm_from {
        return None;
    }
    let settled = history.ended_at.saturating_sub(history.calm_from) > PATIENCE;
    let numbers = |wanted: fn(&Seen) -> Option<IncidentNumber>| -> Vec<IncidentNumber> {
        history.seen.iter().filter_map(|(_, seen)| wanted(seen)).collect()
    };
    let resolved = numbers(|seen| match seen {
        Seen::Resolved(number) => Some(*number),
        _ => None,
    });
    let open = history.seen[..sign].iter().find_map(|(_, seen)| match seen {
        Seen::Opened(number) if !resolved.contains(number) => Some(*number),
        _ => None,
    })?;
    settled.then(|| format!("incident {open} is still open after the ping at {signed_at:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(seen: &[(u64, Seen)], calm_from: u64, ended_at: u64) -> History {
        let seconds = Duration::from_secs;
        History {
            span: seconds(10),
            seen: seen.iter().map(|(at, seen)| (seconds(*at), *seen)).collect(),
            calm_from: seconds(calm_from),
            ended_at: seconds(ended_at),
        }
    }

    #[test]
    fn p24_each_breach_is_seen() {
        use Seen::{Acknowledged, Defined, Jumped, Looked, Opened, Resolved};
        let one = IncidentNumber::new(1);
        let two = IncidentNumber::new(2);
        let begin = [(0, Defined), (0, Looked), (5, Acknowledged)];
        type Case<'a> = (&'a str, &'a [(u64, Seen)], bool);
        let cases: [Case<'_>; 8] = [
            ("in time", &[(15, Looked), (15, Opened(one))], true),
            ("early", &[(14, Looked), (14, Opened(one))], false),
            ("after an outage", &[(50, Looked), (55, Opened(one))], false),
            ("after an outage and an interval", &[(50, Looked), (60, Opened(one))], true),
            ("after a jump", &[(14, Jumped(60)), (15, Looked), (16, Opened(one))], false),
            ("twice", &[(15, Opened(one)), (20, Resolved(one)), (30, Opened(two))], false),
            ("never", &[(15, Looked)], false),
            ("not resolved", &[(15, Opened(one)), (910, Acknowledged), (940, Opened(two))], false),
        ];
        for (case, more, is_kept) in cases {
            let history = history(&[&begin[..], more].concat(), 900, 1_000);
            assert_eq!(violations(&history).is_empty(), is_kept, "{case}: {:?}", violations(&history));
        }
    }
}
