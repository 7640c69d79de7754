//! Pushes through Pushover, and cancels what still repeats.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Receipt, Scheme, Severity};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::header::CONTENT_TYPE;
use inresponse_outward::{Answer, Outward, brief, many};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::PushoverConfig;
use crate::error::{PushError, PushErrorKind};

/// The limits of Pushover, in characters.
const MESSAGE: usize = 1024;
const TITLE: usize = 250;
const URL: usize = 512;
/// How often an emergency repeats, and for how long, in seconds.
const RETRY: u32 = 60;
const EXPIRE: u32 = 3600;
/// The number of bytes that are read of an answer.
const BODY: usize = 4096;

/// Why a contact is rejected.
const NOT_OURS: &str = "the contact is not a user key of Pushover";

/// Pushes alerts. Cloning is cheap.
#[derive(Clone)]
pub struct PushoverNotifier {
    outward: Outward,
    config: Arc<PushoverConfig>,
    clock: Arc<dyn Clock>,
}

/// What an acknowledgement of a push says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The key of the user who acknowledged, if Pushover says it.
    pub by: Option<String>,
}

impl PushoverNotifier {
    /// A notifier that pushes as configured. It does not connect yet.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn new(config: PushoverConfig, outward: Outward, clock: Arc<dyn Clock>) -> Result<Self, PushError> {
        outward.gate().check(&config.url).map_err(|refused| {
            PushError::new(PushErrorKind::Url, "the URL of Pushover is not allowed").because(refused)
        })?;
        Ok(Self { outward, config: Arc::new(config), clock })
    }

    /// The scheme of its contacts: `pushover`.
    pub fn scheme() -> Scheme {
        Scheme::new("pushover").expect("the name is a scheme")
    }

    fn message(&self, alert: &Alert) -> Value {
        let incident = alert.incident();
        let end = format!("\n{}\nalert {}", brief::context(alert), alert.delivery_id());
        let end = brief::cut(&end, MESSAGE / 2, characters);
        let text = match brief::tells_what_happened(alert) {
            true => brief::cut(incident.message(), MESSAGE / 2 - 1, characters),
            false => String::new(),
        };
        let mut message = json!({
            "token": self.config.token,
            "user": alert.contact().address(),
            "title": brief::cut(&brief::head(alert), TITLE, characters),
            "message": format!("{text}{end}").trim_start(),
            "priority": priority(alert),
        });
        if priority(alert) == 2 {
            message["retry"] = json!(RETRY);
            message["expire"] = json!(EXPIRE);
            message["tags"] = json!(tag(alert));
        }
        let claim = brief::claim(alert);
        let link = claim.or(alert.board_url().map(|url| ("Open the incident", url)));
        if let Some((title, url)) = link.filter(|(_, url)| url.len() <= URL) {
            message["url"] = json!(url);
            message["url_title"] = json!(title);
        }
        message
    }

    /// A push about many incidents. It rings once: an acknowledgement could not say which incidents it is about. A link
    /// that does not fit is left out.
    fn message_of_bundle(&self, bundle: &Bundle) -> Value {
        let worst = many::worst(bundle).map(|(head, _)| brief::cut(&head, 100, characters));
        let text = [many::services(bundle)].into_iter().chain(worst).collect::<Vec<_>>().join("\n");
        let mut message = json!({
            "token": self.config.token,
            "user": bundle.contact().address(),
            "title": brief::cut(&bundle.headline(), TITLE, characters),
            "message": brief::cut(&text, MESSAGE, characters),
            "priority": 1,
        });
        if let Some(url) = bundle.claim_all_url().filter(|url| url.len() <= URL) {
            message["url"] = json!(url);
            message["url_title"] = json!("Claim all of these");
        }
        message
    }

    async fn post(&self, path: &str, body: &Value, deadline: Duration) -> Result<Answer, Outcome> {
        let url = self.config.url.join(path).map_err(|_| Outcome::unavailable("the URL cannot be joined"))?;
        let request = self.outward.post(url).map_err(|refused| Outcome::unavailable(refused.to_string()))?;
        let request = request.header(CONTENT_TYPE, "application/json");
        self.outward.send(request, body.to_string().into(), |_| BODY, deadline).await.answer()
    }

    async fn push(&self, message: &Value, deadline: Duration) -> Outcome {
        match self.post("1/messages.json", message, deadline).await {
            Ok(answer) => self.outcome(&answer),
            Err(outcome) => outcome,
        }
    }

    /// Stops the repetition of all emergencies about the incident that went to that user: those of other steps, levels
    /// and rounds too, and those whose receipt was lost (<https://pushover.net/api/receipts#cancel_by_tag>).
    async fn cancel(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let path = format!("1/receipts/cancel_by_tag/{}.json", tag(alert));
        match self.post(&path, &json!({ "token": self.config.token }), deadline).await {
            Ok(answer) if answer.status.is_success() => Outcome::Accepted,
            // A tag that Pushover no longer knows repeats nothing.
            Ok(answer) if answer.status.is_client_error() && !is_about_sender(&answer) => Outcome::Accepted,
            Ok(answer) => answer.not_taken(&read(&answer.body).said(), self.clock.now()),
            Err(outcome) => outcome,
        }
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        let said = read(&answer.body);
        if answer.status.is_success() {
            return match said.status {
                Some(1) => {
                    let receipt = said.receipt.and_then(|receipt| Receipt::new(receipt).ok());
                    receipt.map_or(Outcome::Accepted, Outcome::AcceptedAs)
                }
                Some(_) => Outcome::unavailable(said.said()),
                None => Outcome::unknown("the answer cannot be read"),
            };
        }
        if answer.status.is_client_error() && said.user.as_deref() == Some("invalid") {
            return Outcome::rejected(said.said());
        }
        answer.not_taken(&said.said(), self.clock.now())
    }

    /// Asks whether a push was acknowledged.
    ///
    /// # Errors
    /// The outcome, if Pushover does not say.
    pub(crate) async fn acknowledged(
        &self,
        receipt: &Receipt,
        deadline: Duration,
    ) -> Result<Option<Acknowledged>, Outcome> {
        let url = self.config.url.join(&format!("1/receipts/{receipt}.json"));
        let mut url = url.map_err(|_| Outcome::unavailable("the URL cannot be joined"))?;
        url.query_pairs_mut().append_pair("token", &self.config.token);
        let request = self.outward.get(url).map_err(|refused| Outcome::unavailable(refused.to_string()))?;
        let answer = self.outward.send(request, Vec::new().into(), |_| BODY, deadline).await.answer()?;
        if !answer.status.is_success() {
            return Err(answer.not_taken(&read(&answer.body).said(), self.clock.now()));
        }
        read_receipt(&answer.body).ok_or_else(|| Outcome::unavailable("the answer cannot be read"))
    }
}

/// The priority of a push: 2 repeats until somebody acknowledges it.
fn priority(alert: &Alert) -> i8 {
    match (alert.occasion(), alert.incident().severity()) {
        (Occasion::Alert | Occasion::CalledIn, Severity::Crit | Severity::Err) => 2,
        (Occasion::Alert | Occasion::CalledIn, Severity::Warn) => 1,
        (Occasion::Handed | Occasion::ClaimEnds, _) => 1,
        (Occasion::Claimed | Occasion::Resolved | Occasion::Notice, _) => -1,
    }
}

/// What all pushes about an incident to a user have in common. The number alone could be that of an incident of another
/// installation, or of one from before numbering started again; the last part of a delivery's id is the incident's own.
fn tag(alert: &Alert) -> String {
    let id = alert.delivery_id().as_str();
    let own = id.rsplit('-').next().unwrap_or(id);
    format!("{}-{own}-{}", alert.incident().number(), alert.contact().address())
}

fn characters(_: char) -> usize {
    1
}

/// Whether a refusal is about the application and not about the receipt.
fn is_about_sender(answer: &Answer) -> bool {
    answer.status.as_u16() == 429 || read(&answer.body).token.as_deref() == Some("invalid")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    status: Option<i64>,
    receipt: Option<String>,
    user: Option<String>,
    token: Option<String>,
    errors: Vec<String>,
}

impl Said {
    fn said(&self) -> String {
        brief::reason(&self.errors.join("; "))
    }
}

fn read(body: &[u8]) -> Said {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Reads the state of a receipt: whether the push was acknowledged. `None` if it cannot be read.
pub fn read_receipt(body: &[u8]) -> Option<Option<Acknowledged>> {
    #[derive(Deserialize)]
    struct State {
        status: i64,
        acknowledged: i64,
        #[serde(default)]
        acknowledged_by: Option<String>,
    }
    let state: State = serde_json::from_slice(body).ok()?;
    (state.status == 1).then(|| {
        let by = state.acknowledged_by.filter(|by| !by.is_empty());
        (state.acknowledged == 1).then_some(Acknowledged { by })
    })
}

#[async_trait]
impl Notifier for PushoverNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        if !self.reaches(alert.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        if alert.receipt().is_none() {
            return self.push(&self.message(alert), deadline).await;
        }
        let began = self.clock.monotonic();
        match self.cancel(alert, deadline).await {
            // The cancellation counts, and is harmless if it is repeated.
            Outcome::Accepted if brief::is_told(alert) => {
                let spent = self.clock.monotonic().saturating_sub(began);
                self.push(&self.message(alert), deadline.saturating_sub(spent)).await
            }
            outcome => outcome,
        }
    }

    /// Reaches contacts whose address is a key of a user or a group: 30 ASCII letters and digits.
    fn reaches(&self, contact: &Contact) -> bool {
        let key = contact.address();
        key.len() == 30 && key.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for PushoverNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        if !self.reaches(bundle.contact()) {
            return Outcome::rejected(NOT_OURS);
        }
        self.push(&self.message_of_bundle(bundle), deadline).await.without_receipt()
    }
}

impl fmt::Debug for PushoverNotifier {
    /// Shows everything except the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushoverNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
