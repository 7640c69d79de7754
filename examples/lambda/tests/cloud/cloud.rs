//! A deployment in the emulated cloud.

use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use serde_json::Value;

use crate::contract::Deployment;

/// The deployment that `cargo xtask cloud` made, with its key.
#[derive(Debug)]
pub(crate) struct Cloud {
    /// Where the emulated cloud is.
    endpoint: String,
    /// The stack's name, which all names begin with.
    pub(crate) stack: String,
    url: String,
    client: reqwest::Client,
}

pub(crate) const KEY: &str = "cloud-test-key-cloud-test-key";

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test` or `cargo xtask cloud`"))
}

impl Cloud {
    pub(crate) fn here() -> Self {
        let endpoint = variable("INRESPONSE_TEST_CLOUD");
        let (stack, api) = (variable("INRESPONSE_TEST_STACK"), variable("INRESPONSE_TEST_API"));
        let address: SocketAddr = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        // API Gateway is told which API is meant by the name of the host.
        let host = format!("{api}.execute-api.localhost");
        // The answer to signing in leads on to a page, and only it has the cookie.
        let stay = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().resolve(&host, address).redirect(stay);
        let client = client.build().unwrap();
        Self { url: format!("http://{host}:{}", address.port()), endpoint, stack, client }
    }

    /// How AWS is reached.
    pub(crate) fn aws(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .build()
    }

    /// Tells SNS something, as SES does.
    pub(crate) async fn publish(&self, topic: &str, message: &Value) {
        self.query("sns", &[("Action", "Publish"), ("TopicArn", topic), ("Message", &message.to_string())])
            .await;
    }

    /// Calls a service whose API is a form, and answers its XML.
    pub(crate) async fn query(&self, service: &str, fields: &[(&str, &str)]) -> String {
        let request = self.signed(service, "/").body(form(fields));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{fields:?}: {text}");
        text
    }

    /// A POST to the emulated cloud, which looks only at whom its signature names.
    pub(crate) fn signed(&self, service: &str, path: &str) -> reqwest::RequestBuilder {
        self.signed_by(reqwest::Method::POST, service, path)
    }

    /// A request with that method to the emulated cloud.
    pub(crate) fn signed_by(
        &self,
        method: reqwest::Method,
        service: &str,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        self.client.request(method, format!("{}{path}", self.endpoint)).header("authorization", scope)
    }

    async fn messages(&self) -> Vec<Value> {
        let url = format!("{}/_ministack/ses/messages", self.endpoint);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        let mut all: Value = serde_json::from_str(&text).unwrap();
        let accounts = all["messages"].as_object_mut().unwrap();
        accounts.values_mut().flat_map(|of| std::mem::take(of.as_array_mut().unwrap())).collect()
    }
}

impl Deployment for Cloud {
    fn api(&self) -> (&str, &reqwest::Client) {
        (&self.url, &self.client)
    }

    fn key(&self) -> &str {
        KEY
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        let mine = |mail: &&Value| mail["To"].as_array().unwrap().iter().any(|recipient| recipient == to);
        let text = |mail: &Value| {
            format!(
                "Subject: {}\n\n{}",
                mail["Subject"].as_str().unwrap(),
                mail["BodyText"].as_str().unwrap()
            )
        };
        self.messages().await.iter().filter(mine).map(text).collect()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}
