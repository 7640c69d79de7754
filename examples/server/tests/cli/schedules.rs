//! People and schedules in files, and what will happen.

use inresponse_core::clock::{Clock, SystemClock};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Setup;
use crate::{Done, Scene};

/// Everything that a file can say, with names that need what comes later.
const WEB: &str = "[roster]
owner = 'web.toml'
services.proxy = 'web'

[roster.people.jo]
name = 'Jo Doe'
timezone = 'Europe/Athens'
methods = { mail = 'jo@example.org', second = 'jo@example.com' }
absences = [{ from = '2031-02-01', to = '2031-02-08' }]
[[roster.people.jo.rules.CRIT]]
after-seconds = 0
methods = ['mail']
[[roster.people.jo.rules.CRIT]]
after-seconds = 180
methods = ['second']

[roster.people.kim]
methods = { mail = 'kim@example.org' }
day-ahead-notice = true

[roster.teams.web]
timezone = 'Europe/Athens'
fallback = ['person:jo', 'ops@example.org']
shift-notices = { channel = 'ops@example.org' }
alert-levels = { WARN = [1] }
levels = [
    { notify = 'schedule:primary', wait-seconds = 300 },
    { notify = ['person:kim', 'schedule:second'] },
]
calendar.'2031-01-01' = { oncall = 'person:kim', escalation = ['schedule:primary'] }

[roster.teams.web.schedules.primary]
feeds = [{ url = 'https://calendar.example.org/secret', as = 'override' }]
[[roster.teams.web.schedules.primary.layers]]
name = 'weekdays'
rank = 2
members = ['person:jo', ['person:kim', 'lee@example.org'], { who = 'person:kim', from = '2031-01-01' }, []]
from = '2026-12-07T09:00'
turn = { every = 1, unit = 'week', count = 'worked' }
hours = [{ days = ['Mon', 'Tue'], from = '09:00', to = '17:00' }]
[[roster.teams.web.schedules.primary.layers]]
name = 'nights'
members = ['schedule:second']
from = '2026-12-07'
turn = { every = 12, unit = 'hour' }
[roster.teams.web.schedules.primary.overrides.swap]
from = '2031-01-05T09:00'
to = '2031-01-06T09:00'
oncall = 'person:kim'
instead-of = ['person:jo']
note = 'swapped'

[roster.teams.web.schedules.second]
timezone = 'Asia/Kolkata'
layers = [{ name = 'a', members = ['person:kim'], from = '2026-12-07', turn = { every = 1, unit = 'month' } }]
";

fn import(scene: &Scene, text: &str, more: &[&str]) -> Done {
    std::fs::write(scene.dir.path().join("web.toml"), text).unwrap();
    scene.run(&[&["roster", "import", "web.toml"], more].concat())
}

#[tokio::test]
async fn what_was_exported_is_imported_again_without_a_change() {
    let scene = Scene::new().await;
    let done = import(&scene, WEB, &["--yes"]);
    assert!(done.code == 0 && done.stderr.contains("8 changed"), "{done:?}");
    let team = scene.server.get("/teams/web").await;
    assert_eq!(team["levels"][0], json!({ "notify": ["schedule:primary"], "waitSeconds": 300 }));
    assert_eq!(team["shiftNotices"], json!({ "channel": "ops@example.org" }));
    assert_eq!(scene.server.get("/people/kim").await["dayAheadNotice"], true);
    assert_eq!(
        (&team["owner"], &team["levels"][1]["notify"][1]),
        (&"web.toml".into(), &"schedule:second".into())
    );
    for path in ["/people/jo", "/services/proxy", "/teams/web/calendar/2031-01-01"] {
        assert_eq!(scene.server.get(path).await["owner"], "web.toml", "{path}");
    }
    let schedule = "/teams/web/schedules/primary";
    assert_eq!(scene.server.get(schedule).await["owner"], "web.toml");
    assert_eq!(scene.server.get(&format!("{schedule}/overrides/swap")).await["owner"], "web.toml");
    assert_eq!(scene.server.get("/teams/web/schedules/second").await["timezone"], "Asia/Kolkata");
    // The file itself, and what the server makes of it.
    let again = import(&scene, WEB, &[]);
    assert!(again.code == 0 && again.stderr.contains("0 changes, 8 already up to date"), "{again:?}");
    let exported = scene.run(&["roster", "export", "--team", "web"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    assert!(!exported.stdout.contains("org/secret"), "{exported:?}");
    assert!(exported.stdout.contains("# The URLs of calendar feeds"), "{exported:?}");
    assert!(exported.stderr.contains("masked"), "{exported:?}");
    let again = import(&scene, &exported.stdout, &["--yes"]);
    assert!(again.stderr.contains("0 changes, 8 already up to date"), "{again:?}\n{}", exported.stdout);
    let all = scene.run(&["roster", "export"]);
    assert!(
        all.stdout.contains("[roster.teams.athens]") && all.stdout.contains("different owners"),
        "{all:?}"
    );
    // A masked URL keeps the feed when something else changes.
    let renamed = exported.stdout.replace("swapped", "swapped again").replace("Jo Doe", "Jo D.");
    let renamed = renamed.replace("rank = 2", "rank = 3");
    let done = import(&scene, &renamed, &["--yes"]);
    assert!(done.stderr.contains("3 changed"), "{done:?}");
    let whole =
        WEB.replace("swapped", "swapped again").replace("Jo Doe", "Jo D.").replace("rank = 2", "rank = 3");
    let again = import(&scene, &whole, &[]);
    assert!(again.stderr.contains("0 changes"), "{again:?}");
    let other = import(&scene, &whole.replace("/secret", "/other"), &[]);
    assert!(
        other.stdout.starts_with("~ schedule primary of web") && !other.stdout.contains("/other"),
        "{other:?}"
    );
}

#[tokio::test]
async fn what_a_file_no_longer_names_is_deleted_only_by_its_owner_and_only_if_that_was_asked_for() {
    let scene = Scene::new().await;
    assert_eq!(import(&scene, WEB, &["--yes"]).code, 0);
    let (kept, _) = WEB.split_once("[roster.teams.web.schedules.second]").unwrap();
    let kept = kept.replace("['person:kim', 'schedule:second']", "['person:kim']");
    let kept = kept.replace("['schedule:second']", "['person:kim']").replace("services.proxy = 'web'\n", "");
    let without = import(&scene, &kept, &["--yes"]);
    assert!(without.code == 0 && without.stderr.contains("2 changed"), "{without:?}");
    let shown = import(&scene, &kept, &["--prune"]);
    assert_eq!(shown.code, 64, "{shown:?}");
    let lines: Vec<&str> = shown.stdout.lines().filter(|line| line.starts_with('-')).collect();
    assert!(
        matches!(lines[..], [first, second] if first.starts_with("- service proxy: web [owner web.toml]")
        && second.starts_with("- schedule second of web: Asia/Kolkata")),
        "{shown:?}"
    );
    assert_eq!(scene.server.get("/services/proxy").await["team"], "web");
    let done = import(&scene, &kept, &["--prune", "--yes"]);
    assert!(done.code == 0 && done.stderr.contains("2 changed"), "{done:?}");
    for path in ["/services/proxy", "/teams/web/schedules/second"] {
        assert_eq!(scene.server.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    // Nothing of anybody else's.
    assert_eq!(scene.server.get("/services/athens").await["team"], "athens");
    let again = import(&scene, &kept, &["--prune"]);
    assert!(again.code == 0 && again.stderr.contains("0 changes"), "{again:?}");
    let no_owner = import(&scene, &kept.replace("owner = 'web.toml'\n", ""), &["--prune"]);
    assert!(no_owner.code == 64 && no_owner.stderr.contains("owner"), "{no_owner:?}");
}

#[tokio::test]
async fn a_team_is_not_deleted_with_what_others_have_made_in_it() {
    let scene = Scene::new().await;
    assert_eq!(import(&scene, WEB, &["--yes"]).code, 0);
    let body = json!({ "oncall": "person:kim" });
    scene.server.call(Method::PUT, "/teams/web/calendar/2031-03-01", Some(body)).await;
    let empty = "[roster]\nowner = 'web.toml'\n[roster.teams.other]\nfallback = ['ops@example.org']\n";
    let refused = import(&scene, empty, &["--prune", "--yes"]);
    assert!(
        refused.code == 1 && refused.stderr.contains("web 2031-03-01 is not owned by web.toml"),
        "{refused:?}"
    );
    assert_eq!(scene.server.call(Method::GET, "/teams/other", None).await.0, StatusCode::NOT_FOUND);
    scene.server.call(Method::DELETE, "/teams/web/calendar/2031-03-01", None).await;
    // An override goes with its schedule, even if somebody else made it.
    let body = json!({ "from": "2031-03-01", "to": "2031-03-02", "oncall": "person:kim" });
    scene.server.call(Method::PUT, "/teams/web/schedules/primary/overrides/mine", Some(body)).await;
    let done = import(&scene, empty, &["--prune", "--yes"]);
    assert!(done.code == 0 && done.stdout.contains("- override mine of schedule primary of web"), "{done:?}");
    for path in ["/teams/web", "/people/jo", "/people/kim", "/services/proxy", "/teams/web/schedules/primary"]
    {
        assert_eq!(scene.server.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(scene.server.get("/teams/other").await["owner"], "web.toml");
}

#[tokio::test]
async fn what_the_roster_would_refuse_is_told_by_its_place_before_anything_is_changed() {
    let scene = Scene::new().await;
    let team = "[roster.teams.web]\nfallback = ['ops@example.org']\n";
    for (text, code, told) in [
        (format!("{team}levels = [{{ notify = 'person:nobody' }}]\n"), 1, "line 1, column 15: team web: there is no person `nobody`"),
        (
            format!("{team}levels = [{{ notify = 'schedule:a' }}]\n[roster.teams.web.schedules.a]\nlayers = [{{ name = 'x', members = ['team:web'], from = '2031-01-01', turn = {{ every = 1, unit = 'day' }} }}]\n"),
            1,
            "form a circle",
        ),
        (
            format!("{team}[roster.teams.web.schedules.a]\nfeeds = [{{ url = 'https://c.example/…', as = 'base' }}]\n"),
            64,
            "line 3, column 29: the URL of a feed is masked",
        ),
        (
            format!("{team}[roster.teams.web.schedules.a]\nlayers = [{{ name = 'x', members = ['person:a/b'], from = 'canary', turn = {{ every = 0, unit = 'day' }} }}]\n"),
            64,
            "line 4, column 36: ",
        ),
        (
            "[roster.people.jo]\nmethods = { mail = 'jo@example.org' }\nrules.CRIT = [{ after-seconds = 100000, methods = ['canary'] }]\n".to_owned(),
            64,
            "line 3, column 33: must be at most 86400",
        ),
    ] {
        let refused = import(&scene, &text, &["--yes"]);
        assert!(refused.code == code && refused.stderr.contains(told), "{told} is not in {refused:?}");
        assert!(!refused.stderr.contains("canary"), "{refused:?}");
        for path in ["/teams/web", "/people/jo"] {
            assert_eq!(scene.server.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn an_import_shows_which_hours_change_hands() {
    let scene = Scene::new().await;
    let file = |member: &str, absences: &str| {
        format!(
            "[roster.people.jo]\nmethods = {{ mail = 'jo@example.org' }}\nabsences = [{absences}]\n\
             [roster.people.kim]\nmethods = {{ mail = 'kim@example.org' }}\n\
             [roster.teams.web]\nfallback = ['ops@example.org']\n\
             [roster.teams.web.schedules.primary]\nlayers = [{{ name = 'a', members = ['{member}'], \
             from = '2020-01-01', turn = {{ every = 1, unit = 'day' }} }}]\n"
        )
    };
    assert_eq!(import(&scene, &file("person:jo", ""), &["--yes"]).code, 0);
    // Another person, all the time.
    let given = import(&scene, &file("person:kim", ""), &[]);
    let lines: Vec<&str> = given.stdout.lines().skip_while(|line| !line.starts_with("hours")).collect();
    assert_eq!(lines[0], "hours of schedule primary of web, UTC:");
    assert!(lines[1].ends_with(": person:jo → person:kim"), "{given:?}");
    assert_eq!(lines[2..], ["    2160 h of the next 90 days change hands"]);
    // A schedule that stays as it is, whose hours change by a person's absence.
    let day = SystemClock::new().now().date_naive() + chrono::Days::new(3);
    let away = format!("{{ from = '{day}', to = '{}' }}", day + chrono::Days::new(2));
    let away = import(&scene, &file("person:jo", &away), &["--yes", "--json"]).json();
    let told: Vec<&Value> = away.as_array().unwrap().iter().map(|change| &change["name"]).collect();
    assert_eq!(told, ["person jo", "schedule primary of web"]);
    let expected = json!({
        "name": "schedule primary of web", "wanted": null, "now": null, "withoutFeeds": false,
        "secondsChanged": 172_800,
        "changesHands": [{
            "from": format!("{day}T00:00:00Z"), "to": format!("{}T00:00:00Z", day + chrono::Days::new(2)),
            "before": ["person:jo"], "after": [],
        }],
    });
    assert_eq!(away[1], expected);
}

#[tokio::test]
async fn the_plan_shows_each_step_in_the_order_of_its_time() {
    let scene = Scene::new().await;
    let at = "2031-01-01T00:00:00Z";
    let plan = scene.run(&["plan", "athens", "--at", at]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let lines: Vec<Vec<&str>> = plan.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["TIME", "LEVEL", "PERSON", "METHOD", "WHY"]);
    let first = ["2031-01-01", "00:00:00", "UTC", "level", "1", "ops@example.org", "mailto", "fallback"];
    assert_eq!(lines[1], first, "{plan:?}");
    let json = scene.run(&["plan", "athens", "--severity", "warn", "--at", at, "--json"]).json();
    assert_eq!(json["steps"][0]["person"], "ops@example.org");
    let unknown = scene.run(&["plan", "nobody"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("no service"), "{unknown:?}");
    assert_eq!(scene.run(&["plan", "athens", "--severity", "loud"]).code, 64);
}

#[tokio::test]
async fn the_check_fails_only_if_an_alert_might_not_arrive() {
    let scene = Scene::new().await;
    let file = |text: &str| assert_eq!(import(&scene, text, &["--yes"]).code, 0);
    let layer = "from = '2020-01-01', turn = { every = 1, unit = 'day' }";
    file(&format!(
        "[roster.people.jo]\nmethods = {{ mail = 'jo@example.org' }}\n[roster.people.kim]\n\
         [roster.teams.web]\nfallback = ['ops@example.org']\nlevels = [{{ notify = ['person:jo', 'person:kim'] }}]\n\
         [roster.teams.calm]\nfallback = ['ops@example.org']\nlevels = [{{ notify = 'person:jo' }}]\n\
         [roster.teams.gap]\nfallback = ['ops@example.org']\nlevels = [{{ notify = 'schedule:a' }}]\n\
         [roster.teams.gap.schedules.a]\nlayers = [{{ name = 'x', members = [[]], {layer} }}]\n"
    ));
    let bad = scene.run(&["roster", "check", "--team", "web", "--days", "7"]);
    assert!(bad.code == 1 && bad.stdout.contains("noMethod") && bad.stderr.contains("serious"), "{bad:?}");
    let gap = scene.run(&["roster", "check", "--team", "gap", "--json"]);
    let told: Value = serde_json::from_str(&gap.stdout).unwrap();
    let kinds: Vec<_> = told["findings"].as_array().unwrap().iter().map(|found| &found["kind"]).collect();
    assert!(gap.code == 1 && kinds.iter().any(|kind| **kind == "gap"), "{gap:?}");
    let calm = scene.run(&["roster", "check", "--team", "calm"]);
    assert!(calm.code == 0 && calm.stderr.contains("0 of them serious"), "{calm:?}");
    assert_eq!(scene.run(&["roster", "check", "--team", "nobody"]).code, 1);
    assert_eq!(scene.run(&["roster", "check", "--days", "0"]).code, 64);
    assert_eq!(scene.run(&["roster", "check", "--url", "http://127.0.0.1:9"]).code, 2);
}

#[tokio::test]
async fn the_configured_roster_brings_people_and_schedules_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("server.toml"), WEB).unwrap();
    let setup = Setup::new(dir.path(), 9).with("--config", "server.toml");
    let server = setup.start().await;
    let team = server.get("/teams/web").await;
    assert_eq!(
        (&team["owner"], &team["levels"][1]["notify"][1]),
        (&"web.toml".into(), &"schedule:second".into())
    );
    let swap = "/teams/web/schedules/primary/overrides/swap";
    assert_eq!(server.get(swap).await["oncall"][0], "person:kim");
    let other = json!({ "from": "2031-03-01", "to": "2031-03-02", "oncall": "person:jo" });
    server.call(Method::PUT, swap, Some(other)).await;
    server.call(Method::DELETE, "/services/proxy", None).await;
    drop(server);
    let server = setup.start().await;
    assert_eq!(server.get(swap).await["oncall"][0], "person:jo");
    assert_eq!(server.get("/services/proxy").await["team"], "web");
}
