//! A node that a service manager runs.

use std::{os::unix::net::UnixDatagram, time::Duration};

use crate::harness::{Node, Systemd, sample, text, until};

#[test]
fn a_service_manager_is_told_when_a_node_is_ready_and_when_it_stops() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let path = surgery.beside("notify.sock");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a bound on waiting");
    let mut command = surgery.command(["--json", "run", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let mut runs = surgery.started(command);
    assert_eq!(heard(&manager), "READY=1");
    surgery.json(["status"]);
    assert_eq!(runs.stopped(), Some(0));
    assert_eq!(heard(&manager), "STOPPING=1");
}

fn heard(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let len = manager.recv(&mut bytes).expect("the node says something");
    String::from_utf8_lossy(&bytes[..len]).trim().to_owned()
}

#[test]
fn a_unit_is_written_once_and_never_over_another() {
    let surgery = Node::nowhere();
    let config = surgery.beside("config");
    let setup = |words: &[&str]| {
        let mut command = surgery.command(["setup"]);
        command.args(words).env("XDG_CONFIG_HOME", &config);
        command.output().expect("kith can be started")
    };
    let named = ["--name", "Riverside Surgery", "--kind", "practice"];
    let made = setup(&[&named[..], &["--service"]].concat());
    let said = [made.stdout.as_slice(), &made.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(made.status.success(), "{said}");
    assert!(said.contains("systemctl --user enable --now kith.service"));
    assert!(said.contains("loginctl enable-linger"), "{said}");

    let unit = config.join("systemd/user/kith.service");
    let written = std::fs::read_to_string(&unit).expect("it is there");
    assert!(written.contains("Type=notify"), "{written}");
    assert!(written.contains(text(&surgery.home())), "{written}");
    assert!(setup(&["--service"]).status.success(), "it is the same");

    std::fs::write(&unit, "[Unit]\nDescription=mine\n").expect("it can be written");
    let refused = setup(&["--service"]);
    assert_eq!(refused.status.code(), Some(4));
    let left = std::fs::read_to_string(&unit).expect("it is there");
    assert!(left.contains("mine"), "{left}");
}

#[test]
fn systemd_runs_the_unit_starts_a_node_that_was_killed_again_and_stops_it_kindly() {
    let surgery = Node::nowhere();
    let Some(systemd) = Systemd::of_user(&surgery) else {
        return;
    };
    let mut setup = surgery.command(["setup", "--name", "Riverside Surgery", "--service"]);
    setup.args(["--kind", "practice"]);
    let setup = setup.env("XDG_CONFIG_HOME", systemd.config());
    assert!(setup.output().is_ok_and(|made| made.status.success()));
    systemd.says(["daemon-reload"]);
    let record = surgery.import(&sample("ips.json"));

    // It answers only once the node has said that it is ready.
    systemd.says(["enable", "--now", "kith.service"]);
    let is_running = || surgery.json(["status"])["addresses"] != serde_json::json!([]);
    assert!(is_running());
    surgery.note(&record, "Written by way of the service");
    let first = systemd.shows("MainPID");
    systemd.says(["kill", "--signal", "KILL", "kith.service"]);
    until("it is started again", || {
        systemd.shows("MainPID") != first && systemd.shows("ActiveState") == "active"
    });
    assert!(is_running());
    assert_eq!(systemd.shows("NRestarts"), "1");
    let shown = surgery.show(&record).to_string();
    assert!(shown.contains("Written by way of the service"));

    systemd.says(["stop", "kith.service"]);
    let ended = ["Result", "ExecMainStatus", "ActiveState"].map(|of| systemd.shows(of));
    assert_eq!(ended, ["success", "0", "inactive"]);
    assert!(!is_running());
    surgery.verify(&record);
}
