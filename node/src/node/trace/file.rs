//! The file of a trace, and what it knows of the node so far.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use kith_protocol::{
    audit::AuditChain,
    id::BlobId,
    store::{Item, JournalPosition, RowKey, Store, StoreError},
    sync::{
        Peer, Shell,
        trace::{Call, ENGINE_ROWS_FROM, HEAD, Others, Step},
    },
};
use serde_bytes::ByteBuf;

use super::{
    super::{
        Node,
        identity::{RowKind, read_row},
    },
    watched::Made,
};
use crate::home::Home;

/// Items that are read of the journal in one go.
const JOURNAL_STEP: usize = 1024;

/// A trace that is being written.
pub(super) struct TraceFile {
    /// Nothing after a write that failed: what follows would make no sense.
    file: Option<File>,
    /// The end of the journal as the trace has it.
    seen: JournalPosition,
    peers: Vec<Peer>,
    /// Large values that whoever plays the trace has.
    blobs: BTreeSet<BlobId>,
    made: Made,
}

/// Why no trace is written.
#[derive(Debug, thiserror::Error)]
pub enum NotTraced {
    /// The home was not set up for the demo, and real people may be in it.
    #[error("this home is not one of the demo's")]
    NotADemo,
    /// The store did not say what the home is.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    /// The file was not made.
    #[error("the file of the trace was not made")]
    File(#[from] io::Error),
}

/// The files of traces in a home, in the order of the runs.
///
/// # Errors
/// When the folder cannot be read.
pub fn traces_of(home: &Home) -> io::Result<Vec<PathBuf>> {
    let files = match fs::read_dir(home.folder().join("traces")) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = files.map(|file| file.map(|file| file.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

impl TraceFile {
    /// A new file in the node's home, and what lies in its store before the engine is made.
    pub(super) fn begin(node: &Node) -> Result<(Self, Others), NotTraced> {
        if node.store.row(&RowKind::Demo.key(b""))?.is_none() {
            return Err(NotTraced::NotADemo);
        }
        let folder = node.home.folder().join("traces");
        fs::create_dir_all(&folder)?;
        let run = traces_of(&node.home)?.len();
        let mut new = OpenOptions::new();
        let mut file = new
            .write(true)
            .create_new(true)
            .open(folder.join(format!("run-{run:04}.trace")))?;
        file.write_all(HEAD)?;
        let mut trace = Self {
            file: Some(file),
            seen: JournalPosition(0),
            peers: Vec::new(),
            blobs: BTreeSet::new(),
            made: Made::default(),
        };
        let found = trace.found(node)?;
        Ok((trace, found))
    }

    fn found(&mut self, node: &Node) -> Result<Others, StoreError> {
        let mut rows = Vec::new();
        for kind in ENGINE_ROWS_FROM..u8::MAX {
            let of_kind = node.store.rows(kind)?.into_iter();
            rows.extend(of_kind.map(|(name, value)| Item::Row {
                key: RowKey { kind, name },
                value: Some(ByteBuf::from(value)),
            }));
        }
        let others = self.others(node)?.unwrap_or_default();
        Ok(Others { rows, ..others })
    }

    /// The parts of cuts that were made so far.
    pub(super) const fn made(&self) -> &Made {
        &self.made
    }

    /// What other hands did since the last step; nothing where they did nothing.
    pub(super) fn others(&mut self, node: &Node) -> Result<Option<Others>, StoreError> {
        // What they looked at is nothing that the engine read.
        node.store.given_out();
        let items = journal_after(node, self.seen)?;
        let is_link = |item: &Item| matches!(item, Item::Audit { .. });
        let log: Option<AuditChain> = if items.iter().any(is_link) {
            read_row(&node.store, RowKind::Audit, b"")?
        } else {
            None
        };
        let peers = self.changed_peers(node)?;
        self.looked(node);
        Ok((!items.is_empty() || peers.is_some()).then_some(Others {
            items,
            rows: Vec::new(),
            log,
            peers,
        }))
    }

    /// Large values that the engine read and whoever plays the trace does not have yet.
    pub(super) fn read(&mut self, node: &Node, calls: &[Call]) -> Result<Vec<ByteBuf>, StoreError> {
        let put = calls.iter().filter_map(|call| match call {
            Call::PutBlob { blob, refused } => refused.is_none().then_some(*blob),
            Call::Commit { .. }
            | Call::Disclose { .. }
            | Call::NoteCommon { .. }
            | Call::MadeParts { .. } => None,
        });
        self.blobs.extend(put);
        let mut read = Vec::new();
        for blob in node.store.given_out() {
            if self.blobs.insert(blob) {
                read.extend(node.store.blob(&blob)?.map(ByteBuf::from));
            }
        }
        Ok(read)
    }

    /// Whom the node knows, where that is not what it was.
    pub(super) fn changed_peers(&mut self, node: &Node) -> Result<Option<Vec<Peer>>, StoreError> {
        let peers = node.peers()?;
        if peers == self.peers {
            return Ok(None);
        }
        self.peers.clone_from(&peers);
        Ok(Some(peers))
    }

    /// Everything in the journal is in the trace.
    pub(super) fn looked(&mut self, node: &Node) {
        self.seen = node.store.last();
    }

    /// Writes a step behind the others.
    pub(super) fn write(&mut self, step: &Step) {
        let Some(file) = &mut self.file else {
            return;
        };
        if let Err(error) = file.write_all(&step.to_bytes()) {
            tracing::error!(%error, "the trace ends here");
            self.file = None;
        }
    }
}

/// What came into the journal after a position.
pub(super) fn journal_after(
    node: &Node,
    mut after: JournalPosition,
) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    loop {
        let step = node.store.journal(after, JOURNAL_STEP)?;
        let Some((last, _)) = step.last() else {
            return Ok(items);
        };
        after = *last;
        items.extend(step.into_iter().map(|(_, item)| item));
    }
}
