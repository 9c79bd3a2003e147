//! The organisations that know a sample: made up, with codes that no register gives out.

use serde_json::json;

use super::{
    names::{COUNTRIES, OTHERS},
    stream::Stream,
};

/// What kind of organisation a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A GP practice.
    Practice,
    /// A hospital trust or board.
    Hospital,
    /// An ambulance service.
    Ambulance,
    /// A care home.
    CareHome,
    /// Carers and nurses who come to the person's home.
    HomeCare,
    /// A community pharmacy.
    Pharmacy,
    /// A laboratory.
    Laboratory,
}

/// An organisation that sends a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleOrganisation {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: &'static str,
    /// Its code, in the form of an ODS code but with a first letter that is not in use.
    pub code: &'static str,
}

impl Kind {
    fn all(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Practice => &[
                ("Riverside Surgery", "X9001"),
                ("Old Tannery Medical Centre", "X9002"),
                ("Bryn Celyn Surgery", "X9003"),
                ("Kirkhallow Medical Practice", "X9004"),
            ],
            Self::Hospital => &[
                ("Castlebridge General Hospital", "XH1"),
                ("Saltmarsh University Hospital", "XH2"),
            ],
            Self::Ambulance => &[("Four Rivers Ambulance Service", "XA1")],
            Self::CareHome => &[
                ("The Rookery Care Home", "XC101"),
                ("Harbour Wynd House", "XC102"),
                ("Plas Eithin", "XC103"),
            ],
            Self::HomeCare => &[
                ("Larkfield Home Care", "XC201"),
                ("Good Neighbour Community Nursing", "XC202"),
            ],
            Self::Pharmacy => &[
                ("Peppercorn Pharmacy", "XP301"),
                ("Mill Race Chemist", "XP302"),
                ("Fferyllfa Celyn", "XP303"),
            ],
            Self::Laboratory => &[("Four Rivers Pathology", "XL401")],
        }
    }

    /// What it is called as a type of organisation.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Practice => "GP practice",
            Self::Hospital => "Hospital",
            Self::Ambulance => "Ambulance service",
            Self::CareHome => "Care home",
            Self::HomeCare => "Community care provider",
            Self::Pharmacy => "Community pharmacy",
            Self::Laboratory => "Pathology laboratory",
        }
    }

    fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Practice => &[
                "General practitioner",
                "Practice nurse",
                "Clinical pharmacist",
            ],
            Self::Hospital => &[
                "Consultant physician",
                "Ward sister",
                "Discharge coordinator",
            ],
            Self::Ambulance => &["Paramedic", "Emergency care assistant"],
            Self::CareHome => &["Registered manager", "Senior carer"],
            Self::HomeCare => &["District nurse", "Home carer"],
            Self::Pharmacy => &["Pharmacist"],
            Self::Laboratory => &["Consultant biochemist", "Biomedical scientist"],
        }
    }
}

impl SampleOrganisation {
    /// The organisation of this kind that knows a person.
    pub(super) fn of(seed: u64, number: u32, kind: Kind) -> Self {
        let (name, code) = *Stream::of(seed, number, kind.words()).pick(kind.all());
        Self { kind, name, code }
    }

    /// The roles of the people who work there.
    pub(super) fn staff(&self) -> &'static [&'static str] {
        self.kind.roles()
    }

    /// Title, given name and family name of one of them.
    pub(super) fn staff_parts(&self, seed: u64, n: usize) -> [&'static str; 3] {
        let mut stream = Stream::of(seed, 0, &format!("{}/staff/{n}", self.code));
        let background = if stream.chance(50) {
            COUNTRIES[0].background
        } else {
            stream.pick(&OTHERS)
        };
        let woman = stream.chance(60);
        let given = if woman {
            background.women
        } else {
            background.men
        };
        let doctor = matches!(
            self.kind.roles()[n],
            "General practitioner" | "Consultant physician" | "Consultant biochemist"
        );
        let title = match (doctor, woman) {
            (true, _) => "Dr",
            (false, true) => "Ms",
            (false, false) => "Mr",
        };
        [
            title,
            *stream.pick(given),
            *stream.pick(background.families),
        ]
    }

    /// Their name in full.
    pub(super) fn staff_name(&self, seed: u64, n: usize) -> String {
        self.staff_parts(seed, n).join(" ")
    }

    /// Their name as a FHIR HumanName.
    pub(super) fn staff_human_name(&self, seed: u64, n: usize) -> serde_json::Value {
        let [title, given, family] = self.staff_parts(seed, n);
        json!([{"use": "official", "family": family, "given": [given], "prefix": [title]}])
    }

    /// The first label of its host name.
    pub(super) fn host(&self) -> String {
        self.code.to_ascii_lowercase()
    }
}
