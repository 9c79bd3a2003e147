//! What a message asks for, by its type and trigger event (MSH-9).

use super::Message;

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A01: a stay begins.
    Admit,
    /// A02: the person was moved.
    Transfer,
    /// A03: a stay has ended.
    Discharge,
    /// A04, A05, A06, A07: a visit is registered, planned, or of another class now.
    Register,
    /// A08: something of the person or the visit is other.
    Update,
    /// A11: there was no stay.
    CancelAdmit,
    /// A12: the person was not moved.
    CancelTransfer,
    /// A13: the stay has not ended.
    CancelDischarge,
    /// A28, A31: who the person is.
    Person,
    /// A40, A47: two numbers are of one person.
    SamePerson,
    /// ORU, OUL: results.
    Results,
    /// ORM, OML, OMG: orders.
    Orders,
    /// MDM: a document.
    Document,
    /// VXU: vaccinations.
    Vaccinations,
}

/// Why a message waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Waits {
    /// A type or trigger that this version does not read.
    #[error("kith does not know what to do with {0}")]
    UnknownTrigger(String),
    /// A version that it does not read.
    #[error("kith reads HL7 2.2 to 2.8, and this message says that it is of {0:?}")]
    Version(String),
    /// No patient, or none with a number.
    #[error("the message does not say whose it is: {0}")]
    Nobody(&'static str),
    /// A cancellation that cannot be placed.
    #[error("the message takes something back and does not say of which visit")]
    NoVisit,
    /// A second patient.
    #[error("the message is about {0} patients, and kith reads one from a message")]
    SeveralPatients(usize),
}

/// What a message asks for.
///
/// # Errors
/// The reason for which a person has to look at it.
pub fn trigger(message: &Message) -> Result<Trigger, Waits> {
    let version = message.header.version.as_str();
    let minor = version.strip_prefix("2.").map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u8>().unwrap_or(0)
    });
    if !matches!(minor, Some(2..=8)) {
        return Err(Waits::Version(version.to_owned()));
    }
    let kind = message.header.kind.as_str();
    Ok(match kind {
        "ADT^A01" => Trigger::Admit,
        "ADT^A02" => Trigger::Transfer,
        "ADT^A03" => Trigger::Discharge,
        "ADT^A04" | "ADT^A05" | "ADT^A06" | "ADT^A07" => Trigger::Register,
        "ADT^A08" => Trigger::Update,
        "ADT^A11" => Trigger::CancelAdmit,
        "ADT^A12" => Trigger::CancelTransfer,
        "ADT^A13" => Trigger::CancelDischarge,
        "ADT^A28" | "ADT^A31" => Trigger::Person,
        "ADT^A40" | "ADT^A47" => Trigger::SamePerson,
        "ORU^R01" | "ORU^R30" | "OUL^R21" | "OUL^R22" | "OUL^R23" | "OUL^R24" => Trigger::Results,
        "ORM^O01" | "OML^O21" | "OMG^O19" => Trigger::Orders,
        "MDM^T01" | "MDM^T02" | "MDM^T03" | "MDM^T04" | "MDM^T05" | "MDM^T06" | "MDM^T07"
        | "MDM^T08" | "MDM^T09" | "MDM^T10" | "MDM^T11" => Trigger::Document,
        "VXU^V04" => Trigger::Vaccinations,
        "" => return Err(Waits::UnknownTrigger("a message without a type".to_owned())),
        other => return Err(Waits::UnknownTrigger(other.to_owned())),
    })
}

impl Trigger {
    /// Whether it is about a visit as such.
    pub const fn is_of_visit(self) -> bool {
        match self {
            Self::Admit
            | Self::Transfer
            | Self::Discharge
            | Self::Register
            | Self::Update
            | Self::CancelAdmit
            | Self::CancelTransfer
            | Self::CancelDischarge => true,
            Self::Person
            | Self::SamePerson
            | Self::Results
            | Self::Orders
            | Self::Document
            | Self::Vaccinations => false,
        }
    }

    /// Whether it takes something back that an earlier message said.
    pub const fn cancels(self) -> bool {
        matches!(
            self,
            Self::CancelAdmit | Self::CancelTransfer | Self::CancelDischarge
        )
    }
}
