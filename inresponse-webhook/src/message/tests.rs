//! What any report looks like as each form.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use inresponse_core::model::{
    Contact, DeliveryId, DeliveryKey, IncidentNumber, Level, Matrix, Person, Report, ReportBuilder, Severity,
    StatusUpdates, TeamName,
};
use inresponse_core::notify::{Alert, Bundle, Notice, Outcome};
use inresponse_core::plan::{self, Decision, HoldNothing, Input, StateChange, TakeOver, Update};
use inresponse_outward::brief::cut;
use inresponse_outward::{json, json_of_bundle};
use serde_json::Value;

use super::*;

const CLAIM: &str = "https://alerts.example/incidents/10001/claim?token=a.b";

fn alert(report: ReportBuilder) -> Alert {
    alert_of(report, |matrix| matrix)
}

fn alert_of(report: ReportBuilder, change: impl FnOnce(Matrix) -> Matrix) -> Alert {
    let contact = |text| Contact::new(text).unwrap();
    let levels = vec![vec![contact("slack:ops"), contact("a@b.c")], vec![contact("kim@example.org")]];
    let matrix = Matrix::new(levels, vec![contact("ops@example.org")], Duration::from_secs(600));
    let matrix = change(matrix.with_status_updates(StatusUpdates::On));
    let now = DateTime::UNIX_EPOCH;
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) =
        plan::open(report.build().unwrap(), TeamName::new("devops").unwrap(), matrix, lease, now);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 3, sends[0].delivery, 1, sends[0].contact.clone()).with_claim_url(CLAIM.to_owned())
}

fn report(title: &str, message: &str) -> ReportBuilder {
    Report::builder("athens", Severity::Crit, title).message(message)
}

/// Everything that a text may be made of.
fn extremes() -> [Alert; 3] {
    let links = |report: ReportBuilder| {
        (0..16).fold(report, |r, n| {
            r.link(format!("link {n}"), format!("https://x.example/{}", "y".repeat(300)))
        })
    };
    [
        alert(links(report(&"x".repeat(500), &"x\n".repeat(5 * 1024)))),
        alert(links(report(&"😀".repeat(125), &"😀".repeat(4 * 1024)))),
        alert(links(report(&"\"".repeat(500), &"\\".repeat(7 * 1024)))),
    ]
}

#[test]
fn json_holds_the_whole_alert() {
    let alert =
        alert(report("5xx", "12 %\nof requests").label("env", "prod").link("graph", "https://x.example/"));
    let now = DateTime::from_timestamp(5, 0).unwrap();
    let sent = json(&alert, now);
    let read: inresponse_api::Message = serde_json::from_slice(&sent).unwrap();
    assert_eq!(serde_json::to_vec(&read).unwrap(), sent, "the receiver can read all of it");
    let message: Value = serde_json::from_slice(&sent).unwrap();
    assert_eq!(message["type"], "inresponse.alert");
    assert_eq!(message["timestamp"], "1970-01-01T00:00:05Z");
    let data = &message["data"];
    assert_eq!(data["deliveryId"], alert.delivery_id().as_str());
    assert_eq!(
        (&data["level"], &data["contact"], &data["others"][0]),
        (&1.into(), &"slack:ops".into(), &"a@b.c".into())
    );
    assert_eq!(data["claimUrl"], CLAIM);
    assert_eq!(data["upcoming"][0]["contacts"][0], "kim@example.org");
    assert_eq!(data["upcoming"][1]["level"], "fallback");
    let incident = &data["incident"];
    assert_eq!((&incident["incidentId"], &incident["count"]), (&10001.into(), &3.into()));
    assert_eq!(
        (&incident["message"], &incident["labels"]["env"]),
        (&"12 %\nof requests".into(), &"prod".into())
    );
    assert_eq!(incident["links"][0]["url"], "https://x.example/");
    assert_eq!((&incident["round"], &incident["unclaimed"]), (&1.into(), &false.into()));
}

#[test]
fn slack_shows_what_happened_and_how_to_claim_it() {
    let alert = alert(report("5xx", "12 %").link("<!channel> | x", "https://x.example/?a=1&b=|>"));
    let texts = slack::texts(&slack(&alert));
    assert_eq!(texts[0], "[CRIT] #10001 athens: 5xx");
    assert_eq!(texts[1], "12 %");
    let links = format!("*<{CLAIM}|Claim it>*\n<https://x.example/?a=1&amp;b=%7C%3E|&lt;!channel&gt; | x>");
    assert_eq!(texts[2], links);
    assert_eq!(
        texts[3],
        "team devops · level 1 · detected 1970-01-01 00:00:00 UTC · reported 3 times · round 1\n\
        unless claimed: kim@example.org at 1970-01-01 00:10:00 UTC\n\
        unless claimed: ops@example.org at 1970-01-01 00:20:00 UTC"
    );
}

/// The status update that goes to slack:ops when `by` does that.
fn status_update(by: &str, request: StateChange) -> Alert {
    let mut incident = alert(report("5xx", "12 %").link("graph", "https://x.example/")).incident().clone();
    let now = DateTime::UNIX_EPOCH;
    let delivery = DeliveryKey::alert(1, Level::At(1), 0);
    let update = Update::state(Person::new(by).unwrap(), request);
    let inputs = [
        Input::Outcome { delivery, attempt: 1, outcome: &Outcome::Accepted },
        Input::Update { update: &update, round: None },
        Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: None },
    ];
    let mut sends = Vec::new();
    for input in inputs {
        match plan::step(&incident, input, now) {
            Decision::Change(plan) => (incident, sends) = (plan.draft.into_incident(), plan.sends),
            other => panic!("{other:?}"),
        }
    }
    let send = sends.iter().find(|send| send.contact.as_str() == "slack:ops").unwrap();
    Alert::new(Arc::new(incident), 1, send.delivery, 1, send.contact.clone()).with_claim_url(CLAIM.to_owned())
}

#[test]
fn a_status_update_is_sent_as_what_it_is_and_not_as_an_alert() {
    let cases = [
        (
            StateChange::Claim(TakeOver::No),
            "Claimed by kim",
            "inresponse.claimed",
            "claimedBy",
            Some("Take over"),
        ),
        (StateChange::Resolve, "Resolved by kim", "inresponse.resolved", "resolvedBy", None),
    ];
    for (request, head, kind, by, link) in cases {
        let update = status_update("kim", request);
        let message: Value = serde_json::from_slice(&json(&update, DateTime::UNIX_EPOCH)).unwrap();
        assert_eq!((&message["type"], &message["data"]["incident"][by]), (&kind.into(), &"kim".into()));
        assert_eq!(message["data"]["upcoming"], Value::Array(Vec::new()));
        assert_eq!(message["data"]["claimUrl"].as_str(), link.map(|_| CLAIM));
        for body in [slack(&update), teams(&update)] {
            let body = String::from_utf8(body).unwrap();
            assert!(body.contains(&format!("{head}: [CRIT] #10001 athens: 5xx")), "{body}");
            assert!(
                !body.contains("Claim it") && !body.contains("unless claimed") && !body.contains("12 %"),
                "{body}"
            );
            assert_eq!(body.contains("Take over"), link.is_some(), "{body}");
        }
    }
}

#[test]
fn the_new_holder_is_asked_to_answer_and_told_what_happened() {
    let update = status_update("kim", StateChange::HandTo(Person::new("slack:ops").unwrap()));
    let message: Value = serde_json::from_slice(&json(&update, DateTime::UNIX_EPOCH)).unwrap();
    assert_eq!(message["type"], "inresponse.handed");
    assert_eq!(message["data"]["incident"]["claimEndsAt"], "1970-01-01T00:10:00Z");
    assert_eq!(message["data"]["claimUrl"], CLAIM);
    for body in [slack(&update), teams(&update)] {
        let body = String::from_utf8(body).unwrap();
        for part in
            ["Handed to you: ", "Confirm that you have it", "12 %", "answer by 1970-01-01 00:10:00 UTC"]
        {
            assert!(body.contains(part), "{part} in {body}");
        }
        assert!(!body.contains("Take over"), "they have it: {body}");
    }
}

#[test]
fn p12_a_further_round_and_the_time_of_the_team_are_told() {
    let zone = inresponse_core::model::Zone::new("Europe/Athens").unwrap();
    let alert = alert_of(report("5xx", ""), |matrix| matrix.repeated(1).in_zone(zone));
    let message: Value = serde_json::from_slice(&json(&alert, DateTime::UNIX_EPOCH)).unwrap();
    let upcoming = &message["data"]["upcoming"];
    assert_eq!((&upcoming[0]["level"], &upcoming[0]["at"]), (&2.into(), &"1970-01-01T00:10:00Z".into()));
    assert_eq!((&upcoming[1]["round"], &upcoming[1]["at"]), (&2.into(), &"1970-01-01T00:20:00Z".into()));
    assert_eq!(upcoming[2], Value::Null);
    for body in [slack(&alert), teams(&alert)] {
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("round 2 at 1970-01-01 02:20:00 EET: the people on call then"), "{body}");
    }
}

#[test]
fn what_strangers_wrote_calls_nobody_in_slack() {
    let alert = alert(report("<!channel> & <https://evil.example|good>", "<!here>"));
    let message: Value = serde_json::from_slice(&slack(&alert)).unwrap();
    // Whatever is read as markup is escaped; the rest is plain text, in which markup means nothing.
    assert_eq!(
        message["text"],
        "[CRIT] #10001 athens: &lt;!channel&gt; &amp; &lt;https://evil.example|good&gt;"
    );
    assert_eq!(message["blocks"][1]["text"]["type"], "plain_text");
}

#[test]
fn what_a_reader_would_not_see_of_a_text_is_shown_in_chats_and_left_to_programs() {
    let hidden = "pay \u{202e}txt.exe\u{200b} 👩\u{200d}💻";
    let alert = alert(report(hidden, hidden).link(hidden, "https://x.example/"));
    for body in [slack(&alert), teams(&alert)] {
        let message = serde_json::from_slice::<Value>(&body).unwrap().to_string();
        let shown = r"pay \\u{202e}txt.exe\\u{200b} ";
        assert!(message.matches(&format!("{shown}👩\u{200d}💻")).count() >= 3, "{message}");
        assert!(!message.contains(['\u{202e}', '\u{200b}']), "{message}");
    }
    let raw: Value = serde_json::from_slice(&json(&alert, DateTime::UNIX_EPOCH)).unwrap();
    assert!(raw.to_string().contains('\u{202e}'), "{raw}");
}

/// Checks that no block is longer than Slack allows.
fn fits_in_slack(message: &Value) {
    for block in message["blocks"].as_array().unwrap() {
        let (text, most) = match block["type"].as_str().unwrap() {
            "header" => (&block["text"]["text"], 150),
            "section" => (&block["text"]["text"], 3000),
            "context" => (&block["elements"][0]["text"], 2000),
            other => panic!("{other}"),
        };
        let length = text.as_str().unwrap().chars().count();
        assert!((1..=most).contains(&length), "{length} in {block}");
    }
}

#[test]
fn slack_is_given_no_more_than_it_takes() {
    for alert in extremes() {
        let message: Value = serde_json::from_slice(&slack(&alert)).unwrap();
        fits_in_slack(&message);
        assert!(
            slack::texts(&slack(&alert)).iter().any(|text| text.contains(CLAIM)),
            "the claim link is there"
        );
    }
}

#[test]
fn teams_shows_what_happened_and_how_to_claim_it() {
    let alert = alert(report("5xx", "12 % [good](https://evil.example)").link("graph", "https://x.example/"));
    let message: Value = serde_json::from_slice(&teams(&alert)).unwrap();
    assert_eq!(message["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = &message["attachments"][0]["content"];
    let run = |n: usize| &card["body"][n]["inlines"][0];
    assert_eq!(run(0)["text"], "[CRIT] #10001 athens: 5xx");
    // Plain, not Markdown.
    assert_eq!(
        (&run(1)["type"], &run(1)["text"]),
        (&"TextRun".into(), &"12 % [good](https://evil.example)".into())
    );
    assert_eq!(
        (&card["actions"][0]["url"], &card["actions"][1]["url"]),
        (&CLAIM.into(), &"https://x.example/".into())
    );
}

#[test]
fn teams_is_given_no_more_than_it_takes() {
    for alert in extremes() {
        let body = teams(&alert);
        assert!(body.len() <= 28 * 1024, "{}", body.len());
        let message: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(message["attachments"][0]["content"]["actions"].as_array().unwrap().len(), 6);
    }
}

#[test]
fn a_text_is_cut_between_characters() {
    let bytes = |text: &str, most| cut(text, most, json_bytes);
    assert_eq!(bytes("äöü", 6), "äöü");
    assert_eq!(bytes("äöü", 5), "ä…");
    assert_eq!(bytes("\"\"\"", 5), "\"…");
}

#[test]
fn a_notice_about_the_roster_asks_nobody_to_claim_anything() {
    let facts = vec![("Ends".to_owned(), "Mon 14 Dec 2026 11:00 EET".to_owned())];
    let notice = Notice { title: "jo is on call for web".to_owned(), message: String::new(), facts };
    let (id, contact) = (DeliveryId::read("notice-1").unwrap(), Contact::new("slack:web").unwrap());
    let notice = Alert::notice(id, &contact, notice, DateTime::UNIX_EPOCH).unwrap();
    let notice = notice.with_claim_url(CLAIM.to_owned());
    let message: Value = serde_json::from_slice(&json(&notice, DateTime::UNIX_EPOCH)).unwrap();
    assert_eq!(message["type"], "inresponse.notice");
    assert_eq!(message["data"]["incident"]["title"], "jo is on call for web");
    assert_eq!(
        (&message["data"]["claimUrl"], &message["data"]["upcoming"]),
        (&Value::Null, &Value::Array(vec![]))
    );
    for body in [slack(&notice), teams(&notice)] {
        let body = String::from_utf8(body).unwrap();
        assert!(
            body.contains("jo is on call for web") && body.contains("Ends: Mon 14 Dec 2026 11:00 EET"),
            "{body}"
        );
        assert!(!body.contains("WARN") && !body.contains("laim") && !body.contains("level"), "{body}");
    }
}

#[test]
fn p22_the_claimant_is_told_when_the_claim_ends_and_the_next_round_why_it_began() {
    let mut incident = alert(report("5xx", "12 %")).incident().clone();
    let by = Person::new("slack:ops").unwrap();
    let claim = Update::state(by.clone(), StateChange::Claim(TakeOver::No));
    let snooze = Update::state(by, StateChange::Snooze(Duration::from_secs(7200)));
    let due = |round| Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round };
    let next = plan::NextRound::of(incident.team().clone(), incident.matrix().clone());
    let mut told = Vec::new();
    for (second, input) in [
        (0, Input::Update { update: &claim, round: None }),
        (0, Input::Update { update: &snooze, round: None }),
        (6600, due(None)),
        (7200, due(Some(next))),
    ] {
        match plan::step(&incident, input, DateTime::from_timestamp(second, 0).unwrap()) {
            Decision::Change(plan) => {
                incident = plan.draft.into_incident();
                let send = plan.sends.into_iter().find(|send| send.contact.as_str() == "slack:ops");
                told.extend(send.map(|send| {
                    let alert = Alert::new(Arc::new(incident.clone()), 1, send.delivery, 1, send.contact);
                    alert.with_claim_url(CLAIM.to_owned())
                }));
            }
            other => panic!("{other:?}"),
        }
    }
    let [notice, again] = told.as_slice() else { panic!("{told:?}") };
    let message: Value = serde_json::from_slice(&json(notice, DateTime::UNIX_EPOCH)).unwrap();
    assert_eq!(message["type"], "inresponse.claimEnds");
    assert_eq!(message["data"]["incident"]["claimEndsAt"], "1970-01-01T02:00:00Z");
    for body in [slack(notice), teams(notice)] {
        let body = String::from_utf8(body).unwrap();
        for part in
            ["Your claim ends at 02:00 UTC: [CRIT] #10001 athens: 5xx", "Keep it", "snooze it to keep it"]
        {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
    for body in [slack(again), teams(again)] {
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("the claim of slack:ops ended at 1970-01-01 02:00:00 UTC after 2 h"), "{body}");
    }
}

const CLAIM_ALL: &str = "https://alerts.example/claims?token=all.";

fn bundle(alerts: impl IntoIterator<Item = Alert>) -> Bundle {
    let token = "t".repeat(1_500);
    Bundle::new(alerts.into_iter().collect()).unwrap().with_claim_all_url(format!("{CLAIM_ALL}{token}"))
}

#[test]
fn p23_a_message_about_many_shows_the_worst_and_how_to_claim_all() {
    let alerts = (0..12).map(|_| alert(report("5xx <!channel>", "12 %")));
    let bundle = bundle(alerts);
    let texts = slack::texts(&slack_of_bundle(&bundle));
    assert_eq!((&*texts[0], &*texts[1]), ("12 CRIT: athens", "athens: 12 CRIT"));
    assert!(texts[2].starts_with(&format!("*<{CLAIM_ALL}")) && texts[2].ends_with("|Claim all of these>*"));
    assert_eq!(texts[3], format!("<{CLAIM}|Claim it>  [CRIT] #10001 athens: 5xx &lt;!channel&gt;"));
    assert_eq!(texts[13], "and 2 more: #10001, #10001");

    let message: Value = serde_json::from_slice(&teams_of_bundle(&bundle)).unwrap();
    let card = &message["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][0]["text"], "12 CRIT: athens");
    assert_eq!(card["body"][2]["inlines"][0]["text"], "[CRIT] #10001 athens: 5xx <!channel>");
    assert_eq!(card["actions"][0]["title"], "Claim all of these");
}

#[test]
fn p23_the_json_of_many_has_the_id_of_each_delivery_and_the_worst_in_full() {
    let bundle = bundle((0..12).map(|_| alert(report("5xx", "12 %"))));
    let sent = json_of_bundle(&bundle, DateTime::UNIX_EPOCH);
    let read: inresponse_api::BundleMessage = serde_json::from_slice(&sent).unwrap();
    assert_eq!(serde_json::to_vec(&read).unwrap(), sent, "the receiver can read all of it");
    assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap()["type"], "inresponse.alerts");
    let ids = read.data.worst.iter().map(|alert| &alert.delivery_id);
    let ids = ids.chain(read.data.others.iter().map(|alert| &alert.delivery_id));
    let expected: Vec<_> = bundle.delivery_ids().map(ToString::to_string).collect();
    assert_eq!(ids.cloned().collect::<Vec<_>>(), expected);
    assert_eq!((read.data.worst[9].incident.message.as_str(), read.data.others.len()), ("12 %", 2));
    assert_eq!(read.data.others[1].title, "5xx");
    assert!(read.data.claim_all_url.unwrap().starts_with(CLAIM_ALL));
}

#[test]
fn p23_a_message_about_any_five_hundred_is_no_larger_than_each_service_takes() {
    let bundle = bundle(extremes().into_iter().cycle().take(Bundle::MOST));
    let message: Value = serde_json::from_slice(&slack_of_bundle(&bundle)).unwrap();
    fits_in_slack(&message);
    let blocks = message["blocks"].to_string();
    assert!(blocks.chars().count() < 13_000 && blocks.contains(CLAIM_ALL), "{}", blocks.len());

    let card = teams_of_bundle(&bundle);
    assert!(card.len() <= 28 * 1024, "{}", card.len());
    assert!(String::from_utf8(card).unwrap().contains(CLAIM_ALL));
    assert!(json_of_bundle(&bundle, DateTime::UNIX_EPOCH).len() < 1024 * 1024);
}
