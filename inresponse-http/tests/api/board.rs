//! The board: who may see it, what it shows, what its buttons do.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use futures_util::StreamExt;
use inresponse_http::Pages;
use serde_json::json;

use crate::world::{ADMIN, Answer, REPORT, RESPOND, World};

const SITE: &str = "https://ir.example.org";

/// A browser: it keeps a cookie, and says where a form came from.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, cookie: String::new() }
    }

    async fn signed_in(world: &'a World, name: &str) -> Self {
        let mut browser = Self::new(world);
        let answer = browser.post("/board/sign-in", &format!("key={RESPOND}&name={name}&next=")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser.keep(&answer);
        browser
    }

    fn keep(&mut self, answer: &Answer) {
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request(Method::POST, path).header("origin", SITE);
        self.world.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }
}

async fn world() -> World {
    World::new().await.showing(Pages::under(SITE).unwrap())
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.headers["location"].to_str().unwrap()
}

const PAGES: [&str; 6] = [
    "/",
    "/?state=OPEN&service=athens",
    "/board/incidents/10000",
    "/board/oncall",
    "/board/fragment?incident=10000",
    "/board/events",
];

#[tokio::test]
async fn nobody_sees_anything_before_they_sign_in_and_then_they_are_where_they_were_going() {
    let world = world().await;
    world.report().await;
    let mut browser = Browser::new(&world);
    for page in PAGES {
        let answer = browser.get(page).await;
        let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        assert_eq!(location(&answer), format!("/board/sign-in?next={next}"));
        assert!(!answer.text.contains("5xx"));
    }
    let form = browser.get("/board/sign-in?next=%2F%3Fstate%3DOPEN").await;
    assert!(form.text.contains("value=\"/?state=OPEN\""), "{}", form.text);
    for (key, name) in [(REPORT, "Jo"), ("wrong", "Jo"), ("", "Jo"), (RESPOND, ""), (RESPOND, "%01")] {
        let answer = browser.post("/board/sign-in", &format!("key={key}&name={name}")).await;
        assert!(
            answer.status.is_client_error() && !answer.headers.contains_key("set-cookie"),
            "{key} {name}"
        );
        assert!(!answer.text.contains(RESPOND));
    }
    let answer =
        browser.post("/board/sign-in", &format!("key={ADMIN}&name=Jo&next=%2F%3Fstate%3DOPEN")).await;
    assert_eq!(location(&answer), "/?state=OPEN");
    browser.keep(&answer);
    assert!(browser.get("/").await.text.contains("5xx"));
    // The form is not shown again to whoever has signed in.
    assert_eq!(location(&browser.get("/board/sign-in?next=%2F").await), "/");
    let answer = browser.post("/board/sign-out", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    browser.keep(&answer);
    location(&browser.get("/").await);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_opens_nothing_else() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::new(&world);
    let answer = browser.post("/board/sign-in", &format!("key={RESPOND}&name=Jo+D%C3%B6&next=")).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in
        ["__Host-inresponse=", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure", "; Max-Age="]
    {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains(RESPOND));
    let browser = Browser { world: &world, cookie: cookie.split(';').next().unwrap().to_owned() };
    assert!(browser.get("/").await.text.contains("Jo Dö"));
    // The JSON API takes keys and no cookies.
    for path in ["/incidents", &format!("/incidents/{number}"), "/teams/devops", "/metrics"] {
        assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let claim = json!({ "state": "CLAIMED" }).to_string();
    assert_eq!(browser.post(&format!("/incidents/{number}"), &claim).await.status, StatusCode::UNAUTHORIZED);
    // Nor does a key in a header open the board.
    assert_eq!(world.get("/").await.status, StatusCode::SEE_OTHER);
    let plain = World::new().await.showing(Pages::under("http://127.0.0.1:8080").unwrap());
    let request = Request::post("/board/sign-in").body(Body::from(format!("key={RESPOND}&name=Jo"))).unwrap();
    let answer = plain.send(request).await;
    assert!(!answer.headers["set-cookie"].to_str().unwrap().contains("Secure"));
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let world = world().await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/%0d%0aset-cookie:x",
        "javascript:alert(1)",
        "evil",
    ] {
        let next: String = match next.contains('%') {
            true => next.to_owned(),
            false => form_urlencoded::byte_serialize(next.as_bytes()).collect(),
        };
        let form = format!("key={RESPOND}&name=Jo&next={next}");
        assert_eq!(location(&Browser::new(&world).post("/board/sign-in", &form).await), "/", "{next}");
    }
}

#[tokio::test]
async fn a_link_from_another_site_finds_who_is_signed_in_by_one_step_more() {
    let world = world().await;
    let request =
        Request::get("/board/sign-in?next=%2Fboard%2Fincidents%2F7").header("sec-fetch-site", "cross-site");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    let onward = "content=\"0; url=/board/sign-in?next=%2Fboard%2Fincidents%2F7\"";
    assert!(answer.status == StatusCode::OK && answer.text.contains(onward), "{}", answer.text);
    let same = Request::get("/board/sign-in").header("sec-fetch-site", "same-origin");
    assert!(world.send(same.body(Body::empty()).unwrap()).await.text.contains("API key"));
}

#[tokio::test]
async fn what_another_site_sends_is_refused_and_does_nothing() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let path = format!("/board/incidents/{number}");
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in [path.as_str(), "/board/sign-out", "/board/sign-in"] {
            let request =
                browser.request(Method::POST, path).header(name, value).header("host", "ir.example.org");
            let answer = world.send(request.body(Body::from("do=claim")).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name} {value}");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["state"], "OPEN");
    assert_eq!(location(&browser.post(&path, "do=claim").await), path);
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["claimedBy"], "Jo");
}

fn assert_strict(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need_and_escapes_what_strangers_sent() {
    let world = world().await;
    let hostile = json!({
        "service": "athens", "severity": "CRIT", "title": "<script>alert(1)</script>", "message": "<img src=x>",
        "dedupKey": "\"><b>", "labels": { "<i>": "</dd><i>" }, "source": "<u>",
        "links": [{ "text": "<s>", "url": "https://example.org/\"onclick=\"x" }]
    });
    assert_eq!(world.put("/incidents", hostile).await.status, StatusCode::CREATED);
    let browser = Browser::signed_in(&world, "%3Cem%3E").await;
    browser.post("/board/incidents/10000", "do=note&note=%3Cq%3E").await;
    browser.post("/board/incidents/10000", "do=claim").await;
    for path in ["/", "/board/incidents/10000", "/board/oncall", "/?severity=x", "/board/incidents/x"] {
        let page = browser.get(path).await;
        assert_strict(&page.headers);
        for tag in
            ["<script>", "<img", "<b>", "<i>", "<u>", "<s>", "<em>", "<q>", "\"onclick", "style=", "onload"]
        {
            assert!(!page.text.contains(tag), "{tag} in {path}");
        }
    }
    let page = browser.get("/").await;
    assert!(page.text.contains("&#60;script&#62;"), "{}", page.text);
}

#[tokio::test]
async fn the_list_has_open_ones_first_and_turns_every_page() {
    let world = world().await;
    for _ in 0..120 {
        world.report().await;
    }
    for number in (10_000..10_120).step_by(3) {
        world.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "Kim" })).await;
    }
    world.post("/incidents/10119", json!({ "state": "RESOLVED" })).await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let (mut path, mut seen, mut pages) = ("/".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = browser.get(&path).await;
        let numbers = numbers(&page.text);
        assert!(numbers.len() <= 50);
        pages.push((path, numbers.clone()));
        seen.extend(numbers);
        match link(&page.text, "turn-next") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(pages.len(), 3);
    let open = (10_000..10_120).rev().filter(|n| n % 3 != 1 && *n != 10_119);
    let claimed = (10_000..10_120).rev().filter(|n| n % 3 == 1);
    assert_eq!(seen, open.chain(claimed).collect::<Vec<u64>>());
    for pair in pages.windows(2).rev() {
        let page = browser.get(&pair[1].0).await;
        let previous = link(&page.text, "turn-previous").unwrap();
        assert_eq!(numbers(&browser.get(&previous).await.text), pair[0].1);
    }
    let first = browser.get("/").await.text;
    for (name, count) in [("active", 119), ("open", 79), ("claimed", 40), ("resolved", 1)] {
        let count = format!("<strong>{count}</strong>");
        let at = first.find(&format!("id=\"count-{name}\"")).unwrap();
        assert!(first[at..at + 200].contains(&count), "{name}: {}", &first[at..at + 200]);
    }
    assert_eq!(numbers(&browser.get("/?state=RESOLVED").await.text), [10_119]);
    assert!(numbers(&browser.get("/?severity=WARN").await.text).is_empty());
    assert_eq!(numbers(&browser.get("/?state=CLAIMED&service=athens&severity=CRIT").await.text).len(), 40);
    for bad in ["/?state=open", "/?nonsense=1", "/?from=x", "/?severity=BAD"] {
        assert_eq!(browser.get(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

fn numbers(page: &str) -> Vec<u64> {
    page.split("id=\"open-").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

fn link(page: &str, id: &str) -> Option<String> {
    let tag = page.split("<a ").find(|tag| tag.contains(&format!("id=\"{id}\"")))?;
    Some(tag.split("href=\"").nth(1)?.split('"').next()?.replace("&#38;", "&"))
}

#[tokio::test]
async fn the_buttons_do_what_they_say_by_the_name_of_whoever_is_signed_in() {
    let world = world().await;
    let number = world.report().await;
    let path = format!("/board/incidents/{number}");
    let (jo, kim) = (Browser::signed_in(&world, "Jo").await, Browser::signed_in(&world, "Kim").await);
    let state = async || {
        let incident = world.get(&format!("/incidents/{number}")).await.json;
        let text = |name: &str| incident[name].as_str().unwrap_or("-").to_owned();
        (text("state"), text("claimedBy"), text("resolvedBy"))
    };
    let expect = |state: &str, claimed: &str, resolved: &str| {
        (state.to_owned(), claimed.to_owned(), resolved.to_owned())
    };
    assert!(jo.get(&path).await.text.contains("Nobody has this incident yet"));
    location(&jo.post(&path, "do=claim").await);
    assert_eq!(state().await, expect("CLAIMED", "Jo", "-"));
    assert!(jo.get(&path).await.text.contains("value=\"release\""));
    let page = kim.get(&path).await.text;
    assert!(page.contains("Claimed by Jo") && page.contains("value=\"take-over\""), "{page}");
    for refused in ["do=claim", "do=release", "do=claim-and-resolve"] {
        let answer = kim.post(&path, refused).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{refused}");
        assert!(answer.text.contains("Nothing was done: Jo has this incident."), "{}", answer.text);
    }
    location(&kim.post(&path, "do=take-over").await);
    assert_eq!(state().await, expect("CLAIMED", "Kim", "-"));
    location(&kim.post(&path, "do=release").await);
    assert_eq!(state().await, expect("OPEN", "-", "-"));
    location(&jo.post(&path, "do=note&note=rolled+back%0Ait+helps").await);
    for refused in ["do=note&note=", "do=note&note=%07", "do=dance", ""] {
        assert_eq!(jo.post(&path, refused).await.status, StatusCode::BAD_REQUEST, "{refused}");
    }
    location(&jo.post(&path, "do=claim-and-resolve").await);
    assert_eq!(state().await, expect("RESOLVED", "Jo", "Jo"));
    assert_eq!(kim.post(&path, "do=take-over").await.status, StatusCode::CONFLICT);
    let page = jo.get(&path).await.text;
    for line in [
        "Reported as CRIT",
        "Jo claimed it",
        "Kim took it over from Jo",
        "Kim gave it back",
        "Jo resolved it",
    ] {
        assert!(page.contains(line), "{line}");
    }
    assert!(page.contains("Jo noted") && page.contains("rolled back\nit helps"));
    assert_eq!(jo.post("/board/incidents/7", "do=claim").await.status, StatusCode::NOT_FOUND);
    assert_eq!(jo.get("/board/incidents/7").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_incident_is_escalated_and_handed_over_by_buttons() {
    let world = world().await;
    world.put("/teams/db", json!({ "fallback": ["dba@example.org"] })).await;
    let today = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] });
    world.put("/teams/devops/calendar/2026-11-24", today).await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let path = format!("/board/incidents/{number}");
    let jo = Browser::signed_in(&world, "Jo").await;
    assert!(jo.get(&path).await.text.contains("value=\"escalate\""));
    location(&jo.post(&path, "do=escalate").await);
    world.engine.tick().await.unwrap();
    let page = jo.get(&path).await.text;
    assert!(
        page.contains("Jo escalated it") && page.contains("Level 2 was alerted: kim@example.org"),
        "{page}"
    );
    location(&jo.post(&path, "do=hand-to-person&person=Lee").await);
    assert!(jo.get(&path).await.text.contains("Jo handed it to Lee"));
    let refused = jo.post(&path, "do=escalate").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("this incident is claimed, so nobody is being alerted"));
    assert!(!jo.get(&path).await.text.contains("value=\"escalate\""));
    assert_eq!(jo.post(&path, "do=hand-to-team&team=nobody").await.status, StatusCode::CONFLICT);
    assert_eq!(jo.post(&path, "do=hand-to-person&person=").await.status, StatusCode::BAD_REQUEST);
    location(&jo.post(&path, "do=hand-to-team&team=db").await);
    let page = jo.get(&path).await.text;
    assert!(page.contains("Jo handed it from team devops to team db") && page.contains("Team db"), "{page}");
    assert_eq!(numbers(&jo.get("/?team=db").await.text), [number]);
    assert!(numbers(&jo.get("/?team=devops").await.text).is_empty());
}

#[tokio::test]
async fn who_is_on_call_is_told_team_by_team_and_so_is_a_day_without_anybody() {
    let world = world().await;
    let (alps, cave) = (json!({ "fallback": ["boss@example.org"], "escalateAfterSeconds": 300 }), "cave");
    world.put("/teams/alps", alps).await;
    world.put(&format!("/teams/{cave}"), json!({ "fallback": ["hermit@example.org"] })).await;
    let today = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] });
    world.put("/teams/alps/calendar/2026-11-24", today).await;
    let page = Browser::signed_in(&world, "Jo").await.get("/board/oncall").await.text;
    let (of_alps, of_cave) = page.split_once(&format!(">{cave}<")).unwrap();
    for part in ["Tuesday, 24 November 2026", "Level 1, at once", "<strong>jo@example.org</strong>"] {
        assert!(of_alps.contains(part), "{part} in {page}");
    }
    assert!(of_alps.contains("Level 2, after 5 min") && of_alps.contains("boss@example.org"), "{page}");
    assert!(
        of_cave.contains("The calendar has nobody for this day") && of_cave.contains("hermit@example.org")
    );
    assert!(!of_alps.contains("The calendar has nobody"));
}

#[tokio::test]
async fn the_incident_tells_who_was_alerted_and_how_that_went() {
    let world = world().await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let page = Browser::signed_in(&world, "Jo").await.get(&format!("/board/incidents/{number}")).await.text;
    for part in [
        "Level 1 was alerted: ops@example.org",
        "<strong>ops@example.org</strong>",
        "class=\"good\">alerted<",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

/// The events of a stream, until it ends or that many came.
async fn events(world: &World, browser: &Browser<'_>, path: &str, most: usize) -> Vec<String> {
    let response = world.respond(browser.request(Method::GET, path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let (mut events, mut text) = (Vec::new(), String::new());
    while events.len() < most {
        let Some(bytes) = body.next().await else { break };
        text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let event = event.to_owned();
            text = rest.to_owned();
            // A line that begins with a colon says nothing.
            if !event.starts_with(':') {
                events.push(event);
            }
        }
    }
    events
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_of_changes_and_of_nothing_else() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let first = events(&world, &browser, "/board/events", 1).await.remove(0);
    assert!(
        first.starts_with("event: fragment\nid: ") && first.contains("data: ") && first.contains("5xx"),
        "{first}"
    );
    let seen = first.lines().nth(1).unwrap().trim_start_matches("id: ");
    let again = format!("/board/events?seen={seen}");
    let unchanged = events(&world, &browser, &again, 1);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(120), unchanged).await;
    assert!(waited.is_err(), "nothing changed");
    let (told, ()) = tokio::join!(events(&world, &browser, "/board/events?incident=10000", 2), async {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        world.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "Kim" })).await;
    });
    assert!(
        told[0].contains("Nobody has this incident yet") && told[1].contains("Claimed by Kim"),
        "{}",
        told[1]
    );
    // Who cannot be sent a stream asks.
    assert_eq!(browser.get(&format!("/board/fragment?seen={seen}")).await.status, StatusCode::OK);
    let now = browser.get("/board/fragment").await;
    let seen = now.headers["etag"].to_str().unwrap().trim_matches('"').to_owned();
    assert_eq!(browser.get(&format!("/board/fragment?seen={seen}")).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_server_stops_and_are_not_too_many() {
    let world = World::new().await.showing(Pages::under(SITE).unwrap().streams(2));
    world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let request = || browser.request(Method::GET, "/board/events").body(Body::empty()).unwrap();
    let (first, second) = (world.respond(request()).await, world.respond(request()).await);
    assert_eq!(browser.get("/board/events").await.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(second);
    let third = world.respond(request()).await;
    assert_eq!(third.status(), StatusCode::OK);
    let mut open = first.into_body().into_data_stream();
    assert!(open.next().await.is_some());
    let ((), rest) = tokio::join!(
        async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            world.readiness.stop();
        },
        tokio::time::timeout(std::time::Duration::from_secs(5), open.count())
    );
    assert!(rest.is_ok(), "the stream did not end");
}

#[tokio::test]
async fn everything_is_found_under_a_prefix() {
    let world = World::new().await.showing(Pages::under("https://ir.example.org/alerting/").unwrap());
    world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    for path in ["/", "/board/incidents/10000", "/board/oncall"] {
        let page = browser.get(path).await.text;
        let addresses = page.split([' ', '\n', '>']).filter_map(|part| {
            ["href=\"", "src=\"", "action=\""].iter().find_map(|name| part.strip_prefix(name))
        });
        for address in addresses {
            assert!(address.starts_with("/alerting") || address.starts_with('#'), "{address} in {path}");
        }
    }
    let answer = Browser::new(&world).get("/board/oncall").await;
    assert_eq!(location(&answer), "/alerting/board/sign-in?next=%2Falerting%2Fboard%2Foncall");
    for refused in ["ir.example.org", "ftp://ir.example.org", "", "https://"] {
        assert!(Pages::under(refused).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn style_and_script_are_embedded_and_kept() {
    let world = world().await;
    for (name, kind) in
        [("board.css", "text/css"), ("board.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let request = Request::get(format!("/board/assets/{name}")).body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert!(answer.status == StatusCode::OK && !answer.text.is_empty());
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(kind));
        assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
    }
    let request = Request::get("/board/assets/nothing").body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::NOT_FOUND);
}
