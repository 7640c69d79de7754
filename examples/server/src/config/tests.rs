//! Which settings are valid, and what is said about the others.

use super::*;

fn problems(toml: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, toml).unwrap();
    let args = ServeArgs { config: Some(path), ..ServeArgs::default() };
    Config::load(args).unwrap_err().to_string()
}

#[test]
fn every_problem_is_named_with_its_key() {
    let text = problems(
        r#"
        listen = "here"
        lease-seconds = 1
        singles-per-minute = 1001
        token-secret = "short"
        webhook-secret = "canary"
        public-url = "ftp://x"
        api-key = "canary"
        trusted-proxies = ["localhost"]
        fallback = ["nobody"]
        hand-over-domains = ["a b"]
        [[keys]]
        name = "a"
        scopes = ["everything"]
        service = ""
        [[keys]]
        name = "b"
        key = "canary-of-15-ch"
        scopes = ["report"]
        [[keys]]
        name = "link"
        key = "a-key-of-16-chars-and-more"
        scopes = ["report", "admin"]
        service = "athens"
        [webhook]
        slack = { "a b" = "https://hooks.slack.com/services/canary" }
        teams = { ops = "canary" }
        [ntfy]
        url = "canary"
        [pushover]
        token = "canary canary"
        [telegram]
        bot-token = "1:canary"
        webhook-secret = "canary"
        [slack-app]
        bot-token = "canary canary"
        signing-secret = "canary"
        [command."a b"]
        program = "x"
        [command.empty]
        program = ""
        arguments = ["canary"]
        [twilio]
        account-sid = "AC1"
        auth-token = "canary"
        from = "+15005550006"
        [phone]
        allow-numbers = ["44845"]
        [limits.sms]
        per-address = [{ most = 5, minutes = 15 }, { most = 0, minutes = 15 }]
        per-day = 0
        [limits."a b"]
        [gateway.backup]
        url = "https://{text}/canary"
        schemes = ["sms"]
        [intake]
        service-labels = []
        default-severity = "loud"
        severities = { gold = "GOLD" }
        ses-topics = ["inresponse-mails"]
        [roster.services]
        athens = "nobody"
        [roster.teams.devops]
        timezone = "Europe/Atlantis"
        fallback = []
        alert-levels = { LOUD = [1] }
        calendar."2026-02-30" = { oncall = "a@b.c" }
        "#,
    );
    for key in [
        "listen:",
        "lease-seconds:",
        "singles-per-minute:",
        "token-secret:",
        "public-url:",
        "fallback[0]:",
        "hand-over-domains[0]:",
        "keys[0].scopes:",
        "keys[0]:",
        "keys[1]: must have at least 16 characters",
        "api-key: must have at least 16 characters",
        "trusted-proxies:",
        "keys[0].service:",
        "keys[2]:",
        "keys[2].service:",
        "webhook-secret:",
        "webhook.slack.a b:",
        "webhook.teams.ops:",
        "ntfy.url:",
        "pushover.token:",
        "telegram.webhook-secret:",
        "slack-app:",
        "command.a b:",
        "command.empty:",
        "twilio.account-sid:",
        "gateway.backup:",
        "phone.allow-numbers[0]:",
        "limits.sms.per-address[1]:",
        "limits.sms.per-day:",
        "limits.a b:",
        "intake.service-labels:",
        "intake.default-severity:",
        "intake.severities.gold:",
        "intake.ses-topics:",
        "roster.services.athens:",
        "roster.teams.devops.timezone:",
        "roster.teams.devops.fallback:",
        "roster.teams.devops.alert-levels.LOUD:",
        "roster.teams.devops.calendar.2026-02-30:",
    ] {
        assert!(text.contains(&format!("\n  {key}")), "{key} is missing in\n{text}");
    }
    assert!(!text.contains("canary"), "a secret shows in\n{text}");
}

#[test]
fn secrets_show_nowhere_in_debug_output() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let toml = r#"
        smtp-url = "smtp://hidden:hidden@mail.example.org"
        token-secret = "hidden-hidden-hidden-hidden-hidden"
        [webhook]
        slack = { ops = "https://hooks.slack.com/services/hidden" }
        [ntfy]
        token = "hidden"
        [pushover]
        token = "hidden"
        [telegram]
        bot-token = "1:hidden"
        webhook-secret = "hidden-hidden-hidden"
        [slack-app]
        bot-token = "hidden"
        signing-secret = "hidden"
        [command.page]
        program = "page"
        arguments = ["hidden"]
        environment = { TOKEN = "hidden" }
        [twilio]
        account-sid = "AC0123456789abcdef0123456789abcdef"
        auth-token = "hidden0123456789abcdef0123456789"
        from = "+15005550006"
        [gateway.backup]
        url = "https://hidden.example/{text}"
        headers = { authorization = "hidden" }
        body = "hidden"
        schemes = ["sms"]
        "#;
    std::fs::write(&path, toml).unwrap();
    let args = ServeArgs {
        config: Some(path),
        api_key: Some("hidden-key-of-this-test".to_owned().into()),
        ..ServeArgs::default()
    };
    let shown = format!("{args:?}");
    let config = Config::load(args).unwrap();
    assert_eq!(config.token_secret.as_ref().map(|secret| secret.0.len()), Some(34));
    let shown = format!("{shown} {config:?}");
    assert!(shown.contains("mail.example.org") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_file_that_is_not_toml_or_has_unknown_names_is_refused_with_its_line() {
    assert!(problems("listen = ").contains("line 1"));
    let unknown = problems("db = 'x'\nlissten = 'y'");
    assert!(unknown.contains("line 2") && unknown.contains("lissten"), "{unknown}");
}

#[test]
fn a_weak_key_is_taken_only_where_that_is_allowed() {
    let read = |key: &str, allow_weak_secrets| {
        let api_key = Some(key.to_owned().into());
        Config::read(ServeArgs { api_key, allow_weak_secrets, ..ServeArgs::default() }, "").is_ok()
    };
    assert!(read("ünknown to all…", true) && read("k", true));
    // By characters, not by bytes.
    assert!(!read("ünknown to all…", false) && !read("k", false));
    assert!(read("ünknown to all…!", false));
    assert!(!read("", true), "none at all is no key");
    // A file travels into production.
    assert!(Config::read(ServeArgs::default(), "allow-weak-secrets = true").is_err());
}

#[test]
fn a_flag_goes_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "listen = '127.0.0.1:1'\ndb = 'file.db'").unwrap();
    let args =
        ServeArgs { config: Some(path), listen: Some("127.0.0.1:2".to_owned()), ..ServeArgs::default() };
    let config = Config::load(args).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert!(matches!(config.storage, StorageConfig::Sqlite(db) if db.to_str() == Some("file.db")));
}

#[test]
fn two_stores_or_two_ways_of_mail_are_refused() {
    for (toml, problem) in [
        ("db = 'x.db'\ndynamo-prefix = 'x-'", "dynamo-prefix: cannot be combined with db"),
        ("db = 'x.db'\npostgres-url = 'postgres://jo@x/ir'", "postgres-url: cannot be combined with db"),
        (
            "postgres-url = 'postgres://jo@x/ir'\ndynamo-prefix = 'x-'",
            "dynamo-prefix: cannot be combined with postgres-url",
        ),
        ("smtp-url = 'smtp://x'\nses = true", "ses: cannot be combined with smtp-url"),
        ("outbox = 'x'\nses = true", "outbox: cannot be combined with ses"),
        ("smtp-url = 'smtp://x'\noutbox = 'x'", "outbox: cannot be combined with smtp-url"),
    ] {
        let text = problems(toml);
        assert_eq!(text.lines().skip(1).map(str::trim).collect::<Vec<_>>(), [problem]);
    }
    // Of which one is a flag and one an entry of the file.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "db = 'x.db'").unwrap();
    let args = ServeArgs { config: Some(path), dynamo_prefix: Some("x-".to_owned()), ..ServeArgs::default() };
    assert!(Config::load(args).unwrap_err().to_string().contains("dynamo-prefix:"));
}

#[test]
fn a_database_url_is_read_and_never_shown() {
    let config =
        Config::read(ServeArgs::default(), "postgres-url = 'postgres://jo:hidden@db.example.org/ir'");
    let storage = config.unwrap().storage;
    assert_eq!(storage.to_string(), "PostgreSQL, db.example.org:5432/ir");
    assert!(!format!("{storage:?}").contains("hidden"));
    let refused = problems("postgres-url = 'mysql://jo:hidden@db.example.org/ir'");
    assert!(refused.contains("\n  postgres-url: must be like postgres://"), "{refused}");
    assert!(!refused.contains("hidden"), "{refused}");
}

#[cfg(feature = "aws")]
#[test]
fn a_prefix_or_a_sender_that_aws_would_refuse_is_named() {
    for prefix in ["", "a/b", "é", &"x".repeat(242)] {
        assert!(problems(&format!("dynamo-prefix = '{prefix}'")).contains("\n  dynamo-prefix: must be"));
    }
    assert!(problems("ses = true").contains("\n  mail-from: must be given with ses"));
    assert!(problems("ses = true\nmail-from = 'nobody'").contains("\n  mail-from: "));
}

#[cfg(not(feature = "aws"))]
#[test]
fn what_is_not_built_in_is_refused_and_says_how_to_build_it() {
    let text = problems("dynamo-prefix = 'x-'\nses = true");
    for key in ["dynamo-prefix", "ses"] {
        assert!(text.contains(&format!("\n  {key}: is not in this build")), "{text}");
    }
    assert!(text.contains("--features aws"), "{text}");
}
