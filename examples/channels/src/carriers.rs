//! Chooses the notifiers by the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use inresponse_core::Chain;
use inresponse_core::clock::SystemClock;
use inresponse_core::model::Scheme;
use inresponse_core::notify::{Notifier, Notifiers};
use inresponse_outward::InternalHosts;
use inresponse_phone::{GatewayNotifier, PhoneError, Providers, TwilioNotifier};
use inresponse_webhook::{WebhookConfig, WebhookErrorKind, WebhookNotifier};

use crate::failure::Failure;
use crate::outlets::Outlets;
use crate::phones::PhoneConfig;

/// Adds the notifiers of all channels except mail.
///
/// # Errors
/// A channel is configured that cannot send from here.
pub fn add_channels(
    notifiers: Notifiers,
    webhook: WebhookConfig,
    phone: PhoneConfig,
    outlets: &Outlets,
    clock: &SystemClock,
) -> Result<Notifiers, Failure> {
    let clock = Arc::new(clock.clone());
    let notifiers = by_phone(notifiers, phone, webhook.internal(), &clock)?;
    let has_channels = webhook.has_channels();
    match WebhookNotifier::new(webhook, clock) {
        Ok(webhooks) => {
            let notifiers =
                webhooks.schemes().into_iter().fold(notifiers, |n, scheme| n.with(scheme, webhooks.clone()));
            Ok(outlets.add_to(notifiers))
        }
        // Where no channel is configured, a machine without certificates sends mails anyway.
        Err(error) if error.kind() == WebhookErrorKind::Certificates && !has_channels => {
            tracing::warn!(error = %Chain::of(&error), "there are no webhooks here");
            Ok(outlets.add_to(notifiers))
        }
        Err(error) => Err(error.into()),
    }
}

/// Adds the providers of text messages and calls: Twilio first, then the gateways by their names.
fn by_phone(
    notifiers: Notifiers,
    phone: PhoneConfig,
    hosts: &InternalHosts,
    clock: &Arc<SystemClock>,
) -> Result<Notifiers, PhoneError> {
    let mut providers: BTreeMap<Scheme, Vec<Arc<dyn Notifier>>> = BTreeMap::new();
    if let Some(config) = phone.twilio {
        let twilio = TwilioNotifier::new(config, hosts, clock.clone())?;
        for scheme in twilio.schemes() {
            providers.entry(scheme).or_default().push(Arc::new(twilio.clone()));
        }
    }
    for config in phone.gateways {
        let schemes = config.schemes().to_vec();
        let gateway = GatewayNotifier::new(config, hosts, clock.clone())?;
        for scheme in schemes {
            providers.entry(scheme).or_default().push(Arc::new(gateway.clone()));
        }
    }
    let add = |notifiers: Notifiers, (scheme, providers)| {
        notifiers.with(scheme, Providers::new(providers, phone.numbers.clone(), clock.clone()))
    };
    Ok(providers.into_iter().fold(notifiers, add))
}
