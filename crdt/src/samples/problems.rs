//! What a sample can suffer from, how often, and what is given for it.

use super::page::Closed;

/// A condition of the population.
pub(super) struct Problem {
    pub(super) key: &'static str,
    /// Its SNOMED CT term.
    pub(super) term: &'static str,
    /// Its SNOMED CT code; empty where only text is used.
    pub(super) code: &'static str,
    /// The youngest and the oldest who have it.
    pub(super) ages: (i32, i32),
    /// How many of 100 people of these ages have it.
    pub(super) percent: u32,
    pub(super) who: Who,
    pub(super) closed: Closed,
    /// Each step is one medicine, the first of its keys that suits the person.
    pub(super) steps: &'static [&'static [&'static str]],
}

/// Who can have a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anyone,
    Women,
    Men,
    /// Only those who have one of these other conditions, which stand before it in the table.
    With(&'static [&'static str]),
}

const fn problem(
    key: &'static str,
    (term, code): (&'static str, &'static str),
    ages: (i32, i32),
    percent: u32,
    steps: &'static [&'static [&'static str]],
) -> Problem {
    Problem {
        key,
        term,
        code,
        ages,
        percent,
        who: Who::Anyone,
        closed: Closed::Open,
        steps,
    }
}

impl Problem {
    const fn of(self, who: Who) -> Self {
        Self { who, ..self }
    }

    const fn closed(self, closed: Closed) -> Self {
        Self { closed, ..self }
    }

    /// Whether it passed: an infection that was treated.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.key, "chlamydia" | "hip-fracture")
    }
}

/// All of them. A condition that needs another stands after it.
pub(super) const PROBLEMS: [Problem; 32] = [
    problem(
        "hypertension",
        ("Hypertensive disorder", "38341003"),
        (42, 110),
        40,
        &[&["ramipril", "amlodipine"]],
    ),
    problem(
        "diabetes",
        ("Type 2 diabetes mellitus", "44054006"),
        (40, 110),
        18,
        &[&["metformin"], &["atorvastatin"]],
    ),
    problem(
        "asthma",
        ("Asthma", "195967001"),
        (6, 110),
        11,
        &[&["salbutamol"], &["beclometasone"]],
    ),
    problem(
        "copd",
        ("Chronic obstructive lung disease", "13645005"),
        (55, 110),
        10,
        &[&["salbutamol"], &["tiotropium"]],
    ),
    problem(
        "atrial-fibrillation",
        ("Atrial fibrillation", "49436004"),
        (62, 110),
        18,
        &[&["warfarin", "apixaban"], &["bisoprolol", "digoxin"]],
    ),
    problem(
        "heart-failure",
        ("Heart failure", "84114007"),
        (66, 110),
        12,
        &[&["furosemide"], &["ramipril"], &["bisoprolol"]],
    ),
    problem(
        "ischaemic-heart-disease",
        ("Ischaemic heart disease", "414545008"),
        (52, 110),
        10,
        &[&["aspirin", "clopidogrel"], &["atorvastatin"]],
    ),
    problem(
        "kidney-disease",
        ("Chronic kidney disease stage 3", "433144002"),
        (60, 110),
        18,
        &[],
    ),
    problem(
        "cholesterol",
        ("Hypercholesterolaemia", "13644009"),
        (42, 80),
        18,
        &[&["atorvastatin"]],
    ),
    problem(
        "stroke",
        ("Cerebrovascular accident", "230690007"),
        (62, 110),
        7,
        &[&["clopidogrel"], &["atorvastatin"]],
    ),
    problem(
        "dementia",
        ("Alzheimer's disease", "26929004"),
        (74, 110),
        20,
        &[&["donepezil"]],
    ),
    problem(
        "parkinsons",
        ("Parkinson's disease", "49049000"),
        (64, 110),
        4,
        &[&["co-careldopa"]],
    ),
    problem(
        "dysphagia",
        ("Dysphagia", "40739000"),
        (64, 110),
        60,
        &[&["thickener"]],
    )
    .of(Who::With(&["dementia", "parkinsons", "stroke"])),
    problem(
        "osteoarthritis",
        ("Osteoarthritis of knee", "239873007"),
        (52, 110),
        26,
        &[&["paracetamol"]],
    ),
    problem(
        "osteoporosis",
        ("Osteoporosis", "64859006"),
        (66, 110),
        20,
        &[&["alendronic-acid"], &["calcium"]],
    )
    .of(Who::Women),
    problem(
        "hip-fracture",
        ("Fracture of neck of femur", "5913000"),
        (76, 110),
        35,
        &[&["paracetamol"]],
    )
    .of(Who::With(&["osteoporosis"])),
    problem(
        "gout",
        ("Gout", "90560007"),
        (45, 110),
        6,
        &[&["allopurinol"]],
    )
    .of(Who::Men),
    problem(
        "hypothyroidism",
        ("Hypothyroidism", "40930008"),
        (30, 110),
        9,
        &[&["levothyroxine"]],
    )
    .of(Who::Women),
    problem(
        "reflux",
        ("Gastro-oesophageal reflux disease", "235595009"),
        (30, 110),
        13,
        &[&["omeprazole"]],
    ),
    problem(
        "epilepsy",
        ("Epilepsy", "84757009"),
        (6, 110),
        3,
        &[&["lamotrigine"]],
    ),
    problem(
        "migraine",
        ("Migraine", "37796009"),
        (14, 55),
        11,
        &[&["sumatriptan"]],
    ),
    problem(
        "eczema",
        ("Atopic dermatitis", "24079001"),
        (1, 35),
        14,
        &[&["emollient"]],
    ),
    problem(
        "rheumatoid-arthritis",
        ("Rheumatoid arthritis", "69896004"),
        (35, 110),
        2,
        &[&["methotrexate"], &["folic-acid"]],
    ),
    problem(
        "iron-deficiency",
        ("Iron deficiency anaemia", "87522002"),
        (16, 110),
        6,
        &[&["ferrous-fumarate"]],
    ),
    problem(
        "hearing-loss",
        ("Hearing loss", "15188001"),
        (66, 110),
        34,
        &[],
    ),
    problem("cataract", ("Cataract", "193570009"), (68, 110), 22, &[]),
    problem(
        "depression",
        ("Depressive disorder", "35489007"),
        (17, 110),
        13,
        &[&["sertraline", "mirtazapine"]],
    )
    .closed(Closed::MentalHealth),
    problem(
        "anxiety",
        ("Anxiety disorder", "197480006"),
        (17, 75),
        9,
        &[],
    )
    .closed(Closed::MentalHealth),
    problem(
        "chlamydia",
        ("Chlamydia trachomatis infection", "240589008"),
        (17, 34),
        16,
        &[],
    )
    .closed(Closed::SexualHealth),
    problem(
        "herpes",
        ("Genital herpes simplex", "33839006"),
        (19, 55),
        4,
        &[&["aciclovir"]],
    )
    .closed(Closed::SexualHealth),
    problem(
        "hiv",
        ("Human immunodeficiency virus infection", "86406008"),
        (22, 74),
        3,
        &[&["biktarvy"]],
    )
    .closed(Closed::SexualHealth),
    problem("frailty", ("Frailty", "248279007"), (75, 110), 20, &[]),
];
