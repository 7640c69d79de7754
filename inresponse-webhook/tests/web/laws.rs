//! The laws of every notifier, with an HTTP server that does to each recipient what it is told to.

use std::sync::Arc;

use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::Contact;
use inresponse_webhook::{Chat, WebhookConfig, WebhookNotifier};

use crate::server::{Request, Server};

const SECRET: &str = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";

/// Recipients of one form of messages; each has a path of its own.
struct Recipients {
    server: Server,
    chat: Option<Chat>,
}

impl Recipients {
    fn of(chat: Option<Chat>) -> Self {
        Self { server: Server::start(), chat }
    }

    /// Where the server knows a contact.
    fn path(contact: &Contact) -> String {
        let n = contact.address().rsplit(['/', ':']).next().unwrap();
        format!("/canary-path/{n}")
    }
}

impl NotifierHarness for Recipients {
    type Notifier = WebhookNotifier;

    async fn notifier(&self) -> WebhookNotifier {
        let mut config = WebhookConfig::new().sign_with(SECRET).unwrap().allow_internal("127.0.0.1");
        for n in 0..40 {
            let url = format!("http://127.0.0.1:{}/canary-path/{n}", self.server.port());
            if let Some(chat) = self.chat {
                config = config.channel(chat, &n.to_string(), &url).unwrap();
            }
        }
        WebhookNotifier::new(config, Arc::new(SystemClock::new())).unwrap()
    }

    fn contact(&self, n: usize) -> Contact {
        let contact = match self.chat {
            Some(chat) => format!("{}:{n}", chat.scheme().as_str()),
            None => format!("http://127.0.0.1:{}/canary-path/{n}", self.server.port()),
        };
        Contact::new(contact).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.server.behave(&Self::path(contact), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.server.requests(&Self::path(contact)).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |request: Request| Arrival {
            delivery_id: request.headers["x-inresponse-delivery"].clone(),
            text: String::from_utf8(request.body).unwrap(),
        };
        let requests = self.server.requests(&Self::path(contact)).into_iter();
        requests.filter(|request| request.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = vec![SECRET.to_owned(), "canary-path".to_owned()];
        // The contact itself is no secret of the notifier's.
        secrets.truncate(if self.chat.is_some() { 2 } else { 1 });
        secrets
    }
}

mod json {
    inresponse_conformance::notifier_laws!(super::Recipients::of(None));
}

mod slack {
    inresponse_conformance::notifier_laws!(super::Recipients::of(Some(super::Chat::Slack)));
}

mod teams {
    inresponse_conformance::notifier_laws!(super::Recipients::of(Some(super::Chat::Teams)));
}
