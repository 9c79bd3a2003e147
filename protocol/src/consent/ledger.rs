//! placeholder: replaced by the status branch
#![allow(missing_docs, dead_code, clippy::allow_attributes_without_reason)]
use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};

use crate::{
    author::NextLink,
    consent::grant::{Actions, Grant, Purposes},
    envelope::Header,
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, RecordId, StaffId},
    logs::{Event, Frontiers, LogId},
    signed::Verified,
};
use super::cut::ProvenPart;

pub enum ContentFacts { Change { hash: [u8; 32], deps: Vec<[u8; 32]>, actor_seq: u64 }, None, Erased, Refused(String), Unreadable(String) }
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status { Accepted, Marked(String), Contested(String), Invalid(String), Pending(Vec<EnvelopeId>), Unreadable }
#[derive(Clone, Debug)]
pub struct Material { pub main: Vec<EnvelopeId>, pub sides: Vec<Vec<EnvelopeId>> }
#[derive(Clone, Copy, Debug)]
pub struct Whoever { pub principal: PrincipalId, pub device: DeviceId, pub staff: Option<StaffId> }
#[derive(Clone, Debug)]
pub struct Reader { document: DocumentId, grant: Option<EventId> }
impl Reader { pub fn document(&self) -> &DocumentId { &self.document } pub fn grant(&self) -> Option<EventId> { self.grant } }
#[derive(Clone, Debug)]
pub struct Writer { document: DocumentId, grant: Option<EventId> }
impl Writer { pub fn document(&self) -> &DocumentId { &self.document } pub fn grant(&self) -> Option<EventId> { self.grant } }
#[derive(Clone, Debug, thiserror::Error)]
#[error("not allowed")]
pub struct Denial;
#[derive(Debug)]
pub struct Ledger { record: RecordId, events: BTreeMap<EventId, Verified<Event>>, entries: BTreeMap<EnvelopeId, Verified<Header>>, order: Vec<EnvelopeId> }
impl Ledger {
    pub fn new(record: RecordId) -> Self { Self { record, events: BTreeMap::new(), entries: BTreeMap::new(), order: Vec::new() } }
    pub fn add_event(&mut self, event: Verified<Event>) { self.events.insert(event.id(), event); }
    pub fn add_part(&mut self, _part: ProvenPart) {}
    pub fn add_entry(&mut self, header: Verified<Header>, _content: ContentFacts) { let id = header.id(); if self.entries.insert(id, header).is_none() { self.order.push(id); } }
    pub fn status(&mut self, entry: &EnvelopeId) -> Option<Status> { self.entries.get(entry).map(|_| Status::Accepted) }
    pub fn entries(&mut self, document: &DocumentId) -> Vec<(EnvelopeId, Status)> { self.loaded(document).main.into_iter().map(|id| (id, Status::Accepted)).collect() }
    pub fn documents(&self) -> Vec<DocumentId> { self.entries.values().map(|e| e.value().document.clone()).collect::<BTreeSet<_>>().into_iter().collect() }
    pub fn loaded(&mut self, document: &DocumentId) -> Material { Material { main: self.order.iter().filter(|id| self.entries[id].value().document == *document).copied().collect(), sides: vec![] } }
    pub fn heads(&mut self, document: &DocumentId) -> Vec<EnvelopeId> { let all = self.loaded(document).main; let deps: BTreeSet<_> = all.iter().flat_map(|id| self.entries[id].value().deps.clone()).collect(); all.into_iter().filter(|id| !deps.contains(id)).collect() }
    pub fn frontiers(&mut self, _label: &Label, _principal: &PrincipalId) -> Frontiers { Frontiers::default() }
    pub fn next_event(&self, device: DeviceId, log: &LogId) -> NextLink<EventId> { self.events.values().filter(|e| e.value().device == device && e.value().log == *log).max_by_key(|e| e.value().seq).map_or(NextLink::FIRST, |e| NextLink::after(e.value().seq, e.id())) }
    pub fn next_entry(&self, device: DeviceId, epoch: u32, document: &DocumentId) -> NextLink<EnvelopeId> { self.entries.values().filter(|e| e.value().device == device && e.value().epoch == epoch && e.value().document == *document).max_by_key(|e| e.value().seq).map_or(NextLink::FIRST, |e| NextLink::after(e.value().seq, e.id())) }
    pub fn controllers(&mut self) -> Vec<PrincipalId> { vec![] }
    pub fn grants(&mut self) -> Vec<GrantState> { vec![] }
    pub fn decide_read(&mut self, _who: &Whoever, document: &DocumentId, _purpose: Purposes, _now_ms: u64) -> Result<Reader, Denial> { Ok(Reader { document: document.clone(), grant: None }) }
    pub fn decide_write(&mut self, _who: &Whoever, document: &DocumentId, _action: Actions, _purpose: Purposes, _now_ms: u64) -> Result<Writer, Denial> { Ok(Writer { document: document.clone(), grant: None }) }
    pub fn own_copy(&self, document: &DocumentId) -> Reader { Reader { document: document.clone(), grant: None } }
    pub fn header(&self, id: &EnvelopeId) -> Option<&Header> { self.entries.get(id).map(Verified::value) }
    pub fn keep_everything(&mut self, _link: crate::logs::record::Link) -> Tree { Tree }
    pub fn keep_none_after(&mut self, _link: crate::logs::record::Link, _t: u64) -> Tree { Tree }
    pub fn review(&mut self) -> Vec<ReviewItem> { vec![] }
    pub fn adoptable(&mut self, _e: &EnvelopeId) -> Vec<EnvelopeId> { vec![] }
    pub fn explain(&mut self, _e: &EnvelopeId) -> Option<Explanation> { None }
    pub fn digest(&mut self) -> [u8; 32] { [0; 32] }
}

pub struct Tree;
impl Tree { pub fn cut(&self) -> super::cut::Cut { super::cut::Cut::Nothing } pub fn proven(&self, _e: EventId) -> Vec<ProvenPart> { vec![] } }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing { Active, Revoked, Suspended, Lapsed, Renounced, Invalid }
#[derive(Clone, Debug)]
pub struct GrantState { pub id: EventId, pub grant: Grant, pub issuer: PrincipalId, pub label: Label, pub state: Standing }
pub enum ReviewItem { Entry { id: EnvelopeId, status: Status }, Revocation { id: EventId }, Equivocation { device: DeviceId, first: EnvelopeId, second: EnvelopeId } }
pub struct Explanation { pub sentences: Vec<String> }
