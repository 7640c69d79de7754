//! The text of a message about many incidents.

use inresponse_core::model::Severity;
use inresponse_core::notify::{Alert, Bundle, OfService};

use crate::brief::{claim, head};

/// The number of services that a message lists.
const SERVICES: usize = 10;

/// The first lines of the worst incidents, each with the link by which the contact can claim it.
pub fn worst(bundle: &Bundle) -> impl Iterator<Item = (String, Option<&str>)> {
    bundle.worst().iter().map(|alert| (head(alert), claim(alert).map(|(_, url)| url)))
}

/// The services with their numbers of alerts, one in each line, the worst first.
pub fn services(bundle: &Bundle) -> String {
    let services = bundle.services();
    let mut lines: Vec<String> = services.iter().take(SERVICES).map(line).collect();
    match services.len().saturating_sub(SERVICES) {
        0 => {}
        1 => lines.push("1 other service".to_owned()),
        more => lines.push(format!("{more} other services")),
    }
    lines.join("\n")
}

fn line(of: &OfService<'_>) -> String {
    let count = |(severity, alerts): &(Severity, usize)| format!("{alerts} {severity}");
    format!("{}: {}", of.service, of.severities.iter().map(count).collect::<Vec<_>>().join(", "))
}

/// The numbers of the incidents that a message does not show in full. `None` if it shows all of them.
pub fn others(bundle: &Bundle) -> Option<String> {
    let number = |alert: &Alert| format!("#{}", alert.incident().number());
    let numbers: Vec<String> = bundle.others().iter().map(number).collect();
    match numbers.len() {
        0 => None,
        1 => Some(format!("and one more: {}", numbers[0])),
        more => Some(format!("and {more} more: {}", numbers.join(", "))),
    }
}
