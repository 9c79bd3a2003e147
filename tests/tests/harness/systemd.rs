//! A systemd of its own for one node, as whoever logs in has one.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Node, kith::forget_settings, skipped, until};

/// Says that it must not be left out.
const REQUIRED: &str = "KITH_TEST_SYSTEMD_REQUIRED";
/// Where Debian has the manager.
const MANAGER: &str = "/lib/systemd/systemd";
/// Where control groups of systemd are: with version 2 alone, with both, with version 1.
const GROUPS: [&str; 3] = [
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/unified",
    "/sys/fs/cgroup/systemd",
];
/// A network of its own, so that the usual port is free. The manager starts only where the machine
/// seems to have been started by systemd, which a folder says.
const STARTED: &str = r#"
    ip link set lo up
    mkdir -p /run/systemd && mount -t tmpfs kith-test /run/systemd && mkdir /run/systemd/system
    for group in $TAKEN; do echo $$ >"$group/cgroup.procs"; done
    exec "$MANAGER" --user"#;

/// A running user manager, gone with all that it started when the story ends.
pub struct Systemd {
    folder: PathBuf,
    groups: Vec<PathBuf>,
    manager: Child,
}

impl Systemd {
    /// For the services of whoever owns that node. Nothing where this machine does not let us start
    /// any.
    pub fn of_user(node: &Node) -> Option<Self> {
        match Self::started(node.beside("systemd")) {
            Ok(systemd) => Some(systemd),
            Err(error) => {
                assert!(std::env::var_os(REQUIRED).is_none(), "{error}");
                skipped(&format!("no systemd can be started here ({error})"));
                None
            }
        }
    }

    fn started(folder: PathBuf) -> Result<Self, String> {
        if !Path::new(MANAGER).exists() {
            return Err(format!("{MANAGER} is not there"));
        }
        let failed = |error: std::io::Error| error.to_string();
        for name in ["run", "config"] {
            fs::create_dir_all(folder.join(name)).map_err(failed)?;
        }
        let name = format!("kith-test-{}", std::process::id());
        let taken = GROUPS.map(Path::new).into_iter();
        let taken = taken.filter(|group| group.join("cgroup.procs").exists());
        let groups: Vec<_> = taken.map(|group| group.join(&name)).collect();
        for group in &groups {
            fs::create_dir_all(group).map_err(failed)?;
        }
        let mut manager = Command::new("unshare");
        manager.args(["--mount", "--net", "--propagation", "private"]);
        manager.args(["bash", "-e", "-c", STARTED]);
        let listed: Vec<_> = groups.iter().map(|group| group.to_string_lossy()).collect();
        let log = fs::File::create(folder.join("log")).map_err(failed)?;
        let manager = Self::surroundings(&mut manager, &folder)
            .envs([("MANAGER", MANAGER), ("SYSTEMD_LOG_TARGET", "console")])
            .env("TAKEN", listed.join(" "))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let mut systemd = Self {
            folder,
            groups,
            manager,
        };
        let private = systemd.folder.join("run/systemd/private");
        let mut ended = None;
        until("systemd answers, or has ended", || {
            ended = systemd.manager.try_wait().ok().flatten();
            ended.is_some() || private.exists()
        });
        match ended {
            None => Ok(systemd),
            Some(status) => {
                let log = fs::read_to_string(systemd.folder.join("log"));
                Err(format!("{status}: {}", log.unwrap_or_default().trim()))
            }
        }
    }

    /// Where units are looked for, as `XDG_CONFIG_HOME`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    fn surroundings<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
        forget_settings(command);
        command
            .env("XDG_RUNTIME_DIR", folder.join("run"))
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("HOME", folder)
    }

    /// A command of `systemctl --user` that must succeed.
    #[track_caller]
    pub fn says<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I) -> String {
        let mut command = Command::new("systemctl");
        command.arg("--user").args(words);
        let ran = Self::surroundings(&mut command, &self.folder).output();
        let ran = ran.expect("systemctl can be started");
        let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
        let complained = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}\n{complained}");
        said
    }

    /// What it knows of the node's service.
    #[track_caller]
    pub fn shows(&self, property: &str) -> String {
        self.says(["show", "--value", "--property", property, "kith.service"])
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log"));
            eprintln!("\nsystemd logged:\n{}", log.unwrap_or_default());
        }
        // What stays after this is empty groups at worst, which the system forgets.
        let mut exit = Command::new("systemctl");
        let exit = Self::surroundings(&mut exit, &self.folder).args(["--user", "exit"]);
        if !exit.output().is_ok_and(|asked| asked.status.success()) {
            let _killed = self.manager.kill();
        }
        let _ended = self.manager.wait();
        for group in &self.groups {
            let mut swept = Command::new("find");
            swept
                .arg(group)
                .args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
            let _swept = swept.stderr(Stdio::null()).status();
        }
    }
}
