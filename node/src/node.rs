//! One node at work on its store: who it is, whom it has records of, and what it is asked to do.
//!
//! Everything here is one thread's business. Commands come as [`Request`]s, from the command line
//! in the same process or over the socket of a running node, and end in a [`Reply`] or a
//! [`Failure`].

mod access;
mod accounts;
mod acting;
mod add;
mod apps;
mod attention;
mod attest;
mod audit;
mod brought;
mod bundle;
mod change;
mod circle;
mod control;
mod custodian;
mod devices;
mod emergency;
mod epochs;
mod events;
mod export;
mod fhir;
mod find;
mod folder;
mod forms;
mod guest;
mod heading;
mod history;
mod household;
mod identity;
mod import;
mod inbox;
mod leaver;
mod overview;
mod peers;
mod people;
mod plans;
mod practice;
mod readings;
mod recent;
mod records;
mod recovery;
mod regain;
mod restore;
mod review;
mod same_person;
mod saved;
mod scheme;
mod sent;
mod setup;
mod sharing;
mod sheet;
mod shell;
mod show;
mod standing;
mod statements;
mod status;
mod streams;
mod summary;
mod thing;
mod timeline;
#[cfg(feature = "trace")]
mod trace;
mod undo;
mod verify;
mod views;
mod work;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use kith_protocol::{
    consent::Whoever,
    id::{DeviceId, PrincipalId, RecordId, StaffId},
    logs::LogId,
    record::{Pen, Record, Rights},
    store::{Item, JournalPosition, ReadLog, Store, StoreError},
    sync::is_of_principal,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::{
    api::{NewAccount, Progress, Reply, Request},
    backup::Snapshot,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    pairing::place,
    store::DiskStore,
};

use identity::Identity;
use people::People;
use recent::Recent;

pub use accounts::{Account, Signing};
pub(crate) use apps::{Client, Tokens, origin_of};
pub use audit::Given;
pub(crate) use brought::{BringNext, BringState, Brought};
pub use emergency::{EmergencyAnswer, EmergencyAsk, EmergencyLink};
pub use export::{BundleTo, ExportForm};
pub(crate) use fhir::{Changed, FhirAsked, FhirGiven};
pub use heading::{Heading, Person};
pub use history::{Aside, Beside, Difference, History, Version, Written};
pub use identity::Role;
pub(crate) use import::FileRead;
pub use inbox::{Arrival, Hl7Settings, OutMessage, OutOutcome, TakenIn};
pub use overview::{Overview, Part};
pub use peers::Peer;
pub use readings::Series;
pub(crate) use sent::Upload;
pub use setup::{Adder, NewDevice};
pub use sharing::{
    InvitationId, Invited, Opening, Refused, last_day, meet, offered, owner_of, refused, start_of,
};
pub use thing::{Attached, Thing};
pub(crate) use timeline::arrived_late;
#[cfg(feature = "trace")]
pub use trace::{NotTraced, TracedEngine, traces_of};
pub use views::Found;

/// How much of what this node's owner said is kept with what was made of it, bytes of texts.
const STATEMENTS_LEN: usize = 16 << 20;

/// A node with its store open.
pub struct Node {
    home: Home,
    store: DiskStore,
    identity: Identity,
    people: People,
    /// Name cards that are known to stand in rows.
    noted_cards: BTreeSet<circle::Card>,
    cuts: leaver::Cuts,
    ends: sharing::Ends,
    deadlines: work::Deadlines,
    common: peers::Common,
    looked: attention::Looked,
    loaded: Recent<Record>,
    /// Those that are being taken in, without their content.
    taken: Recent<Record>,
    /// What was made of records for lists of what is in them.
    views: Recent<views::Views>,
    /// As they stand on the disk.
    rights: Recent<Rights>,
    /// Where the journal stood after the last thing that could be for others.
    changed: JournalPosition,
    nonce: [u8; 8],
    rng: ChaCha20Rng,
    /// Where this node listens, while it runs.
    addresses: Vec<String>,
    /// When words were tried here by people who may be anyone.
    word_attempts: Vec<u64>,
    standings: standing::Standings,
    /// What was made of what this node's owner said, to compare what comes in.
    statements: Recent<statements::Statements>,
    /// Whose each device was that was asked about: the row of every known node is long, and one of
    /// them is read instead of all.
    device_owners: RefCell<BTreeMap<DeviceId, PrincipalId>>,
    /// Who was found to bring results, and not to answer for them as an organisation does: asked
    /// for each result that is shown.
    bringers: RefCell<BTreeMap<PrincipalId, bool>>,
    /// What is read for the answer that is being made, where it is entered into the access log at
    /// its end.
    look: Option<audit::Look>,
    /// What was read for several answers that wait until it stands in the access log.
    gathered: Option<audit::Gathered>,
    /// What is made and goes into one commit with what says so.
    deferred: Option<Vec<Item>>,
    /// The member of staff for whom it works now; nobody where it is its owner's own work.
    acting: Option<StaffId>,
    /// How often whom this node knows or expects, or where they are, has changed.
    met: u64,
    inbox: inbox::Desk,
    bringing: brought::Works,
}

impl Node {
    /// Opens the node in a home.
    pub fn open(home: &Home, unlock: &Unlock) -> Result<Self, Failure> {
        let store = home.open(unlock)?;
        Self::clear_passing(home.folder());
        let identity = Identity::load(&store)?;
        let people = People::load(&store)?;
        let cuts = leaver::Cuts::load(&store)?;
        let ends = sharing::Ends::load(&store)?;
        let deadlines = work::Deadlines::load(&store)?;
        let inbox = inbox::Desk::load(&store)?;
        let mut rng = ChaCha20Rng::from_seed(crate::store::random());
        let mut nonce = [0; 8];
        rng.fill_bytes(&mut nonce);
        Ok(Self {
            home: home.clone(),
            identity,
            people,
            noted_cards: BTreeSet::new(),
            cuts,
            ends,
            deadlines,
            looked: attention::Looked::default(),
            loaded: Recent::of(records::LOADED_LEN),
            taken: Recent::of(records::TAKEN_LEN),
            views: Recent::of(views::AT_HAND_MAX),
            rights: Recent::of(records::LOADED_RIGHTS_LEN),
            common: peers::read_common(&store)?,
            changed: store.last(),
            nonce,
            rng,
            addresses: Vec::new(),
            word_attempts: Vec::new(),
            standings: standing::Standings::default(),
            statements: Recent::of(STATEMENTS_LEN),
            device_owners: RefCell::default(),
            bringers: RefCell::default(),
            look: None,
            gathered: None,
            deferred: None,
            acting: None,
            met: 0,
            inbox,
            bringing: brought::Works::default(),
            store,
        })
    }

    /// Does what is asked.
    pub fn handle(
        &mut self,
        request: Request,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Reply, Failure> {
        let by = self.asked_by(&request)?;
        // What follows from what came in is the node's own work.
        self.working_for(None, |node| {
            node.say_ends();
            node.follow_up();
        });
        let reply = self.working_for(by, |node| node.done(request, progress));
        self.working_for(None, Self::follow_up);
        reply
    }

    fn done(
        &mut self,
        request: Request,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Reply, Failure> {
        match request {
            Request::Status => self.status().map(Reply::Status),
            Request::RecordNew(person) => self.record_new(&person).map(Reply::RecordNew),
            Request::RecordList => self.record_list().map(Reply::Records),
            Request::Find { words } => self.find(&words).map(Reply::Records),
            Request::Show { record } => self.show(&record).map(Box::new).map(Reply::Record),
            Request::Timeline { record } => self.timeline(&record).map(Reply::Timeline),
            Request::Import(request) => self.import(&request, progress).map(Reply::Imported),
            Request::Add { record, what, .. } => self.add(&record, what).map(Reply::Added),
            Request::Change {
                record,
                thing,
                change,
                ..
            } => self.change(&record, &thing, &change).map(Reply::Added),
            Request::Attest(asked) => self.attest(&asked).map(Box::new).map(Reply::Attested),
            Request::Export { record, form } => self.export(&record, form).map(Reply::Exported),
            Request::Verify { what, passphrase } => self
                .verify(&what, passphrase.as_deref(), progress)
                .map(Reply::Verified),
            Request::Explain { entry } => self.explain(&entry).map(Reply::Explained),
            Request::Review { record } => self.review(record.as_deref()).map(Reply::Review),
            Request::Decide { record, decision } => {
                self.decide(&record, &decision).map(Reply::Decided)
            }
            Request::Share(request) => self.share(&request).map(Reply::Shared),
            Request::Invitation { id } => self.invitation_state(&id).map(Reply::Invitation),
            Request::Admit { id, yes } => self.admit(&id, yes).map(Reply::Decided),
            Request::DeviceAdd { confirm } => self.invite_device(confirm).map(Reply::Shared),
            Request::ShareWith { share, with } => {
                self.share_with(&share, &with).map(Reply::SharedWith)
            }
            Request::Sharing { record } => self.sharing(&record).map(Reply::Sharing),
            Request::AllSharing => self.all_sharing().map(Reply::Sharing),
            Request::Stop {
                record,
                share,
                keep,
                keep_shared_on,
            } => self
                .stop(&record, &share, (keep, keep_shared_on))
                .map(Reply::Stopped),
            Request::SamePerson(asked) => self.say_same_person(&asked).map(Reply::Decided),
            Request::Control { record, change } => {
                self.control(&record, change.as_ref()).map(Reply::Control)
            }
            Request::Emergency { record, change } => self
                .emergency(&record, change.as_ref())
                .map(Reply::Emergency),
            Request::Recovery(asked) => self.recovery(&asked).map(Reply::Recovery),
            Request::EmergencyOpen(asked) => self.open_emergency(&asked).map(Reply::Opened),
            Request::WhoLooked { record } => self.who_looked(&record).map(Reply::Looked),
            Request::Backup { folder } => self
                .snapshot()?
                .copy_to(&folder, progress)
                .map(Reply::BackedUp),
            Request::Events(since) => self.events(&since).map(Reply::Events),
            Request::StaffAdd(new) => self.staff_add(&new).map(Reply::StaffAdded),
            Request::StaffAccount { who } => {
                let (name, code) = self.account_code(&who)?;
                Ok(Reply::StaffAccount(NewAccount { name, code }))
            }
            Request::StaffList => self.staff_list().map(Reply::Staff),
            Request::StaffEnd(leaving) => self.staff_end(&leaving).map(Reply::Left),
            Request::DeviceList => self.device_list().map(Reply::Devices),
            Request::DeviceRetire(leaving) => self.device_retire(&leaving).map(Reply::Left),
            Request::Event(asked) => self.event(&asked).map(Reply::Event),
            Request::Tasks(asked) => self.tasks(&asked).map(Reply::Tasks),
            Request::Answer(asked) => self.answer(&asked).map(Box::new).map(Reply::Answered),
            Request::Rules(asked) => self.rules(&asked).map(Reply::Rules),
            Request::Handover(asked) => self.handover(&asked).map(Box::new).map(Reply::Handover),
            Request::Plans { record } => self.plans(&record).map(Reply::Plans),
            Request::Inbox(asked) => self.inbox(&asked).map(Reply::Inbox),
            Request::ExplainFile { file } => self.explain_file(&file).map(Reply::FileExplained),
            Request::ConnectHl7(asked) => self.connect_hl7(asked.as_ref()).map(Reply::Connections),
            Request::Send(asked) => self.send(&asked).map(Reply::Outgoing),
            Request::Connect(asked) => self.connect(&asked).map(Box::new).map(Reply::Connect),
            Request::Readings { record, every_s } => {
                self.readings_told(&record, every_s).map(Reply::Readings)
            }
            Request::Household(asked) => self.household(&asked).map(Reply::Household),
            Request::Forms(asked) => self.forms(asked, progress).map(Reply::Forms),
        }
    }

    /// What a backup of this node is made of, as it stands now.
    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        Snapshot::of(&self.store, self.home.folder(), now_ms())
    }

    /// Whether the disk has room for everything that was refused for want of it.
    pub fn has_room(&self) -> bool {
        self.store.has_room()
    }

    /// The node's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// The node's own name for itself.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Whose node it is.
    pub const fn principal(&self) -> PrincipalId {
        self.identity.principal
    }

    /// What its owner is.
    pub const fn role(&self) -> Role {
        self.identity.role
    }

    /// Its device key's public half.
    pub fn device(&self) -> DeviceId {
        self.identity.device.device()
    }

    /// The seed of its device key, which is its libp2p identity too.
    pub fn device_seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        self.identity.device.seed()
    }

    /// Says where this node listens.
    pub fn set_addresses(&mut self, addresses: Vec<String>) {
        self.addresses = addresses;
    }

    /// An address of this machine for others on the same network, as it is typed; its own where it
    /// has none.
    pub(crate) fn near_address(&self) -> String {
        let typed = place::typed(&self.addresses);
        let hosts = typed.iter().map(|typed| match typed.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            Some(_) | None => typed.as_str(),
        });
        let near = hosts.into_iter().find(|host| !host.starts_with("127."));
        near.unwrap_or("127.0.0.1").to_owned()
    }

    fn whoever(&self) -> Whoever {
        Whoever {
            principal: self.identity.principal,
            device: self.device(),
            staff: self.acting,
        }
    }

    fn pen(&self, time_ms: u64) -> Pen<'_> {
        let mut pen = self.identity.pen(self.nonce, time_ms);
        pen.author.staff = self.acting;
        pen
    }

    fn principal_log(&self) -> Result<ReadLog, StoreError> {
        self.log_of(self.identity.principal)
    }

    fn log_of(&self, principal: PrincipalId) -> Result<ReadLog, StoreError> {
        self.store.principal_log(&principal)
    }

    fn commit(&mut self, mut items: Vec<Item>) -> Result<(), Failure> {
        if let Some(deferred) = &mut self.deferred {
            deferred.extend(items);
            return Ok(());
        }
        let touched = self.deadlines.touched(&items);
        items.extend(touched);
        let for_others = items.iter().any(is_for_others);
        let of_principal = self.says_who_acts(&items)?;
        let of_invitation = items.iter().any(identity::is_of_invitation);
        let common: Vec<_> = items.iter().filter_map(identity::of_common).collect();
        let changed: BTreeSet<_> = items.iter().filter_map(changes_rights).collect();
        let added: BTreeSet<_> = items.iter().filter_map(bundle::record_of).collect();
        self.looked.note(&items, of_principal);
        if items.iter().any(identity::is_of_name) {
            self.looked.names_changed();
            self.bringers.take();
        }
        let last = self.store.commit(items)?;
        self.note_rows(&common);
        for record in &changed {
            self.rights.take(record);
        }
        // Whoever took in the rest has it, and puts it back.
        for record in &added {
            self.taken.take(record);
        }
        if of_principal {
            // Who acts for whom may have changed: no record that was loaded before knows it.
            self.loaded.clear();
            self.taken.clear();
            self.rights.clear();
            self.bringers.take();
            self.met += 1;
        }
        if of_invitation {
            self.met += 1;
        }
        if for_others {
            self.changed = last;
        }
        Ok(())
    }

    /// Whether something comes in that may change who acts for whom. What is here already changes
    /// nothing, and with every record that is shared the logs of those it names come again.
    fn says_who_acts(&self, items: &[Item]) -> Result<bool, StoreError> {
        for item in items.iter().filter(|item| is_of_principal(item)) {
            let Item::Event { id, .. } = item else {
                return Ok(true);
            };
            if !self.store.has_event(id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The record that a word names: its id, the beginning of its id, or the one person whom it
    /// finds.
    fn record_named(&self, word: &str) -> Result<RecordId, Failure> {
        if word == "library"
            && let Some(library) = self.people.library()
        {
            return Ok(library);
        }
        let matches = self.people.named(word);
        match matches.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failure::new(
                Ending::Failed,
                format!("This node holds no record called {word:?}."),
                "Run kith record list to see the records here; a record's name is its id or the beginning of it.",
            )),
            several => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{word:?} fits {} records here.", several.len()),
                "Use more of the record's id; kith record find tells people apart.",
            )),
        }
    }
}

/// Whether an item can go to another node.
const fn is_for_others(item: &Item) -> bool {
    !matches!(item, Item::Row { .. } | Item::Audit { .. })
}

/// The record whose rights may be others with an item: its logs, parts of cuts, and entries of
/// epochs.
fn changes_rights(item: &Item) -> Option<RecordId> {
    match item {
        Item::Event { log, .. } => match log {
            LogId::Core(record) => *record,
            LogId::Label(record, _) => Some(*record),
            LogId::Principal(_) => None,
        },
        Item::Part { record, .. } => Some(*record),
        Item::Entry {
            record, document, ..
        } => (document.epoch > 0).then_some(*record),
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

/// The time now, milliseconds since 1970 UTC.
pub fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}
