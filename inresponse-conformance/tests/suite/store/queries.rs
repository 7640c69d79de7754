//! What a model that is sound or has a defect answers to due, list and census.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, Incident, IncidentNumber, RulesId, ServiceName, State};
use inresponse_core::plan;
use inresponse_core::store::{Census, DueMark, ListQuery, Record};

use super::Defect::*;
use super::model::{Kept, Model};

impl Model {
    pub(super) fn is_due(&self, now: DateTime<Utc>, after: Option<DueMark>, limit: usize) -> Vec<Record> {
        let defect = self.defect.unwrap_or(none);
        let round = |at: DateTime<Utc>| match defect {
            rounds_due_times_to_milliseconds => at.trunc_subsecs(3),
            rounds_due_times_to_seconds => at.trunc_subsecs(0),
            rounds_due_times_up => at.trunc_subsecs(0) + TimeDelta::seconds(1),
            _ => at,
        };
        let is_due = |at: DateTime<Utc>| match defect {
            is_due_whenever_asked => true,
            leaves_the_boundary_out => at < now,
            forgets_what_is_long_due => at <= now && at > now - TimeDelta::days(365),
            _ => at <= now,
        };
        let is_after = |mark: DueMark| {
            after.is_none_or(|after| match defect {
                ignores_the_mark => true,
                goes_on_after_the_time_of_the_mark => mark.due_at > after.due_at,
                goes_on_at_the_time_of_the_mark => mark.due_at >= after.due_at,
                _ => mark > after,
            })
        };
        let mut found = Vec::new();
        for (number, kept) in self.view().records {
            let Some(due_at) = kept.due_at.map(round) else { continue };
            let mark = DueMark { due_at, number: IncidentNumber::new(number) };
            let here = kept.handle == self.handle || defect != is_due_where_it_was_created;
            if is_due(due_at) && is_after(mark) && here {
                found.push((mark, kept));
            }
        }
        match defect {
            orders_due_by_number => {}
            orders_due_latest_first => found.sort_by_key(|(mark, _)| std::cmp::Reverse(*mark)),
            leaves_ties_as_they_were_committed => {
                found.sort_by_key(|(mark, kept)| (mark.due_at, kept.touched));
            }
            _ => found.sort_by_key(|(mark, _)| *mark),
        }
        let limit = match defect {
            ignores_the_limit_of_due => usize::MAX,
            counts_the_limit_from_zero => limit + 1,
            _ => limit,
        };
        let as_found = |(_, kept): (DueMark, Kept)| match defect {
            is_due_as_first_created => kept.first,
            is_due_without_its_repeats => Record { count: 1, ..kept.record },
            _ => kept.record,
        };
        found.into_iter().take(limit).map(as_found).collect()
    }

    pub(super) fn is_ahead(&self, now: DateTime<Utc>, after: Option<DueMark>, limit: usize) -> Vec<Record> {
        let mut found = self.is_due(DateTime::<Utc>::MAX_UTC, after, usize::MAX);
        found.retain(|record| match self.defect.unwrap_or(none) {
            looks_ahead_by_the_last_change => record.incident.updated_at() > now,
            looks_ahead_by_the_due_time => plan::due_at(&record.incident) > Some(now),
            _ => true,
        });
        found.truncate(limit);
        found
    }

    pub(super) fn is_quiet(&self, rules: RulesId, after: Option<DueMark>, limit: usize) -> Vec<Record> {
        let defect = self.defect.unwrap_or(none);
        let after = after.filter(|_| defect != lists_quiet_without_the_mark);
        let mut found = self.is_due(DateTime::<Utc>::MAX_UTC, after, usize::MAX);
        found.retain(|record| {
            plan::judged_by(&record.incident)
                .is_some_and(|by| (by == rules) == (defect == finds_what_the_same_rules_judged))
        });
        found.truncate(limit);
        found
    }

    pub(super) fn holder(&self, service: &ServiceName, key: &DedupKey) -> Option<Record> {
        let defect = self.defect.unwrap_or(none);
        let has = |kept: &&Kept| {
            let incident = &kept.record.incident;
            let Some(own) = incident.dedup_key() else { return false };
            let same_key =
                own == key || defect == finds_keys_that_begin_alike && own.as_str().starts_with(key.as_str());
            let same_service = incident.service() == service || defect == finds_the_key_of_any_service;
            let open = incident.state() != State::Resolved || defect == finds_the_first_that_had_the_key;
            let here = kept.handle == self.handle || defect != finds_what_it_created_itself;
            let free = incident.state() != State::Claimed || defect != finds_the_unclaimed_only;
            same_key && same_service && open && here && free
        };
        let kept = self.current().records.into_values().find(|kept| has(&kept))?;
        Some(if defect == finds_it_as_first_created { kept.first } else { kept.record })
    }

    pub(super) fn page(&self, query: &ListQuery) -> Vec<Record> {
        let defect = self.defect.unwrap_or(none);
        let mut kept: Vec<_> = self.view().records.into_values().rev().collect();
        match defect {
            lists_the_oldest_first => kept.reverse(),
            lists_by_last_change => kept.sort_by_key(|kept| std::cmp::Reverse(kept.touched)),
            _ => {}
        }
        let state = |kept: &Kept| match defect {
            filters_by_the_first_state => kept.first.incident.state(),
            _ => kept.record.incident.state(),
        };
        let of_service = |incident: &Incident, service: &ServiceName| match defect {
            lists_services_that_begin_alike => incident.service().as_str().starts_with(service.as_str()),
            _ => incident.service() == service,
        };
        let is_wanted = |kept: &Kept| {
            let incident = &kept.record.incident;
            let state = query.state.is_none_or(|s| s == state(kept) || defect == lists_every_state);
            let service = query.service.as_ref();
            let service = service.is_none_or(|s| of_service(incident, s) || defect == lists_every_service);
            let severity =
                query.severity.is_none_or(|s| s == incident.severity() || defect == lists_every_severity);
            let of = if defect == filters_by_the_first_team { &kept.first.incident } else { incident };
            let team = query.team.as_ref().is_none_or(|t| t == of.team() || defect == lists_every_team);
            state && service && team && severity
        };
        let is_below = |kept: &Kept| {
            query.below.is_none_or(|below| match defect {
                ignores_below => true,
                includes_below => kept.record.number() <= below,
                _ => kept.record.number() < below,
            })
        };
        kept.retain(|kept| is_below(kept) && (is_wanted(kept) || defect == filters_after_the_limit));
        if defect != ignores_the_limit_of_the_list {
            kept.truncate(query.limit);
        }
        kept.retain(is_wanted);
        let answer = |kept: Kept| if defect == lists_as_first_created { kept.first } else { kept.record };
        kept.into_iter().map(answer).collect()
    }

    pub(super) fn counted(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        let defect = self.defect.unwrap_or(none);
        let disk = self.view();
        if disk.records.is_empty() && defect == fails_to_count_nothing {
            return Err(Outage::permanent("no rows"));
        }
        let due = disk.records.values().filter_map(|kept| kept.due_at);
        let next_due_at = match defect {
            tells_no_due_time => None,
            tells_the_latest_due_time => due.max(),
            _ => due.min(),
        };
        let mut census = Census { next_due_at, resolved: Some(0), ..Census::default() };
        for kept in disk.records.values() {
            let incident = &kept.record.incident;
            match incident.state() {
                _ if defect == counts_everything_as_open => census.open += 1,
                State::Open => census.open += 1,
                State::Claimed => census.claimed += 1,
                State::Resolved => census.resolved = census.resolved.map(|n| n + 1),
            }
            let (unclaimed, undelivered) = (incident.is_unclaimed(), incident.is_undelivered());
            census.unclaimed += u64::from(match defect {
                counts_the_undelivered_apart => unclaimed && !undelivered,
                counts_the_claimed_as_unclaimed => unclaimed || incident.state() == State::Claimed,
                _ => unclaimed,
            });
            census.undelivered += u64::from(undelivered && defect != counts_no_undelivered);
            census.waiting += u64::from(plan::waiting_since(incident).is_some_and(|since| match defect {
                counts_those_that_wait_since_that_time => since <= waiting_before,
                counts_all_open_as_waiting => true,
                _ => since < waiting_before,
            }));
        }
        Ok(census)
    }
}
