//! The calendar of a team: what it shows, and who takes a shift.

use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{Browser, location, rota};
use crate::world::{ADMIN, ADMIN_ONLY, REPORT, RESPOND, World};

const PAGE: &str = "/board/teams/web";
const ACT: &str = "/board/teams/web/shifts";

async fn overrides(world: &World) -> Vec<Value> {
    let listed = world.get("/teams/web/schedules/primary/overrides").await;
    listed.json["overrides"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_calendar_shows_every_shift_as_text_and_the_weeks_as_a_picture() {
    let world = rota().await;
    // Lee lives in UTC.
    let lee = Browser::signed_in(&world, "lee").await;
    let page = lee.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let text = &page.text;
    assert!(text.contains("<strong>23 November to 17 January 2027</strong>"), "{text}");
    assert!(text.contains("Schedule of zone UTC"), "{text}");
    assert_eq!(text.matches("class=\"week\"").count(), 8, "{text}");
    // The whole week of jo, who is on call now, told with its layer and where it can be given away.
    let shift = "<strong class=\"now\">Now</strong> <strong>Jo Doe</strong>, \
                 <time datetime=\"2026-11-23T00:00:00Z\">Mon 23 Nov 00:00</time> to \
                 <time datetime=\"2026-11-30T00:00:00Z\">Mon 30 Nov 00:00</time><span class=\"quiet\">, layer weekly</span>";
    assert!(text.contains(shift), "{text}");
    assert!(text.contains("<strong>kim, lee</strong>, <time datetime=\"2026-11-30T00:00:00Z\">"), "{text}");
    assert!(text.contains("schedule=primary&#38;from=2026-11-30T00%3A00%3A00Z"), "{text}");
    assert!(text.contains("No hand-over today."), "{text}");
    assert!(!text.contains(">nobody<"), "{text}");
    let month = lee.get(&format!("{PAGE}?view=month&from=2026-12-15")).await.text;
    assert!(
        month.contains("<strong>December 2026</strong>") && month.contains("<table class=\"month\">"),
        "{month}"
    );
    assert!(month.contains("Tuesday, 1 December") && month.contains("from=2027-01-01"), "{month}");
    assert!(!month.contains("Edit"), "who only responds edits no schedule: {month}");
    let on_call = lee.get("/board/oncall").await.text;
    assert!(on_call.contains("href=\"/board/teams/web\">web<"), "{on_call}");
}

#[tokio::test]
async fn p15_a_gap_is_told_with_the_word_nobody() {
    let world = rota().await;
    let mut hours = rota_layer(json!(["person:jo"]));
    hours["layers"][0]["hours"] = json!([{ "days": ["Tue"], "from": "09:00", "to": "17:00" }]);
    assert_eq!(world.put("/teams/web/schedules/office", hours).await.status, StatusCode::OK);
    let page = Browser::signed_in(&world, "kim").await.get(PAGE).await.text;
    let gap = "<strong class=\"bad\">nobody</strong>, <time datetime=\"2026-11-24T17:00:00Z\">Tue 24 Nov 17:00</time>";
    assert!(page.contains(gap), "{page}");
    assert!(page.contains("<text class=\"gap\" x=\"6\" y=\"19\">nobody</text>"), "{page}");
    assert!(
        page.contains("nobody hands over to Jo Doe") && page.contains("Jo Doe hands over to nobody"),
        "{page}"
    );
}

#[tokio::test]
async fn p15_times_are_of_the_zone_that_the_reader_chose_or_lives_in() {
    let world = rota().await;
    let mut jo = Browser::signed_in(&world, "jo").await;
    assert!(jo.get(PAGE).await.text.contains("times of Europe/Athens"));
    let kim = Browser::signed_in(&world, "Maria").await;
    assert!(kim.get(PAGE).await.text.contains("times of UTC"), "the team's zone");
    let chosen = jo.get(&format!("{PAGE}?zone=Asia%2FKolkata")).await;
    assert!(chosen.text.contains("times of Asia/Kolkata"), "{}", chosen.text);
    let cookie = chosen.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("inresponse-zone=Asia/Kolkata; Path=/;"), "{cookie}");
    jo.cookie = format!("{}; {}", jo.cookie, cookie.split(';').next().unwrap());
    let page = jo.get(PAGE).await.text;
    assert!(page.contains("times of Asia/Kolkata") && page.contains("Mon 30 Nov 05:30"), "{page}");
    for (query, told) in [
        ("zone=Mars%2FOne", "zone: `Mars/One` is not an IANA time zone"),
        ("from=soon", "from: must be a day like 2026-12-31"),
        ("view=year", "view: must be weeks or month"),
        ("wat=1", "wat: is not a parameter"),
    ] {
        let refused = jo.get(&format!("{PAGE}?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(refused.text.contains(told), "{query}: {}", refused.text);
    }
    assert_eq!(jo.get("/board/teams/nothing").await.status, StatusCode::NOT_FOUND);
}

fn rota_layer(members: Value) -> Value {
    json!({ "timezone": "UTC", "layers": [{
        "name": "weekly", "members": members, "from": "2026-11-23T00:00", "turn": { "every": 1, "unit": "week" },
    }] })
}

#[tokio::test]
async fn a_shift_is_taken_given_and_covered_for_an_hour_by_overrides() {
    let world = rota().await;
    let kim = Browser::signed_in(&world, "kim").await;
    // A shift of the calendar, on its own page.
    let form = kim
        .get(&format!("{ACT}?schedule=primary&from=2026-11-30T00%3A00%3A00Z&to=2026-12-07T00%3A00%3A00Z"))
        .await;
    assert!(
        form.text.contains("value=\"2026-11-30T00:00\"") && form.text.contains("I take over (kim)"),
        "{}",
        form.text
    );
    let take = "do=take&schedule=primary&zone=UTC&from=2026-11-30T00%3A00&to=2026-12-07T00%3A00&note=swapped";
    assert_eq!(location(&kim.post(ACT, take).await), PAGE);
    // Pressed twice, it is one override.
    assert_eq!(location(&kim.post(ACT, take).await), PAGE);
    let expected = json!({
        "id": "2026-11-30 0000 kim", "from": "2026-11-30T00:00:00Z", "to": "2026-12-07T00:00:00Z",
        "oncall": ["person:kim"], "note": "swapped",
    });
    assert_eq!(overrides(&world).await, [expected]);
    // From now, until 18:00 by the reader's clock.
    let jo = Browser::signed_in(&world, "JO").await;
    let cover = "do=take&schedule=primary&zone=Europe%2FAthens&from=&to=18%3A00&note=";
    location(&jo.post(ACT, cover).await);
    let give =
        "do=give&schedule=primary&zone=UTC&from=2026-12-01T10%3A00&to=2026-12-01T11%3A00&who=lee&note=";
    location(&jo.post(ACT, give).await);
    let all = overrides(&world).await;
    let seen: Vec<_> =
        all.iter().map(|o| [&o["from"], &o["to"], &o["oncall"][0]].map(|v| v.as_str().unwrap())).collect();
    let expected = [
        ["2026-11-24T03:00:00Z", "2026-11-24T16:00:00Z", "person:jo"],
        ["2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z", "person:kim"],
        ["2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z", "person:lee"],
    ];
    assert_eq!(seen, expected);
    let page = jo.get(PAGE).await.text;
    assert!(page.contains("override 2026-11-30 0000 kim: swapped"), "{page}");
    assert!(page.contains("Delete<span class=\"unseen\"> the override 2026-12-01 1000 lee</span>"), "{page}");
    let changes = jo.get("/board/changes").await.text;
    assert!(changes.contains("<strong>kim</strong>") && changes.contains("<strong>JO</strong>"), "{changes}");
    let delete = "do=delete&schedule=primary&override=2026-12-01+1000+lee";
    assert_eq!(location(&kim.post(ACT, delete).await), PAGE);
    assert_eq!(overrides(&world).await.len(), 2);
    assert_eq!(kim.post(ACT, delete).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_override_of_the_same_time_and_name_is_not_replaced() {
    let world = rota().await;
    let kim = Browser::signed_in(&world, "kim").await;
    for to in ["12", "13"] {
        let take =
            format!("do=take&schedule=primary&zone=UTC&from=2026-11-30T10%3A00&to=2026-11-30T{to}%3A00");
        location(&kim.post(ACT, &take).await);
    }
    let ids: Vec<_> = overrides(&world).await.iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["2026-11-30 1000 kim", "2026-11-30 1000 kim 2"]);
}

#[tokio::test]
async fn p16_a_form_that_is_wrong_names_the_field_keeps_what_was_typed_and_changes_nothing() {
    let world = rota().await;
    let kim = Browser::signed_in(&world, "kim").await;
    let cases = [
        ("do=take&schedule=primary&to=", 400, "to: is missing"),
        ("do=take&schedule=primary&to=tonight", 400, "to: must be a day and a time"),
        ("do=take&schedule=primary&from=x&to=18%3A00", 400, "from: must be a day and a time"),
        ("do=take&schedule=primary&zone=UTC&to=2026-11-24T02%3A00", 400, "to: must be in the future"),
        (
            "do=take&schedule=primary&zone=UTC&from=2026-12-02T02%3A00&to=2026-12-01T02%3A00",
            400,
            "to: must be after",
        ),
        ("do=take&schedule=nothing&to=18%3A00", 400, "schedule: there is no schedule `nothing`"),
        ("do=give&schedule=primary&to=18%3A00&who=", 400, "who: choose a person"),
        ("do=give&schedule=primary&to=18%3A00&who=max", 400, "who: there is no such person"),
        ("do=dance&schedule=primary", 400, "button: is not a button"),
        ("", 400, "schedule: "),
    ];
    for (form, status, told) in cases {
        let refused = kim.post(ACT, &format!("{form}&note=typed+%3Cb%3E")).await;
        assert_eq!(refused.status.as_u16(), status, "{form}");
        assert!(
            refused.text.contains(told) && refused.text.contains("Nothing was changed."),
            "{form}: {}",
            refused.text
        );
        assert!(refused.text.contains("value=\"typed &#60;b&#62;\""), "{form}: {}", refused.text);
    }
    let stranger = Browser::signed_in(&world, "Nobody Known").await;
    assert!(!stranger.get(PAGE).await.text.contains("I take over"));
    let refused = stranger.post(ACT, "do=take&schedule=primary&to=18%3A00").await;
    assert!(refused.text.contains("who: the roster does not know your name"), "{}", refused.text);
    assert_eq!(overrides(&world).await, Vec::<Value>::new());
    let none = kim.post("/board/teams/devops/shifts", "do=take&schedule=primary&to=18%3A00").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "a team without schedules");
}

#[tokio::test]
async fn overrides_are_written_only_by_who_is_signed_in_from_this_site() {
    let world = rota().await;
    let take = "do=take&schedule=primary&zone=UTC&from=&to=18%3A00";
    let nobody = Browser::new(&world).post(ACT, take).await;
    assert!(location(&nobody).contains("/board/sign-in"));
    for key in [RESPOND, ADMIN_ONLY, ADMIN] {
        let jo = Browser::signed_in_with(&world, key, "jo").await;
        let other = Request::builder().method(Method::POST).uri(ACT).header("cookie", &jo.cookie);
        let other = other.header("origin", "https://evil.example").body(take.to_owned().into()).unwrap();
        let refused = world.send(other).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("This form came from another site"), "{}", refused.text);
    }
    assert_eq!(overrides(&world).await, Vec::<Value>::new());
    let reporter = Browser::new(&world).post("/board/sign-in", &format!("key={REPORT}&name=jo")).await;
    assert_eq!(reporter.status, StatusCode::FORBIDDEN);
    location(&Browser::signed_in_with(&world, ADMIN_ONLY, "jo").await.post(ACT, take).await);
    assert_eq!(overrides(&world).await.len(), 1);
}
