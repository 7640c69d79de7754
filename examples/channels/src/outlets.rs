//! Pushes, chats and programs: their notifiers, and what comes back over them.

use std::sync::Arc;

use inresponse_chat::{SlackAnswers, SlackNotifier, TelegramAnswers, TelegramNotifier, TelegramPolling};
use inresponse_command::CommandNotifier;
use inresponse_core::Engine;
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::settings::Settings;
use inresponse_outward::{InternalHosts, Outward};
use inresponse_push::{NtfyClaims, NtfyNotifier, PushoverNotifier, PushoverReceipts};

use crate::failure::Failure;
use crate::pushes::OutletsConfig;

/// The channels that are configured.
#[derive(Debug, Default, Clone)]
pub struct Outlets {
    ntfy: Option<NtfyNotifier>,
    pushover: Option<PushoverNotifier>,
    telegram: Option<TelegramNotifier>,
    asks_telegram: bool,
    slack: Option<SlackNotifier>,
    command: Option<CommandNotifier>,
}

impl Outlets {
    /// The channels that are configured. They may reach those internal hosts. Nothing is connected yet.
    pub fn new(
        config: OutletsConfig,
        internal: &InternalHosts,
        public_url: Option<&str>,
        clock: &SystemClock,
    ) -> Result<Self, Failure> {
        let OutletsConfig { ntfy, pushover, telegram, slack, command } = config;
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut outlets = Self::default();
        if !command.is_empty() {
            outlets.command = Some(CommandNotifier::new(command, Arc::clone(&clock)));
        }
        if ntfy.is_none() && pushover.is_none() && telegram.is_none() && slack.is_none() {
            return Ok(outlets);
        }
        let outward = Outward::new(internal)?;
        let at = |clock: &Arc<dyn Clock>| (outward.clone(), Arc::clone(clock));
        if let Some(config) = ntfy {
            let (outward, clock) = at(&clock);
            outlets.ntfy = Some(NtfyNotifier::new(config, public_url, outward, clock)?);
        }
        if let Some(config) = pushover {
            let (outward, clock) = at(&clock);
            outlets.pushover = Some(PushoverNotifier::new(config, outward, clock)?);
        }
        if let Some(config) = telegram {
            let (outward, clock) = at(&clock);
            outlets.asks_telegram = !config.has_webhook();
            outlets.telegram = Some(TelegramNotifier::new(config, outward, clock)?);
        }
        if let Some(config) = slack {
            let (outward, clock) = at(&clock);
            outlets.slack = Some(SlackNotifier::new(config, outward, clock)?);
        }
        Ok(outlets)
    }

    /// Adds the notifiers. The app of Slack replaces the incoming webhooks of Slack.
    pub fn add_to(&self, mut notifiers: Notifiers) -> Notifiers {
        if let Some(ntfy) = &self.ntfy {
            notifiers = notifiers.with(NtfyNotifier::scheme(), ntfy.clone());
        }
        if let Some(pushover) = &self.pushover {
            notifiers = notifiers.with(PushoverNotifier::scheme(), pushover.clone());
        }
        if let Some(telegram) = &self.telegram {
            notifiers = notifiers.with(TelegramNotifier::scheme(), telegram.clone());
        }
        if let Some(slack) = &self.slack {
            notifiers = notifiers.with(SlackNotifier::scheme(), slack.clone());
        }
        if let Some(command) = &self.command {
            notifiers = notifiers.with(CommandNotifier::scheme(), command.clone());
        }
        notifiers
    }

    /// What takes the answers that come to `/channels/`.
    pub fn answers(&self) -> Vec<Arc<dyn Channel>> {
        let ntfy = self.ntfy.as_ref().map(|_| Arc::new(NtfyClaims) as Arc<dyn Channel>);
        let telegram = self.telegram.clone();
        let telegram = telegram.map(|bot| Arc::new(TelegramAnswers::new(bot)) as Arc<dyn Channel>);
        let slack = self.slack.clone().map(|app| Arc::new(SlackAnswers::new(app)) as Arc<dyn Channel>);
        [ntfy, telegram, slack].into_iter().flatten().collect()
    }

    /// What asks Telegram for updates, if it is configured without a webhook.
    pub fn polling(&self, engine: &Engine, settings: &Arc<dyn Settings>) -> Option<TelegramPolling> {
        let bot = self.telegram.clone().filter(|_| self.asks_telegram)?;
        Some(TelegramPolling::new(engine.clone(), Arc::clone(settings), bot))
    }

    /// What asks Pushover for acknowledgements, if it is configured.
    pub fn receipts(&self, engine: &Engine, settings: &Arc<dyn Settings>) -> Option<PushoverReceipts> {
        let pushover = self.pushover.clone()?;
        Some(PushoverReceipts::new(engine.clone(), Arc::clone(settings), pushover))
    }
}
