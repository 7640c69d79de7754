//! Debian's Icinga 2 runs a check that fails, and notifies us by the page's command.

use std::path::PathBuf;
use std::process::Command;

use crate::pages;
use crate::process::{Process, debian};
use crate::site::Site;

const LOG: &str = "icinga.log";

/// Icinga lies in the folder for libraries, which is named after the machine.
fn icinga() -> (PathBuf, PathBuf) {
    let folders = std::fs::read_dir(debian("lib")).unwrap().map(|folder| folder.unwrap().path());
    let libraries = folders.into_iter().find(|folder| folder.join("icinga2").exists());
    let libraries = libraries.expect("Icinga 2 is unpacked");
    (libraries.join("icinga2/sbin/icinga2"), libraries)
}

#[tokio::test]
async fn a_check_that_fails_is_one_incident_and_one_mail_and_its_recovery_resolves() {
    let site = Site::new().await;
    let flag = site.file("is-well", "yes");
    let check = "if test -e $1; then echo HTTP OK; else echo 'HTTP CRITICAL - \"no\" answer & none to come'; exit 2; fi";
    let check = site.file("check.sh", check);
    let config = format!(
        r#"
{}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object CheckCommand "http" {{ command = [ "/bin/sh", "{check}", "{flag}" ] }}
object CheckCommand "fine" {{ command = [ "/bin/true" ] }}
object User "inresponse" {{ }}
object Host "web-1" {{
  check_command = "fine"
  check_interval = 1
}}
object Service "HTTP" {{
  host_name = "web-1"
  check_command = "http"
  check_interval = 1
  retry_interval = 1
  max_check_attempts = 2
  vars.inresponse = "athens"
}}
apply Notification "inresponse" to Service {{
  import "inresponse-service"
  users = [ "inresponse" ]
  interval = 2s
  assign where true
}}
"#,
        pages::block_for(&site.server, "nagios.md", "", 3)
    );
    let config = site.file("icinga2.conf", &config);
    let (program, libraries) = icinga();
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", libraries).args(["daemon", "-c", &config]);
    let own = |name: &str| site.dir().join(name).display().to_string();
    for name in ["data", "log", "cache", "spool", "init"] {
        std::fs::create_dir(site.dir().join(name)).unwrap();
    }
    let user = |flag| crate::process::run(Command::new("id").arg(flag)).1.trim().to_owned();
    for (constant, value) in [
        ("DataDir", own("data")),
        ("LogDir", own("log")),
        ("CacheDir", own("cache")),
        ("SpoolDir", own("spool")),
        ("InitRunDir", own("init")),
        ("PidPath", own("init/pid")),
        ("StatePath", own("data/state")),
        ("ModAttrPath", own("data/modified")),
        ("ObjectsPath", own("cache/objects")),
        ("VarsPath", own("cache/vars")),
        ("RunAsUser", user("-un")),
        ("RunAsGroup", user("-gn")),
    ] {
        command.arg("-D").arg(format!("{constant}={value}"));
    }
    let _icinga = Process::start(command, &site.dir().join(LOG));
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(site.incidents().await, Vec::<serde_json::Value>::new());

    std::fs::remove_file(&flag).unwrap();
    let incident = site.opened(LOG).await;
    assert_eq!(
        (&incident["title"], &incident["severity"]),
        (&"HTTP on web-1 is CRITICAL".into(), &"CRIT".into())
    );
    assert_eq!(incident["message"], "HTTP CRITICAL - \"no\" answer & none to come");
    assert_eq!(incident["dedupKey"], "web-1/HTTP");
    site.until("counted", LOG, |incident| incident["count"].as_u64() >= Some(2)).await;
    std::fs::write(&flag, "yes").unwrap();
    site.resolved(LOG).await;
}
