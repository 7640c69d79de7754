//! Checks P17: the steps of a dry run are what happens, if nobody touches the incident and nothing fails.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use inresponse_core::model::{Contact, IncidentNumber, Level, MethodName, PersonId, Purpose};

use super::held::Held;
use super::{Checker, at, compared, on_call};
use crate::history::{Forecast, Reply, ReportCall, Sent, Told};
use crate::roster::LAG;
use crate::world::{Micros, SECOND};

/// Somebody who is alerted: the address, and the person whose address it is.
type Recipient = (Contact, Option<(PersonId, MethodName)>);

/// A level of a round that begins, as it was foretold or as it was seen.
#[derive(Debug, Clone, PartialEq)]
struct Beginning {
    round: u32,
    level: Level,
    /// How many seconds after the level a later step of people's rules is.
    after: u64,
    /// When the first alert begins.
    first: Micros,
    /// When the last first alert of a recipient begins.
    last: Micros,
    recipients: BTreeSet<Recipient>,
}

impl Checker<'_> {
    /// Compares each dry run with what happened.
    pub(super) fn dry_runs(&self) {
        for call in &self.history.reports {
            let (Some(Reply::New(record)), Some(forecast)) = (call.answer.got(), &call.forecast) else {
                continue;
            };
            let number = record.number();
            let foretold = self.foretold(call, forecast);
            let seen = self.alerted(number);
            if !self.is_undisturbed(number, call, &foretold, &seen) {
                continue;
            }
            let rounds: BTreeSet<_> = foretold.iter().map(|one| one.round).collect();
            let levels = foretold.iter().filter(|one| one.after == 0).count();
            let people = foretold.iter().flat_map(|one| &one.recipients);
            for (what, occurred) in [
                (compared::DRY_RUN, true),
                (compared::NOBODY, foretold.is_empty()),
                (compared::LEVELS, levels > rounds.len()),
                (compared::STEPS, foretold.len() > levels),
                (compared::ROUNDS, rounds.len() > 1),
                (compared::DEFERRED, self.held(number, call.began, call.began) == Held::Surely),
                (compared::PEOPLE, people.into_iter().any(|(_, person)| person.is_some())),
            ] {
                self.compared.borrow_mut().extend(occurred.then_some(what));
            }
            if let Some(text) = self.difference(call, &foretold, &seen)
                && !self.had_no_slot(&foretold, &seen)
            {
                self.violated(17, format!("the dry run of {number} is not what happened: {text}"));
            }
        }
    }

    /// What was foretold, in simulated time.
    fn foretold(&self, call: &ReportCall, forecast: &Forecast) -> Vec<Beginning> {
        let time_of = |at: DateTime<_>| {
            let after = (at - forecast.at).num_microseconds().and_then(|after| u64::try_from(after).ok());
            call.began.saturating_add(after.unwrap_or(0))
        };
        let mut began = BTreeMap::new();
        for step in &forecast.steps {
            let first = began.entry((step.round, step.level)).or_insert(step.at);
            *first = step.at.min(*first);
        }
        beginnings(forecast.steps.iter().map(|step| {
            let recipient = (step.contact.clone(), step.person.clone());
            let after = (step.at - began[&(step.round, step.level)]).num_seconds().unsigned_abs();
            (step.round, step.level, after, time_of(step.at), recipient)
        }))
    }

    /// What was seen by carriers. A repeat of a send is not a new step.
    fn alerted(&self, number: IncidentNumber) -> Vec<Beginning> {
        let mut sent = BTreeSet::new();
        let sends = self.sends_of(number).filter(|one| sent.insert(&one.delivery));
        beginnings(sends.filter_map(|one| {
            let Purpose::Alert(level) = one.purpose else { return None };
            Some((one.round, level, one.after, one.began, (one.contact.clone(), one.person.clone())))
        }))
    }

    fn sends_of(&self, number: IncidentNumber) -> impl Iterator<Item = &Sent> {
        self.sends.get(&number).into_iter().flatten().map(|i| self.sent(*i))
    }

    /// Whether nobody touched the incident, nothing failed, nobody edited the roster, and no round began so near to a
    /// change of who is on call that its delay decides.
    fn is_undisturbed(
        &self,
        number: IncidentNumber,
        call: &ReportCall,
        foretold: &[Beginning],
        seen: &[Beginning],
    ) -> bool {
        let last = foretold.iter().chain(seen).map(|one| one.last).max().unwrap_or(call.began);
        let end = last + self.margin();
        let edited = self
            .history
            .rosters
            .iter()
            .any(|(edited, _)| *edited > 0 && *edited + LAG >= call.began && *edited <= end);
        !edited
            && end < self.history.ended_at
            && self.is_left_alone(number, call.began, end)
            && self.quiet_is_foretold(number, call, end)
            && self.is_quiet(call.began, end)
            && self.clocks_stand(call.began.saturating_sub(SECOND), end)
            && self.sends_of(number).all(|one| one.told == Some(Told::Accepted))
            && self.is_steady(call.began, call.ended.unwrap_or(call.began))
            && rounds(foretold).into_iter().zip(rounds(seen)).all(|(one, other)| {
                self.is_steady(one.min(other).saturating_sub(2 * SECOND), one.max(other) + SECOND)
            })
    }

    /// Whether the same people are on call for each team from `from` to `to`, by any server's clock.
    fn is_steady(&self, from: Micros, to: Micros) -> bool {
        self.rosters(from, to).all(|roster| {
            let instants = self.instants(roster, from, to);
            roster.teams.iter().all(|(name, team)| {
                let mut levels = instants.iter().map(|at| on_call::resolve(roster, name, team, *at).steps);
                let first = levels.next();
                levels.all(|one| first.as_ref() == Some(&one))
            })
        })
    }

    /// How the foretold differs from the seen; `None` if it does not.
    fn difference(&self, call: &ReportCall, foretold: &[Beginning], seen: &[Beginning]) -> Option<String> {
        let text = self.other_steps(call, foretold, seen);
        let levels = |all: &[Beginning]| all.iter().filter(|one| one.after == 0).cloned().collect::<Vec<_>>();
        text.or_else(|| self.other_levels(call, &levels(foretold), &levels(seen)))
    }

    /// How the later steps of people's rules differ.
    fn other_steps(&self, call: &ReportCall, foretold: &[Beginning], seen: &[Beginning]) -> Option<String> {
        let slack = SECOND + self.apart(call.began);
        let key = |one: &Beginning| (one.round, one.level, one.after);
        let of = |all: &[Beginning]| -> BTreeMap<_, Beginning> {
            all.iter().map(|one| (key(one), one.clone())).collect()
        };
        let (foretold, seen) = (of(foretold), of(seen));
        if !foretold.keys().eq(seen.keys()) {
            return Some(format!("it has {:?}, but there were {:?}", foretold.keys(), seen.keys()));
        }
        for (key @ (round, level, after), one) in foretold.iter().filter(|((.., after), _)| *after > 0) {
            let (other, begun) = (&seen[key], seen.get(&(*round, *level, 0))?);
            if one.recipients != other.recipients {
                let (one, other) = (&one.recipients, &other.recipients);
                return Some(format!("step {key:?} has {one:?}, but there were {other:?}"));
            }
            let (passed, expected) = (other.first.saturating_sub(begun.first), after * SECOND);
            let is_late = other.last.saturating_sub(begun.first) > expected + self.margin() + slack;
            if passed + slack < expected || is_late {
                return Some(format!("step {key:?} was alerted {} after its level", at(passed)));
            }
        }
        None
    }

    /// How the levels differ.
    fn other_levels(&self, call: &ReportCall, foretold: &[Beginning], seen: &[Beginning]) -> Option<String> {
        let order = |all: &[Beginning]| {
            all.iter().map(|one| format!("{}/{}", one.round, one.level)).collect::<Vec<_>>().join(" ")
        };
        if order(foretold) != order(seen) {
            return Some(format!("it has {:?}, but there were {:?}", order(foretold), order(seen)));
        }
        let slack = SECOND + self.apart(call.began);
        let answered = call.ended.unwrap_or(call.began).saturating_sub(call.began);
        let (mut before, mut allowed) = ((call.began, call.began), answered);
        for (one, other) in foretold.iter().zip(seen) {
            let (round, level) = (one.round, one.level);
            if one.recipients != other.recipients {
                let (one, other) = (&one.recipients, &other.recipients);
                return Some(format!("level {level} of round {round} has {one:?}, but there were {other:?}"));
            }
            // The time since the previous level, since each level's wait counts from when that level began.
            let (foretold, passed) = (one.first - before.0, other.first.saturating_sub(before.1));
            let is_early = passed + slack < foretold;
            let is_late = passed > foretold + allowed + self.margin() + slack;
            if is_early || is_late || other.last > other.first + self.margin() {
                let (from, to) = (at(other.first), at(other.last));
                let text = format!("level {level} of round {round} was alerted from {from} to {to}");
                return Some(format!("{text}, which is not {} after what came before", at(foretold)));
            }
            (before, allowed) = ((one.first, other.first), 0);
        }
        None
    }

    /// Whether some recipient may have waited for a free sending slot, so that a level began late, or in part.
    fn had_no_slot(&self, foretold: &[Beginning], seen: &[Beginning]) -> bool {
        let slack = 2 * SECOND;
        foretold.iter().chain(seen).any(|one| {
            let (from, to) = (one.first.saturating_sub(slack), one.last + slack);
            one.recipients.iter().any(|(contact, _)| self.is_in_demand(contact, from, to))
        })
    }
}

/// When each round begins.
fn rounds(all: &[Beginning]) -> Vec<Micros> {
    all.chunk_by(|one, other| one.round == other.round)
        .filter_map(|round| Some(round.first()?.first))
        .collect()
}

/// The levels that begin, in the order of their first alerts.
fn beginnings(alerts: impl Iterator<Item = (u32, Level, u64, Micros, Recipient)>) -> Vec<Beginning> {
    let mut levels = BTreeMap::<(u32, Level, u64), Beginning>::new();
    for (round, level, after, time, recipient) in alerts {
        let beginning =
            || Beginning { round, level, after, first: time, last: time, recipients: BTreeSet::new() };
        let one = levels.entry((round, level, after)).or_insert_with(beginning);
        (one.first, one.last) = (one.first.min(time), one.last.max(time));
        one.recipients.insert(recipient);
    }
    let mut levels: Vec<_> = levels.into_values().collect();
    levels.sort_by_key(|one| (one.first, one.round, one.level));
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::contact;

    #[test]
    fn levels_are_put_in_the_order_in_which_they_begin() {
        let alert = |round, level, time, name| (round, level, 0, time, (contact(name), None));
        let (one, two, last) = (Level::At(1), Level::At(2), Level::Fallback);
        let alerts = [
            alert(1, two, 30, "b"),
            alert(1, one, 10, "a"),
            alert(2, one, 50, "a"),
            alert(1, one, 12, "c"),
            alert(2, last, 70, "f"),
        ];
        let all = beginnings(alerts.into_iter());
        let seen: Vec<_> =
            all.iter().map(|b| (b.round, b.level, b.first, b.last, b.recipients.len())).collect();
        assert_eq!(
            seen,
            [(1, one, 10, 12, 2), (1, two, 30, 30, 1), (2, one, 50, 50, 1), (2, last, 70, 70, 1)]
        );
        assert_eq!(rounds(&all), [10, 50]);
    }
}
