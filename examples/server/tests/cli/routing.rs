//! The command `route`, and routing rules in roster files.

use crate::Scene;

const FILE: &str = r#"
[roster]
owner = "routes"
[roster.teams.dba]
fallback = ["dba@example.org"]
[roster.heartbeats.watchdog]
service = "athens"
severity = "CRIT"
every-seconds = 300
[[roster.routes]]
name = "watchdog"
matchers = ["alertname=Watchdog"]
heartbeat = "watchdog"
[[roster.routes]]
name = "databases"
matchers = ['component=~"db|cache"', "env!=test"]
team = "dba"
severity = "ERR"
[[roster.routes]]
name = "test"
matchers = ["env=test"]
record-only = true
"#;

#[tokio::test]
async fn rules_of_a_file_are_imported_tried_exported_and_pruned() {
    let scene = Scene::new().await;
    std::fs::write(scene.dir.path().join("routes.toml"), FILE).unwrap();
    let done = scene.run(&["roster", "import", "routes.toml", "--yes"]);
    assert!(done.code == 0 && done.stderr.contains("3 changed"), "{done:?}");
    assert!(
        done.stdout.contains("+ routing rules: watchdog (alertname=\"Watchdog\"): ping of watchdog"),
        "{done:?}"
    );
    let again = scene.run(&["roster", "import", "routes.toml", "--yes"]);
    assert!(again.stderr.contains("0 changes, 3 already up to date"), "{again:?}");

    let route = |labels: &[&str]| {
        let mut args = vec!["route", "--service", "athens", "--severity", "WARN"];
        args.extend(labels.iter().flat_map(|label| ["--label", label]));
        scene.run(&args).stdout
    };
    let databases = route(&["component=db", "env=prod"]);
    for line in ["rule       databases", "team       dba", "severity   ERR", "dba@example.org"] {
        assert!(databases.contains(line), "{line}\n{databases}");
    }
    let test = route(&["env=test"]);
    assert!(test.contains("recorded only: nobody is alerted") && test.contains("rule       test"), "{test}");
    let watchdog = route(&["alertname=Watchdog"]);
    assert!(watchdog.contains("a ping of heartbeat watchdog, and no incident"), "{watchdog}");
    assert!(route(&[]).contains("none matches"));

    let number = scene.run(&["report", "athens", "CRIT", "disk", "--label", "env=test"]).stdout;
    let shown = scene.run(&["show", number.trim()]).stdout;
    assert!(shown.contains("routed by    test: recorded only, nobody is alerted"), "{shown}");
    assert!(shown.contains("routing rule test only records it, so nobody is alerted"), "{shown}");
    let pinged = scene.run(&["report", "athens", "WARN", "alive", "--label", "alertname=Watchdog"]);
    assert_eq!((pinged.code, pinged.stdout.as_str()), (0, "ping of heartbeat watchdog\n"));

    let exported = scene.run(&["roster", "export"]).stdout;
    std::fs::write(scene.dir.path().join("exported.toml"), &exported).unwrap();
    // The export has no owner, because other entries have none.
    let shown = scene.run(&["roster", "import", "exported.toml"]).stdout;
    let rules = shown.split_once("~ routing rules: ").unwrap().1;
    let (wanted, now) = rules.split_once("\n    now: ").unwrap();
    assert_eq!(now.trim(), format!("{wanted} [owner routes]"), "{shown}");

    let (without, _) = FILE.split_once("[roster.heartbeats").unwrap();
    std::fs::write(scene.dir.path().join("routes.toml"), without).unwrap();
    let pruned = scene.run(&["roster", "import", "routes.toml", "--prune", "--yes"]);
    assert!(pruned.code == 0 && pruned.stderr.contains("2 changed"), "{pruned:?}");
    assert_eq!(scene.server.get("/routes").await["rules"], serde_json::json!([]));
}

#[tokio::test]
async fn p16_rules_of_a_file_are_refused_by_their_place() {
    let scene = Scene::new().await;
    for (file, told) in [
        ("[[roster.routes]]\nname = 'a'\nmatchers = ['env']\n", "line 3"),
        ("[[roster.routes]]\nname = 'a'\nmatchers = []\n", "must be at least one"),
        (
            "[[roster.routes]]\nname = 'a'\nmatchers = ['a=b']\nseverity = 'none'\n",
            "must be CRIT, ERR or WARN",
        ),
        (
            "[[roster.routes]]\nname = 'a'\nmatchers = ['a=b']\nrecord-only = true\nheartbeat = 'x'\n",
            "must be the only thing that the rule does",
        ),
        ("[[roster.routes]]\nname = 'a'\nmatchers = ['a=b']\nteam = 'nobody'\n", "there is no team `nobody`"),
    ] {
        std::fs::write(scene.dir.path().join("routes.toml"), file).unwrap();
        let refused = scene.run(&["roster", "import", "routes.toml", "--yes"]);
        assert!(refused.code != 0 && refused.stderr.contains(told), "{told}\n{refused:?}");
    }
    assert_eq!(scene.server.get("/routes").await["rules"], serde_json::json!([]));
}
