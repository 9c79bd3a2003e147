//! Bundle files: a record written down to travel, taken in, checked.

mod out;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
};

use kith_protocol::{
    audit::{Audience, How, Recipient},
    bundle::{
        AttachmentPiece, BundleItem, BundleWriter, Counts, Frame, Manifest, attachment_pieces,
        seal::{SealingKey, SealingSecret},
    },
    consent::{Status, devices, grant::Purposes},
    id::{BlobId, PrincipalId, RecordId},
    logs::LogId,
    record::Record,
    store::{Item, Store},
};

use super::{
    Node,
    export::{BundleTo, not_written},
    now_ms, peers, show,
    verify::chain,
};
use crate::{
    api::{Exported, Filed, Imported, Verified},
    failure::{Ending, Failure},
};
use out::Out;
use reading::{Ways, of_another_record, read};

/// Items taken in with one commit.
const GROUP_ITEMS: usize = 512;

impl Node {
    pub(super) fn export_bundle(
        &mut self,
        record: &mut Record,
        path: &Path,
        to: &BundleTo,
    ) -> Result<Exported, Failure> {
        if path.exists() {
            return Err(Failure::new(
                Ending::Usage,
                format!("{} is there already.", path.display()),
                "Name a file that does not exist yet. Nothing was written.",
            ));
        }
        let (audience, receivers) = self.receivers(to)?;
        let items = self.everything(record)?;
        let blobs = self.attachments(record)?;
        self.disclose(record, audience, How::Bundle, 0)?;
        let draft = path.with_extension("kith-part");
        let written = File::create(&draft)
            .map_err(|error| not_written(path, &error))
            .and_then(|file| {
                let mut out = Out::begin(file, path, to, &receivers, &mut self.rng)?;
                self.write_bundle(record.id(), &items, &blobs, &mut out)?;
                out.finish()
            })
            .and_then(|()| {
                std::fs::rename(&draft, path).map_err(|error| not_written(path, &error))
            });
        if let Err(failure) = written {
            if let Err(error) = std::fs::remove_file(&draft) {
                tracing::debug!(%error, "nothing to clear away");
            }
            return Err(failure);
        }
        let mut notes = Vec::new();
        if *to == BundleTo::Anyone {
            notes.push("The file is not sealed: whoever gets hold of it can read it.".to_owned());
        }
        Ok(Exported {
            text: None,
            path: Some(path.to_owned()),
            count: items.len(),
            notes,
        })
    }

    fn write_bundle(
        &self,
        record: RecordId,
        items: &[BundleItem],
        blobs: &[BlobId],
        out: &mut Out<'_>,
    ) -> Result<(), Failure> {
        let mut counts = Counts {
            attachments: blobs.len() as u64,
            ..Counts::default()
        };
        for item in items {
            match item {
                BundleItem::PrincipalEvent(_) => counts.principal_events += 1,
                BundleItem::RecordEvent(_) => counts.record_events += 1,
                BundleItem::Part(_) => counts.parts += 1,
                BundleItem::Entry(_) => counts.entries += 1,
                BundleItem::Attachment(_) => {}
            }
        }
        let manifest = Manifest {
            records: vec![record],
            principal: self.identity.principal,
            staff: None,
            device: self.device(),
            time_ms: now_ms(),
            purpose: Purposes::CARE,
            counts,
        };
        let (mut writer, bytes) = BundleWriter::begin(manifest).map_err(|e| not_bundled(&e))?;
        out.push(&bytes)?;
        for item in items {
            out.push(&writer.item(item).map_err(|e| not_bundled(&e))?)?;
        }
        for id in blobs {
            let bytes = self.store.blob(id)?.ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    "An attachment of the record went missing while the bundle was written.",
                    "No bundle was made. Run kith status, then try again.",
                )
            })?;
            for piece in attachment_pieces(&bytes) {
                out.push(&writer.item(&piece).map_err(|e| not_bundled(&e))?)?;
            }
        }
        let bytes = writer
            .finish(&self.identity.device)
            .map_err(|e| not_bundled(&e))?;
        out.push(&bytes)
    }

    /// Everything signed of a record, in the order of a sync session.
    fn everything(&self, record: &mut Record) -> Result<Vec<BundleItem>, Failure> {
        let id = record.id();
        let (mut of_record, mut entries) = (Vec::new(), Vec::new());
        let mut authors = BTreeSet::from([self.identity.principal]);
        for log in self.store.logs(&id)? {
            for (_, bytes) in self.store.events(&log)? {
                authors.extend(peers::signers_of(&bytes));
                of_record.push(BundleItem::RecordEvent(bytes));
            }
        }
        for document in self.store.documents(&id)? {
            for (entry, bytes) in self.store.entries(&id, &document)? {
                authors.extend(record.ledger().header(&entry).map(|header| header.author));
                entries.push(BundleItem::of_entry(bytes)?);
            }
        }
        authors.extend(record.ledger().custodians());
        let mut items = Vec::new();
        for author in authors {
            let events = self.store.events(&LogId::Principal(author))?;
            items.extend(
                events
                    .into_iter()
                    .map(|(_, bytes)| BundleItem::PrincipalEvent(bytes)),
            );
        }
        items.extend(of_record);
        items.extend(self.parts_of(&id)?.into_iter().map(BundleItem::Part));
        items.extend(entries);
        Ok(items)
    }

    /// The attachments of a record that are here, ascending.
    fn attachments(&self, record: &mut Record) -> Result<Vec<BlobId>, Failure> {
        let placed = self.read_all(record)?;
        let named = placed
            .iter()
            .flat_map(|placed| &placed.held.meta.attachments);
        let named: BTreeSet<_> = named
            .filter_map(|attachment| BlobId::from_hex(&attachment.blob))
            .collect();
        let mut held = Vec::new();
        for id in named {
            if self.store.blob(&id)?.is_some() {
                held.push(id);
            }
        }
        Ok(held)
    }

    /// Who can open a bundle, for the access log and for the seal.
    fn receivers(&self, to: &BundleTo) -> Result<(Audience, Vec<SealingKey>), Failure> {
        let names = match to {
            BundleTo::Anyone => return Ok((Audience::Anyone, Vec::new())),
            BundleTo::Passphrase(_) => return Ok((Audience::Passphrase, Vec::new())),
            BundleTo::Named(names) => names,
        };
        let (mut recipients, mut keys) = (Vec::new(), Vec::new());
        for name in names {
            let principal = self.principal_called(name)?;
            keys.push(self.sealing_key(principal)?);
            recipients.push(Recipient {
                principal,
                device: None,
                staff: None,
            });
        }
        Ok((Audience::Named(recipients), keys))
    }

    fn principal_called(&self, name: &str) -> Result<PrincipalId, Failure> {
        let known = peers::all(&self.store)?;
        let own = std::iter::once(self.identity.principal);
        let mut found = known
            .into_iter()
            .map(|(principal, _)| principal)
            .chain(own)
            .filter(|principal| {
                self.name_of(*principal).eq_ignore_ascii_case(name)
                    || principal.to_string() == name.to_ascii_lowercase()
            });
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::new(
                Ending::Failed,
                format!("No node called {name:?} is known here."),
                "kith status lists the nodes that are known. Nothing was written.",
            )),
            (Some(_), Some(_)) => Err(Failure::new(
                Ending::NeedsPerson,
                format!("Several nodes call themselves {name:?}."),
                "Name the one you mean by its public key. Nothing was written.",
            )),
        }
    }

    /// The key in a principal's log to which bundles for it are sealed.
    fn sealing_key(&self, principal: PrincipalId) -> Result<SealingKey, Failure> {
        let key = devices::sealing_key(&self.log_of(principal)?, principal).map(SealingKey);
        key.ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "The key to which a bundle for them is sealed is not here.",
                "Use a passphrase instead. Nothing was written.",
            )
        })
    }

    /// Takes in a bundle file: read to its end and checked first, then item by item.
    pub(super) fn import_bundle(
        &mut self,
        path: &Path,
        passphrase: Option<&str>,
        target: Option<RecordId>,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let secret = SealingSecret::from_seed(*self.identity.sealing_seed);
        let unlock = Ways {
            secret: &secret,
            passphrase,
        };
        let summary = read(path, &unlock, |_| Ok(()))?;
        if target.is_some_and(|target| summary.manifest.records != [target]) {
            return Err(of_another_record(path));
        }
        let mut taking = Taking::default();
        read(path, &unlock, |frame| match frame {
            Frame::Manifest(_) => Ok(()),
            Frame::Item(item) => self.take_bundled(&mut taking, item),
        })?;
        self.take_group(&mut taking)?;
        for record in summary.manifest.records {
            let filed = taking.filed.remove(&record).unwrap_or_default();
            let known = self.people.get(&record).cloned().unwrap_or_default();
            imported.records.push(Filed {
                record: record.to_string(),
                person: known.banner(),
                filed: filed.by_section,
                unchanged: filed.unchanged,
                alike: self.alike(record, &known),
            });
        }
        for refused in taking.refused {
            imported.flagged.push(kith_crdt::flag::Flag {
                place: path.display().to_string(),
                what: refused,
            });
        }
        Ok(())
    }

    fn take_bundled(&mut self, taking: &mut Taking, item: BundleItem) -> Result<(), Failure> {
        if let BundleItem::Attachment(piece) = item {
            if let Some(whole) = taking.attachment(&piece) {
                self.store.put_blob(&whole)?;
            }
            return Ok(());
        }
        match item.into_stored() {
            Ok(Some(item)) => taking.add(item),
            Ok(None) => {}
            Err(error) => taking.refused.push(chain(&error)),
        }
        if taking.waiting >= GROUP_ITEMS {
            self.take_group(taking)?;
        }
        Ok(())
    }

    fn take_group(&mut self, taking: &mut Taking) -> Result<(), Failure> {
        for (record, items) in std::mem::take(&mut taking.items) {
            let filed = taking.filed.entry(record).or_default();
            for item in &items {
                if let Item::Entry { id, document, .. } = item {
                    if self.store.has_entry(id)? {
                        filed.unchanged += 1;
                    } else {
                        let section = document.section.name().to_owned();
                        *filed.by_section.entry(section).or_default() += 1;
                    }
                }
            }
            let all = [taking.principals.as_slice(), &items].concat();
            let refused = self.take_items(record, &all)?;
            if refused > 0 {
                taking
                    .refused
                    .push(format!("{refused} entries did not hold and were left out"));
            }
        }
        taking.waiting = 0;
        Ok(())
    }

    /// Checks a bundle file without taking anything in.
    pub(super) fn verify_bundle(
        &mut self,
        path: &Path,
        passphrase: Option<&str>,
    ) -> Result<Verified, Failure> {
        let secret = SealingSecret::from_seed(*self.identity.sealing_seed);
        let unlock = Ways {
            secret: &secret,
            passphrase,
        };
        let mut found = Verified {
            what: path.display().to_string(),
            ..Verified::default()
        };
        let mut records: BTreeMap<RecordId, Record> = BTreeMap::new();
        let mut principals = Vec::new();
        read(path, &unlock, |frame| {
            let Frame::Item(item) = frame else {
                return Ok(());
            };
            match item.into_stored() {
                Ok(Some(item)) => check(item, &mut records, &mut principals, &mut found),
                Ok(None) => {}
                Err(error) => found.faults.push(chain(&error)),
            }
            Ok(())
        })?;
        for record in records.values_mut() {
            for (status, n) in show::status_counts(record) {
                *found.status.entry(status).or_default() += n;
            }
            for document in record.ledger().documents() {
                for (entry, status) in record.ledger().entries(&document) {
                    if let Status::Invalid(fault) = status {
                        found.faults.push(format!("entry {entry}: {fault}"));
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Puts an item where the status rule can judge it.
fn check(
    item: Item,
    records: &mut BTreeMap<RecordId, Record>,
    principals: &mut Vec<Item>,
    found: &mut Verified,
) {
    match &item {
        Item::Event { .. } => found.events += 1,
        Item::Entry { .. } => found.entries += 1,
        Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {}
    }
    let Some(id) = record_of(&item) else {
        principals.push(item);
        return;
    };
    let record = records.entry(id).or_insert_with(|| {
        let mut record = Record::new(id);
        for event in principals.iter() {
            if let Err(error) = record.arrive(event) {
                found.faults.push(chain(&error));
            }
        }
        record
    });
    if let Err(error) = record.arrive(&item) {
        found.faults.push(chain(&error));
    }
}

/// The record that an item belongs to; none for a principal's log.
pub(super) fn record_of(item: &Item) -> Option<RecordId> {
    match item {
        Item::Event { log, .. } => match log {
            LogId::Principal(_) | LogId::Core(None) => None,
            LogId::Core(Some(record)) | LogId::Label(record, _) => Some(*record),
        },
        Item::Entry { record, .. } | Item::Part { record, .. } => Some(*record),
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

/// What is being taken in from a bundle.
#[derive(Default)]
struct Taking {
    principals: Vec<Item>,
    items: BTreeMap<RecordId, Vec<Item>>,
    waiting: usize,
    attachment: Vec<u8>,
    filed: BTreeMap<RecordId, Counted>,
    refused: Vec<String>,
}

#[derive(Default)]
struct Counted {
    by_section: BTreeMap<String, usize>,
    unchanged: usize,
}

impl Taking {
    fn add(&mut self, item: Item) {
        match record_of(&item) {
            Some(record) => {
                self.items.entry(record).or_default().push(item);
                self.waiting += 1;
            }
            None => self.principals.push(item),
        }
    }

    /// The whole attachment, when this was its last piece. The reader checked order and hash.
    fn attachment(&mut self, piece: &AttachmentPiece) -> Option<Vec<u8>> {
        if piece.from == 0 {
            self.attachment.clear();
        }
        self.attachment.extend_from_slice(&piece.bytes);
        piece
            .is_last()
            .then(|| std::mem::take(&mut self.attachment))
    }
}

fn not_bundled(error: &kith_protocol::bundle::WriteError) -> Failure {
    Failure::new(
        Ending::Failed,
        "The bundle could not be made.",
        "The record is untouched. This is a fault of kith.",
    )
    .because(error)
}
