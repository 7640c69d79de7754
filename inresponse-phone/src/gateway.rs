//! The notifier for any gateway that is told by HTTP to send a text message or to call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, DeliveryId, Scheme};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Occasion, Outcome};
use inresponse_outward::InternalHosts;
use url::Url;

use crate::error::{PhoneError, PhoneErrorKind};
use crate::post::{Post, PostAnswer, Posted, Poster};
use crate::template::{Escape, Template, Values};
use crate::{number, sms, voice};

/// The settings of a gateway as they are written. Every text may contain secrets.
#[derive(Clone, Default)]
pub struct GatewaySettings {
    /// The URL, with placeholders after its host.
    pub url: String,
    /// The method (default: `POST`).
    pub method: Option<String>,
    /// The headers, with placeholders except `{text}`.
    pub headers: BTreeMap<String, String>,
    /// The body, with placeholders.
    pub body: String,
    /// The schemes of the contacts that the gateway reaches: `sms`, `tel`.
    pub schemes: Vec<String>,
    /// A text that every answer contains if the message was accepted.
    pub accepted: Option<String>,
    /// A text in a refusal that says that this number can never be reached.
    pub gone: Option<String>,
}

/// A gateway whose settings were checked.
#[derive(Clone)]
pub struct GatewayConfig {
    name: String,
    url: Template,
    method: String,
    headers: Vec<(String, Template)>,
    body: Template,
    escape: Escape,
    schemes: Vec<Scheme>,
    accepted: Option<String>,
    gone: Option<String>,
}

impl GatewayConfig {
    /// Checks the settings of the gateway of that name.
    ///
    /// The values are written as the body's `content-type` needs it: JSON, a form, XML or plain text. Without this
    /// header, a body that begins with a brace or a bracket is JSON, and any other is a form.
    ///
    /// # Errors
    /// A setting is invalid. The error contains no setting except a placeholder's name.
    pub fn new(name: &str, settings: &GatewaySettings) -> Result<Self, PhoneError> {
        let wrong =
            |what: &str| PhoneError::new(PhoneErrorKind::Gateway, format!("the gateway {name} {what}"));
        let template = |text: &str| {
            Template::read(text).map_err(|unknown| {
                wrong(&format!("has an unknown placeholder {{{unknown}}}: {{number}}, {{digits}}, {{text}} and {{delivery}} are known"))
            })
        };
        let url = template(&settings.url)?;
        // The host is fixed, so that no contact chooses it.
        let beginning = url.beginning().split_once("://").map_or("", |(_, rest)| rest);
        let values = Values { number: "+302101234567", text: "x", delivery: "x" };
        let parsed = Url::parse(&url.fill(values, Escape::Url));
        if !parsed.is_ok_and(|url| url.host().is_some())
            || !(beginning.contains(['/', '?']) || url.fill(values, Escape::Url) == url.beginning())
        {
            return Err(wrong("must have a URL with a host, and placeholders only after it"));
        }
        let mut headers = Vec::new();
        for (header, value) in &settings.headers {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            let value = template(value)?;
            if header.is_empty() || !header.bytes().all(plain) || value.has_words() {
                return Err(wrong("must have headers with plain names, and without the placeholder {text}"));
            }
            headers.push((header.to_ascii_lowercase(), value));
        }
        let body = template(&settings.body)?;
        let given = headers.iter().find(|(name, _)| name == "content-type");
        let kind = given.map(|(_, value)| value.beginning().to_ascii_lowercase());
        let (escape, default) = match kind.as_deref() {
            Some(kind) if kind.contains("json") => (Escape::Json, None),
            Some(kind) if kind.contains("urlencoded") => (Escape::Form, None),
            Some(kind) if kind.contains("xml") => (Escape::Xml, None),
            Some(_) => (Escape::Plain, None),
            None if settings.body.trim().is_empty() => (Escape::Plain, None),
            None if settings.body.trim_start().starts_with(['{', '[']) => {
                (Escape::Json, Some("application/json"))
            }
            None => (Escape::Form, Some("application/x-www-form-urlencoded")),
        };
        if let Some(kind) = default {
            headers.push(("content-type".to_owned(), template(kind)?));
        }
        if !(url.has_words() || body.has_words()) {
            return Err(wrong("must have the placeholder {text} in its URL or body"));
        }
        let method = settings.method.as_deref().unwrap_or("POST").to_ascii_uppercase();
        if !matches!(method.as_str(), "POST" | "PUT" | "GET") {
            return Err(wrong("must have the method POST, PUT or GET"));
        }
        let mut schemes = Vec::new();
        for scheme in &settings.schemes {
            match scheme.as_str() {
                "sms" | "tel" => {
                    schemes.push(Scheme::new(scheme).map_err(|e| wrong("has an odd scheme").because(e))?)
                }
                _ => return Err(wrong("must have schemes out of sms and tel")),
            }
        }
        if schemes.is_empty() {
            return Err(wrong("must have schemes: [\"sms\"], [\"tel\"] or both"));
        }
        let (accepted, gone) = (settings.accepted.clone(), settings.gone.clone());
        if [&accepted, &gone].into_iter().flatten().any(String::is_empty) {
            return Err(wrong("has an empty text in accepted or gone"));
        }
        Ok(Self { name: name.to_owned(), url, method, headers, body, escape, schemes, accepted, gone })
    }

    /// The schemes that the gateway reaches.
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }
}

/// Sends text messages and calls through a gateway. Cloning is cheap.
#[derive(Clone)]
pub struct GatewayNotifier {
    poster: Poster,
    config: Arc<GatewayConfig>,
}

impl GatewayNotifier {
    /// A notifier for that gateway. `hosts` are the internal hosts that may get requests. Nothing is connected yet.
    ///
    /// # Errors
    /// Nothing may be sent to the gateway's URL, or this machine trusts no certificates.
    pub fn new(
        config: GatewayConfig,
        hosts: &InternalHosts,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        let what = |what: &str| format!("the gateway {} {what}", config.name);
        let poster = Poster::new(hosts, clock).map_err(|error| {
            PhoneError::new(PhoneErrorKind::Certificates, what("cannot be reached")).because(error)
        })?;
        let values = Values { number: "+302101234567", text: "x", delivery: "x" };
        let url = Url::parse(&config.url.fill(values, Escape::Url)).map_err(|_| "it is no URL".to_owned());
        url.and_then(|url| poster.check(&url)).map_err(|reason| {
            PhoneError::new(PhoneErrorKind::Gateway, what("cannot be used")).because(reason)
        })?;
        Ok(Self { poster, config: Arc::new(config) })
    }

    fn request(&self, alert: &Alert) -> Result<Post, String> {
        let text = match (alert.contact().scheme(), alert.occasion()) {
            ("tel", Occasion::Alert | Occasion::CalledIn | Occasion::Handed) => {
                voice::what(alert.incident(), alert.called_by())
            }
            ("tel", Occasion::ClaimEnds) => voice::claim_ends(alert),
            ("tel", Occasion::Notice) => alert.incident().title().to_owned(),
            ("tel", Occasion::Claimed | Occasion::Resolved) => {
                return Err("nobody is called for news that need no answer".to_owned());
            }
            _ => sms::text(alert, sms::Replies::AreLost),
        };
        self.post(alert.contact(), &text, alert.delivery_id())
    }

    /// A message about many alerts, with the id of the worst delivery.
    fn request_of_bundle(&self, bundle: &Bundle) -> Result<Post, String> {
        let text = match bundle.contact().scheme() {
            "tel" => voice::what_of_bundle(bundle),
            _ => sms::text_of_bundle(bundle),
        };
        let worst = bundle.delivery_ids().next().ok_or("the bundle has no alerts")?;
        self.post(bundle.contact(), &text, worst)
    }

    fn post(&self, contact: &Contact, text: &str, delivery: &DeliveryId) -> Result<Post, String> {
        let to = number::e164(contact.address());
        let to = to.ok_or("the number is not international: a plus, the country and the number")?;
        let values = Values { number: to, text, delivery: delivery.as_str() };
        let config = &*self.config;
        let url = Url::parse(&config.url.fill(values, Escape::Url))
            .map_err(|_| "the URL cannot be read".to_owned())?;
        let headers = config.headers.iter();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.clone(), value.fill(values, Escape::Plain))).collect();
        headers.push(("x-inresponse-delivery".to_owned(), delivery.as_str().to_owned()));
        let body = config.body.fill(values, config.escape).into_bytes();
        Ok(Post { url, method: config.method.clone(), headers, basic: None, body })
    }

    async fn send(&self, post: Result<Post, String>, deadline: Duration) -> Outcome {
        let post = match post {
            Ok(post) => post,
            Err(reason) => return Outcome::rejected(reason),
        };
        match self.poster.post(post, deadline).await {
            Posted::Answered(answer) => outcome(&self.config, answer),
            // The gateway's host is no fault of the recipient.
            Posted::Refused(reason) | Posted::NotSent(reason) => Outcome::unavailable(reason),
            Posted::Unknown(reason) => Outcome::unknown(reason),
        }
    }
}

#[async_trait]
impl Notifier for GatewayNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        self.send(self.request(alert), deadline).await
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }

    /// Reaches international numbers only.
    fn reaches(&self, contact: &Contact) -> bool {
        let mut schemes = self.config.schemes.iter();
        schemes.any(|scheme| scheme.as_str() == contact.scheme()) && number::e164(contact.address()).is_some()
    }
}

#[async_trait]
impl NotifyBundle for GatewayNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        self.send(self.request_of_bundle(bundle), deadline).await
    }
}

/// The outcome of an answer: by its status, as for webhooks; except that a URL that is gone is no fault of the recipient,
/// and that the texts of the configuration decide first.
fn outcome(config: &GatewayConfig, answer: PostAnswer) -> Outcome {
    let contains = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| answer.body.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    let said = format!("answered {}", answer.status);
    match &answer.outcome {
        Outcome::Accepted | Outcome::AcceptedAs(_) => match &config.accepted {
            None => Outcome::Accepted,
            Some(_) if contains(&config.accepted) => Outcome::Accepted,
            Some(_) if contains(&config.gone) => Outcome::rejected(format!("{said}: no such number")),
            Some(_) if answer.body.is_empty() => Outcome::unknown(format!("{said} without a text")),
            Some(_) => Outcome::unavailable(format!("{said} without the text of an accepted message")),
        },
        Outcome::Unknown { .. } => answer.outcome,
        Outcome::Rejected { .. }
        | Outcome::Throttled { .. }
        | Outcome::Limited { .. }
        | Outcome::Unavailable { .. }
            if answer.status < 500 && contains(&config.gone) =>
        {
            Outcome::rejected(format!("{said}: no such number"))
        }
        Outcome::Rejected { reason } => Outcome::unavailable(reason.clone()),
        Outcome::Throttled { .. } | Outcome::Limited { .. } | Outcome::Unavailable { .. } => answer.outcome,
    }
}

impl fmt::Debug for GatewaySettings {
    /// Shows the schemes only: the rest may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewaySettings").field("schemes", &self.schemes).finish_non_exhaustive()
    }
}

impl fmt::Debug for GatewayConfig {
    /// Shows name and schemes only: the rest may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = (&self.name, &self.schemes);
        f.debug_struct("GatewayConfig")
            .field("name", shown.0)
            .field("schemes", shown.1)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for GatewayNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> GatewaySettings {
        GatewaySettings {
            url: "https://sms.example/send".to_owned(),
            body: r#"{"to":"{number}","text":"{text}"}"#.to_owned(),
            schemes: vec!["sms".to_owned()],
            ..GatewaySettings::default()
        }
    }

    #[test]
    fn p16_a_setting_that_is_wrong_is_refused_without_showing_a_secret() {
        type Change = fn(&mut GatewaySettings);
        let cases: [(&str, Change); 11] = [
            ("no URL", |s| s.url = "canary".to_owned()),
            ("the host is a placeholder", |s| s.url = "https://{text}/canary".to_owned()),
            ("part of the host is one", |s| s.url = "https://canary.{digits}".to_owned()),
            ("an unknown placeholder", |s| s.body = "canary={to}".to_owned()),
            ("no text", |s| s.body = "canary={number}".to_owned()),
            ("no scheme", |s| s.schemes = vec![]),
            ("another scheme", |s| s.schemes = vec!["mailto".to_owned()]),
            ("a method", |s| s.method = Some("DELETE canary".to_owned())),
            ("a header", |s| _ = s.headers.insert("a b".to_owned(), "canary".to_owned())),
            ("text in a header", |s| _ = s.headers.insert("a".to_owned(), "canary{text}".to_owned())),
            ("an empty text", |s| s.accepted = Some(String::new())),
        ];
        for (what, change) in cases {
            let mut settings = settings();
            change(&mut settings);
            let error = GatewayConfig::new("backup", &settings).expect_err(what);
            assert!(!format!("{error} {error:?} {settings:?}").contains("canary"), "{what}: {error}");
            assert!(error.to_string().contains("backup"), "{what}: {error}");
        }
        assert!(GatewayConfig::new("backup", &settings()).is_ok());
    }

    #[test]
    fn p09_a_gateway_that_refuses_for_its_own_reasons_ends_nothing() {
        let mut settings = settings();
        (settings.accepted, settings.gone) = (Some("OK".to_owned()), Some("bad number".to_owned()));
        let config = GatewayConfig::new("backup", &settings).unwrap();
        let of = |status: u16, body: &str, by_status: Outcome| {
            outcome(&config, PostAnswer { status, body: body.as_bytes().to_vec(), outcome: by_status })
                .kind()
                .as_str()
        };
        for (status, body, by_status, expected) in [
            (200, "OK 1", Outcome::Accepted, "accepted"),
            (200, "ERROR no credit", Outcome::Accepted, "unavailable"),
            (200, "bad number", Outcome::Accepted, "rejected"),
            (200, "", Outcome::Accepted, "unknown"),
            (400, "bad number", Outcome::unavailable(""), "rejected"),
            (400, "", Outcome::unavailable(""), "unavailable"),
            (410, "", Outcome::rejected(""), "unavailable"),
            (410, "bad number", Outcome::rejected(""), "rejected"),
            (429, "", Outcome::throttled(Duration::ZERO, ""), "throttled"),
            (502, "bad number", Outcome::unknown(""), "unknown"),
            (503, "bad number", Outcome::unavailable(""), "unavailable"),
        ] {
            assert_eq!(of(status, body, by_status), expected, "{status} {body}");
        }
    }
}
