//! Hours of the week over the wire.

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::roster::{ClockTime, Hours, WeekDays};

use super::field::at;

/// Converts weekly hours from a request.
pub(super) fn weekly_hours(field: &str, given: &api::Hours, invalid: &mut InvalidInput) -> Option<Hours> {
    let mut days = WeekDays::default();
    let mut valid = true;
    for (i, day) in given.days.iter().enumerate() {
        match invalid.keep(at(&format!("{field}.days[{i}]"), day.parse::<WeekDays>())) {
            Some(day) => days = days.union(day),
            None => valid = false,
        }
    }
    let from = invalid.keep(at(&format!("{field}.from"), Hours::time(&given.from)));
    let to = invalid.keep(at(&format!("{field}.to"), Hours::time(&given.to)));
    let (from, to) = from.zip(to)?;
    valid.then_some(Hours { days, from, to })
}

/// Converts weekly hours into the API's type.
pub(super) fn hours_of(hours: &Hours) -> api::Hours {
    api::Hours {
        days: hours.days.days().map(|day| day.to_string()).collect(),
        from: ClockTime(hours.from).to_string(),
        to: ClockTime(hours.to).to_string(),
    }
}
