//! The notifier for Twilio: one attempt to send a text message or to call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, Scheme};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::InternalHosts;
use url::Url;

use crate::config::{Sender, TwilioConfig};
use crate::error::{PhoneError, PhoneErrorKind};
use crate::post::{Post, Posted, Poster};
use crate::sms::Replies;
use crate::{fate, number, sms, voice};

/// The parameters of a request.
type Parameters = Vec<(&'static str, String)>;

/// The resource of the API, and the parameters.
type Request = (&'static str, Parameters);

/// Sends text messages to `sms:` contacts and calls `tel:` contacts, through Twilio. Cloning is cheap.
#[derive(Clone)]
pub struct TwilioNotifier {
    poster: Poster,
    config: Arc<TwilioConfig>,
}

impl TwilioNotifier {
    /// A notifier for that account. `hosts` are the internal hosts that may get requests. Nothing is connected yet.
    ///
    /// # Errors
    /// Nothing may be sent to the URL of the API, or this machine trusts no certificates.
    pub fn new(
        config: TwilioConfig,
        hosts: &InternalHosts,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        let poster = Poster::new(hosts, clock).map_err(|error| {
            PhoneError::new(PhoneErrorKind::Certificates, "Twilio cannot be reached").because(error)
        })?;
        poster.check(&config.api_url).map_err(|reason| {
            PhoneError::new(PhoneErrorKind::ApiUrl, "the URL of the API cannot be used").because(reason)
        })?;
        Ok(Self { poster, config: Arc::new(config) })
    }

    /// The schemes that the notifier reaches: `sms`, and `tel` if there is a number to call from and a public URL to which
    /// Twilio can send the key that was pressed.
    pub fn schemes(&self) -> Vec<Scheme> {
        let calls = self.config.call_from.is_some() && self.config.public_url.is_some();
        let names = ["sms"].into_iter().chain(calls.then_some("tel"));
        names.map(|name| Scheme::new(name).expect("is a scheme")).collect()
    }

    /// The resource of the API, and the parameters, of the request for an alert.
    fn request(&self, alert: &Alert) -> Result<Request, String> {
        let contact = alert.contact();
        let to = number::e164(contact.address());
        let to = to.ok_or("the number is not international: a plus, the country and the number")?;
        let config = &*self.config;
        let mut parameters = vec![("To", to.to_owned())];
        if let Some(url) = &config.public_url {
            parameters.push(("StatusCallback", status_url(url, alert)));
        }
        match contact.scheme() {
            "sms" => {
                parameters.push(self.sender());
                // Without a public URL, Twilio can bring no reply here.
                let replies = match config.public_url {
                    Some(_) => Replies::Count,
                    None => Replies::AreLost,
                };
                parameters.push(("Body", sms::text(alert, replies)));
                Ok(("Messages", parameters))
            }
            "tel" => {
                let from = config.call_from.clone().ok_or("there is no number to call from")?;
                let url = config.public_url.as_deref().ok_or("calls need the public URL of this server")?;
                let twiml = match alert.occasion() {
                    Occasion::Alert | Occasion::CalledIn | Occasion::Handed => voice::prompt(
                        alert.incident(),
                        alert.called_by(),
                        &voice_url(url, alert.delivery_id().as_str()),
                    ),
                    Occasion::ClaimEnds => voice::notice(&voice::claim_ends(alert)),
                    Occasion::Notice => voice::notice(alert.incident().title()),
                    Occasion::Claimed | Occasion::Resolved => {
                        return Err("nobody is called for news that need no answer".to_owned());
                    }
                };
                parameters.push(("From", from));
                parameters.push(("Twiml", twiml));
                Ok(("Calls", parameters))
            }
            scheme => Err(format!("Twilio does not reach {scheme}: contacts")),
        }
    }

    /// A message about many alerts. Twilio's later reports name one delivery, so they are not asked for.
    fn request_of_bundle(&self, bundle: &Bundle) -> Result<Request, String> {
        let contact = bundle.contact();
        let to = number::e164(contact.address());
        let to = to.ok_or("the number is not international: a plus, the country and the number")?;
        let mut parameters = vec![("To", to.to_owned())];
        match contact.scheme() {
            "sms" => {
                parameters.push(self.sender());
                parameters.push(("Body", sms::text_of_bundle(bundle)));
                Ok(("Messages", parameters))
            }
            "tel" => {
                let from = self.config.call_from.clone().ok_or("there is no number to call from")?;
                parameters.push(("From", from));
                parameters.push(("Twiml", voice::many(bundle)));
                Ok(("Calls", parameters))
            }
            scheme => Err(format!("Twilio does not reach {scheme}: contacts")),
        }
    }

    /// Who sends text messages.
    fn sender(&self) -> (&'static str, String) {
        match &self.config.from {
            Sender::Number(number) => ("From", number.clone()),
            Sender::Service(sid) => ("MessagingServiceSid", sid.clone()),
        }
    }

    async fn send(&self, request: Result<Request, String>, deadline: Duration) -> Outcome {
        let (resource, parameters) = match request {
            Ok(request) => request,
            Err(reason) => return Outcome::rejected(reason),
        };
        match self.poster.post(self.post(resource, &parameters), deadline).await {
            Posted::Answered(answer) => fate::outcome(&answer),
            // The API's host is no fault of the recipient.
            Posted::Refused(reason) | Posted::NotSent(reason) => Outcome::unavailable(reason),
            Posted::Unknown(reason) => Outcome::unknown(reason),
        }
    }

    fn post(&self, resource: &str, parameters: &[(&'static str, String)]) -> Post {
        let config = &*self.config;
        let mut url: Url = config.api_url.clone();
        let sid = &config.account_sid;
        let path = format!("{}/2010-04-01/Accounts/{sid}/{resource}.json", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        Post {
            url,
            method: "POST".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
                ("accept".to_owned(), "application/json".to_owned()),
            ],
            basic: Some((sid.clone(), config.auth_token.0.clone())),
            body: form.finish().into_bytes(),
        }
    }
}

/// Where Twilio reports on a message or a call. The URL is signed by Twilio, so it says which delivery is meant.
fn status_url(base: &str, alert: &Alert) -> String {
    format!("{base}/channels/twilio/status?delivery={}&attempt={}", alert.delivery_id(), alert.attempt())
}

/// Where Twilio sends the key that was pressed in a call.
pub(crate) fn voice_url(base: &str, delivery: &str) -> String {
    format!("{base}/channels/twilio/voice?delivery={delivery}")
}

#[async_trait]
impl Notifier for TwilioNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        self.send(self.request(alert), deadline).await
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }

    /// Reaches international numbers only.
    fn reaches(&self, contact: &Contact) -> bool {
        let schemes = self.schemes();
        schemes.iter().any(|scheme| scheme.as_str() == contact.scheme())
            && number::e164(contact.address()).is_some()
    }
}

#[async_trait]
impl NotifyBundle for TwilioNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        self.send(self.request_of_bundle(bundle), deadline).await
    }
}

impl fmt::Debug for TwilioNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
