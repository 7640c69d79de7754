//! What is sent, and which outcome each answer means, with answers that Twilio's library reads as the same errors.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_core::plan;
use inresponse_outward::InternalHosts;
use inresponse_phone::{PhoneErrorKind, TwilioConfig, TwilioNotifier};
use serde_json::json;

use crate::fake::{FROM, Fake, SID, TOKEN, error};
use crate::laws::notifier;
use crate::library::Library;

const SOON: Duration = Duration::from_secs(60);
const NUMBER: &str = "+302101234567";

fn alert(contact: &str) -> Alert {
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let contact = Contact::new(contact).unwrap();
    let matrix = Matrix::new(vec![vec![contact.clone()]], vec![contact.clone()], Duration::from_secs(600));
    let lease = Some(Duration::from_secs(30));
    let team = TeamName::new("devops").unwrap();
    let (opening, sends) = plan::open(report, team, matrix, lease, DateTime::UNIX_EPOCH);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, 2, contact)
}

/// The library waits for the fake's answer, so the fake needs a thread of its own.
#[tokio::test(flavor = "multi_thread")]
async fn p09_an_error_of_the_recipient_is_final_and_an_error_of_the_account_is_not() {
    let (fake, library) = (Fake::start(), Library::start());
    let twilio = notifier(&fake);
    for (i, (status, code, expected)) in [
        (400, 21211, "rejected"),
        (400, 21610, "rejected"),
        (400, 21614, "rejected"),
        (400, 21635, "rejected"),
        (401, 20003, "unavailable"),
        (400, 21408, "unavailable"),
        (400, 21606, "unavailable"),
        (400, 21608, "unavailable"),
        (400, 21612, "unavailable"),
        (429, 20429, "throttled"),
        (400, 21611, "throttled"),
        (500, 20500, "unknown"),
        (503, 20503, "unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("+3021012345{i:02}");
        fake.answer(&number, status, &error(status, code));
        let outcome = twilio.notify(&alert(&format!("sms:{number}")), SOON).await;
        assert_eq!(outcome.kind().as_str(), expected, "{code}: {outcome:?}");
        assert!(outcome.reason().contains(&code.to_string()), "{outcome:?}");
        // The answer is one that Twilio's library reads so.
        let with = json!({ "to": number, "from_": FROM, "body": "x" });
        let asked = json!({ "do": "message", "url": fake.url(), "sid": SID, "token": TOKEN, "with": with });
        let answer = library.ask(&asked);
        assert_eq!(answer, json!({ "code": code, "status": status }));
    }
}

/// The library is asked to send the same, and what both sent is compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_and_a_call_are_asked_for_as_the_library_asks_for_them() {
    let (fake, library) = (Fake::start(), Library::start());
    let twilio = notifier(&fake);
    for (i, (scheme, resource)) in [("sms", "message"), ("tel", "call")].into_iter().enumerate() {
        let number = format!("+30210123456{i}");
        assert_eq!(twilio.notify(&alert(&format!("{scheme}:{number}")), SOON).await, Outcome::Accepted);
        let ours = fake.requests(&number).remove(0);
        let mut with = json!({
            "to": number, "from_": FROM, "status_callback": ours.value("StatusCallback"),
        });
        match scheme {
            "sms" => with["body"] = ours.value("Body").into(),
            _ => with["twiml"] = ours.value("Twiml").into(),
        }
        let asked = json!({ "do": resource, "url": fake.url(), "sid": SID, "token": TOKEN, "with": with });
        let made = library.ask(&asked);
        assert_eq!(made["status"], "queued", "{made}");
        let theirs = fake.requests(&number).remove(1);
        assert!(ours.authorized && theirs.authorized);
        assert_eq!(ours.path, theirs.path);
        let sorted = |mut form: Vec<(String, String)>| {
            form.sort();
            form
        };
        assert_eq!(sorted(ours.form), sorted(theirs.form));
    }
}

#[tokio::test]
async fn nobody_is_reached_by_a_number_that_is_not_international() {
    let fake = Fake::start();
    let twilio = notifier(&fake);
    for contact in ["sms:jo", "tel:112"] {
        let Ok(contact) = Contact::new(contact) else { continue };
        assert!(!twilio.reaches(&contact), "{contact}");
        let outcome = twilio.notify(&alert(contact.as_str()), SOON).await;
        assert!(
            matches!(&outcome, Outcome::Rejected { reason } if reason.contains("international")),
            "{outcome:?}"
        );
    }
    assert!(twilio.reaches(&Contact::new(format!("sms:{NUMBER}")).unwrap()));
    assert!(!twilio.reaches(&Contact::new("jo@example.org").unwrap()));
}

#[test]
fn an_internal_api_is_refused_unless_it_is_listed() {
    let made = |url: &str, internal: &[&str]| {
        let config = TwilioConfig::new(SID, TOKEN, FROM).unwrap().api_url(url).unwrap();
        let gate = internal.iter().fold(InternalHosts::new(), |gate, host| gate.allow(host));
        TwilioNotifier::new(config, &gate, Arc::new(SystemClock::new())).map_err(|error| error.kind())
    };
    assert!(made("https://api.twilio.com", &[]).is_ok());
    assert!(made("https://10.1.2.3", &["10.1.2.3"]).is_ok());
    assert!(made("http://twilio.internal/proxy", &["twilio.internal"]).is_ok());
    for url in ["https://10.1.2.3", "http://api.twilio.com", "https://169.254.169.254"] {
        assert!(matches!(made(url, &["x"]), Err(PhoneErrorKind::ApiUrl)), "{url}");
    }
}

#[test]
fn calls_need_a_number_and_a_public_url() {
    let schemes = |config: TwilioConfig| {
        let twilio =
            TwilioNotifier::new(config, &InternalHosts::new(), Arc::new(SystemClock::new())).unwrap();
        twilio.schemes().iter().map(|scheme| scheme.as_str().to_owned()).collect::<Vec<_>>()
    };
    let number = TwilioConfig::new(SID, TOKEN, FROM).unwrap();
    assert_eq!(schemes(number.clone()), ["sms"]);
    assert_eq!(schemes(number.public_url("https://a.example")), ["sms", "tel"]);
    let service = TwilioConfig::new(SID, TOKEN, &format!("MG{}", "0".repeat(32))).unwrap();
    let service = service.public_url("https://a.example");
    assert_eq!(schemes(service.clone()), ["sms"]);
    assert_eq!(schemes(service.call_from(FROM).unwrap()), ["sms", "tel"]);
}
