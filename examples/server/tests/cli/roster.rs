//! Bringing files into the roster.

use reqwest::{Method, StatusCode};

use crate::Scene;

const CSV: &str = "team,day,oncall,escalation\n\
    athens,2031-01-01,jo@example.org,kim@example.org; lee@example.org max@example.org\n\
    athens,2031-01-02,kim@example.org,\n";

#[tokio::test]
async fn a_calendar_is_shown_first_and_changed_once_that_was_agreed_to() {
    let scene = Scene::new().await;
    std::fs::write(scene.dir.path().join("cal.csv"), CSV).unwrap();
    // Nobody sits at a terminal, and nobody has said yes.
    let shown = scene.run(&["roster", "import", "cal.csv"]);
    assert_eq!(shown.code, 64, "{shown:?}");
    let first = "+ athens 2031-01-01: jo@example.org → kim@example.org → lee@example.org, max@example.org";
    assert_eq!(shown.stdout.lines().next(), Some(first));
    assert!(shown.stderr.contains("nothing was changed"), "{shown:?}");
    let day = "/teams/athens/calendar/2031-01-01";
    assert_eq!(scene.server.call(Method::GET, day, None).await.0, StatusCode::NOT_FOUND);

    let done = scene.run(&["roster", "import", "cal.csv", "--yes"]);
    assert!(done.code == 0 && done.stderr.contains("2 changed"), "{done:?}");
    let entry = scene.server.get(day).await;
    assert_eq!(entry["escalation"][1][1], "max@example.org");

    std::fs::write(scene.dir.path().join("cal.csv"), CSV.replace("02,kim", "02,lee")).unwrap();
    let again = scene.run(&["roster", "import", "cal.csv"]);
    assert_eq!(again.stdout, "~ athens 2031-01-02: lee@example.org\n    now: kim@example.org\n");
    assert!(again.stderr.contains("1 change, 1 already up to date"), "{again:?}");
}

#[tokio::test]
async fn the_servers_form_brings_teams_services_and_calendars_and_is_idempotent() {
    let scene = Scene::new().await;
    let roster = "[roster.services]\nproxy = 'web'\n[roster.teams.web]\ntimezone = 'Europe/Athens'\n\
        fallback = ['ops@example.org']\nrepeat = 1\nalert-levels = { WARN = [1] }\n\
        calendar.'2031-01-01' = { oncall = 'jo@example.org' }\n";
    std::fs::write(scene.dir.path().join("roster.toml"), roster).unwrap();
    let done = scene.run(&["roster", "import", "roster.toml", "--yes"]);
    assert!(done.code == 0 && done.stderr.contains("3 changed"), "{done:?}");
    assert_eq!(scene.server.get("/services/proxy").await["team"], "web");
    let team = scene.server.get("/teams/web").await;
    assert_eq!((&team["timezone"], &team["repeat"]), (&"Europe/Athens".into(), &1.into()));
    let again = scene.run(&["roster", "import", "roster.toml", "--json"]);
    assert!(again.json().as_array().unwrap().is_empty(), "{again:?}");
}

#[tokio::test]
async fn an_import_that_is_refused_says_how_far_it_came() {
    let scene = Scene::new().await;
    let csv = "team,day,oncall\nathens,2031-01-01,jo@example.org\nnobody,2031-01-01,jo@example.org\n";
    std::fs::write(scene.dir.path().join("cal.csv"), csv).unwrap();
    let done = scene.run(&["roster", "import", "cal.csv", "--yes"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr.contains("1 of 2 changes were made; the change of nobody 2031-01-01 failed"),
        "{done:?}"
    );
}

#[tokio::test]
async fn the_log_says_who_changed_the_roster() {
    let scene = Scene::new().await;
    let roster = "[roster.teams.web]\nfallback = ['ops@example.org']\n";
    std::fs::write(scene.dir.path().join("roster.toml"), roster).unwrap();
    let name = scene.run(&["roster", "log", "--limit", "1", "--json"]).json()[0]["by"].clone();
    scene.run(&["roster", "import", "roster.toml", "--yes"]);
    let log = scene.run(&["roster", "log", "--limit", "1"]);
    assert!(log.code == 0 && log.stdout.lines().count() == 1, "{log:?}");
    let told =
        "team web: created; alert levels all; wait 600.0 s; fallback o…@example.org; repeat 0; time zone UTC";
    assert!(log.stdout.contains(told) && log.stdout.contains(name.as_str().unwrap()), "{log:?}");
    let all = scene.run(&["roster", "log", "--json"]).json();
    let told =
        |change: &serde_json::Value| (change["by"].clone(), change["what"].as_str().unwrap().to_owned());
    let of_athens: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(told)
        .filter(|(_, what)| what.starts_with("service athens"))
        .collect();
    // The sample's, before it was given away.
    let expected = [
        (name, "service athens: assigned to athens (was devops)".to_owned()),
        ("config".into(), "service athens: assigned to devops (was unassigned)".to_owned()),
    ];
    assert_eq!(of_athens, expected);
}
