//! Several providers of one scheme, one after the other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};

use crate::number::NumberRule;

/// Tries the providers of a scheme in order, within one attempt.
///
/// The next provider is tried only if the one before it certainly did not deliver the message, for reasons of its own: its
/// account, its rate, an outage. A refusal of the recipient is final, and after an unknown outcome nothing else is tried
/// within the attempt: the message may have arrived. Each further attempt begins with the next provider, so that one whose
/// outcomes are never known does not keep the others from being tried.
#[derive(Debug, Clone)]
pub struct Providers {
    providers: Vec<Arc<dyn Notifier>>,
    numbers: NumberRule,
    clock: Arc<dyn Clock>,
}

impl Providers {
    /// Tries these, in order, for the numbers that may be reached.
    pub fn new(providers: Vec<Arc<dyn Notifier>>, numbers: NumberRule, clock: Arc<dyn Clock>) -> Self {
        Self { providers, numbers, clock }
    }
}

/// What is sent.
#[derive(Clone, Copy)]
enum Message<'a> {
    One(&'a Alert),
    Many(&'a Bundle),
}

impl Message<'_> {
    fn contact(&self) -> &Contact {
        match self {
            Message::One(alert) => alert.contact(),
            Message::Many(bundle) => bundle.contact(),
        }
    }

    /// The number of the attempt; that of the worst alert of a bundle.
    fn attempt(&self) -> u32 {
        match self {
            Message::One(alert) => alert.attempt(),
            Message::Many(bundle) => bundle.worst().first().map_or(1, Alert::attempt),
        }
    }

    async fn give(self, provider: &dyn Notifier, left: Duration) -> Outcome {
        match self {
            Message::One(alert) => provider.notify(alert, left).await,
            Message::Many(bundle) => match provider.bundler(bundle.contact()) {
                Some(bundler) => bundler.notify_bundle(bundle, left).await,
                None => Outcome::unavailable("the provider sends no bundles"),
            },
        }
    }
}

impl Providers {
    async fn in_turn(&self, message: Message<'_>, deadline: Duration) -> Outcome {
        let contact = message.contact();
        if !self.numbers.allows(contact) {
            return Outcome::rejected("numbers of premium rate and shared cost are not reached");
        }
        let began = self.clock.monotonic();
        let mut refusals = Vec::new();
        let mut pause: Option<Duration> = None;
        let reaching = || self.providers.iter().filter(|provider| provider.reaches(contact));
        let count = reaching().count();
        if count == 0 {
            return Outcome::rejected("no provider reaches this number");
        }
        let first = usize::try_from(message.attempt().saturating_sub(1)).unwrap_or(0) % count;
        for provider in reaching().cycle().skip(first).take(count) {
            let left = deadline.saturating_sub(self.clock.monotonic().saturating_sub(began));
            if left.is_zero() {
                break;
            }
            match message.give(&**provider, left).await {
                Outcome::Throttled { after, reason } => {
                    pause = Some(pause.map_or(after, |pause| pause.min(after)));
                    refusals.push(reason);
                }
                Outcome::Unavailable { reason } | Outcome::Limited { reason, .. } => refusals.push(reason),
                outcome @ (Outcome::Accepted
                | Outcome::AcceptedAs(_)
                | Outcome::Rejected { .. }
                | Outcome::Unknown { .. }) => return outcome,
            }
        }
        let reason = refusals.join("; then: ");
        match pause {
            // Somebody who asks for no pause may be tried sooner.
            Some(pause) if refusals.len() == 1 => Outcome::throttled(pause, reason),
            _ if refusals.is_empty() => Outcome::unavailable("no time was left to send"),
            _ => Outcome::unavailable(reason),
        }
    }
}

#[async_trait]
impl Notifier for Providers {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        self.in_turn(Message::One(alert), deadline).await
    }

    /// Sends bundles if every provider that reaches the number does.
    fn bundler(&self, contact: &Contact) -> Option<&dyn NotifyBundle> {
        let mut reaching = self.providers.iter().filter(|provider| provider.reaches(contact)).peekable();
        reaching.peek()?;
        reaching.all(|provider| provider.bundler(contact).is_some()).then_some(self)
    }

    fn reaches(&self, contact: &Contact) -> bool {
        self.numbers.allows(contact) && self.providers.iter().any(|provider| provider.reaches(contact))
    }
}

#[async_trait]
impl NotifyBundle for Providers {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        self.in_turn(Message::Many(bundle), deadline).await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use inresponse_core::testing::{ManualClock, RecordingNotifier};

    use super::*;
    use crate::testing::alert;

    #[test]
    fn p10_the_next_provider_is_tried_only_after_a_certain_refusal() {
        let refused = || Outcome::unavailable("no credit");
        for (first, second, expected, tried) in [
            (Outcome::Accepted, Outcome::Accepted, Outcome::Accepted, 0),
            (Outcome::rejected("no such number"), Outcome::Accepted, Outcome::rejected("no such number"), 0),
            (Outcome::unknown("lost"), Outcome::Accepted, Outcome::unknown("lost"), 0),
            (refused(), Outcome::Accepted, Outcome::Accepted, 1),
            (Outcome::throttled(Duration::from_secs(5), "slow"), Outcome::Accepted, Outcome::Accepted, 1),
            (refused(), Outcome::rejected("no"), Outcome::rejected("no"), 1),
            (refused(), Outcome::unknown("lost"), Outcome::unknown("lost"), 1),
            (refused(), Outcome::unavailable("down"), Outcome::unavailable("no credit; then: down"), 1),
        ] {
            let (a, b) = (RecordingNotifier::new(), RecordingNotifier::new());
            a.then(first.clone());
            b.then(second);
            let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
            let providers =
                Providers::new(vec![Arc::new(a), Arc::new(b.clone())], NumberRule::new(), Arc::new(clock));
            let alert = alert("checkout", "5xx", "sms:+302101234567", None);
            let mut sending = providers.notify(&alert, Duration::from_secs(60));
            let Poll::Ready(outcome) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("nothing waits")
            };
            assert_eq!(outcome, expected, "{first:?}");
            assert_eq!(b.attempts().len(), tried, "{first:?}");
        }
    }

    #[test]
    fn p09_a_provider_whose_outcomes_are_never_known_does_not_keep_the_others_from_being_tried() {
        let (a, b) = (RecordingNotifier::new(), RecordingNotifier::new());
        (0..2).for_each(|_| a.then(Outcome::unknown("500")));
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let both: Vec<Arc<dyn Notifier>> = vec![Arc::new(a.clone()), Arc::new(b.clone())];
        let providers = Providers::new(both, NumberRule::new(), Arc::new(clock));
        let first = alert("checkout", "5xx", "sms:+302101234567", None);
        let notify = |alert: &Alert, deadline: Duration| {
            let mut sending = providers.notify(alert, deadline);
            let Poll::Ready(outcome) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("nothing waits")
            };
            outcome
        };
        let incident = Arc::new(first.incident().clone());
        let key = incident.deliveries()[0].key();
        let attempt = |n: u32| Alert::new(Arc::clone(&incident), 1, key, n, first.contact().clone());
        let minute = Duration::from_secs(60);
        assert_eq!(notify(&attempt(1), minute), Outcome::unknown("500"));
        assert_eq!(notify(&attempt(2), minute), Outcome::Accepted);
        assert_eq!((a.attempts().len(), b.attempts().len()), (1, 1));
        // Nobody is told that no time was left, and the number is not dead.
        let late = notify(&attempt(3), Duration::ZERO);
        assert!(matches!(late, Outcome::Unavailable { .. }), "{late:?}");
    }

    #[test]
    fn a_number_that_costs_extra_is_reached_by_nobody() {
        let provider = RecordingNotifier::new();
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let providers = Providers::new(vec![Arc::new(provider.clone())], NumberRule::new(), Arc::new(clock));
        let alert = alert("checkout", "5xx", "sms:+449012345678", None);
        assert!(!providers.reaches(alert.contact()));
        let mut sending = providers.notify(&alert, Duration::from_secs(60));
        let outcome = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(outcome, Poll::Ready(Outcome::Rejected { .. })), "{outcome:?}");
        assert!(provider.attempts().is_empty());
    }
}
