//! ntfy and Pushover, as their documentation describes them.

use inresponse_conformance::Behaviour;
use inresponse_testkit::carrier::{Got, Manners, Says};
use serde_json::json;

/// ntfy: <https://docs.ntfy.sh/publish/#publish-as-json>, and its error objects.
pub(crate) const NTFY: Manners = Manners {
    recipient: |got| match got.method.as_str() {
        "DELETE" => got.path.split('/').nth(1).map(str::to_owned),
        _ => got.json()["topic"].as_str().map(str::to_owned),
    },
    answer: ntfy,
};

fn ntfy(got: &Got, behaviour: Behaviour, n: usize) -> Says {
    let error = |status: u16, code: u32, error: &str| {
        Says::new(status, json!({ "code": code, "http": status, "error": error }))
    };
    match behaviour {
        Behaviour::RefuseSender => error(403, 40301, "forbidden"),
        Behaviour::Busy => error(503, 50301, "busy"),
        Behaviour::Throttle => error(429, 42901, "limit reached: too many requests")
            .with("retry-after", Behaviour::PAUSE.as_secs()),
        _ => {
            let sent = got.json();
            Says::new(
                200,
                json!({ "id": format!("message{n}"), "sequence_id": sent["sequence_id"], "event": "message",
                    "topic": sent["topic"], "message": sent["message"] }),
            )
        }
    }
}

/// Pushover: <https://pushover.net/api>.
pub(crate) const PUSHOVER: Manners = Manners {
    recipient: |got| match got.path.strip_prefix("/1/receipts/") {
        Some(rest) => Some(rest.split(['/', '.']).next().unwrap().to_owned()),
        None => got.json()["user"].as_str().map(str::to_owned),
    },
    answer: pushover,
};

fn pushover(got: &Got, behaviour: Behaviour, n: usize) -> Says {
    let request = "5042853c-402d-4a18-abcb-168734a801de";
    let refused = |status: u16, field: &str, error: &str| {
        Says::new(status, json!({ field: "invalid", "errors": [error], "status": 0, "request": request }))
    };
    match behaviour {
        Behaviour::Reject => refused(400, "user", "user identifier is invalid"),
        Behaviour::RefuseSender => refused(400, "token", "application token is invalid"),
        Behaviour::Busy => Says::new(500, ""),
        Behaviour::Throttle => refused(429, "message", "application is over its limit")
            .with("retry-after", Behaviour::PAUSE.as_secs()),
        _ if got.json()["priority"] == 2 => {
            Says::new(200, json!({ "status": 1, "request": request, "receipt": format!("{n:030}") }))
        }
        _ => Says::new(200, json!({ "status": 1, "request": request })),
    }
}
