//! Several networks on one machine: a hub, and ends that reach it and not each other.

use std::{
    ffi::OsStr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Node, Ran, Running, kith, skipped};

/// Says that it must not be left out.
const REQUIRED: &str = "KITH_TEST_NETNS_REQUIRED";
/// Where nodes in these networks listen.
const PORT: &str = "4712";

/// Network namespaces of this machine, gone when the story ends. The hub has a cable to each end
/// and does not forward.
pub struct Networks {
    name: String,
    ends: Vec<&'static str>,
}

impl Networks {
    /// The side in the middle.
    pub const HUB: &str = "hub";

    /// Nothing where this machine does not let us make any.
    pub fn lay(ends: &[&'static str]) -> Option<Self> {
        static LAID: AtomicU32 = AtomicU32::new(0);
        let n = LAID.fetch_add(1, Ordering::Relaxed);
        let networks = Self {
            name: format!("kith-{}-{n}", std::process::id()),
            ends: ends.to_vec(),
        };
        match networks.laid() {
            Ok(()) => Some(networks),
            Err(error) => {
                assert!(std::env::var_os(REQUIRED).is_none(), "{error}");
                skipped(&format!("no network namespaces can be made here ({error})"));
                None
            }
        }
    }

    fn laid(&self) -> Result<(), String> {
        for side in self.sides() {
            let space = self.space(side);
            ip(&["netns", "add", &space])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        for (n, side) in (1..).zip(&self.ends) {
            let (here, there) = (self.space(Self::HUB), self.space(side));
            let (near, far) = (format!("to-{side}"), "cable");
            ip(&[
                "-n", &here, "link", "add", &near, "type", "veth", "peer", "name", far, "netns",
                &there,
            ])?;
            let ends = [
                (&here, near.as_str(), Self::of_hub(n)),
                (&there, far, Self::at_the_end(n)),
            ];
            for (space, link, address) in ends {
                let address = format!("{address}/24");
                ip(&["-n", space, "address", "add", &address, "dev", link])?;
                ip(&["-n", space, "link", "set", link, "up"])?;
            }
        }
        Ok(())
    }

    /// The hub's address on the cable to that end, from 1.
    pub fn of_hub(end: usize) -> String {
        format!("10.77.{end}.1")
    }

    /// The address of that end, from 1.
    pub fn at_the_end(end: usize) -> String {
        format!("10.77.{end}.2")
    }

    fn sides(&self) -> impl Iterator<Item = &'static str> {
        self.ends.iter().copied().chain([Self::HUB])
    }

    fn space(&self, side: &str) -> String {
        format!("{}-{side}", self.name)
    }

    /// A command of a node, on that side.
    fn command<I: IntoIterator<Item: AsRef<OsStr>>>(
        &self,
        side: &str,
        node: &Node,
        words: I,
    ) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.space(side)])
            .arg(kith());
        command.args(node.command(words).get_args());
        command
    }

    /// A node that runs on that side.
    #[track_caller]
    pub fn running(&self, side: &str, node: &Node) -> Running {
        let listen = format!("0.0.0.0:{PORT}");
        let run = ["--json", "run", "--listen", listen.as_str()];
        node.started(self.command(side, node, run))
    }

    /// Runs a command of a node on that side to its end, with what it logs of the network.
    pub fn kith<I: IntoIterator<Item: AsRef<OsStr>>>(
        &self,
        side: &str,
        node: &Node,
        words: I,
    ) -> Ran {
        node.ran(
            self.command(side, node, words)
                .env("KITH_LOG", Node::LOGGED),
        )
    }

    /// Whether something at that address takes a plain connection from that side.
    pub fn can_reach(&self, side: &str, address: &str) -> bool {
        let space = self.space(side);
        let port = format!("exec 3<>/dev/tcp/{address}/{PORT}");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &space, "timeout", "5", "bash", "-c", &port]);
        command.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for side in self.sides() {
            // Whatever was made of it is gone with it; what was not made is no matter.
            let _gone = ip(&["netns", "del", &self.space(side)]);
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", words.join(" "), said.trim()))
}
