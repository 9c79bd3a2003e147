//! For whom the node works: its owner, or a member of their staff who signed in or whom a command
//! names. While it works for somebody they are the one who reads and who signs.
//!
//! Each command needs something that a role was given. What is written is judged once more where it
//! is signed; whoever accepts an invitation is answered by the node itself later, so that it is here
//! that a role stands in the way of inviting them.

use kith_protocol::{consent::grant::Actions, id::StaffId};

use super::Node;
use crate::{
    api::{
        AnswerRequest, AttestRequest, EventRequest, ExportForm, FillRequest, FormsRequest,
        HandoverRequest, HouseholdAct, InboxAsk, RecoveryAsk, Request, RulesAct, RulesRequest,
        SendAsk,
    },
    failure::{Ending, Failure},
};

/// What somebody has to be, to have something done.
enum Needed {
    /// A member of staff who may do this.
    May(Actions),
    /// Whoever runs the node.
    RunsIt,
}

impl Node {
    /// Works as a member of staff: what is read is read by them, and what is written is signed on
    /// their behalf.
    ///
    /// # Errors
    /// When they may not act here any more, or may not see, and when the work fails.
    pub(crate) fn acting_as<T>(
        &mut self,
        staff: Option<StaffId>,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(staff) = staff {
            self.may_act(staff, Actions::READ)?;
        }
        self.working_for(staff, work)
    }

    /// Does a piece of work for somebody, and goes on for whomever it worked before.
    pub(super) fn working_for<T>(
        &mut self,
        staff: Option<StaffId>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = std::mem::replace(&mut self.acting, staff);
        let done = work(self);
        self.acting = before;
        done
    }

    /// For whom a command is done, who may have that done: whoever signed in, or whom it names.
    pub(super) fn asked_by(&self, request: &Request) -> Result<Option<StaffId>, Failure> {
        let named = named(request).map(|word| self.staff_named(word));
        let staff = match (self.acting, named.transpose()?) {
            (Some(signed_in), Some(named)) if signed_in != named => {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    "Whoever is signed in writes in their own name.",
                    "Leave out whom to write as. Nothing was changed.",
                ));
            }
            (signed_in, named) => signed_in.or(named),
        };
        let Some(by) = staff else {
            return Ok(None);
        };
        match needed(request) {
            Needed::May(actions) => self.may_act(by, actions)?,
            Needed::RunsIt => {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    "Only whoever runs this node does that.",
                    "Ask them. Nothing was changed.",
                ));
            }
        }
        Ok(staff)
    }
}

/// The member of staff whom a command names.
fn named(request: &Request) -> Option<&str> {
    let (Request::Add { staff, .. }
    | Request::Change { staff, .. }
    | Request::Attest(AttestRequest { staff, .. })
    | Request::Event(EventRequest { staff, .. })
    | Request::Answer(AnswerRequest { staff, .. })
    | Request::Rules(RulesRequest { staff, .. })
    | Request::Handover(HandoverRequest { staff, .. })
    | Request::Forms(FormsRequest::Fill(FillRequest { staff, .. }))) = request
    else {
        return None;
    };
    staff.as_deref()
}

fn needed(request: &Request) -> Needed {
    match request {
        Request::Export {
            form: ExportForm::Emergency { new_code: true, .. },
            ..
        } => Needed::May(Actions::SHARE_ON),
        Request::Status
        | Request::RecordList
        | Request::Find { .. }
        | Request::Show { .. }
        | Request::Timeline { .. }
        | Request::Export { .. }
        | Request::Verify { .. }
        | Request::Explain { .. }
        | Request::Review { .. }
        | Request::Invitation { .. }
        | Request::Sharing { .. }
        | Request::AllSharing
        | Request::Control { change: None, .. }
        | Request::Emergency { change: None, .. }
        | Request::EmergencyOpen(_)
        | Request::WhoLooked { .. }
        | Request::Recovery(RecoveryAsk::Show { .. })
        | Request::Events(_)
        | Request::Tasks(_)
        | Request::Handover(_)
        | Request::Plans { .. }
        | Request::Inbox(InboxAsk::List { .. } | InboxAsk::Show { .. })
        | Request::ExplainFile { .. }
        | Request::Send(SendAsk::List)
        | Request::Readings { .. } => Needed::May(Actions::READ),
        Request::Rules(asked) => Needed::May(match asked.act {
            RulesAct::Show | RulesAct::Check(_) => Actions::READ,
            RulesAct::Set(_) | RulesAct::End => Actions::EDIT,
        }),
        Request::Forms(asked) => Needed::May(match asked {
            FormsRequest::List { .. } | FormsRequest::Open { .. } | FormsRequest::Check { .. } => {
                Actions::READ
            }
            FormsRequest::Fill(fill) if fill.dry_run => Actions::READ,
            FormsRequest::Add { .. } | FormsRequest::Fill(_) => Actions::APPEND,
        }),
        Request::Household(asked) => Needed::May(match &asked.act {
            HouseholdAct::Show => Actions::READ,
            HouseholdAct::Offer { .. }
            | HouseholdAct::Answer { .. }
            | HouseholdAct::TakeIn { .. }
            | HouseholdAct::End { .. } => Actions::SHARE_ON,
        }),
        Request::RecordNew(_)
        | Request::Import(_)
        | Request::Add { .. }
        | Request::Event(_)
        | Request::Inbox(InboxAsk::Retry { .. })
        | Request::Attest(_)
        | Request::Answer(_) => Needed::May(Actions::APPEND),
        Request::Change { .. } => Needed::May(Actions::EDIT),
        Request::Decide { .. } | Request::SamePerson(_) | Request::Inbox(InboxAsk::Link { .. }) => {
            Needed::May(Actions::REVIEW)
        }
        Request::Share(_)
        | Request::ShareWith { .. }
        | Request::Admit { .. }
        | Request::Stop { .. }
        | Request::Emergency { .. } => Needed::May(Actions::SHARE_ON),
        Request::DeviceAdd { .. }
        | Request::Control { .. }
        | Request::Recovery(_)
        | Request::Backup { .. }
        | Request::StaffAdd(_)
        | Request::StaffAccount { .. }
        | Request::StaffList
        | Request::StaffEnd(_)
        | Request::DeviceList
        | Request::DeviceRetire(_)
        | Request::ConnectHl7(_)
        | Request::Connect(_)
        | Request::Send(_) => Needed::RunsIt,
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{
        consent::Status,
        id::{RecordId, StaffId},
        store::Store,
    };
    use tempfile::TempDir;

    use crate::{
        api::{
            Addition, HandoverRequest, NewPerson, NewStaff, Reply, Request, ShareRequest,
            ShareTerms,
        },
        failure::Ending,
        home::{Home, Unlock},
        node::{Node, Role},
    };

    fn ask(node: &mut Node, staff: Option<StaffId>, request: Request) -> Result<Reply, Ending> {
        let done = node.acting_as(staff, |node| node.handle(request, &mut |_| {}));
        done.map_err(|failure| failure.ending)
    }

    fn enter(node: &mut Node, name: &str, may: &str) -> StaffId {
        let new = NewStaff {
            name: name.to_owned(),
            role: "nurse".to_owned(),
            may: may.to_owned(),
            until: None,
        };
        let Ok(Reply::StaffAdded(line)) = ask(node, None, Request::StaffAdd(new)) else {
            panic!("not entered");
        };
        StaffId::from_hex(&line.id).expect("an id")
    }

    /// By which member of staff each entry of a record was signed, in the order in which they came.
    fn signed_by(node: &mut Node, record: &str) -> Vec<Option<StaffId>> {
        let id = RecordId::from_hex(record).expect("an id");
        let signed = node.with_record(id, |node, record| {
            let mut signed = Vec::new();
            for document in record.ledger().documents() {
                for entry in node.store.entry_ids(&id, &document)? {
                    let status = record.ledger().status(&entry);
                    assert_eq!(status, Some(Status::Accepted), "it counts");
                    let header = record.ledger().header(&entry).expect("its header");
                    signed.push((header.time_ms, header.seq, header.staff));
                }
            }
            signed.sort_unstable();
            Ok(signed.into_iter().map(|(.., staff)| staff).collect())
        });
        signed.expect("read")
    }

    #[test]
    fn what_staff_write_is_signed_as_theirs_and_what_the_node_does_by_itself_is_not() {
        let (_folder, mut node) = practice();
        let nurse = enter(&mut node, "Sam", "see,add,change");
        let other = enter(&mut node, "Kim", "see,add");
        let person = NewPerson {
            family: "Penn".to_owned(),
            ..NewPerson::default()
        };
        let Ok(Reply::RecordNew(made)) = ask(&mut node, Some(nurse), Request::RecordNew(person))
        else {
            panic!("no record");
        };
        let record = made.record;
        let note = |staff: Option<&str>| Request::Add {
            record: record.clone(),
            what: Addition::Note("Slept well".to_owned()),
            staff: staff.map(str::to_owned),
        };
        let handover = Request::Handover(HandoverRequest {
            record: record.clone(),
            read: true,
            keeps_place: false,
            staff: None,
        });
        for (staff, request) in [
            (Some(nurse), note(None)),
            (Some(nurse), note(Some("Sam"))),
            (Some(other), handover),
            (None, note(Some("Kim"))),
            (None, note(None)),
        ] {
            ask(&mut node, staff, request).expect("written");
        }
        let told = [
            Some(nurse),
            Some(nurse),
            Some(nurse),
            Some(other),
            Some(other),
            None,
        ];
        assert_eq!(signed_by(&mut node, &record), told);
        let as_somebody_else = ask(&mut node, Some(nurse), note(Some("Kim")));
        assert_eq!(as_somebody_else.err(), Some(Ending::NotAllowed));
    }

    fn practice() -> (TempDir, Node) {
        let folder = TempDir::new().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, "Riverside Surgery", Role::Practice, &Unlock::KeyFile).expect("set up");
        let node = Node::open(&home, &Unlock::KeyFile).expect("opened");
        (folder, node)
    }

    #[test]
    fn a_role_bounds_what_somebody_has_the_node_do() {
        let (_folder, mut node) = practice();
        let person = NewPerson {
            family: "Penn".to_owned(),
            ..NewPerson::default()
        };
        let Ok(Reply::RecordNew(made)) = ask(&mut node, None, Request::RecordNew(person)) else {
            panic!("no record");
        };
        let nurse = enter(&mut node, "Sam", "see,add");
        let doctor = enter(&mut node, "Ada", "see,add,share");
        let clerk = enter(&mut node, "Kim", "add");
        let share = || {
            Request::Share(ShareRequest {
                record: made.record.clone(),
                see: "all".to_owned(),
                add: None,
                change: None,
                until: "2099-12-31".to_owned(),
                confirm: false,
                terms: ShareTerms::default(),
            })
        };
        assert_eq!(
            ask(&mut node, Some(nurse), share()).err(),
            Some(Ending::NotAllowed)
        );
        // This node does not run, so that is as far as it goes.
        assert_eq!(
            ask(&mut node, Some(doctor), share()).err(),
            Some(Ending::NotRunning)
        );
        assert_eq!(
            ask(&mut node, Some(clerk), Request::RecordList).err(),
            Some(Ending::NotAllowed)
        );
        assert_eq!(
            ask(&mut node, Some(doctor), Request::StaffList).err(),
            Some(Ending::NotAllowed)
        );
        assert!(ask(&mut node, Some(nurse), Request::RecordList).is_ok());
        assert!(ask(&mut node, None, Request::StaffList).is_ok());
    }
}
