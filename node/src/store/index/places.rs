//! Which documents, logs and labels a record has, and where chains end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    codec,
    consent::cut::CutPlace,
    id::{DeviceId, EnvelopeId, RecordId},
    logs::LogId,
    store::{ChainEnd, ChainPosition, StoreError},
};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};

use super::{
    Index, boxed, record_handle,
    tables::{self, CHAINS, DEVICES, LABEL_NAMES, Links, PLACE_NAMES, RECORD_LABELS, RECORDS},
};
use crate::{parallel, store::seal};

impl Index {
    pub(in crate::store) fn documents(
        &self,
        record: &RecordId,
    ) -> Result<Vec<DocumentId>, StoreError> {
        let places = self.places(record, Links::Entries)?;
        let documents = places.into_iter().filter_map(|place| match place {
            CutPlace::Document(document) => Some(document),
            CutPlace::Core | CutPlace::Label(_) => None,
        });
        let mut documents: Vec<_> = documents.collect();
        documents.sort();
        Ok(documents)
    }

    pub(in crate::store) fn logs(&self, record: &RecordId) -> Result<Vec<LogId>, StoreError> {
        let places = self.places(record, Links::Events)?;
        let logs = places.into_iter().filter_map(|place| match place {
            CutPlace::Core => Some(LogId::Core(Some(*record))),
            CutPlace::Label(label) => Some(LogId::Label(*record, label)),
            CutPlace::Document(_) => None,
        });
        let mut logs: Vec<_> = logs.collect();
        logs.sort();
        Ok(logs)
    }

    pub(in crate::store) fn labels(
        &self,
    ) -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError> {
        self.read(|t| {
            let mut names = BTreeMap::new();
            for row in open!(t, LABEL_NAMES).iter().map_err(boxed)? {
                let (handle, sealed) = row.map_err(boxed)?;
                let name = seal::open(&self.keys.values, b"name", sealed.value());
                let label = name.and_then(|name| codec::decode_trusted::<Label>(&name).ok());
                names.extend(label.map(|label| (handle.value(), label)));
            }
            let mut of_record = BTreeMap::<u32, BTreeSet<Label>>::new();
            for row in open!(t, RECORD_LABELS).iter().map_err(boxed)? {
                let (record, label) = row.map_err(boxed)?.0.value();
                let own = of_record.entry(record).or_default();
                own.extend(names.get(&label).cloned());
            }
            open!(t, RECORDS)
                .iter()
                .map_err(boxed)?
                .map(|row| {
                    let (id, handle) = row.map_err(boxed)?;
                    let own = of_record.remove(&handle.value()).unwrap_or_default();
                    Ok((RecordId::from_bytes(*id.value()), own))
                })
                .collect()
        })
    }

    /// Where in a record its documents or logs are.
    fn places(&self, record: &RecordId, of: Links) -> Result<Vec<CutPlace>, StoreError> {
        self.read(|t| {
            let Some(record) = record_handle(t, record)? else {
                return Ok(Vec::new());
            };
            let table = open!(t, tables::places_of(of));
            let range = table.range((record, 0)..=(record, u32::MAX));
            let names = open!(t, PLACE_NAMES);
            let mut found = Vec::new();
            for row in range.map_err(boxed)? {
                let (key, sealed) = row.map_err(boxed)?;
                found.extend(self.place(&names, of, key.value(), sealed.value())?);
            }
            Ok(found)
        })
    }

    /// What a sealed place says; nothing where its seal does not hold.
    fn place(
        &self,
        names: &ReadOnlyTable<u32, &'static [u8]>,
        links: Links,
        of: (u32, u32),
        sealed: &[u8; seal::NUMBER_LEN],
    ) -> Result<Option<CutPlace>, Box<redb::Error>> {
        let context = tables::place_context(links, of);
        let Some(handle) = seal::open_number(&self.keys.places, &context, sealed) else {
            return Ok(None);
        };
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.get(&handle) {
            return Ok(Some(place.clone()));
        }
        let name = names.get(handle).map_err(boxed)?;
        let name = name.and_then(|name| seal::open(&self.keys.values, b"name", name.value()));
        let place = name.and_then(|name| codec::decode_trusted::<CutPlace>(&name).ok());
        if let Some(place) = &place {
            known.insert(handle, place.clone());
        }
        Ok(place)
    }

    pub(in crate::store) fn chains(
        &self,
        device: &DeviceId,
        record: Option<&RecordId>,
    ) -> Result<Vec<ChainEnd>, StoreError> {
        let records = self.read(|t| records_by_handle(t, record))?;
        let kinds = vec![Links::Entries, Links::Events];
        let ends = parallel::each(kinds, |links| {
            self.read(|t| self.ends(t, device, links, &records))
        });
        let mut all = Vec::new();
        for ends in ends {
            all.append(&mut ends?);
        }
        // Two runs that ascend.
        all.sort();
        Ok(all)
    }

    /// The ends of a device's chains of entries or events in these records, ascending.
    fn ends(
        &self,
        t: &ReadTransaction,
        device: &DeviceId,
        links: Links,
        records: &ByHandle<RecordId>,
    ) -> Result<Vec<ChainEnd>, Box<redb::Error>> {
        let places = sealed_places(t, links, records)?;
        let known = open!(t, DEVICES).get(device.as_bytes()).map_err(boxed)?;
        let Some(signer) = known.map(|signer| signer.value()) else {
            return Ok(Vec::new());
        };
        let (chains, names) = (open!(t, CHAINS), open!(t, PLACE_NAMES));
        let kind = links as u8;
        let range = chains.range((signer, kind, 0, 0)..=(signer, kind, u32::MAX, u32::MAX));
        let mut ends = Vec::with_capacity(places.len());
        for row in range.map_err(boxed)? {
            let (key, value) = row.map_err(boxed)?;
            let (_, _, handle, epoch) = key.value();
            // A principal's log is in no record.
            let Some((id, of, sealed)) = at_handle(&places, handle) else {
                continue;
            };
            let place = self.place(&names, links, (*of, handle), sealed)?;
            let end = tables::End::from_bytes(value.value());
            ends.extend(place.map(|place| ChainEnd {
                record: *id,
                place,
                position: ChainPosition {
                    device: *device,
                    epoch,
                    seq: end.seq,
                },
                id: EnvelopeId::from_bytes(end.id),
                is_straight: end.is_straight,
            }));
        }
        ends.sort_unstable();
        Ok(ends)
    }
}

/// Things by their handles, ascending.
type ByHandle<T> = Vec<(u32, T)>;

fn at_handle<T>(things: &ByHandle<T>, handle: u32) -> Option<&T> {
    // Handles are given one after another, so that of all records a thing is where its handle says.
    let guess = usize::try_from(handle).ok()?.wrapping_sub(1);
    if let Some((of, thing)) = things.get(guess)
        && *of == handle
    {
        return Some(thing);
    }
    let at = things.binary_search_by_key(&handle, |(of, _)| *of).ok()?;
    Some(&things[at].1)
}

/// One record or all of them.
fn records_by_handle(
    t: &ReadTransaction,
    record: Option<&RecordId>,
) -> Result<ByHandle<RecordId>, Box<redb::Error>> {
    if let Some(record) = record {
        let handle = record_handle(t, record)?;
        return Ok(handle.map(|handle| (handle, *record)).into_iter().collect());
    }
    let records = open!(t, RECORDS);
    let rows = records.iter().map_err(boxed)?;
    let by_handle = rows.map(|row| {
        let (id, handle) = row.map_err(boxed)?;
        Ok((handle.value(), RecordId::from_bytes(*id.value())))
    });
    let mut by_handle: ByHandle<_> = by_handle.collect::<Result<_, Box<redb::Error>>>()?;
    by_handle.sort_unstable();
    Ok(by_handle)
}

/// A document's or log's record, the record's handle, and the sealed place.
type SealedPlace = (RecordId, u32, [u8; seal::NUMBER_LEN]);

/// The places of all documents or logs of these records.
fn sealed_places(
    t: &ReadTransaction,
    of: Links,
    records: &ByHandle<RecordId>,
) -> Result<ByHandle<SealedPlace>, Box<redb::Error>> {
    let table = open!(t, tables::places_of(of));
    // All at once, in the order in which they lie there, or the few of one record.
    let range = match records.as_slice() {
        [(record, _)] => table.range((*record, 0)..=(*record, u32::MAX)),
        [] | [_, _, ..] => table.iter(),
    };
    let mut places = Vec::new();
    for row in range.map_err(boxed)? {
        let (key, sealed) = row.map_err(boxed)?;
        let (record, handle) = key.value();
        if let Some(id) = at_handle(records, record) {
            places.push((handle, (*id, record, *sealed.value())));
        }
    }
    places.sort_unstable_by_key(|(handle, _)| *handle);
    Ok(places)
}
