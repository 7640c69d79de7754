//! Programs that read mail before people do: they follow every link, and nothing happens.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::json;

use crate::scene::Scene;
use crate::window::Window;

#[tokio::test]
async fn a_scanner_that_follows_every_link_of_a_mail_claims_nothing() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let report =
        json!({ "service": "checkout", "severity": "CRIT", "title": "Payments fail", "message": "" });
    let number = scene.report(report).await;
    let letter = scene.letter("checkout-jo@example.org").await;
    let links = letter.links();
    let claims = links.iter().filter(|link| link.contains("/claim?token=")).count();
    assert!(links.len() == 3 && claims == 2, "{links:?}");
    let client = Client::new();
    for link in &links {
        for headers in [
            &[][..],
            &[("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("x-moz", "prefetch")],
            &[("user-agent", "Mozilla/5.0 (Safe Links)"), ("range", "bytes=0-1023")],
        ] {
            let given =
                headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect::<HeaderMap>();
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                let request = client.request(method.clone(), link).headers(given.clone());
                let status = request.send().await.unwrap().status();
                assert!(status.is_success() || method == Method::OPTIONS, "{method} {link}: {status}");
            }
        }
    }
    // One that runs a browser, as some do.
    let scanner = Window::open().await;
    for link in &links {
        scanner.go(link).await;
        let follow = "return [...document.querySelectorAll('a[href]')].map((a) => a.href)";
        for further in scanner.run(follow).await.as_array().unwrap() {
            scanner.go(further.as_str().unwrap()).await;
        }
    }
    assert_eq!(scene.state(number).await, "OPEN");
    let timeline = scene.server.get(&format!("/incidents/{number}")).await["timeline"].clone();
    assert!(!timeline.to_string().contains("claimed"), "{timeline}");
}
