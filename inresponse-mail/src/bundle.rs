//! Writes many alerts as one mail.

use askama::Template;
use inresponse_core::model::Severity;
use inresponse_core::notify::{Alert, Bundle, OfService};
use inresponse_core::text::visible;

/// The maximum number of services that the table lists.
const SERVICES: usize = 50;
/// The maximum number of characters of an incident's message.
const MESSAGE: usize = 2_000;

/// The plain text of a bundle.
#[derive(Template)]
#[template(path = "bundle.txt")]
pub(crate) struct BundleText<'a> {
    pub(crate) view: &'a BundleView<'a>,
}

/// The HTML of a bundle.
#[derive(Template)]
#[template(path = "bundle.html")]
pub(crate) struct BundleHtml<'a> {
    pub(crate) view: &'a BundleView<'a>,
}

/// The content that both texts share.
pub(crate) struct BundleView<'a> {
    bundle: &'a Bundle,
    /// The services with their counts of CRIT, ERR and WARN.
    pub(crate) services: Vec<ServiceLine<'a>>,
    /// The number of services that the table leaves out.
    pub(crate) more_services: usize,
    pub(crate) worst: Vec<Worst<'a>>,
    /// The numbers of the other incidents, by severity.
    pub(crate) others: Vec<(Severity, String)>,
}

/// The number of alerts of one service.
pub(crate) struct ServiceLine<'a> {
    pub(crate) name: &'a str,
    pub(crate) counts: [usize; 3],
}

/// One of the worst incidents.
pub(crate) struct Worst<'a> {
    alert: &'a Alert,
    pub(crate) message: String,
}

impl<'a> BundleView<'a> {
    pub(crate) fn new(bundle: &'a Bundle) -> Self {
        let of_services = bundle.services();
        let more_services = of_services.len().saturating_sub(SERVICES);
        let line = |of: &OfService<'a>| ServiceLine {
            name: of.service.as_str(),
            counts: [Severity::Crit, Severity::Err, Severity::Warn].map(|wanted| {
                of.severities.iter().find(|(severity, _)| *severity == wanted).map_or(0, |(_, count)| *count)
            }),
        };
        Self {
            bundle,
            services: of_services.iter().take(SERVICES).map(line).collect(),
            more_services,
            worst: bundle.worst().iter().map(Worst::new).collect(),
            others: numbers(bundle.others()),
        }
    }

    /// The subject: a locked screen shows little more.
    pub(crate) fn subject(&self) -> String {
        visible(&format!("[{}] {}", self.counts(), self.bundle.services_in_words())).into_owned()
    }

    /// How many alerts of which severities there are.
    pub(crate) fn counts(&self) -> String {
        let counts =
            self.bundle.severities().into_iter().map(|(severity, count)| format!("{count} {severity}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn incidents(&self) -> usize {
        self.bundle.alerts().len()
    }

    pub(crate) fn left(&self) -> usize {
        self.bundle.others().len()
    }

    pub(crate) fn claim_all_url(&self) -> Option<&str> {
        self.bundle.claim_all_url()
    }

    pub(crate) fn contact(&self) -> String {
        self.bundle.contact().to_string()
    }

    pub(crate) fn bar_colour(&self) -> &'static str {
        self.worst.first().map_or("#0b57d0", Worst::colour)
    }

    pub(crate) fn is_crit(&self) -> bool {
        self.worst.first().is_some_and(|worst| worst.alert.incident().severity() == Severity::Crit)
    }
}

impl<'a> Worst<'a> {
    fn new(alert: &'a Alert) -> Self {
        let message = alert.incident().message();
        let cut = message.char_indices().nth(MESSAGE).map(|(i, _)| &message[..i]);
        Self { alert, message: cut.map_or_else(|| message.to_owned(), |cut| format!("{cut}…")) }
    }

    pub(crate) fn severity(&self) -> &'static str {
        self.alert.incident().severity().as_str()
    }

    pub(crate) fn colour(&self) -> &'static str {
        crate::view::colour(self.alert.incident().severity())
    }

    pub(crate) fn number(&self) -> u64 {
        self.alert.incident().number().value()
    }

    pub(crate) fn service(&self) -> &str {
        self.alert.incident().service().as_str()
    }

    pub(crate) fn title(&self) -> &str {
        self.alert.incident().title()
    }

    pub(crate) fn claim_url(&self) -> Option<&str> {
        self.alert.claim_url()
    }

    pub(crate) fn board_url(&self) -> Option<&str> {
        self.alert.board_url()
    }
}

/// The numbers of incidents, by severity, the worst first.
fn numbers(alerts: &[Alert]) -> Vec<(Severity, String)> {
    let mut by_severity: Vec<(Severity, Vec<String>)> = Vec::new();
    for incident in alerts.iter().map(Alert::incident) {
        let number = format!("#{}", incident.number());
        match by_severity.last_mut() {
            Some((severity, numbers)) if *severity == incident.severity() => numbers.push(number),
            Some(_) | None => by_severity.push((incident.severity(), vec![number])),
        }
    }
    by_severity.into_iter().map(|(severity, numbers)| (severity, numbers.join(", "))).collect()
}

/// The ids of all deliveries.
pub(crate) fn ids(bundle: &Bundle) -> String {
    bundle.delivery_ids().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The numbers of all incidents.
pub(crate) fn incident_numbers(bundle: &Bundle) -> String {
    let numbers = bundle.alerts().iter().map(|alert| alert.incident().number().to_string());
    numbers.collect::<Vec<_>>().join(", ")
}
