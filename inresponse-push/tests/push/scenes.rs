//! An alert, its answer, and how the push changes.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response, StatusCode};
use inresponse_core::model::{Contact, State};
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::plan::{StateChange, TakeOver, Wanted};
use inresponse_push::{NtfyClaims, NtfyNotifier, PushoverNotifier, PushoverReceipts};
use inresponse_testkit::answers::{ChannelHarness, Proves, Who, check};
use inresponse_testkit::carrier::{Carrier, Got, Says};
use inresponse_testkit::table::{PUBLIC_URL, Table};
use serde_json::{Value, json};

use crate::laws::{ntfy, pushover};
use crate::services::{NTFY, PUSHOVER};

struct Ntfy(Carrier);

/// What the button of a push calls, without the public URL.
fn button(got: &Got) -> Option<String> {
    let message = got.json();
    let button = message["actions"][0].as_object()?;
    assert_eq!(
        (&button["action"], &button["label"], &button["method"]),
        (&json!("http"), &json!("Claim"), &json!("POST"))
    );
    button["url"].as_str()?.strip_prefix("https://ir.example.org/alerts").map(str::to_owned)
}

impl ChannelHarness for Ntfy {
    type Message = String;

    fn contact(&self, who: Who) -> Contact {
        let topic = match who {
            Who::Jo => "ntfy:jo-7dA",
            Who::Kim => "ntfy:kim-x_1",
        };
        Contact::new(topic).unwrap()
    }

    fn notifiers(&self, notifiers: Notifiers) -> Notifiers {
        notifiers.with(NtfyNotifier::scheme(), ntfy(&self.0))
    }

    fn channel(&self) -> Arc<dyn Channel> {
        Arc::new(NtfyClaims)
    }

    fn proves(&self) -> Proves {
        Proves::TheMessage
    }

    fn asks_for(&self) -> &'static [Wanted] {
        &[Wanted::Claim]
    }

    fn refuses_with(&self) -> StatusCode {
        StatusCode::CONFLICT
    }

    async fn messages(&self, who: Who) -> Vec<String> {
        self.0.got(self.contact(who).address()).iter().filter_map(button).collect()
    }

    fn answer(&self, _: Who, message: &String, _: Wanted) -> Request<String> {
        Request::post(message.as_str()).body(String::new()).unwrap()
    }

    fn forged(&self, mut request: Request<String>) -> Request<String> {
        let uri = request.uri().to_string();
        *request.uri_mut() = uri[..uri.len() - 2].parse().unwrap();
        request
    }

    async fn told(&self, response: &Response<String>) -> String {
        response.body().clone()
    }
}

#[tokio::test]
async fn p20_the_button_of_a_push_through_ntfy_counts_in_its_round() {
    check(async || Ntfy(Carrier::start(NTFY))).await;
}

async fn table(notifiers: Notifiers, contacts: [&str; 2]) -> Table {
    let [jo, kim] = contacts.map(|contact| Contact::new(contact).unwrap());
    Table::set(notifiers, vec![Arc::new(NtfyClaims)], [&jo, &kim], None).await
}

#[tokio::test]
async fn p20_the_button_of_a_push_is_valid_for_a_day() {
    let harness = Ntfy(Carrier::start(NTFY));
    let table = table(harness.notifiers(Notifiers::new()), ["ntfy:jo", "ntfy:kim"]).await;
    let number = table.report().await;
    let url = button(&harness.0.got("jo")[0]).unwrap();
    let call = |url: &str| Request::post(url).body(Vec::new()).unwrap();
    assert!(url.starts_with("/channels/ntfy?token="), "{url}");
    for forged in
        ["/channels/ntfy", "/channels/ntfy?token=", "/channels/ntfy?token=a.b", &url.replace("token", "t")]
    {
        assert_eq!(table.call(call(forged)).await.status, 403, "{forged}");
    }
    table.clock.advance(Duration::from_secs(24 * 3600));
    let late = table.call(call(&url)).await;
    assert_eq!((late.status, late.body.as_str()), (403, "the link has expired."));
    assert_eq!(table.state(number).await, (State::Open, None));
}

#[tokio::test]
async fn p11_a_claim_deletes_the_push_through_ntfy() {
    let carrier = Carrier::start(NTFY);
    let notifiers = Notifiers::new().with(NtfyNotifier::scheme(), ntfy(&carrier));
    let table = table(notifiers, ["ntfy:jo", "ntfy:kim"]).await;
    let number = table.report().await;
    let sent = carrier.got("jo")[0].json();
    assert_eq!((&sent["priority"], &sent["topic"]), (&json!(5), &json!("jo")));
    assert_eq!(sent["click"], format!("{PUBLIC_URL}/board/incidents/{number}"));
    table.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
    let deleted = &carrier.got("jo")[1];
    let path = format!("/jo/{}", sent["sequence_id"].as_str().unwrap());
    assert_eq!((deleted.method.as_str(), deleted.path.as_str()), ("DELETE", path.as_str()));
    assert_eq!(deleted.headers["authorization"], "Bearer tk_canary");
    // A server that is older cannot delete, and is not asked again.
    let second = table.report().await;
    carrier.say_next([Says::new(404, json!({ "code": 40401, "http": 404, "error": "page not found" }))]);
    table.change(second, "ann", StateChange::Claim(TakeOver::No)).await;
    table.wait(600).await;
    assert_eq!(carrier.got("jo").len(), 4);
}

const JO: &str = "pushover:ujo000000000000000000000000000";
const KIM: &str = "pushover:ukim00000000000000000000000000";

async fn pushed() -> (Carrier, Table) {
    let carrier = Carrier::start(PUSHOVER);
    let notifiers = Notifiers::new().with(PushoverNotifier::scheme(), pushover(&carrier));
    let table = table(notifiers, [JO, KIM]).await;
    (carrier, table)
}

fn receipt(acknowledged: i64, by: &str) -> Says {
    let at = if acknowledged == 1 { 1_360_019_238 } else { 0 };
    let state: Value = json!({ "status": 1, "acknowledged": acknowledged, "acknowledged_at": at,
        "acknowledged_by": by, "acknowledged_by_device": "phone", "last_delivered_at": 1_360_001_238,
        "expired": 0, "expires_at": 1_360_019_290, "called_back": 0, "called_back_at": 0, "request": "x" });
    Says::new(200, state)
}

#[tokio::test]
async fn p20_an_acknowledgement_of_a_push_claims_and_cancels_nothing_of_others() {
    let (carrier, table) = pushed().await;
    let number = table.report().await;
    let sent = carrier.all()[0].json();
    assert_eq!((&sent["priority"], &sent["retry"], &sent["expire"]), (&json!(2), &json!(60), &json!(3600)));
    let receipts = PushoverReceipts::new(table.engine.clone(), table.settings.clone(), pushover(&carrier));
    carrier.say_next([receipt(0, "")]);
    assert_eq!(receipts.tick().await.unwrap(), 0);
    assert_eq!(table.state(number).await, (State::Open, None));
    let asked = carrier.all().len();
    assert_eq!(receipts.tick().await.unwrap(), 0);
    assert_eq!(carrier.all().len(), asked, "a receipt is not asked for twice within ten seconds");
    table.clock.advance(Duration::from_secs(10));
    carrier.say_next([receipt(1, JO.strip_prefix("pushover:").unwrap())]);
    assert_eq!(receipts.tick().await.unwrap(), 1);
    let path = carrier.all().last().unwrap().path.clone();
    assert_eq!(path, format!("/1/receipts/{:030}.json?token=canarycanary", 1));
    assert_eq!(table.state(number).await, (State::Claimed, Some("jo".to_owned())));
    table.clock.advance(Duration::from_secs(10));
    assert_eq!(receipts.tick().await.unwrap(), 0);
    // The claim cancels the repetition of what was acknowledged too, which is harmless.
    table.wait(600).await;
    assert!(carrier.got(KIM.strip_prefix("pushover:").unwrap()).is_empty(), "nobody else is alerted");
}

#[tokio::test]
async fn p11_a_claim_over_another_channel_cancels_the_push() {
    let (carrier, table) = pushed().await;
    let number = table.report().await;
    table.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
    let all = carrier.all();
    assert_eq!(all.len(), 2, "{all:?}");
    let tag = all[0].json()["tags"].as_str().unwrap().to_owned();
    assert!(tag.starts_with(&format!("{number}-")) && tag.ends_with(JO.strip_prefix("pushover:").unwrap()));
    assert_eq!(all[1].path, format!("/1/receipts/cancel_by_tag/{tag}.json"), "whatever its receipt is");
    assert_eq!(all[1].json(), json!({ "token": "canarycanary" }));
    // A receipt that has expired repeats nothing.
    let second = table.report().await;
    let gone =
        json!({ "receipt": "not found", "errors": ["receipt not found"], "status": 0, "request": "x" });
    carrier.say_next([Says::new(404, gone)]);
    table.change(second, "ann", StateChange::Resolve).await;
    table.wait(600).await;
    assert_eq!(carrier.all().len(), 4);
}
