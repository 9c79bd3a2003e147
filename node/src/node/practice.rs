//! The people and devices that act for a node's owner: entering them, listing them, ending them.

use std::collections::BTreeSet;

use kith_protocol::{
    author::Author,
    consent::grant::Actions,
    id::{DeviceId, StaffId},
    identity::SecretKey,
    logs::{Act, Event, PrincipalAct, principal::PrincipalKind, record::Link},
    record::event_item,
    signed::Verified,
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row, row},
    leaver::Leaver,
    now_ms,
    sharing::end_of,
    show,
};
use crate::{
    api::{Keep, Leaving, Left, NewStaff, StaffLine, StaffList},
    failure::{Ending, Failure},
};

/// Bytes of a role, which everyone who holds a record of the owner's reads.
const ROLE_LEN_MAX: usize = 100;
/// The shortest beginning of an id that names a member of staff or a device.
const PREFIX_LEN_MIN: usize = 6;
/// What a role may do, in the words that people type.
const MAY: [(&str, Actions); 5] = [
    ("see", Actions::READ),
    ("add", Actions::APPEND),
    ("change", Actions::EDIT),
    ("review", Actions::REVIEW),
    ("share", Actions::SHARE_ON),
];

/// What stays on this node of a member of staff.
#[derive(Serialize, Deserialize)]
struct Named {
    name: String,
}

/// A member of staff as the principal log has them.
struct Member {
    id: StaffId,
    device: Option<DeviceId>,
    role: String,
    may: Actions,
    since_ms: u64,
    until_ms: Option<u64>,
    ended: bool,
}

impl Node {
    /// Signs something into the owner's own log, with the owner's root key where it is here: what a
    /// device signs there ends with the device.
    pub(super) fn sign_own(
        &self,
        time_ms: u64,
        act: PrincipalAct,
    ) -> Result<Verified<Event>, Failure> {
        self.sign_own_with(self.identity.adding_key(), time_ms, act)
    }

    /// The same with one of the owner's keys.
    pub(super) fn sign_own_with(
        &self,
        key: &SecretKey,
        time_ms: u64,
        act: PrincipalAct,
    ) -> Result<Verified<Event>, Failure> {
        let owner = Author {
            principal: self.identity.principal,
            key,
            staff: None,
        };
        Ok(owner.own_event(&self.principal_log()?, time_ms, act))
    }

    pub(super) fn staff_add(&mut self, new: &NewStaff) -> Result<StaffLine, Failure> {
        if self.identity.role.kind() == PrincipalKind::Person {
            return Err(Failure::new(
                Ending::Usage,
                "This node belongs to a person, who has no staff.",
                "Share the record with whoever should help: kith share. Nothing was changed.",
            ));
        }
        let (name, role) = (new.name.trim(), new.role.trim());
        if name.is_empty() || role.is_empty() || role.len() > ROLE_LEN_MAX {
            return Err(Failure::new(
                Ending::Usage,
                "A member of staff has a name and a role of at most 100 bytes.",
                "Write it as kith staff add \"Sam Field\" --role nurse. Nothing was changed.",
            ));
        }
        self.own_log_has_room()?;
        let now = now_ms();
        let until_ms = new.until.as_deref().map(end_of).transpose()?;
        if until_ms.is_some_and(|until| until <= now) {
            return Err(Failure::new(
                Ending::Usage,
                "The last day has passed.",
                "Name a day in the future. Nothing was changed.",
            ));
        }
        let taken = self.members()?.into_iter().filter(|member| !member.ended);
        if taken
            .map(|member| self.name_of_staff(member.id))
            .any(|known| known == name)
        {
            return Err(Failure::new(
                Ending::Usage,
                format!("Somebody called {name:?} is entered already."),
                "Add something that tells them apart. Nothing was changed.",
            ));
        }
        let may = actions(&new.may)?;
        let mut id = [0; 32];
        self.rng.fill_bytes(&mut id);
        let id = StaffId::from_bytes(id);
        let event = self.sign_own(
            now,
            PrincipalAct::StaffAdd {
                staff: id,
                device: None,
                role: role.to_owned(),
                may,
                until_ms,
            },
        )?;
        let named = Named {
            name: name.to_owned(),
        };
        self.commit(vec![
            event_item(&event),
            row(RowKind::Staff, id.as_bytes(), &named),
        ])?;
        let member = self.member(&id.to_string())?;
        Ok(self.staff_line(&member, now))
    }

    pub(super) fn staff_list(&self) -> Result<StaffList, Failure> {
        let now = now_ms();
        let staff = self.members()?;
        let staff = staff.iter().map(|member| self.staff_line(member, now));
        Ok(StaffList {
            staff: staff.collect(),
        })
    }

    pub(super) fn staff_end(&mut self, leaving: &Leaving) -> Result<Left, Failure> {
        let member = self.member(&leaving.who)?;
        let name = self.name_of_staff(member.id);
        if member.ended {
            return Err(Failure::new(
                Ending::Failed,
                format!("{name} has left already."),
                "Nothing was changed: kith staff list shows everyone.",
            ));
        }
        let devices = self.devices_of(&member)?;
        let staff = member.id;
        let end = |cut| PrincipalAct::StaffEnd {
            staff,
            cut,
            void: Vec::new(),
        };
        let leaver = Leaver {
            link: Link::Staff(staff),
            devices,
            keep: leaving.keep,
            awaited: Vec::new(),
        };
        let (event, records) = self.leave(&leaver, None, end)?;
        Ok(Left {
            id: staff.to_string(),
            event: event.to_string(),
            records,
            note: note(&name, leaving.keep),
            name,
        })
    }

    /// What a member of staff signs with.
    fn devices_of(&self, member: &Member) -> Result<BTreeSet<DeviceId>, Failure> {
        Ok(match member.device {
            Some(own) => BTreeSet::from([own]),
            None => self.own_devices()?.iter().map(|device| device.id).collect(),
        })
    }

    /// The same, of a member by their id.
    pub(super) fn devices_of_staff(&self, staff: StaffId) -> Result<BTreeSet<DeviceId>, Failure> {
        let member = self.member(&staff.to_string())?;
        self.devices_of(&member)
    }

    /// The member of staff whom a word names and who may act now.
    pub(super) fn staff_named(&self, word: &str) -> Result<StaffId, Failure> {
        let member = self.member(word)?;
        if member.ended {
            return Err(Failure::new(
                Ending::NotAllowed,
                format!("{} has left.", self.name_of_staff(member.id)),
                "Write as somebody who is active: kith staff list. Nothing was changed.",
            ));
        }
        Ok(member.id)
    }

    /// Whether a member of staff may do something on this node now.
    pub(super) fn may_act(&self, staff: StaffId, what: Actions) -> Result<(), Failure> {
        let member = self
            .members()?
            .into_iter()
            .find(|member| member.id == staff);
        let name = self.name_of_staff(staff);
        let what_is_wrong = match member {
            Some(member)
                if member.ended || member.until_ms.is_some_and(|until| until <= now_ms()) =>
            {
                format!("{name} does not work here any more.")
            }
            Some(member) if !member.may.contains(what) => {
                format!("The role of {name} does not allow this.")
            }
            Some(_) => return Ok(()),
            None => "Nobody of that name works here.".to_owned(),
        };
        Err(Failure::new(
            Ending::NotAllowed,
            what_is_wrong,
            "Ask whoever runs this node. Nothing was changed.",
        ))
    }

    fn member(&self, word: &str) -> Result<Member, Failure> {
        let lower = word.trim().to_lowercase();
        let mut found: Vec<_> = self
            .members()?
            .into_iter()
            .filter(|member| {
                is_named(&member.id.to_string(), &lower)
                    || self.name_of_staff(member.id).to_lowercase() == lower
            })
            .collect();
        if found.len() > 1 {
            // A name may have been somebody else's who left.
            found.retain(|member| !member.ended);
        }
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) | (None, _) => {
                Err(not_one("member of staff", word, "kith staff list"))
            }
        }
    }

    fn members(&self) -> Result<Vec<Member>, Failure> {
        let log = self.principal_log()?;
        let mut members: Vec<Member> = Vec::new();
        let mut ended = BTreeSet::new();
        for event in &*log {
            match &event.value().act {
                Act::Principal(PrincipalAct::StaffAdd {
                    staff,
                    device,
                    role,
                    may,
                    until_ms,
                }) => members.push(Member {
                    id: *staff,
                    device: *device,
                    role: role.clone(),
                    may: *may,
                    since_ms: event.value().time_ms,
                    until_ms: *until_ms,
                    ended: false,
                }),
                Act::Principal(PrincipalAct::StaffEnd { staff, .. }) => {
                    ended.insert(*staff);
                }
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => {}
            }
        }
        for member in &mut members {
            member.ended = ended.contains(&member.id);
        }
        Ok(members)
    }

    /// What a member of staff is called here; the beginning of the id where that is not known.
    pub(super) fn name_of_staff(&self, staff: StaffId) -> String {
        let named: Option<Named> = read_row(&self.store, RowKind::Staff, staff.as_bytes())
            .ok()
            .flatten();
        named.map_or_else(|| staff.to_string()[..12].to_owned(), |named| named.name)
    }

    fn staff_line(&self, member: &Member, now: u64) -> StaffLine {
        let passed = member.until_ms.is_some_and(|until| until <= now);
        let state = match (member.ended, passed) {
            (true, _) => "ended",
            (false, true) => "until passed",
            (false, false) => "active",
        };
        let may = MAY
            .iter()
            .filter(|(_, action)| member.may.contains(*action));
        let may: Vec<_> = may.map(|(word, _)| *word).collect();
        StaffLine {
            id: member.id.to_string(),
            name: self.name_of_staff(member.id),
            role: member.role.clone(),
            may: may.join(","),
            since: show::time(member.since_ms),
            until: member.until_ms.map(show::time),
            state: state.to_owned(),
        }
    }
}

pub(super) fn note(name: &str, keep: Keep) -> String {
    let stays = match keep {
        Keep::All => "What was done so far stays.".to_owned(),
        Keep::NoneAfter(time_ms) => format!(
            "What was done until {} stays; the rest is kept and waits under kith review.",
            show::time(time_ms)
        ),
    };
    format!("{name} can do nothing more here. {stays}")
}

fn actions(words: &str) -> Result<Actions, Failure> {
    let mut may = Actions::NONE;
    for word in words.split(',').map(str::trim) {
        let known = MAY.iter().find(|(name, _)| *name == word);
        let (_, action) = known.ok_or_else(|| {
            Failure::new(
                Ending::Usage,
                format!("{word:?} is nothing that staff can do."),
                "Name some of see, add, change, review, share, such as see,add. Nothing was changed.",
            )
        })?;
        may = may.union(*action);
    }
    Ok(may)
}

pub(super) fn is_named(id: &str, word: &str) -> bool {
    word.len() >= PREFIX_LEN_MIN && id.starts_with(word)
}

pub(super) fn not_one(what: &str, word: &str, list: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("There is not exactly one {what} called {word:?}."),
        format!("{list} shows them: use the id. Nothing was changed."),
    )
}
