//! A node as a service of whoever runs kith: a unit for systemd's user manager.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kith_node::{
    failure::{Ending, Failure},
    home::Home,
};

/// The commands that have the system run the node: now and at each login, and also while nobody is
/// logged in.
pub const COMMANDS: [&str; 2] = [
    "systemctl --user enable --now kith.service",
    "loginctl enable-linger",
];

/// A unit that is to be written.
pub struct Unit {
    path: PathBuf,
    text: String,
}

/// What stands where the unit is to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    TheSame,
    Another,
}

impl Unit {
    /// The unit of the node in `home`.
    pub fn of(home: &Home, passphrase_file: Option<&Path>) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| {
            failed("It is not known where the program kith is.").because(&error)
        })?;
        let path = units()?.join("kith.service");
        Ok(Self {
            path,
            text: text(&program, home.folder(), passphrase_file),
        })
    }

    /// Where it goes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is there now.
    pub fn before(&self) -> Before {
        match fs::read_to_string(&self.path) {
            Ok(text) if text == self.text => Before::TheSame,
            Ok(_) => Before::Another,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Before::Nothing,
            // Something that cannot be read is not ours to write over.
            Err(_) => Before::Another,
        }
    }

    /// Writes it, in the place of whatever is there.
    pub fn write(&self) -> Result<(), Failure> {
        let written = match self.path.parent() {
            Some(folder) => fs::create_dir_all(folder),
            None => Ok(()),
        };
        written
            .and_then(|()| fs::write(&self.path, &self.text))
            .map_err(|error| {
                failed(&format!("{} could not be written.", self.path.display())).because(&error)
            })
    }
}

/// Where systemd looks for the units of whoever runs kith.
fn units() -> Result<PathBuf, Failure> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.filter(|config| config.is_absolute()).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".config"))
    });
    config
        .map(|config| config.join("systemd/user"))
        .ok_or_else(|| failed("It is not known where your configuration is."))
}

fn failed(what: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        what,
        "The node itself is not touched by this. Run it with kith run, or write a service by hand.",
    )
}

/// The unit. What confines it needs no privilege and no namespaces, which many systems do not let
/// users have: a service that does not start protects nobody.
fn text(program: &Path, home: &Path, passphrase_file: Option<&Path>) -> String {
    let passphrase = passphrase_file.map_or_else(String::new, |file| {
        format!(" --passphrase-file {}", word(file))
    });
    format!(
        "# Written by kith setup. kith writes over it only when it is asked to.
[Unit]
Description=kith: patient records, shared with those who care
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={} --home {}{passphrase} --no-input run
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
",
        word(program),
        word(home)
    )
}

/// A path as one word of a unit's command.
fn word(path: &Path) -> String {
    let mut word = String::from("\"");
    for letter in path.to_string_lossy().chars() {
        match letter {
            '"' | '\\' => word.extend(['\\', letter]),
            // systemd's own signs stand for themselves when they are doubled.
            '%' | '$' => word.extend([letter, letter]),
            _ => word.push(letter),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::text;

    #[test]
    fn a_path_is_one_word_whatever_stands_in_it() {
        let unit = text(
            Path::new("/opt/kith"),
            Path::new("/home/sam/100% \"mine\" $HOME"),
            Some(Path::new("/etc/kith words")),
        );
        let wanted = r#"ExecStart="/opt/kith" --home "/home/sam/100%% \"mine\" $$HOME" --passphrase-file "/etc/kith words" --no-input run"#;
        assert!(unit.lines().any(|line| line == wanted), "{unit}");
    }
}
