//! Describes changes to the roster in words.

use std::fmt;

use serde_json::Value;

use super::EntryKind;
use super::change::{ChangeKind, EntryChange, FieldChange, RosterChange, What};

impl RosterChange {
    /// The maximum length of a [`description`](Self::description), in characters.
    pub const MAX_DESCRIPTION: usize = 500;

    /// Describes the change in one line of at most [`Self::MAX_DESCRIPTION`] characters.
    pub fn description(&self) -> String {
        let text = match self.what() {
            What::Entry(change) => change.to_string(),
            What::Text(text) => text.clone(),
        };
        one_line(&text)
    }
}

/// Replaces control characters by spaces, and cuts the text to the maximum length.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() > RosterChange::MAX_DESCRIPTION {
        line = line.chars().take(RosterChange::MAX_DESCRIPTION - 1).chain(['…']).collect();
    }
    line
}

impl fmt::Display for EntryChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        // For a service or a day, the owner comes last. If nothing else changed, only the owner is described.
        let only_the_owner =
            self.change == ChangeKind::Replaced && self.fields.keys().all(|name| name == "owner");
        match self.key.kind() {
            EntryKind::Service | EntryKind::Day if only_the_owner => write!(f, "{}", self.listed()),
            EntryKind::Service => write!(f, "{}{}", self.service(), self.new_owner()),
            EntryKind::Team => write!(f, "{}", self.team()),
            EntryKind::Day => write!(f, "{}{}", self.day(), self.new_owner()),
            EntryKind::Person
            | EntryKind::Schedule
            | EntryKind::Override
            | EntryKind::Feed
            | EntryKind::Heartbeat
            | EntryKind::Silence => write!(f, "{}", self.listed()),
            EntryKind::Routes => write!(f, "{}", self.routes()),
        }
    }
}

impl EntryChange {
    fn field(&self, name: &str) -> Option<&FieldChange> {
        self.fields.get(name)
    }

    fn new_owner(&self) -> String {
        let owner = self.field("owner").and_then(|field| field.after.as_ref()).and_then(Value::as_str);
        owner.map_or(String::new(), |owner| format!("; owner {owner}"))
    }

    fn service(&self) -> String {
        let owner = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        let (was, is) = self.field("team").map_or((None, None), |f| (owner(&f.before), owner(&f.after)));
        let was_assigned = was.as_ref().map_or(String::new(), |was| format!(" (was assigned to {was})"));
        match self.change {
            ChangeKind::Deleted => format!("deleted{was_assigned}"),
            ChangeKind::Created => format!("assigned to {} (was unassigned)", is.unwrap_or_default()),
            ChangeKind::Replaced => {
                format!("assigned to {} (was {})", is.unwrap_or_default(), was.unwrap_or_default())
            }
            ChangeKind::ReplacedUnreadable => {
                format!("assigned to {} (the entry before was unreadable)", is.unwrap_or_default())
            }
        }
    }

    /// The changed fields, one after the other.
    fn listed(&self) -> String {
        let show = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), compact);
        let fields = |show: &dyn Fn(&FieldChange) -> String| {
            let parts: Vec<_> =
                self.fields.iter().map(|(name, field)| format!("{name} {}", show(field))).collect();
            parts.join("; ")
        };
        match self.change {
            ChangeKind::Deleted => "deleted".to_owned(),
            ChangeKind::Created => format!("created; {}", fields(&|field| show(&field.after))),
            ChangeKind::ReplacedUnreadable => {
                format!("{} (the entry before was unreadable)", fields(&|field| show(&field.after)))
            }
            ChangeKind::Replaced => {
                fields(&|field| format!("{} (was {})", show(&field.after), show(&field.before)))
            }
        }
    }

    /// The names of the rules, in their order. Rules that changed are listed by their names.
    fn routes(&self) -> String {
        let rules = |value: &Option<Value>| -> Vec<Value> {
            value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (was, is) = self
            .field("rules")
            .map_or_else(Default::default, |field| (rules(&field.before), rules(&field.after)));
        let name = |rule: &Value| rule["name"].as_str().unwrap_or_default().to_owned();
        let names = |rules: &[Value]| match rules {
            [] => "none".to_owned(),
            rules => rules.iter().map(name).collect::<Vec<_>>().join(", "),
        };
        let is_changed = |rule: &&Value| was.iter().any(|old| name(old) == name(rule) && old != *rule);
        let changed: Vec<_> = is.iter().filter(is_changed).map(name).collect();
        let changed = match changed.as_slice() {
            [] => String::new(),
            changed => format!("; changed {}", changed.join(", ")),
        };
        match self.change {
            ChangeKind::Deleted => "deleted".to_owned(),
            _ if self.field("rules").is_none() => self.listed(),
            ChangeKind::Created => format!("created; {}{}", names(&is), self.new_owner()),
            ChangeKind::Replaced => {
                format!("{} (were {}){changed}{}", names(&is), names(&was), self.new_owner())
            }
            ChangeKind::ReplacedUnreadable => format!("{} (the rules before were unreadable)", names(&is)),
        }
    }

    fn team(&self) -> String {
        let settings = |show: &dyn Fn(&str, &FieldChange) -> Option<String>| {
            let parts: Vec<_> = self.fields.iter().filter_map(|(name, field)| show(name, field)).collect();
            parts.join("; ")
        };
        let new = |name: &str, field: &FieldChange| {
            Some(format!("{} {}", label(name), setting(name, field.after.as_ref()?)))
        };
        match self.change {
            ChangeKind::Deleted => "deleted".to_owned(),
            ChangeKind::Created => format!("created; {}", settings(&new)),
            ChangeKind::ReplacedUnreadable => {
                format!("{} (the entry before was unreadable)", settings(&new))
            }
            ChangeKind::Replaced => settings(&|name, field| {
                let value =
                    |value: &Option<Value>| value.as_ref().map_or("none".into(), |v| setting(name, v));
                Some(format!("{} {} (was {})", label(name), value(&field.after), value(&field.before)))
            }),
        }
    }

    fn day(&self) -> String {
        // A field that did not change is missing. Then only the levels of the other field are described.
        let levels = |value: fn(&FieldChange) -> &Option<Value>| {
            let oncall = self.field("oncall").and_then(|field| value(field).as_ref()).map(together);
            let escalation = self.field("escalation").and_then(|field| value(field).as_ref());
            let escalation = escalation.and_then(Value::as_array).filter(|levels| !levels.is_empty());
            let then = escalation.map(|levels| levels.iter().map(together).collect::<Vec<_>>().join("; "));
            match (oncall, then) {
                (None, None) => None,
                (Some(oncall), None) => Some(oncall),
                (Some(oncall), Some(then)) => Some(format!("{oncall}; {then}")),
                (None, Some(then)) => Some(format!("escalation {then}")),
            }
        };
        let (was, is) = (levels(|field| &field.before), levels(|field| &field.after));
        let (was, is) = (was.unwrap_or("nobody".into()), is.unwrap_or("nobody".into()));
        match self.change {
            ChangeKind::Deleted => format!("deleted (was {was})"),
            ChangeKind::Created | ChangeKind::Replaced => format!("{is} (was {was})"),
            ChangeKind::ReplacedUnreadable => format!("{is} (the entry before was unreadable)"),
        }
    }
}

fn label(name: &str) -> &str {
    match name {
        "timezone" => "time zone",
        "escalateAfterSeconds" => "wait",
        "alertLevels" => "alert levels",
        "shiftNotices" => "shift notices",
        "dayAheadNotice" => "notice a day ahead",
        "statusUpdates" => "status updates",
        "weeklyTest" => "weekly test",
        other => other,
    }
}

fn setting(name: &str, value: &Value) -> String {
    match (name, value) {
        ("escalateAfterSeconds", value) => format!("{value} s"),
        ("alertLevels", Value::Object(levels)) if levels.is_empty() => "all".to_owned(),
        ("levels", levels) => compact(levels),
        ("shiftNotices", Value::Object(notices)) => notices
            .get("channel")
            .map_or_else(|| "on".to_owned(), |channel| format!("on, {}", compact(channel))),
        ("alertLevels", Value::Object(levels)) => {
            let of = |(severity, levels): (&String, &Value)| format!("{severity} {}", together(levels));
            levels.iter().map(of).collect::<Vec<_>>().join(", ")
        }
        (_, Value::Array(_)) => together(value),
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

/// A value without the punctuation of JSON that a reader does not need.
fn compact(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "nobody".to_owned(),
        Value::Array(values) => values.iter().map(compact).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name} {}", compact(value))).collect();
            format!("({})", fields.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A list in the form of an import file.
fn together(list: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match list.as_array().map(Vec::as_slice) {
        None | Some([]) => "nobody".to_owned(),
        Some(list) => list.iter().map(text).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::model::{Contact, OwnerName, Person, ServiceName, Severity, TeamName, Zone};
    use crate::roster::{Entry, RosterEdit, Rota, Team, Was};

    fn told(edit: RosterEdit, was: Was) -> String {
        RosterChange::of_edit(DateTime::UNIX_EPOCH, &Person::new("ann").unwrap(), &edit, &was).description()
    }

    fn contacts(names: &[&str]) -> Vec<Contact> {
        names.iter().map(|name| Contact::new(format!("{name}@example.org")).unwrap()).collect()
    }

    #[test]
    fn services_and_days_are_described_with_what_was_before() {
        let athens =
            |team: &str| Entry::service(&ServiceName::new("athens").unwrap(), &TeamName::new(team).unwrap());
        let put = || RosterEdit::Put(athens("devops"));
        let ops = || Was::Entry(athens("ops"));
        assert_eq!(told(put(), ops()), "service athens: assigned to devops (was ops)");
        assert_eq!(told(put(), Was::Absent), "service athens: assigned to devops (was unassigned)");
        let unreadable = "service athens: assigned to devops (the entry before was unreadable)";
        assert_eq!(told(put(), Was::Unreadable), unreadable);
        let owned = |team: &str, by: &str| athens(team).owned_by(Some(OwnerName::new(by).unwrap()));
        let taken = told(owned("ops", "web.toml").into(), ops());
        assert_eq!(taken, "service athens: owner web.toml (was none)");
        let moved = told(owned("devops", "web.toml").into(), Was::Entry(owned("ops", "db.toml")));
        assert_eq!(moved, "service athens: assigned to devops (was ops); owner web.toml");
        let gone = RosterEdit::Delete(athens("ops").key());
        assert_eq!(told(gone.clone(), ops()), "service athens: deleted (was assigned to ops)");
        assert_eq!(told(gone, Was::Unreadable), "service athens: deleted");

        let eve = |oncall, then: &[&str]| {
            let then = if then.is_empty() { Vec::new() } else { vec![contacts(then)] };
            let rota = Rota::new(contacts(oncall), then).unwrap();
            Entry::day(&TeamName::new("devops").unwrap(), "2026-12-24".parse().unwrap(), rota)
        };
        let new = told(eve(&["jo"], &["kim"]).into(), Was::Absent);
        assert_eq!(new, "calendar of devops, 2026-12-24: j…@example.org; k…@example.org (was nobody)");
        let gone = RosterEdit::Delete(eve(&[], &[]).key());
        let told = told(gone, Was::Entry(eve(&[], &["lee", "max"])));
        let expected = "calendar of devops, 2026-12-24: deleted (was nobody; l…@example.org m…@example.org)";
        assert_eq!(told, expected);
    }

    #[test]
    fn of_a_team_only_what_changed_is_described() {
        let devops = |settings: crate::roster::TeamBuilder| {
            Entry::team(&TeamName::new("devops").unwrap(), settings.build().unwrap())
        };
        let first = || devops(Team::builder(contacts(&["ops"])));
        let all = "created; alert levels all; wait 600.0 s; fallback o…@example.org; repeat 0; time zone UTC";
        assert_eq!(told(first().into(), Was::Absent), format!("team devops: {all}"));
        let second = Team::builder(contacts(&["ops", "boss"]))
            .timezone(Zone::new("Europe/Athens").unwrap())
            .escalate_after(Duration::from_millis(1_500))
            .repeat(1)
            .alert_levels(Severity::Warn, Vec::new())
            .alert_levels(Severity::Crit, vec![1, 2]);
        let described = told(devops(second).into(), Was::Entry(first()));
        for part in [
            "time zone Europe/Athens (was UTC)",
            "wait 1.5 s (was 600.0 s)",
            "fallback o…@example.org b…@example.org (was o…@example.org)",
            "repeat 1 (was 0)",
            "CRIT 1 2",
            "WARN nobody",
            "(was all)",
        ] {
            assert!(described.contains(part), "{part} in {described}");
        }
        let later = devops(Team::builder(contacts(&["ops"])).repeat(2));
        assert_eq!(told(later.into(), Was::Entry(first())), "team devops: repeat 2 (was 0)");
    }

    #[test]
    fn a_description_is_one_line_of_bounded_length() {
        assert_eq!(one_line("team\r\nops"), "team  ops");
        for letter in ["x", "é", "🚒"] {
            let whole = letter.repeat(RosterChange::MAX_DESCRIPTION);
            assert_eq!(one_line(&whole), whole);
            let cut = format!("{}…", letter.repeat(RosterChange::MAX_DESCRIPTION - 1));
            assert_eq!(one_line(&format!("{whole}{letter}")), cut);
        }
    }
}
