//! Schedules and people on the board: what their forms write, and what they refuse.

use axum::http::{Method, Request, StatusCode};
use inresponse_core::model::{Contact, Outcome};
use serde_json::{Value, json};

use super::{Browser, location, rota};
use crate::world::{ADMIN, RESPOND};

const NEW: &str = "/board/teams/web/new-schedule";
const PRIMARY: &str = "/board/teams/web/schedules/primary";

/// A form as a browser sends it.
fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn value(page: &str, name: &str) -> String {
    let tag = page
        .split('<')
        .find(|tag| tag.starts_with("input") && tag.contains(&format!("name=\"{name}\"")))
        .unwrap();
    tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn layer(members: &str) -> Vec<(&str, &str)> {
    vec![
        ("timezone", "Europe/Athens"),
        ("layers[0].name", "weekly"),
        ("layers[0].members", members),
        ("layers[0].from", "2026-11-23T09:00"),
        ("layers[0].turn.every", "1"),
        ("layers[0].turn.unit", "week"),
        ("layers[0].turn.count", "elapsed"),
        ("layers[0].hours", ""),
        ("layers[0].begins", ""),
        ("layers[0].until", ""),
        ("layers[0].rank", ""),
        ("feeds", ""),
    ]
}

#[tokio::test]
async fn a_weekly_rotation_is_built_from_nothing_looked_at_and_saved() {
    let world = rota().await;
    world.put("/teams/cave", json!({ "fallback": ["ops@example.org"], "timezone": "Europe/Athens", "alertLevels": { "WARN": [] } })).await;
    let path = "/board/teams/cave/new-schedule";
    let jo = Browser::signed_in_with(&world, ADMIN, "jo").await;
    let empty = jo.get(path).await.text;
    assert_eq!(value(&empty, "name"), "primary");
    assert_eq!(value(&empty, "layers[0].from"), "2026-11-23T09:00", "the Monday of this week");
    let mut fields = layer("jo\r\nkim, lee\r\nnobody");
    let seen = value(&empty, "seen");
    fields.extend([("name", "primary"), ("alerts", "yes"), ("seen", seen.as_str())]);
    let preview = jo.post(path, &form(&[&fields[..], &[("do", "preview")]].concat())).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
    let text = &preview.text;
    assert!(text.contains("Preview: not saved yet") && text.contains("<strong>kim, lee</strong>"), "{text}");
    assert!(text.contains("<strong class=\"bad\">nobody</strong>"), "the turn off: {text}");
    assert!(text.contains(">jo\nkim, lee\nnobody</textarea>"), "what was typed stays: {text}");
    assert_eq!(world.get("/teams/cave/schedules").await.json["schedules"], json!([]), "nothing was saved");
    let saved = jo.post(path, &form(&[&fields[..], &[("do", "save")]].concat())).await;
    assert_eq!(location(&saved), "/board/teams/cave");
    let expected = json!({
        "team": "cave", "schedule": "primary", "timezone": "Europe/Athens", "feeds": [],
        "layers": [{
            "name": "weekly", "members": ["person:jo", ["person:kim", "person:lee"], []],
            "from": "2026-11-23T09:00", "turn": { "every": 1, "unit": "week", "count": "elapsed" },
        }],
    });
    assert_eq!(world.get("/teams/cave/schedules/primary").await.json, expected);
    let team = world.get("/teams/cave").await.json;
    assert_eq!(team["levels"], json!([{ "notify": ["schedule:primary"] }]), "{team}");
    assert_eq!((&team["timezone"], &team["alertLevels"]), (&json!("Europe/Athens"), &json!({ "WARN": [] })));
    let changes = jo.get("/board/changes").await.text;
    assert!(changes.contains("<strong>jo</strong>"), "{changes}");
    let taken = jo.post(path, &form(&[&fields[..], &[("do", "save")]].concat())).await;
    assert_eq!(taken.status, StatusCode::BAD_REQUEST);
    assert!(taken.text.contains("name: is the name of another schedule"), "{}", taken.text);
}

#[tokio::test]
async fn an_edit_is_shown_as_it_is_previewed_with_what_changes_hands_and_saved_once() {
    let world = rota().await;
    let jo = Browser::signed_in_with(&world, ADMIN, "jo").await;
    let page = jo.get(PRIMARY).await.text;
    assert!(page.contains(">jo\nkim, lee</textarea>"), "{page}");
    let seen = value(&page, "seen");
    let mut fields = layer("lee\nkim, lee");
    fields[0] = ("timezone", "UTC");
    fields[3] = ("layers[0].from", "2026-11-23T00:00");
    fields.push(("seen", seen.as_str()));
    let preview = jo.post(PRIMARY, &form(&[&fields[..], &[("do", "preview")]].concat())).await.text;
    let change = "<strong>lee</strong> instead of Jo Doe, <time datetime=\"2026-11-24T03:00:00Z\">";
    assert!(preview.contains(change), "{preview}");
    location(&jo.post(PRIMARY, &form(&[&fields[..], &[("do", "save")]].concat())).await);
    let members = world.get("/teams/web/schedules/primary").await.json["layers"][0]["members"].clone();
    assert_eq!(members, json!(["person:lee", ["person:kim", "person:lee"]]));
    // Another form that began before that.
    let late = jo.post(PRIMARY, &form(&[&fields[..], &[("do", "save")]].concat())).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text.contains("somebody else has changed this schedule meanwhile"), "{}", late.text);
    let in_use = jo.post(PRIMARY, &form(&[&fields[..], &[("do", "delete")]].concat())).await;
    assert_eq!(in_use.status, StatusCode::CONFLICT);
    assert!(in_use.text.contains("is still used by team `web`"), "{}", in_use.text);
    world.put("/teams/web", json!({ "fallback": ["ops@example.org"] })).await;
    location(&jo.post(PRIMARY, &form(&[("do", "delete")])).await);
    assert_eq!(jo.get(PRIMARY).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn layers_are_added_and_removed_without_losing_what_was_typed() {
    let world = rota().await;
    let jo = Browser::signed_in_with(&world, ADMIN, "jo").await;
    let fields = layer("somebody <b>");
    let more = jo.post(NEW, &form(&[&fields[..], &[("do", "add-layer")]].concat())).await.text;
    assert!(more.contains("layers[1].name") && more.contains(">somebody &#60;b&#62;</textarea>"), "{more}");
    let two = [&fields[..], &[("layers[1].name", "above"), ("do", "remove-layer:0")]].concat();
    let less = jo.post(NEW, &form(&two)).await.text;
    assert!(less.contains("value=\"above\"") && !less.contains("layers[1].name"), "{less}");
}

#[tokio::test]
async fn p16_every_wrong_field_of_a_schedule_is_named_beside_it() {
    let world = rota().await;
    let jo = Browser::signed_in_with(&world, ADMIN, "jo").await;
    let cases: [(&str, &str, u16, &str); 10] = [
        ("name", "a/b", 400, "id=\"name-error\""),
        ("timezone", "Mars/One", 400, "id=\"timezone-error\""),
        ("layers[0].name", "", 400, "id=\"layer-0-name-error\""),
        ("layers[0].members", "", 400, "id=\"layer-0-members-error\""),
        ("layers[0].members", "jo\nmax", 422, "entry 2: there is no person `max`"),
        ("layers[0].members", "schedule:nothing", 422, "team `web` has no schedule `nothing`"),
        ("layers[0].turn.every", "often", 400, "id=\"layer-0-every-error\""),
        ("layers[0].hours", "Mon-Fri soon", 400, "id=\"layer-0-hours-error\""),
        ("layers[0].from", "", 400, "id=\"layer-0-from-error\""),
        ("feeds", "base webcal://c.example", 400, "id=\"feeds-error\""),
    ];
    for (field, typed, status, told) in cases {
        let mut fields: Vec<_> = layer("jo").into_iter().filter(|(name, _)| *name != field).collect();
        fields.extend([("do", "save"), (field, typed)]);
        if field != "name" {
            fields.push(("name", "other"));
        }
        let refused = jo.post(NEW, &form(&fields)).await;
        assert_eq!(refused.status.as_u16(), status, "{field}: {}", refused.text);
        assert!(refused.text.contains(told), "{field}: {}", refused.text);
    }
    let mut circle = layer("schedule:other");
    circle.extend([("name", "other"), ("do", "preview")]);
    let preview = jo.post(NEW, &form(&circle)).await.text;
    assert!(preview.contains("The names form a circle"), "{preview}");
    let names = world.get("/teams/web/schedules").await.json["schedules"].as_array().unwrap().len();
    assert_eq!(names, 1);
}

#[tokio::test]
async fn the_url_of_a_feed_is_masked_and_kept() {
    let world = rota().await;
    let jo = Browser::signed_in_with(&world, ADMIN, "jo").await;
    let page = jo.get(PRIMARY).await.text;
    let seen = value(&page, "seen");
    let mut fields: Vec<_> = layer("jo").into_iter().filter(|(name, _)| *name != "feeds").collect();
    fields.extend([("seen", seen.as_str()), ("feeds", "override https://c.example/secret"), ("do", "save")]);
    location(&jo.post(PRIMARY, &form(&fields)).await);
    for path in [PRIMARY, "/board/teams/web"] {
        let page = jo.get(path).await.text;
        assert!(page.contains("https://c.example/…") && !page.contains("secret"), "{path}: {page}");
    }
    let page = jo.get(PRIMARY).await.text;
    let seen = value(&page, "seen");
    let mut fields: Vec<_> = layer("jo").into_iter().filter(|(name, _)| *name != "feeds").collect();
    fields.extend([("seen", seen.as_str()), ("feeds", "base https://c.example/…"), ("do", "save")]);
    location(&jo.post(PRIMARY, &form(&fields)).await);
    let book = world.engine.book().await.unwrap();
    let (_, _, timetable) = book.schedules().find(|(_, name, _)| name.as_str() == "primary").unwrap();
    assert_eq!(timetable.schedule().unwrap().feeds()[0].url, "https://c.example/secret");
}

fn person(changed: &[(&'static str, &'static str)]) -> String {
    let mut fields = vec![
        ("do", "save"),
        ("person", "max"),
        ("name", "Max <b>"),
        ("timezone", "Europe/Athens"),
        ("methods", "mail: max@example.org\r\ncopy: max2@example.org"),
        ("rules", "CRIT 0 mail\r\nCRIT 180 copy, mail"),
        ("absences", "2026-12-24 to 2026-12-27"),
    ];
    for &(name, value) in changed {
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
    }
    form(&fields)
}

#[tokio::test]
async fn people_are_added_edited_and_deleted_by_admin_keys() {
    let world = rota().await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    assert_eq!(location(&admin.post("/board/new-person", &person(&[])).await), "/board/people/max");
    let expected = json!({
        "person": "max", "name": "Max <b>", "timezone": "Europe/Athens",
        "methods": { "copy": "max2@example.org", "mail": "max@example.org" },
        "rules": { "CRIT": [{ "afterSeconds": 0, "methods": ["mail"] }, { "afterSeconds": 180, "methods": ["copy", "mail"] }] },
        "absences": [{ "from": "2026-12-24T00:00", "to": "2026-12-27T00:00" }],
    });
    assert_eq!(world.get("/people/max").await.json, expected);
    let page = admin.get("/board/people/max").await.text;
    for part in [
        "Max &#60;b&#62;",
        "max@example.org",
        "copy and mail after 180 s",
        "2026-12-24T00:00 to 2026-12-27T00:00",
        ">Never.<",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let masked = Browser::signed_in_with(&world, RESPOND, "jo").await;
    for path in ["/board/people/max", "/board/people"] {
        let page = masked.get(path).await.text;
        assert!(page.contains("m…@example.org") && !page.contains("max@example.org"), "{path}: {page}");
        assert!(!page.contains("do-save") && !page.contains("new-person"), "{path}: {page}");
    }
    let refused = masked.post("/board/people/max", &person(&[])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("lacks the scope `admin`"), "{}", refused.text);
    location(&admin.post("/board/people/max", &person(&[("name", "Max")])).await);
    assert_eq!(world.get("/people/max").await.json["name"], "Max");
    let in_use = admin.post("/board/people/kim", &person(&[("do", "delete")])).await;
    assert_eq!(in_use.status, StatusCode::CONFLICT);
    assert!(in_use.text.contains("is still used by schedule `primary`"), "{}", in_use.text);
    assert_eq!(
        location(&admin.post("/board/people/max", &person(&[("do", "delete")])).await),
        "/board/people"
    );
    assert_eq!(admin.get("/board/people/max").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn p16_every_wrong_field_of_a_person_is_named_beside_it() {
    let world = rota().await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    for (field, typed, status, told) in [
        ("person", "a/b", 400, "person-error"),
        ("person", "jo", 400, "is somebody else already"),
        ("timezone", "Mars/One", 400, "timezone-error"),
        ("methods", "mail: nobody", 400, "methods-error"),
        ("methods", "mail: max@example.org\ncopy: tel:+30", 422, "methods-error"),
        ("rules", "CRIT soon mail", 400, "rules-error"),
        ("rules", "CRIT 0 call", 400, "rules-error"),
        ("absences", "2026-12-24", 400, "absences-error"),
        ("do", "dance", 400, "button: is not a button"),
    ] {
        let refused = admin.post("/board/new-person", &person(&[(field, typed)])).await;
        assert_eq!(refused.status.as_u16(), status, "{field} {typed}: {}", refused.text);
        assert!(refused.text.contains(told), "{field} {typed}: {}", refused.text);
    }
    assert_eq!(world.get("/people/max").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_persons_coming_shifts_are_told_over_all_schedules() {
    let world = rota().await;
    let page = Browser::signed_in(&world, "kim").await.get("/board/people/kim").await.text;
    let shift = "<time datetime=\"2026-11-30T00:00:00Z\">Mon 30 Nov 00:00</time> to \
                 <time datetime=\"2026-12-07T00:00:00Z\">Mon 7 Dec 00:00</time>, <a href=\"/board/teams/web\">web</a>, \
                 schedule primary";
    assert!(page.contains(shift), "{page}");
}

#[tokio::test]
async fn p13_methods_are_tested_by_one_message_each_and_not_too_often() {
    let world = rota().await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    location(&admin.post("/board/new-person", &person(&[])).await);
    let copy = Contact::new("max2@example.org").unwrap();
    world.notifier.then_for(copy.clone(), Outcome::rejected("550 no max2@example.org here"));
    let tests = world.call(ADMIN, Method::POST, "/people/max/test", "").await;
    let expected = json!({ "tests": [
        { "method": "copy", "outcome": "rejected", "seconds": 0, "detail": "550 no max2@example.org here" },
        { "method": "mail", "outcome": "accepted", "seconds": 0 },
    ] });
    assert_eq!((tests.status, &tests.json), (StatusCode::OK, &expected), "{}", tests.text);
    let sent = world.notifier.attempts();
    let told: Vec<_> = sent.iter().map(|sent| sent.contact.to_string()).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&"max@example.org".to_owned()) && told.contains(&copy.to_string()), "{told:?}");
    world.notifier.then_for(copy, Outcome::rejected("550 no max2@example.org here"));
    let jo = Browser::signed_in_with(&world, RESPOND, "jo").await;
    let page = jo.post("/board/people/max/test", "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text.contains("mail: the message <strong class=\"good\">was accepted after 0.0 s</strong>"),
        "{}",
        page.text
    );
    assert!(page.text.contains("copy: the message <strong class=\"bad\">was refused"), "{}", page.text);
    assert!(
        !page.text.contains("max2@example.org"),
        "what a carrier says is only for admin keys: {}",
        page.text
    );
    let answer = world.call(RESPOND, Method::POST, "/people/max/test", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.json["tests"][0].get("detail").is_none(), "{}", answer.text);
    let too_many = world.call(ADMIN, Method::POST, "/people/max/test", "").await;
    assert_eq!(
        (too_many.status, &too_many.headers["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"61".parse().unwrap())
    );
    let told = jo.post("/board/people/max/test", "").await;
    assert_eq!(told.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(told.text.contains("was sent 3 tests within a minute"), "{}", told.text);
    let count = world.notifier.attempts().len();
    assert_eq!(count, 6, "nothing was sent by those");
    let other = world.call(ADMIN, Method::POST, "/people/kim/test", "").await;
    assert_eq!(other.status, StatusCode::OK, "another person is not held back");
    world.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(world.call(ADMIN, Method::POST, "/people/max/test", "").await.status, StatusCode::OK);
    assert_eq!(
        world.call(ADMIN, Method::POST, "/people/nobody/test", "").await.status,
        StatusCode::NOT_FOUND
    );
    let number = world.get("/incidents").await.json["incidents"].as_array().unwrap().len();
    assert_eq!(number, 0, "a test is no incident");
}

#[tokio::test]
async fn p17_the_dry_run_of_a_service_is_a_table_with_reasons() {
    let world = rota().await;
    let kim = Browser::signed_in(&world, "kim").await;
    let page = kim.get("/board/services/shop/plan?at=2026-12-01T10%3A00&zone=UTC&severity=ERR").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let row = "<td><time datetime=\"2026-12-01T10:00:00Z\">Tue 1 Dec 10:00</time></td><td>Level 1</td>\
               <td><strong>kim</strong></td><td>mail</td><td class=\"quiet\">level:1 schedule:primary layer:weekly</td>";
    assert!(page.text.contains(row), "{}", page.text);
    assert!(
        page.text.contains("<td>The fallback</td>") && page.text.contains("<option selected>ERR"),
        "{}",
        page.text
    );
    assert_eq!(kim.get("/board/services/nothing/plan").await.status, StatusCode::NOT_FOUND);
    for (query, told) in
        [("severity=FATAL", "severity: must be"), ("at=soon", "at: must be a day and a time")]
    {
        let refused = kim.get(&format!("/board/services/shop/plan?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains(told), "{}", refused.text);
    }
    let calendar = kim.get("/board/teams/web").await.text;
    assert!(calendar.contains("href=\"/board/services/shop/plan\""), "{calendar}");
}

#[tokio::test]
async fn findings_are_told_by_team_the_worst_first() {
    let world = rota().await;
    world.put("/people/max", json!({})).await;
    let schedule = json!({ "timezone": "UTC", "layers": [{
        "name": "office", "members": ["person:max"], "from": "2026-11-23T00:00", "turn": { "every": 1, "unit": "week" },
        "hours": [{ "days": ["Wed"], "from": "09:00", "to": "17:00" }],
    }] });
    world.put("/teams/alps", json!({ "fallback": ["ops@example.org"] })).await;
    let one = json!({ "timezone": "UTC", "layers": [{
        "name": "all", "members": ["person:jo"], "from": "2026-11-23T00:00", "turn": { "every": 1, "unit": "week" },
    }] });
    assert_eq!(world.put("/teams/alps/schedules/all", one).await.status, StatusCode::OK);
    assert_eq!(world.put("/teams/web/schedules/office", schedule).await.status, StatusCode::OK);
    let page = Browser::signed_in(&world, "kim").await.get("/board/coverage").await.text;
    let gap = "<strong class=\"bad\">Nobody is scheduled</strong>: nobody is on call in schedule office, \
               <time datetime=\"2026-11-24T03:00:00Z\">Tue 24 Nov 03:00</time>";
    assert!(page.contains(gap), "{page}");
    assert!(page.contains("Only one person") && page.contains("Cannot be reached"), "{page}");
    let at = |name: &str| page.find(&format!(">{name}</a></h2>")).unwrap();
    assert!(at("web") < at("alps"), "{page}");
}

#[tokio::test]
async fn the_roster_is_changed_only_by_who_is_signed_in_with_an_admin_key_from_this_site() {
    let world = rota().await;
    let before = async || world.get("/roster/changes").await.json;
    let was: Value = before().await;
    let fields = form(&[&layer("jo")[..], &[("name", "other"), ("do", "save")]].concat());
    let posts = [
        (NEW, fields.as_str()),
        (PRIMARY, "do=delete"),
        ("/board/new-person", "do=save&person=x&timezone=UTC"),
        ("/board/people/jo", "do=delete"),
    ];
    let respond = Browser::signed_in_with(&world, RESPOND, "jo").await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    for (path, body) in posts {
        assert!(location(&Browser::new(&world).post(path, body).await).contains("/board/sign-in"), "{path}");
        let refused = respond.post(path, body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert!(refused.text.contains("lacks the scope `admin`"), "{path}: {}", refused.text);
        let other = Request::builder().method(Method::POST).uri(path).header("cookie", &admin.cookie);
        let other = other.header("origin", "https://evil.example").body(body.to_owned().into()).unwrap();
        let refused = world.send(other).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert!(refused.text.contains("another site"), "{path}: {}", refused.text);
    }
    let sent = world.notifier.attempts().len();
    let other =
        Request::builder().method(Method::POST).uri("/board/people/jo/test").header("cookie", &admin.cookie);
    let refused = world.send(other.header("origin", "https://evil.example").body("".into()).unwrap()).await;
    assert_eq!((refused.status, world.notifier.attempts().len()), (StatusCode::FORBIDDEN, sent));
    assert_eq!(before().await, was);
}
