//! Laws of audit records: a record of a person or a schedule contains no address and no URL of a feed.

use inresponse_core::roster::Roster;

use super::acting::{done_one, records};
use super::crew::{copy_with, person_with, replacement_of, schedule_of, schedule_with_feed};
use super::scene::{delete, put};
use crate::Harness;

/// Audit records of people and schedules contain no addresses, because everybody who may read the records could then
/// use the addresses.
pub async fn a_record_of_a_person_or_a_schedule_holds_no_address<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let addresses = [
        "jo.adams@example.org",
        "24x7.desk@example.org",
        "//hooks.example/T0/B0/secret",
        "+302101234567",
        "/private-0042/basic.ics",
    ];
    let [mail, digits, hook, sms, feed] = addresses;
    let contacts = [mail.to_owned(), digits.to_owned(), format!("https:{hook}"), format!("sms:{sms}")];
    let [a, b, c, d] = contacts
        .each_ref()
        .map(|contact| if contact.contains(':') { contact.clone() } else { format!("mailto:{contact}") });
    let entries = |first: &str, second: &str| {
        [
            person_with("jo", &[("one", first), ("two", second)]),
            schedule_with_feed(
                "devops",
                "primary",
                first,
                &format!("https://c.example{feed}?of={}", first.len()),
            ),
            schedule_of("devops", "second", &[first, second, "person:jo"]),
            replacement_of("devops", "primary", "o", &[first, second], &[second]),
            copy_with(
                "devops",
                "primary",
                &[mail, digits],
                &[&format!("{mail} is nobody's address"), &format!("{first} was given twice")],
            ),
        ]
    };
    let mut edits = 0;
    for (first, second) in [(&a, &b), (&c, &d), (&b, &a)] {
        for entry in entries(first, second) {
            edits += usize::from(done_one(&roster, edits_so_far(edits), put(&entry)).await.changes());
        }
    }
    for entry in entries(&a, &b).iter().rev() {
        edits += usize::from(done_one(&roster, edits_so_far(edits), delete(entry)).await.changes());
    }
    let records = records(&roster).await;
    assert_eq!(records.len(), edits);
    for record in &records {
        let text = format!("{record:?} {} {}", record.stored(), record.description());
        for address in addresses {
            assert!(!text.contains(address), "{address} is in {text}");
        }
    }
}

fn edits_so_far(edits: usize) -> u32 {
    u32::try_from(edits).unwrap_or(u32::MAX)
}
