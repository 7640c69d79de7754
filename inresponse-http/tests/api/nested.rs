//! Under a prefix: nested in another program's router, behind a proxy that takes the prefix away, or both.

use std::collections::{BTreeSet, VecDeque};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_http::Pages;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::world::{ADMIN, Answer, RESPOND, World, report};

/// One way to be under a prefix.
#[derive(Debug)]
struct Mounted {
    /// By which people reach it, if the engine was told.
    public_url: Option<&'static str>,
    /// Where the router is nested, from the outside in.
    nested_at: &'static [&'static str],
    /// What a proxy takes away.
    stripped: &'static str,
    /// What every address begins with.
    prefix: &'static str,
}

const WAYS: [Mounted; 7] = [
    Mounted { public_url: None, nested_at: &["/alerting"], stripped: "", prefix: "/alerting" },
    Mounted {
        public_url: Some("https://ir.example.org"),
        nested_at: &["/alerting"],
        stripped: "",
        prefix: "/alerting",
    },
    Mounted {
        public_url: Some("https://ir.example.org/alerting"),
        nested_at: &["/alerting"],
        stripped: "",
        prefix: "/alerting",
    },
    Mounted {
        public_url: Some("https://ir.example.org/alerting/"),
        nested_at: &[],
        stripped: "/alerting",
        prefix: "/alerting",
    },
    Mounted {
        public_url: None,
        nested_at: &["/ops", "/v2/on-call"],
        stripped: "",
        prefix: "/ops/v2/on-call",
    },
    Mounted {
        public_url: Some("https://ir.example.org/outer/alerting"),
        nested_at: &["/alerting"],
        stripped: "/outer",
        prefix: "/outer/alerting",
    },
    Mounted { public_url: Some("http://127.0.0.1:8080/a"), nested_at: &[], stripped: "/a", prefix: "/a" },
];

/// A browser that is outside of it all.
struct Outside<'a> {
    way: &'a Mounted,
    world: World,
    cookie: String,
}

impl<'a> Outside<'a> {
    async fn new(way: &'a Mounted) -> Self {
        let mut world = World::found_at(way.public_url).await;
        for at in way.nested_at.iter().rev() {
            world = world.nested(at);
        }
        Self { way, world, cookie: String::new() }
    }

    /// Asks for a path as it is seen from outside.
    async fn call(&self, method: Method, path: &str, key: Option<&str>, body: &str) -> Answer {
        self.is_under_prefix(path, "asked for");
        let path = path.strip_prefix(self.way.stripped).unwrap();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let mut request = Request::builder().method(method).uri(path).header("cookie", &self.cookie);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        self.world.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, "").await
    }

    fn is_under_prefix(&self, address: &str, place: &str) {
        let rest = address.strip_prefix(self.way.prefix);
        let is_under = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        assert!(is_under, "{address:?} in {place} of {:?}", self.way);
    }

    /// The addresses in an answer, each of which is under the prefix.
    fn addresses(&self, answer: &Answer, place: &str) -> Vec<String> {
        let path = place.split('?').next().unwrap();
        let mut found = Vec::new();
        if let Some(location) = answer.headers.get("location") {
            found.push(location.to_str().unwrap().to_owned());
        }
        for name in ["href", "src", "action", "formaction", "data-at", "poster"] {
            let attribute = format!(" {name}=\"");
            let values = answer.text.split(&attribute).skip(1);
            found.extend(values.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")));
        }
        // Of the viewer, which finds its parts from where it is.
        let relative = |address: &String| !address.starts_with('/') && place.contains("/docs");
        found.retain(|address| !relative(address));
        // Other people's, from the report.
        found.retain(|address| !address.starts_with("https://wiki.example.org") && !address.starts_with('#'));
        for address in &mut found {
            if address.starts_with('?') {
                *address = format!("{path}{address}");
            }
            self.is_under_prefix(address, place);
        }
        found
    }

    /// Follows every address from there on; answers what was seen.
    async fn crawl(&self, from: &str) -> BTreeSet<String> {
        let (mut seen, mut next) = (BTreeSet::new(), VecDeque::from([from.to_owned()]));
        while let Some(path) = next.pop_front() {
            if seen.len() > 200 || !seen.insert(path.clone()) {
                continue;
            }
            let answer = self.get(&path).await;
            // Some forms are only sent.
            let is_there = !answer.status.is_client_error() && !answer.status.is_server_error();
            assert!(is_there || answer.status == StatusCode::METHOD_NOT_ALLOWED, "{path}: {}", answer.text);
            next.extend(self.addresses(&answer, &path));
        }
        seen
    }
}

#[tokio::test]
async fn every_address_is_right_under_a_prefix_that_is_said_once() {
    for way in &WAYS {
        let mut outside = Outside::new(way).await;
        let at = |path: &str| format!("{}{path}", way.prefix);

        // The API.
        let mut body = report();
        body["links"] = json!([{ "text": "Runbook", "url": "https://wiki.example.org/5xx" }]);
        let new = outside.call(Method::PUT, &at("/incidents"), Some(ADMIN), &body.to_string()).await;
        assert_eq!(new.status, StatusCode::CREATED, "{}", new.text);
        assert_eq!(new.headers["location"], *at("/incidents/10000"));
        outside.world.engine.tick().await.unwrap();
        let there = outside.call(Method::GET, &at("/incidents/10000"), Some(ADMIN), "").await;
        assert_eq!(there.json["incidentId"], 10000);
        let document = outside.call(Method::GET, &at("/openapi.json"), Some(ADMIN), "").await;
        assert_eq!(document.json["servers"], json!([{ "url": way.prefix }]));

        // A person who is not signed in is led to the form, and from there back.
        let asked = at("/board/incidents/10000");
        let led = outside.addresses(&outside.get(&asked).await, &asked).remove(0);
        assert!(led.starts_with(&at("/board/sign-in?next=")), "{led}");
        outside.crawl(&led).await;
        let form = format!("key={RESPOND}&name=Jo&next={}", asked.replace('/', "%2F"));
        let signed_in = outside.call(Method::POST, &at("/board/sign-in"), None, &form).await;
        assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.text);
        assert_eq!(signed_in.headers["location"], *asked);
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
        // Others on the same host are not sent it.
        assert!(
            cookie.contains(&format!("; Path={};", way.prefix)) && !cookie.contains("__Host-"),
            "{cookie}"
        );
        outside.cookie = cookie.split(';').next().unwrap().to_owned();
        let elsewhere = format!("key={RESPOND}&name=Jo&next=%2Felsewhere");
        let home = outside.call(Method::POST, &at("/board/sign-in"), None, &elsewhere).await;
        assert_eq!(home.headers["location"], *way.prefix);

        // The pages, and all that they lead to.
        let seen = outside.crawl(way.prefix).await;
        for expected in ["/board/incidents/10000", "/board/oncall", "/board/changes", "/board/sign-out"] {
            assert!(seen.contains(&at(expected)), "{expected} is not in {seen:?}");
        }
        assert!(seen.iter().any(|path| path.contains("/board/assets/board.js")), "{seen:?}");
        // What is swapped into them.
        for query in ["", "?incident=10000"] {
            let path = at("/board/fragment") + query;
            assert!(!outside.addresses(&outside.get(&path).await, &path).is_empty());
        }
        let claim = outside.call(Method::POST, &asked, None, "do=claim").await;
        assert_eq!(claim.status, StatusCode::SEE_OTHER, "{}", claim.text);
        assert_eq!(claim.headers["location"], *asked);
        let foreign = Request::post(asked.strip_prefix(way.stripped).unwrap());
        let foreign = foreign.header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
        let refused = outside.world.send(foreign.body(Body::from("do=claim")).unwrap()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("from another site"), "{}", refused.text);
        assert!(!outside.addresses(&refused, &asked).is_empty());
        let gone = outside.call(Method::POST, &at("/board/sign-out"), None, "").await;
        let cookie = gone.headers["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains(&format!("; Path={};", way.prefix)) && cookie.contains("Max-Age=0"),
            "{cookie}"
        );
        outside.addresses(&gone, "/board/sign-out");

        // The link in a mail, as far as the engine was told where it leads.
        if way.public_url.is_some_and(|url| url.trim_end_matches('/').ends_with(way.prefix)) {
            let url = outside.world.notifier.attempts()[0].claim_url.clone().unwrap();
            let link = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap();
            let page = outside.get(&link).await;
            assert!(page.status == StatusCode::OK && page.text.contains("<form"), "{}", page.text);
            outside.addresses(&page, &link);
            let claimed = outside.call(Method::POST, &link, None, "name=Jo").await;
            assert_eq!(claimed.status, StatusCode::OK);
            outside.addresses(&claimed, &link);
        }
    }
}

#[cfg(feature = "docs")]
#[tokio::test]
async fn the_document_is_browsed_under_a_prefix_too() {
    for way in &WAYS {
        let outside = Outside::new(way).await;
        let at = |path: &str| format!("{}{path}", way.prefix);
        let keyed = async |path: &str| outside.call(Method::GET, &at(path), Some(ADMIN), "").await;
        assert_eq!(keyed("/docs").await.headers["location"], *at("/docs/"));
        let elsewhere = outside.get(&at("/docs/")).await;
        assert!(elsewhere.headers["location"].to_str().unwrap().starts_with(&at("/board/sign-in?next=")));
        let page = keyed("/docs/").await;
        assert_eq!(page.status, StatusCode::OK);
        outside.addresses(&page, &at("/docs/"));
        let script = outside.get(&at("/docs/swagger-initializer.js")).await.text;
        assert!(script.contains("\"openapi.json\""), "{script}");
        let document = keyed("/docs/openapi.json").await.json;
        assert_eq!(document["servers"], json!([{ "url": way.prefix }]));
    }
}

#[tokio::test]
async fn at_the_root_of_a_host_nothing_changes() {
    let world = World::new().await;
    let new = world.put("/incidents", report()).await;
    assert_eq!(new.headers["location"], "/incidents/10000");
    assert_eq!(world.get("/openapi.json").await.json["servers"], json!([{ "url": "/" }]));
    let form = Request::post("/board/sign-in").body(Body::from(format!("key={RESPOND}&name=Jo")));
    let signed_in = world.send(form.unwrap()).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-inresponse=") && cookie.contains("; Path=/;"), "{cookie}");
}

#[tokio::test]
async fn one_api_can_be_nested_in_two_places() {
    let world = World::found_at(None).await;
    let both = |api: Router| Router::new().nest("/a", api.clone()).nest("/b", api);
    let world = world.routed(both);
    for at in ["/a", "/b"] {
        let new = world.put(&format!("{at}/incidents"), report()).await;
        assert!(new.headers["location"].to_str().unwrap().starts_with(&format!("{at}/incidents/")));
    }
}

#[tokio::test]
async fn pages_may_be_told_where_they_are_if_the_engine_makes_no_links() {
    let pages = Pages::under("http://ir.example.org/alerting").unwrap();
    let world = World::found_at(None).await.showing(pages);
    assert_eq!(world.put("/incidents", report()).await.headers["location"], "/alerting/incidents/10000");
}

#[test]
fn p16_under_a_prefix_a_message_that_is_refused_is_counted_too() {
    for way in &WAYS {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let outside = Outside::new(way).await;
                let at = |path: &str| format!("{}{path}", way.prefix);
                let answer = outside.call(Method::POST, &at("/intake/alertmanager"), Some(ADMIN), "[").await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{way:?}: {}", answer.text);
                let nowhere = at("/intake/generic/no-such-mapping");
                let answer = outside.call(Method::POST, &nowhere, Some(ADMIN), "{}").await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{way:?}: {}", answer.text);
            });
        });
        let counted = handle.render();
        for sender in ["alertmanager", "generic"] {
            let line = format!("inresponse_intake_alerts_total{{sender=\"{sender}\",outcome=\"refused\"}} 1");
            assert!(counted.contains(&line), "{way:?}: {line} is missing in\n{counted}");
        }
    }
}
