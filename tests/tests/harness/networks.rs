//! Several networks on one machine: a hub, and ends that reach it and not each other, or that reach
//! each other only through routers that let nobody in.

use std::{
    ffi::OsStr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Node, Ran, Running, kith, skipped};

/// Says that networks must not be left out.
const REQUIRED: &str = "KITH_TEST_NETNS_REQUIRED";
/// The same of those with routers.
const ROUTERS_REQUIRED: &str = "KITH_TEST_ROUTERS_REQUIRED";
/// Where nodes in these networks listen.
const PORT: &str = "4712";
/// The router of a home, as seen from within it.
const AT_HOME: &str = "192.168.1.1";
/// What a router at home does: it hides everyone behind its own address, keeps their ports where
/// they are free, lets out whatever they say, and in only what answers it.
const ROUTER: &str = "
    table ip home {
        chain hides { type nat hook postrouting priority 100; oifname cable masquerade; }
        chain passes {
            type filter hook forward priority 0; policy drop;
            iifname home accept
            ct state established,related accept
        }
        chain answers { type filter hook input priority 0; policy drop; }
    }";

/// Network namespaces of this machine, gone when the story ends. The hub has a cable to each end,
/// or to the router of each.
pub struct Networks {
    name: String,
    ends: Vec<&'static str>,
    have_routers: bool,
}

impl Networks {
    /// The side in the middle.
    pub const HUB: &str = "hub";

    /// Ends that reach the hub only, which does not forward. Nothing where this machine does not let
    /// us make any.
    pub fn lay(ends: &[&'static str]) -> Option<Self> {
        Self::made(ends, false)
    }

    /// Homes whose routers let nobody in, on a hub that forwards as the internet does. Nothing where
    /// this machine does not let us make any.
    pub fn behind_routers(homes: &[&'static str]) -> Option<Self> {
        Self::made(homes, true)
    }

    fn made(ends: &[&'static str], have_routers: bool) -> Option<Self> {
        static LAID: AtomicU32 = AtomicU32::new(0);
        let n = LAID.fetch_add(1, Ordering::Relaxed);
        let networks = Self {
            name: format!("kith-{}-{n}", std::process::id()),
            ends: ends.to_vec(),
            have_routers,
        };
        match networks.laid() {
            Ok(()) => Some(networks),
            Err(error) => {
                let required = if have_routers {
                    ROUTERS_REQUIRED
                } else {
                    REQUIRED
                };
                assert!(std::env::var_os(required).is_none(), "{error}");
                skipped(&format!("no networks can be made here ({error})"));
                None
            }
        }
    }

    fn laid(&self) -> Result<(), String> {
        for space in self.spaces() {
            ip(&["netns", "add", &space])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        let hub = self.space(Self::HUB);
        for (n, side) in (1..).zip(&self.ends) {
            let (end, near) = (self.space(side), format!("to-{side}"));
            let (of_hub, of_end) = (Self::of_hub(n), Self::at_the_end(n));
            if !self.have_routers {
                cable([(&hub, &near, &of_hub), (&end, "cable", &of_end)])?;
                continue;
            }
            let router = self.router_of(side);
            cable([(&hub, &near, &of_hub), (&router, "cable", &of_end)])?;
            cable([(&router, "home", AT_HOME), (&end, "cable", "192.168.1.2")])?;
            for (space, way) in [(&end, AT_HOME), (&router, &of_hub)] {
                ip(&["-n", space, "route", "add", "default", "via", way])?;
            }
            within(&router, &["nft", ROUTER])?;
            forwards(&router)?;
        }
        if self.have_routers {
            forwards(&hub)?;
        }
        Ok(())
    }

    /// The hub's address on the cable to that end, from 1.
    pub fn of_hub(end: usize) -> String {
        format!("10.77.{end}.1")
    }

    /// The address of that end or of its router, from 1.
    pub fn at_the_end(end: usize) -> String {
        format!("10.77.{end}.2")
    }

    fn sides(&self) -> impl Iterator<Item = &'static str> {
        self.ends.iter().copied().chain([Self::HUB])
    }

    fn space(&self, side: &str) -> String {
        format!("{}-{side}", self.name)
    }

    fn router_of(&self, side: &str) -> String {
        format!("{}-router", self.space(side))
    }

    fn spaces(&self) -> Vec<String> {
        let routers = self.ends.iter().filter(|_| self.have_routers);
        let routers = routers.map(|side| self.router_of(side));
        let sides = self.sides().map(|side| self.space(side));
        sides.chain(routers).collect()
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
        for space in self.spaces() {
            // Whatever was made of it is gone with it; what was not made is no matter.
            let _gone = ip(&["netns", "del", &space]);
        }
    }
}

/// A cable between two, each with what it is called there and the address there.
fn cable(ends: [(&str, &str, &str); 2]) -> Result<(), String> {
    let [(here, near, _), (there, far, _)] = ends;
    ip(&[
        "-n", here, "link", "add", near, "type", "veth", "peer", "name", far, "netns", there,
    ])?;
    for (space, link, address) in ends {
        let address = format!("{address}/24");
        ip(&["-n", space, "address", "add", &address, "dev", link])?;
        ip(&["-n", space, "link", "set", link, "up"])?;
    }
    Ok(())
}

/// Passes on what is not for itself.
fn forwards(space: &str) -> Result<(), String> {
    within(
        space,
        &["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"],
    )
}

fn within(space: &str, words: &[&str]) -> Result<(), String> {
    ip(&[&["netns", "exec", space], words].concat())
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
