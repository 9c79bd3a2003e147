//! How messages come in.

use std::net::{IpAddr, SocketAddr};

use kith_protocol::store::Item;
use serde::{Deserialize, Serialize};

use super::super::{
    Node,
    identity::{RowKind, row},
};
use crate::{
    api::{ConnectHl7, Connections},
    failure::{Ending, Failure},
    health::hl7v2::Tables,
};

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hl7Settings {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Addresses that may connect where that is not this machine alone.
    pub allow: Vec<IpAddr>,
    /// `APPLICATION|FACILITY` of whose messages are filed by themselves; everybody's where there is
    /// none.
    pub senders: Vec<String>,
    /// Out of which folder files are taken.
    pub folder: Option<std::path::PathBuf>,
    /// The text of a site's own tables.
    pub tables: Option<String>,
}

impl Hl7Settings {
    /// Whether messages of a sender are filed by themselves.
    pub(super) fn knows(&self, sender: &str) -> bool {
        self.senders.is_empty() || self.senders.iter().any(|known| known == sender)
    }

    /// Whether an address may connect.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.allow.contains(&address)
    }
}

impl Node {
    /// How messages come in, after a change where one is wanted.
    pub(in crate::node) fn connect_hl7(
        &mut self,
        asked: Option<&ConnectHl7>,
    ) -> Result<Connections, Failure> {
        if let Some(asked) = asked {
            let settings = self.changed(asked)?;
            let tables = match settings.tables.as_deref() {
                Some(text) => tables_of(text)?,
                None => Tables::default(),
            };
            let item: Item = row(RowKind::Integration, b"hl7", &settings);
            self.commit(vec![item])?;
            self.inbox.settings = settings;
            self.inbox.tables = tables;
            self.inbox.changes += 1;
        }
        Ok(self.hl7_connections())
    }

    fn hl7_connections(&self) -> Connections {
        let settings = &self.inbox.settings;
        let listening = self.inbox.listening.as_ref();
        let at = listening.and_then(|listening| listening.as_ref().ok());
        let problem = listening.and_then(|listening| listening.as_ref().err());
        Connections {
            listen: at.copied().or(settings.listen),
            listening: at.is_some(),
            problem: problem.cloned(),
            allow: settings.allow.clone(),
            senders: settings.senders.clone(),
            folder: settings.folder.clone(),
            own_tables: settings.tables.is_some(),
        }
    }

    fn changed(&self, asked: &ConnectHl7) -> Result<Hl7Settings, Failure> {
        if asked.off {
            return Ok(Hl7Settings::default());
        }
        let mut settings = self.inbox.settings.clone();
        if let Some(listen) = asked.listen {
            settings.listen = Some(listen);
        }
        if !asked.allow.is_empty() {
            settings.allow = asked.allow.iter().map(IpAddr::to_canonical).collect();
        }
        if !asked.senders.is_empty() {
            for sender in &asked.senders {
                if sender.matches('|').count() != 1 {
                    return Err(Failure::new(
                        Ending::Usage,
                        format!("{sender:?} is not the name of a sender."),
                        "Write it as APPLICATION|FACILITY, as MSH-3 and MSH-4 have it: 'ADT|HOSPITAL', or 'ADT|' where there is no facility. Nothing was changed.",
                    ));
                }
            }
            settings.senders.clone_from(&asked.senders);
        }
        if let Some(folder) = &asked.folder {
            if !folder.is_dir() {
                return Err(Failure::new(
                    Ending::Usage,
                    format!("{} is not a folder.", folder.display()),
                    "Make it first, and see that kith may write there. Nothing was changed.",
                ));
            }
            settings.folder = Some(folder.clone());
        }
        if let Some(file) = &asked.tables {
            let text = std::fs::read_to_string(file).map_err(|error| {
                let what = format!("{} cannot be read.", file.display());
                let remedy = "Check the name and that you may read it. Nothing was changed.";
                Failure::new(Ending::Failed, what, remedy).because(&error)
            })?;
            tables_of(&text)?;
            settings.tables = Some(text);
        }
        let beyond = settings
            .listen
            .is_some_and(|listen| !listen.ip().to_canonical().is_loopback());
        if beyond && settings.allow.is_empty() {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Messages of HL7 v2 are neither signed nor sealed, so that kith takes them from this machine alone.",
                "Listen on 127.0.0.1 and bring them there through a tunnel, or name each address that may connect with --allow. Nothing was changed.",
            ));
        }
        Ok(settings)
    }

    /// What was set.
    pub(crate) fn hl7_settings(&self) -> Hl7Settings {
        self.inbox.settings.clone()
    }

    /// How often the settings or the messages that go out have changed.
    pub(crate) const fn hl7_changes(&self) -> u64 {
        self.inbox.changes
    }

    /// Where this node listens for messages now, or why it does not.
    pub(crate) fn listens_for_hl7(&mut self, at: Option<Result<SocketAddr, String>>) {
        self.inbox.listening = at;
    }
}

fn tables_of(text: &str) -> Result<Tables, Failure> {
    Tables::with(text).map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            "The file of tables is not understood.",
            "Correct it: node/src/health/hl7v2/tables.toml has the form. Nothing was changed.",
        )
        .because(&error)
    })
}
