//! Debian's Nagios runs a check that fails, and notifies us by the page's command.

use std::process::Command;

use crate::pages;
use crate::process::{Process, debian, run};
use crate::site::Site;

const LOG: &str = "nagios.log";

#[tokio::test]
async fn a_check_that_fails_is_one_incident_and_one_mail_and_its_recovery_resolves() {
    let site = Site::new().await;
    let dir = site.dir().display().to_string();
    let flag = site.file("is-well", "yes");
    let check = format!(
        "if test -e {flag}; then echo HTTP OK; else echo 'HTTP CRITICAL - no answer & none to come'; exit 2; fi\n"
    );
    let check = site.file("check.sh", &check);
    let page = |nth| pages::block_for(&site.server, "nagios.md", "", nth);
    let resource = site.file("resource.cfg", &page(0));
    let objects = format!(
        r#"
define timeperiod {{
    timeperiod_name 24x7
    alias           always
    sunday          00:00-24:00
    monday          00:00-24:00
    tuesday         00:00-24:00
    wednesday       00:00-24:00
    thursday        00:00-24:00
    friday          00:00-24:00
    saturday        00:00-24:00
}}
define command {{
    command_name    check_http
    command_line    /bin/sh {check}
}}
define command {{
    command_name    check-host
    command_line    /bin/true
}}
define host {{
    host_name               web-1
    address                 127.0.0.1
    check_command           check-host
    max_check_attempts      1
    check_period            24x7
    notification_period     24x7
    contacts                inresponse
}}
define service {{
    name                    generic-service
    register                0
    check_period            24x7
    notification_period     24x7
    check_interval          1
    retry_interval          1
    max_check_attempts      2
    notification_interval   3
    notification_options    w,u,c,r
}}
{}
{}
"#,
        page(1),
        page(2)
    );
    let objects = site.file("objects.cfg", &objects);
    let (_, user) = run(Command::new("id").arg("-un"));
    let (_, group) = run(Command::new("id").arg("-gn"));
    let main = format!(
        "log_file={dir}/nagios-events.log\ncfg_file={objects}\nresource_file={resource}\n\
         object_cache_file={dir}/objects.cache\nprecached_object_file={dir}/objects.precache\n\
         status_file={dir}/status.dat\ntemp_file={dir}/nagios.tmp\ntemp_path={dir}\ncheck_result_path={dir}\n\
         command_file={dir}/nagios.cmd\nquery_socket={dir}/nagios.qh\nlock_file={dir}/nagios.lock\n\
         state_retention_file={dir}/retention.dat\nnagios_user={}\nnagios_group={}\ninterval_length=1\n\
         enable_notifications=1\nexecute_service_checks=1\nexecute_host_checks=1\ncheck_external_commands=0\n\
         check_result_reaper_frequency=1\nservice_inter_check_delay_method=n\nservice_interleave_factor=1\n\
         use_syslog=0\nretain_state_information=0\nenable_event_handlers=0\nenable_flap_detection=0\n\
         illegal_macro_output_chars=`~$&|'\"<>\n",
        user.trim(),
        group.trim()
    );
    let main = site.file("nagios.cfg", &main);
    let (sound, text) = run(Command::new(debian("sbin/nagios4")).args(["-v", &main]));
    assert!(sound, "Nagios does not take the page's definitions: {text}");
    let mut command = Command::new(debian("sbin/nagios4"));
    command.arg(&main);
    let _nagios = Process::start(command, &site.dir().join(LOG));
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(site.incidents().await, Vec::<serde_json::Value>::new());

    std::fs::remove_file(&flag).unwrap();
    let incident = site.opened("nagios-events.log").await;
    assert_eq!(
        (&incident["title"], &incident["severity"]),
        (&"HTTP on web-1 is CRITICAL".into(), &"CRIT".into())
    );
    assert!(incident["message"].as_str().unwrap().starts_with("HTTP CRITICAL - no answer"), "{incident}");
    assert_eq!((&incident["dedupKey"], &incident["source"]), (&"web-1/HTTP".into(), &"nagios".into()));
    site.until("counted", "nagios-events.log", |incident| incident["count"].as_u64() >= Some(2)).await;
    std::fs::write(&flag, "yes").unwrap();
    site.resolved("nagios-events.log").await;
}
