//! The first steps of a new installation, the forms behind them, and errors as pages.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{Browser, location, world};
use crate::world::{ADMIN, RESPOND_ATHENS, World};

/// The steps that are not done, with their addresses.
async fn left(browser: &Browser<'_>) -> Vec<String> {
    let page = browser.get("/board/settings").await.text;
    let steps = page.split_once("id=\"first-steps\"").unwrap().1.split_once("</ol>").unwrap().0;
    steps.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn bare() -> World {
    let world = world().await;
    for path in ["/services/athens", "/teams/devops"] {
        assert_eq!(world.delete(path).await.status, StatusCode::NO_CONTENT);
    }
    world
}

#[tokio::test]
async fn each_first_step_leads_to_its_form_and_is_ticked_when_it_is_done() {
    let world = bare().await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    assert!(admin.get("/").await.text.contains("id=\"first-steps\""));
    let all = [
        "/board/new-person",
        "/board/new-team",
        "/board/new-team",
        "/board/new-service",
        "/board/new-service",
    ];
    assert_eq!(left(&admin).await, all);
    let form = "person=jo&timezone=UTC&methods=mail:+jo@example.org&do=save";
    assert_eq!(location(&admin.post("/board/new-person", form).await), "/board/people/jo");
    let form = "team=shop+floor&timezone=Europe/Athens&fallback=ops@example.org&minutes=5";
    assert_eq!(location(&admin.post("/board/new-team", form).await), "/board/teams/shop%20floor");
    assert_eq!(left(&admin).await[0], "/board/teams/shop%20floor/new-schedule");
    let team = world.get("/teams/shop%20floor").await.json;
    assert_eq!((&team["timezone"], &team["escalateAfterSeconds"]), (&json!("Europe/Athens"), &json!(300)));
    let page = admin.get("/board/teams/shop%20floor").await.text;
    assert!(page.contains("Make a rotation"), "{page}");
    let schedule = json!({ "layers": [{ "name": "weekly", "members": ["person:jo"], "from": "2026-11-23T00:00",
        "turn": { "every": 1, "unit": "week" } }] });
    let put = world.put("/teams/shop%20floor/schedules/primary", schedule).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let form = "service=check%2Fout&team=shop+floor";
    assert_eq!(location(&admin.post("/board/new-service", form).await), "/board/services/check%2Fout/plan");
    assert_eq!(left(&admin).await, ["/board/services/check%2Fout/plan"]);
    let services = admin.get("/board/services").await.text;
    assert!(services.contains("check/out") && services.contains("/board/teams/shop%20floor"), "{services}");
    let test = admin.post("/board/services/check%2Fout/test", "severity=WARN").await;
    assert_eq!(location(&test), "/board/incidents/10000");
    let incident = world.get("/incidents/10000").await.json;
    assert_eq!((&incident["title"], &incident["labels"]["test"]), (&json!("Test alert"), &json!("true")));
    assert_eq!(left(&admin).await, Vec::<String>::new());
    world.post("/incidents/10000", json!({ "state": "RESOLVED", "by": "jo" })).await;
    assert!(!admin.get("/").await.text.contains("id=\"first-steps\""));
}

#[tokio::test]
async fn p16_forms_of_teams_and_services_name_the_wrong_field_and_replace_nothing() {
    let world = world().await;
    let admin = Browser::signed_in_with(&world, ADMIN, "jo").await;
    for (path, form, id) in [
        ("/board/new-team", "team=&timezone=UTC&fallback=a@example.org&minutes=5", "team"),
        ("/board/new-team", "team=devops&timezone=UTC&fallback=a@example.org&minutes=5", "team"),
        ("/board/new-team", "team=x&timezone=Mars&fallback=a@example.org&minutes=5", "timezone"),
        ("/board/new-team", "team=x&timezone=UTC&fallback=&minutes=5", "fallback"),
        ("/board/new-team", "team=x&timezone=UTC&fallback=person:nobody&minutes=5", "fallback"),
        ("/board/new-team", "team=x&timezone=UTC&fallback=nope:x&minutes=5", "fallback"),
        ("/board/new-team", "team=x&timezone=UTC&fallback=a@example.org&minutes=soon", "minutes"),
        ("/board/new-team", "team=x&timezone=UTC&fallback=a@example.org&minutes=4000000000", "minutes"),
        ("/board/new-service", "service=&team=devops", "service"),
        ("/board/new-service", "service=athens&team=devops", "service"),
        ("/board/new-service", "service=x&team=nobody", "team"),
    ] {
        let answer = admin.post(path, form).await;
        assert!(answer.status.is_client_error(), "{path} {form}: {}", answer.status);
        assert!(answer.text.contains(&format!("id=\"{id}-error\"")), "{path} {form}: {}", answer.text);
    }
    assert_eq!(
        admin.post("/board/services/athens/test", "severity=LOUD").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        admin.post("/board/services/nobody/test", "severity=WARN").await.status,
        StatusCode::NOT_FOUND
    );
    // This key may act on one service only.
    let jo = Browser::signed_in_with(&world, RESPOND_ATHENS, "jo").await;
    assert!(jo.get("/board/services/athens/plan").await.text.contains("do-test-alert"));
    assert_eq!(jo.post("/board/services/sparta/test", "severity=WARN").await.status, StatusCode::FORBIDDEN);
    for path in ["/board/new-team", "/board/new-service"] {
        assert_eq!(jo.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_browser_gets_errors_as_pages_and_a_program_gets_them_as_json() {
    let world = world().await;
    let jo = Browser::signed_in(&world, "Jo").await;
    let open = async |method: Method, path: &str, accept: &str| {
        let request = jo.request(method, path).header("accept", accept).header("origin", super::SITE);
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let (page, json) = ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*");
    for (method, path, status) in [
        (Method::GET, "/board/people/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/board/people/%FF", StatusCode::NOT_FOUND),
        (Method::GET, "/board/teams/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/board/teams/devops/schedules/none", StatusCode::FORBIDDEN),
        (Method::GET, "/board/services/nobody/plan", StatusCode::NOT_FOUND),
        (Method::GET, "/board/heartbeats/nobody", StatusCode::NOT_FOUND),
        (Method::GET, "/board/incidents/77", StatusCode::NOT_FOUND),
        (Method::GET, "/board/incidents/x", StatusCode::NOT_FOUND),
        (Method::GET, "/board/nothing", StatusCode::NOT_FOUND),
        (Method::GET, "/board", StatusCode::NOT_FOUND),
        (Method::GET, "/nothing/at/all", StatusCode::NOT_FOUND),
        (Method::GET, "/board/oncall?x=1", StatusCode::OK),
        (Method::GET, "/board/settings?x=1", StatusCode::BAD_REQUEST),
        (Method::GET, "/board/claim-several", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/incidents/10000", StatusCode::UNAUTHORIZED),
    ] {
        let answer = open(method.clone(), path, page).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8", "{path}: {}", answer.text);
        assert!(answer.text.contains("<nav") && answer.text.contains("Jo"), "{path}: {}", answer.text);
    }
    let answer = open(Method::GET, "/board/nothing", json).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let answer = open(Method::GET, "/incidents/10000", json).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}
