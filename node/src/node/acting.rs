//! What a member of staff may have the node do: each command needs something that their role was
//! given. What they write is judged once more where it is signed; sharing and decisions are signed
//! by the organisation, so that it is here alone that a role stands in their way.

use kith_protocol::{consent::grant::Actions, id::StaffId};

use super::Node;
use crate::{
    api::{RecoveryAsk, Request, RulesAct},
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
        self.acting = staff;
        let done = work(self);
        self.acting = None;
        done
    }

    /// Whether whoever acts now may have this done.
    pub(super) fn may_ask(&self, request: &Request) -> Result<(), Failure> {
        let Some(staff) = self.acting else {
            return Ok(());
        };
        match needed(request) {
            Needed::May(actions) => self.may_act(staff, actions),
            Needed::RunsIt => Err(Failure::new(
                Ending::NotAllowed,
                "Only whoever runs this node does that.",
                "Ask them. Nothing was changed.",
            )),
        }
    }
}

fn needed(request: &Request) -> Needed {
    match request {
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
        | Request::Plans { .. } => Needed::May(Actions::READ),
        Request::Rules(asked) => Needed::May(match asked.act {
            RulesAct::Show | RulesAct::Check(_) => Actions::READ,
            RulesAct::Set(_) | RulesAct::End => Actions::EDIT,
        }),
        Request::RecordNew(_)
        | Request::Import(_)
        | Request::Add { .. }
        | Request::Event(_)
        | Request::Answer(_) => Needed::May(Actions::APPEND),
        Request::Change { .. } => Needed::May(Actions::EDIT),
        Request::Decide { .. } | Request::SamePerson(_) => Needed::May(Actions::REVIEW),
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
        | Request::DeviceRetire(_) => Needed::RunsIt,
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::id::StaffId;
    use tempfile::TempDir;

    use crate::{
        api::{NewPerson, NewStaff, Reply, Request, ShareRequest, ShareTerms},
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

    #[test]
    fn a_role_bounds_what_somebody_has_the_node_do() {
        let folder = TempDir::new().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, "Riverside Surgery", Role::Practice, &Unlock::KeyFile).expect("set up");
        let mut node = Node::open(&home, &Unlock::KeyFile).expect("opened");
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
