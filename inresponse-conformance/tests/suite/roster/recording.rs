//! How the model keeps the records of edits, and lists them.

use chrono::SubsecRound;
use inresponse_core::model::Person;
use inresponse_core::roster::{ChangeMark, EntryKind, RosterChange, RosterEdit, Was, What};
use serde_json::{Map, Value};

use super::Defect::*;
use super::model::{Model, Tables};
use super::sight::Sight;

impl Model {
    /// Keeps the records of a call, oldest first.
    pub(super) fn record(
        &self,
        disk: &mut Tables,
        edits: &[RosterEdit],
        sight: Sight<'_>,
        mut changes: Vec<RosterChange>,
    ) {
        match self.defect {
            records_a_call_in_reverse => changes.reverse(),
            records_the_first_edit_of_a_call => changes.truncate(1),
            orders_the_edits_of_a_call_by_their_digits => {
                let mut numbered: Vec<_> = changes.into_iter().enumerate().collect();
                numbered.sort_by_key(|(number, _)| number.to_string());
                changes = numbered.into_iter().map(|(_, change)| change).collect();
            }
            _ => {}
        }
        let last = disk.changes.last().map_or(0, |(last, _)| *last);
        for (number, change) in (last + 1..).zip(changes) {
            if self.defect == records_every_change_once
                && disk.changes.iter().any(|(_, known)| *known == change)
            {
                continue;
            }
            let number = if self.defect == marks_all_edits_of_a_call_alike { last + 1 } else { number };
            self.recorded.lock().unwrap().insert(number);
            disk.changes.push((number, self.kept(&change, edits, sight)));
        }
        let most = if self.defect == keeps_a_hundred_records { 100 } else { usize::MAX };
        let too_many = disk.changes.len().saturating_sub(most);
        disk.changes.drain(..too_many);
    }

    fn kept(&self, change: &RosterChange, edits: &[RosterEdit], sight: Sight<'_>) -> RosterChange {
        let (at, by, stored) = (change.at(), change.by().clone(), change.stored());
        let with = |stored: String| RosterChange::decode(at, by.clone(), &stored);
        match self.defect {
            records_times_in_seconds => RosterChange::decode(at.trunc_subsecs(0), by, &stored),
            records_somebody_else => RosterChange::decode(at, Person::new("config").unwrap(), &stored),
            cuts_records => with(stored.chars().take(250).collect()),
            records_nothing_of_before => with(changed(&stored, |_, field| field["before"] = Value::Null)),
            records_a_team_without_its_settings => {
                let mut record: Value = serde_json::from_str(&stored).unwrap();
                if record["entry"] == "team" {
                    record["fields"] = Map::new().into();
                }
                with(record.to_string())
            }
            records_a_replacement_as_new => {
                with(stored.replace("\"change\":\"replaced\"", "\"change\":\"created\""))
            }
            records_addresses_of_people if !is_of(change, EntryKind::Person) => change.clone(),
            records_what_was_found_in_a_feed if !is_of(change, EntryKind::Feed) => change.clone(),
            records_the_urls_of_feeds if !is_of(change, EntryKind::Schedule) => change.clone(),
            records_addresses
            | records_addresses_of_people
            | records_what_was_found_in_a_feed
            | records_the_urls_of_feeds => {
                let place = edits
                    .iter()
                    .position(|edit| matches!(change.what(), What::Entry(entry) if entry.key == edit.key()));
                let Some(place) = place else { return change.clone() };
                let now = match &edits[place] {
                    RosterEdit::Put(entry) => body(entry),
                    RosterEdit::Delete(_) => Map::new(),
                };
                let was = match sight.was(&edits[place].key()) {
                    Was::Entry(entry) => body(&entry),
                    _ => Map::new(),
                };
                with(changed(&stored, |name, field| {
                    field["before"] = was.get(name).cloned().unwrap_or_default();
                    field["after"] = now.get(name).cloned().unwrap_or_default();
                }))
            }
            _ => change.clone(),
        }
    }

    /// A page of the records.
    pub(super) fn listed_changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Vec<(ChangeMark, RosterChange)> {
        let mut changes = self.disk().changes.clone();
        if self.defect != lists_changes_oldest_first {
            changes.reverse();
        }
        if self.defect == lists_a_thousand_records {
            changes.truncate(1_000);
        }
        if self.defect == lists_its_own_changes_only {
            changes.retain(|(number, _)| self.recorded.lock().unwrap().contains(number));
        }
        for (place, (number, change)) in (1..).zip(&mut changes) {
            match self.defect {
                // What is read later has a higher place, so places count down.
                marks_changes_by_their_place_in_the_list => *number = 1_000 - place,
                marks_changes_by_their_time => {
                    *number = u64::try_from(change.at().timestamp_micros()).unwrap();
                }
                _ => {}
            }
        }
        let before = before.map_or(u64::MAX, |mark| mark.number().unwrap());
        let mark = match self.defect {
            lists_the_marked_change_again => before.saturating_add(1),
            skips_a_change_between_pages if before < u64::MAX => before - 1,
            _ => before,
        };
        changes.retain(|(number, _)| *number < mark || self.defect == lists_changes_oldest_first);
        if self.defect != lists_all_changes_at_once {
            changes.truncate(limit);
        }
        changes.into_iter().map(|(number, change)| (ChangeMark::numbered(number), change)).collect()
    }
}

fn is_of(change: &RosterChange, kind: EntryKind) -> bool {
    matches!(change.what(), What::Entry(entry) if entry.key.kind() == kind)
}

/// A stored record whose fields were changed.
fn changed(stored: &str, mut change: impl FnMut(&str, &mut Value)) -> String {
    let mut record: Value = serde_json::from_str(stored).unwrap();
    for (name, field) in record["fields"].as_object_mut().unwrap() {
        change(name, field);
    }
    record.to_string()
}

/// An entry as it is stored, addresses included.
fn body(entry: &inresponse_core::roster::Entry) -> Map<String, Value> {
    serde_json::from_str(&entry.body().unwrap()).unwrap()
}
