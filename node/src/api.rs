//! What a node can be asked, and what it answers: the same in one process and over the socket.

mod apps;
mod control;
mod decisions;
mod emergency;
mod events;
mod files;
mod forms;
mod household;
mod inbox;
mod plans;
mod practice;
mod records;
mod recovery;
mod sharing;
mod state;
mod work;

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::node::{BundleTo, ExportForm, Role};
pub use apps::{AppLine, AppList, AppRegistered, AppStopped, AppToken, ConnectAsk, ConnectShown};
pub use control::{ActsAs, ControlChange, ControlShown, ControllerLine, NewController};
pub use decisions::{Decided, Decision, Explained, Review, ReviewKind, ToReview};
pub use emergency::{EmergencyChange, EmergencyShown, OpenRequest, OpenedLine};
pub use events::{Kind, Occurred, Since};
pub use files::{BackedUp, Filed, ImportRequest, Imported, Refused, Verified};
pub use forms::{
    FillRequest, FormAdded, FormChecked, FormFilled, FormLine, FormOpened, FormResource,
    FormsReply, FormsRequest,
};
pub use household::{
    Bond, HouseholdAct, HouseholdAsk, HouseholdLine, HouseholdShown, HouseholdState,
};
pub use inbox::{
    ConnectHl7, Connections, FieldExplained, FileExplained, InboxAsk, InboxLine, InboxShown,
    InboxState, MessageExplained, OutLine, OutState, Outgoing, SendAsk,
};
pub use plans::{HasIt, PlanHolder, PlanLine, PlansShown};
pub use practice::{
    DeviceLine, DeviceList, Leaving, Left, NewAccount, NewStaff, Retiring, StaffLine, StaffList,
    WaitingDevice,
};
pub use records::{
    Added, Addition, Alike, AllergyState, AsOf, AttestRequest, Attested, AwaySource, Change,
    Doubts, Exported, Happened, JoinedRecord, Line, LinkWord, Looked, NewPerson, RecordLine,
    RecordMade, RecordShown, SamePersonRequest, SectionShown, StreamLine,
};
pub use recovery::{AskedLine, RecoveryAsk, RecoveryShown, Regaining, SetLine};
pub use sharing::{InvitationState, JoinBy, JoinRequest, JoinStep, Offered};
pub use sharing::{
    Joined, Keep, ShareBasis, ShareLine, ShareRequest, ShareTerms, Shared, SharedWith, Sharing,
    Side, Stopped,
};
pub use state::{Connection, Problem, Progress, RestoredNode, SetUp, Status};
pub use work::{
    Answer, AnswerLine, AnswerRequest, CancelledLine, EventKind, EventLine, EventMade,
    EventRequest, EventSaid, HandoverRequest, HandoverShown, Known, Mistake, ReadLine, RulesAct,
    RulesRequest, RulesShown, RulesText, TaskAnswered, TaskLine, TaskList, TaskState, TasksRequest,
    UnknownName,
};

/// A command. What it holds, a passphrase perhaps or a name, is nothing for a log.
#[derive(Clone, Serialize, Deserialize)]
pub enum Request {
    /// How this node is.
    Status,
    /// A record for a person of whom nothing is held yet.
    RecordNew(NewPerson),
    /// Every record here.
    RecordList,
    /// Records whose person fits some words.
    Find {
        /// Name, birth date or number.
        words: Vec<String>,
    },
    /// What is known of a person.
    Show {
        /// The record.
        record: String,
    },
    /// What happened when, and when it arrived.
    Timeline {
        /// The record.
        record: String,
    },
    /// Files into records.
    Import(ImportRequest),
    /// One thing from the keyboard.
    Add {
        /// The record.
        record: String,
        /// What.
        what: Addition,
        /// As which member of staff: a name, an id or its beginning.
        staff: Option<String>,
    },
    /// One thing in a record is different now, or was entered in error.
    Change {
        /// The record.
        record: String,
        /// The thing: its id or the beginning of it.
        thing: String,
        /// What is different.
        change: Change,
        /// As which member of staff: a name, an id or its beginning.
        staff: Option<String>,
    },
    /// Somebody has seen a result that was brought, and accepts it.
    Attest(AttestRequest),
    /// A record as files or text.
    Export {
        /// The record.
        record: String,
        /// In which form.
        form: ExportForm,
    },
    /// Every signature, link and status, from the raw bytes.
    Verify {
        /// A record or a bundle file.
        what: String,
        /// What opens the bundle.
        passphrase: Option<String>,
    },
    /// Why an entry has its status.
    Explain {
        /// The entry's id or its beginning, or a file.
        entry: String,
    },
    /// What needs a decision.
    Review {
        /// In one record or in all.
        record: Option<String>,
    },
    /// A decision.
    Decide {
        /// The record.
        record: String,
        /// What was decided.
        decision: Decision,
    },
    /// An invitation to see parts of a record.
    Share(ShareRequest),
    /// How an invitation is.
    Invitation {
        /// Its id.
        id: String,
    },
    /// Somebody who wants to join is the right person, or is not.
    Admit {
        /// The invitation.
        id: String,
        /// Whether they get what it gives.
        yes: bool,
    },
    /// An invitation for another device of the owner's.
    DeviceAdd {
        /// Whether it waits until a person here has confirmed.
        confirm: bool,
    },
    /// A share for somebody known, or another one in place of theirs.
    ShareWith {
        /// What.
        share: ShareRequest,
        /// The name of a node that is known here.
        with: String,
    },
    /// Who can see what of a record.
    Sharing {
        /// The record.
        record: String,
    },
    /// Every share of this node, in both directions.
    AllSharing,
    /// No more sharing.
    Stop {
        /// The record.
        record: String,
        /// The share, or with whom.
        share: String,
        /// What stays of what they wrote.
        keep: Keep,
        /// Whether those with whom they shared on keep what they have.
        keep_shared_on: bool,
    },
    /// A word on two records being of one person.
    SamePerson(SamePersonRequest),
    /// Who controls a record, and a change in that.
    Control {
        /// The record.
        record: String,
        /// What is to change.
        change: Option<ControlChange>,
    },
    /// Who may open a record in an emergency, and a change in that.
    Emergency {
        /// The record.
        record: String,
        /// What is to change.
        change: Option<EmergencyChange>,
    },
    /// Who may recover a record, and what several people agree to.
    Recovery(RecoveryAsk),
    /// Opening a record that is here in an emergency.
    EmergencyOpen(OpenRequest),
    /// Who looked at a record.
    WhoLooked {
        /// The record.
        record: String,
    },
    /// What happened on this node.
    Events(Since),
    /// A backup into a folder.
    Backup {
        /// Where.
        folder: PathBuf,
    },
    /// A new member of staff.
    StaffAdd(NewStaff),
    /// A code by which a member of staff begins an account for the pages.
    StaffAccount {
        /// Who: a name, an id or its beginning.
        who: String,
    },
    /// Everyone who was entered as staff.
    StaffList,
    /// A member of staff leaves.
    StaffEnd(Leaving),
    /// Every device that acts for the owner.
    DeviceList,
    /// A device leaves.
    DeviceRetire(Retiring),
    /// Something happened to a person, or did not happen after all.
    Event(EventRequest),
    /// What is to be done, and what became of it.
    Tasks(TasksRequest),
    /// An answer to a task.
    Answer(AnswerRequest),
    /// What has to happen around a person after an event.
    Rules(RulesRequest),
    /// What somebody needs to know who takes over.
    Handover(HandoverRequest),
    /// Plans for emergencies, and who has them.
    Plans {
        /// The record.
        record: String,
    },
    /// Messages of other systems that came in.
    Inbox(InboxAsk),
    /// What a file of messages would do.
    ExplainFile {
        /// The file.
        file: PathBuf,
    },
    /// How messages of other systems come in, and a change in that.
    ConnectHl7(Option<ConnectHl7>),
    /// Messages that go out to other systems.
    Send(SendAsk),
    /// Apps that read a record beside this node.
    Connect(ConnectAsk),
    /// Household and support links of a record, and what is done with them.
    Household(HouseholdAsk),
    /// Forms: keeping, opening, checking, answering.
    Forms(FormsRequest),
    /// What devices measured, and where they were silent.
    Readings {
        /// The record.
        record: String,
        /// How often a reading is expected, seconds; as often as they usually come where it is
        /// left out.
        every_s: Option<u32>,
    },
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(..)")
    }
}

/// What a command gives back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// See [`Request::Status`].
    Status(Status),
    /// See [`Request::RecordNew`].
    RecordNew(RecordMade),
    /// See [`Request::RecordList`] and [`Request::Find`].
    Records(Vec<RecordLine>),
    /// See [`Request::Show`].
    Record(Box<RecordShown>),
    /// See [`Request::Timeline`].
    Timeline(Vec<Happened>),
    /// See [`Request::Import`].
    Imported(Imported),
    /// See [`Request::Add`] and [`Request::Change`].
    Added(Added),
    /// See [`Request::Attest`].
    Attested(Box<Attested>),
    /// See [`Request::Export`].
    Exported(Exported),
    /// See [`Request::Verify`].
    Verified(Verified),
    /// See [`Request::Explain`].
    Explained(Explained),
    /// See [`Request::Review`].
    Review(Review),
    /// See [`Request::Decide`], [`Request::Admit`] and [`Request::SamePerson`].
    Decided(Decided),
    /// See [`Request::Share`] and [`Request::DeviceAdd`].
    Shared(Shared),
    /// See [`Request::Invitation`].
    Invitation(InvitationState),
    /// See [`Request::ShareWith`].
    SharedWith(SharedWith),
    /// See [`Request::Sharing`] and [`Request::AllSharing`].
    Sharing(Sharing),
    /// See [`Request::Stop`].
    Stopped(Stopped),
    /// See [`Request::Control`].
    Control(ControlShown),
    /// See [`Request::Emergency`].
    Emergency(EmergencyShown),
    /// See [`Request::Recovery`].
    Recovery(RecoveryShown),
    /// See [`Request::EmergencyOpen`].
    Opened(OpenedLine),
    /// See [`Request::WhoLooked`].
    Looked(Vec<Looked>),
    /// See [`Request::Backup`].
    BackedUp(BackedUp),
    /// See [`Request::Events`].
    Events(Vec<Occurred>),
    /// See [`Request::StaffAdd`].
    StaffAdded(StaffLine),
    /// See [`Request::StaffAccount`].
    StaffAccount(NewAccount),
    /// See [`Request::StaffList`].
    Staff(StaffList),
    /// See [`Request::DeviceList`].
    Devices(DeviceList),
    /// See [`Request::StaffEnd`] and [`Request::DeviceRetire`].
    Left(Left),
    /// See [`Request::Event`].
    Event(EventMade),
    /// See [`Request::Tasks`].
    Tasks(TaskList),
    /// See [`Request::Answer`].
    Answered(Box<TaskAnswered>),
    /// See [`Request::Rules`].
    Rules(RulesShown),
    /// See [`Request::Handover`].
    Handover(Box<HandoverShown>),
    /// See [`Request::Plans`].
    Plans(PlansShown),
    /// See [`Request::Inbox`].
    Inbox(InboxShown),
    /// See [`Request::ExplainFile`].
    FileExplained(FileExplained),
    /// See [`Request::ConnectHl7`].
    Connections(Connections),
    /// See [`Request::Send`].
    Outgoing(Outgoing),
    /// See [`Request::Connect`].
    Connect(Box<ConnectShown>),
    /// See [`Request::Household`].
    Household(HouseholdShown),
    /// See [`Request::Forms`].
    Forms(FormsReply),
    /// See [`Request::Readings`].
    Readings(Vec<StreamLine>),
}

#[cfg(test)]
mod tests {
    use super::{BundleTo, ImportRequest, Request};

    #[test]
    fn what_is_printed_for_debugging_holds_no_secret() {
        let passphrase = || Some("canary".to_owned());
        let import = ImportRequest {
            passphrase: passphrase(),
            ..ImportRequest::default()
        };
        let verify = Request::Verify {
            what: String::new(),
            passphrase: passphrase(),
        };
        let to = BundleTo::Passphrase("canary".to_owned());
        let printed = format!("{import:?} {verify:?} {to:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
