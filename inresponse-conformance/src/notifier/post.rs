//! A notifier under test with its recipients, and the alerts that the laws give it.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::model::{
    Contact, IncidentNumber, Level, Matrix, OutcomeKind, Purpose, Report, ReportBuilder, Severity, TeamName,
};
use inresponse_core::notify::{Alert, Bundle, Notifier, Outcome};
use inresponse_core::plan;
use tokio::time::timeout;

use super::{Arrival, Behaviour, NotifierHarness};
use crate::scene::{LEASE, WAIT, at, report, rich_report};
use crate::waiting::eventually;

/// A deadline that only a hanging carrier reaches, even on a machine that is busy with other tests.
pub(super) const AMPLE: Duration = Duration::from_secs(60);

/// A short deadline, for laws in which it must pass.
pub(super) const SHORT: Duration = Duration::from_millis(300);

/// How long after its deadline an answer may come, because a busy machine may be late.
const GRACE: Duration = Duration::from_secs(30);

/// The notifier under test and its harness.
pub(super) struct Post<'a, H: NotifierHarness> {
    harness: &'a H,
    pub(super) notifier: Arc<H::Notifier>,
}

impl<'a, H: NotifierHarness> Post<'a, H> {
    pub(super) async fn new(harness: &'a H) -> Self {
        Self { harness, notifier: Arc::new(harness.notifier().await) }
    }

    /// Gives the notifier an alert, and checks the rules for every answer.
    pub(super) async fn tell(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let outcome = timeout(deadline + GRACE, self.notifier.notify(alert, deadline))
            .await
            .unwrap_or_else(|_| panic!("no answer within {GRACE:?} of the deadline of {deadline:?}"));
        self.keeps_secrets(&format!("{outcome:?}"), alert);
        outcome
    }

    /// Gives the notifier a bundle, and checks the same rules. `None` if it sends no bundles to that contact.
    pub(super) async fn tell_many(&self, bundle: &Bundle, deadline: Duration) -> Option<Outcome> {
        let bundler = self.notifier.bundler(bundle.contact())?;
        let outcome = timeout(deadline + GRACE, bundler.notify_bundle(bundle, deadline))
            .await
            .unwrap_or_else(|_| panic!("no answer within {GRACE:?} of the deadline of {deadline:?}"));
        bundle.alerts().iter().for_each(|alert| self.keeps_secrets(&format!("{outcome:?}"), alert));
        Some(outcome)
    }

    /// Checks that a text that may be logged or shown contains no secret of the notifier and no claim link.
    pub(super) fn keeps_secrets(&self, shown: &str, alert: &Alert) {
        let token = format!("token-of-{}", alert.incident().number());
        for secret in self.harness.secrets().into_iter().chain([token]) {
            assert!(!shown.contains(&secret), "the secret {secret:?} appears in {shown:?}");
        }
    }

    pub(super) async fn behave(&self, n: usize, behaviour: Behaviour) {
        self.harness.behave(&self.contact(n), behaviour).await;
    }

    pub(super) fn contact(&self, n: usize) -> Contact {
        self.harness.contact(n)
    }

    pub(super) async fn attempts(&self, n: usize) -> usize {
        self.harness.attempts(&self.contact(n)).await
    }

    pub(super) async fn arrived(&self, n: usize) -> Vec<Arrival> {
        self.harness.arrived(&self.contact(n)).await
    }

    /// Waits until the recipient has got that many messages, and checks that no more follow.
    pub(super) async fn has_arrived(&self, n: usize, messages: usize) -> Vec<Arrival> {
        eventually(&messages, || async { self.arrived(n).await.len() }).await;
        self.settled().await;
        let arrived = self.arrived(n).await;
        assert_eq!(arrived.len(), messages, "messages for {:?}: {arrived:#?}", self.contact(n));
        arrived
    }

    /// Checks that no message arrived, and that none follows.
    pub(super) async fn nothing_arrived(&self, n: usize) {
        self.has_arrived(n, 0).await;
    }

    /// Checks that the recipients' side got at most that many attempts.
    pub(super) async fn tried_at_most(&self, n: usize, times: usize) {
        self.settled().await;
        let attempts = self.attempts(n).await;
        assert!(attempts <= times, "{:?} was tried {attempts} times, not {times}", self.contact(n));
    }

    /// Waits a while, so that work that the notifier left running after its answer becomes visible.
    async fn settled(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Alerts a recipient that accepts again. The first one or two attempts may fail, because they find a broken
    /// connection.
    pub(super) async fn is_reached_again(&self, n: usize) {
        self.behave(n, Behaviour::Accept).await;
        let before = self.arrived(n).await.len();
        let mut answers = Vec::new();
        for attempt in 2..=4 {
            let outcome = self.tell(&self.alert(n, 900, attempt), AMPLE).await;
            let accepted = outcome.kind() == OutcomeKind::Accepted;
            answers.push(outcome);
            if accepted {
                eventually(&true, || async { self.arrived(n).await.len() > before }).await;
                return;
            }
        }
        panic!("the recipient accepts again, but the notifier answered {answers:?}");
    }

    /// A bundle of that many alerts for the `n`th recipient, with every kind of text.
    pub(super) fn bundle(&self, n: usize, alerts: usize) -> Bundle {
        let texts = any_texts().into_iter().cycle().zip(0..);
        let alerts = texts.take(alerts).map(|(text, number)| self.alert_about(text, n, number, 1)).collect();
        let bundle = Bundle::new(alerts).expect("alerts to one contact, no more than a bundle may have");
        bundle.with_claim_all_url("https://alerts.example/claims?token=token-of-7310000".to_owned())
    }

    /// An alert of incident `number` for the `n`th recipient.
    pub(super) fn alert(&self, n: usize, number: u64, attempt: u32) -> Alert {
        self.alert_about(report("athens"), n, number, attempt)
    }

    /// An alert with the content of `report`.
    pub(super) fn alert_about(&self, report: ReportBuilder, n: usize, number: u64, attempt: u32) -> Alert {
        let number = IncidentNumber::new(FIRST + number);
        let contacts = vec![self.contact(n), self.contact(n + 1_000)];
        let matrix = Matrix::new(vec![contacts], vec![self.contact(2_000)], WAIT);
        let team = TeamName::new("conformance").unwrap();
        let (opening, sends) = plan::open(report.build().unwrap(), team, matrix, Some(LEASE), at(0));
        let incident = Arc::new(opening.numbered(number).into_incident());
        assert_eq!(
            sends[0].delivery.purpose,
            Purpose::Alert(Level::At(1)),
            "the scene plays as it is written"
        );
        let url = format!("https://alerts.example/incidents/{number}/claim?token=token-of-{number}");
        Alert::new(incident, 1, sends[0].delivery, attempt, sends[0].contact.clone()).with_claim_url(url)
    }
}

/// Texts with line breaks, ends of messages, headers, markup, any script, any length.
pub(super) fn any_texts() -> [ReportBuilder; 6] {
    let of = |title: &str, message: &str| Report::builder("athens", Severity::Crit, title).message(message);
    [
        rich_report(),
        of("ends too early", "first\r\n.\r\nMAIL FROM:<a@b.example>\r\n\r\n.\n..\nlast"),
        of(
            "Subject: another\\r\\nBcc: x@y.example",
            "\nFrom x\n\nX-InResponse-Delivery: forged\n\n--\n--x--",
        ),
        of("{\"title\": \"${x}\"}", "</script><b>&amp;\u{2028}\u{feff}{{x}} %n \"\\u0000\" '\\x00'"),
        of(&"title ".repeat(80), &"日".repeat(Report::MAX_MESSAGE_BYTES / 3)),
        of(&"x".repeat(Report::MAX_TITLE_BYTES), &"x".repeat(Report::MAX_MESSAGE_BYTES)),
    ]
}

/// The first incident number: large enough not to occur in a text by chance.
const FIRST: u64 = 7_310_000;
