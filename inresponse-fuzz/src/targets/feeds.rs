//! Calendars of other programs.

use std::cell::OnceCell;

use chrono::{Datelike, TimeDelta};
use inresponse_calendar::{Feed, Shift, limits, read, write};
use inresponse_core::model::Zone;

use super::{now, once};

thread_local! {
    static ATHENS: OnceCell<Zone> = const { OnceCell::new() };
}

/// A feed as the server reads it: a month back and a year ahead.
pub(super) fn ical(data: &[u8]) {
    let span = now() - TimeDelta::days(30)..now() + TimeDelta::days(400);
    once(
        &ATHENS,
        || Zone::new("Europe/Athens").unwrap(),
        |zone| match read(data, zone, span.clone()) {
            Ok(feed) => {
                holds(&feed);
                assert!(
                    feed.events.iter().all(|event| event.from < span.end && event.to > span.start),
                    "{feed:?}"
                );
                assert_eq!(read(data, zone, span.clone()).unwrap(), feed);
                written_again(&feed, zone);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        },
    );
}

/// Checks that events are in order and within the limits, and that a finding names its event.
fn holds(feed: &Feed) {
    assert!(feed.events.len() <= limits::MAX_ALL_OCCURRENCES);
    assert!(feed.events.is_sorted_by_key(|event| (event.from, event.to)));
    for event in &feed.events {
        assert!(event.from < event.to && event.names.len() <= limits::MAX_NAMES, "{event:?}");
        assert!(
            event.names.iter().all(|name| !name.is_empty() && name.len() <= limits::MAX_NAME),
            "{event:?}"
        );
    }
    assert!(feed.findings.len() <= limits::MAX_FINDINGS + 1);
    for finding in &feed.findings {
        assert!(
            !finding.event().is_empty() && !finding.message().is_empty() && finding.to_string().len() < 2_000
        );
    }
}

/// Checks that written events are read again as the same spans.
fn written_again(feed: &Feed, zone: &Zone) {
    let shift = |event: &inresponse_calendar::Event| {
        let name = event.names.first().cloned().unwrap_or_default();
        Shift { from: event.from, to: event.to, name }
    };
    // Times near the ends of the calendar are cut when they are written.
    let is_far = |event: &&inresponse_calendar::Event| event.from.year() < 1 || event.to.year() > 9999;
    let events: Vec<_> = feed.events.iter().filter(|event| !is_far(event)).take(50).collect();
    let text = write("On call", events.iter().copied().map(shift), now());
    let everything = now() - TimeDelta::days(4_000_000)..now() + TimeDelta::days(4_000_000);
    let again = read(text.as_bytes(), zone, everything).unwrap();
    assert_eq!(again.findings, [], "{text}");
    let spans = events.iter().map(|event| (event.from, event.to));
    assert!(again.events.iter().map(|event| (event.from, event.to)).eq(spans), "{text}");
}
