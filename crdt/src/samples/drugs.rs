//! The medicines that samples take: products, doses, how they are said.

/// A medicine.
pub(super) struct Drug {
    pub(super) key: &'static str,
    /// SNOMED CT code and term of the substance; empty where only text is used.
    pub(super) substance: (&'static str, &'static str),
    pub(super) doses: &'static [Dose],
    /// Route of administration, in SNOMED CT.
    pub(super) route: (&'static str, &'static str),
    /// Not for people who have one of these conditions, allergies or other medicines.
    pub(super) not_with: &'static [&'static str],
}

/// One product and how it is taken.
pub(super) struct Dose {
    /// The product as it is prescribed.
    pub(super) product: &'static str,
    /// What the label says.
    pub(super) text: &'static str,
    /// The amount taken at once, as it is written.
    pub(super) value: &'static str,
    pub(super) unit: &'static str,
    pub(super) every: Every,
    /// What is given for 28 days, in `supply_unit`.
    pub(super) supply: (&'static str, &'static str),
}

/// How often a dose is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Every {
    /// So many times a day.
    Day(u8),
    Week,
    /// When it is needed, at most so many times a day.
    Need(u8),
}

const ORAL: (&str, &str) = ("26643006", "Oral route");
const INHALED: (&str, &str) = ("447694001", "Respiratory tract route");
const SKIN: (&str, &str) = ("6064005", "Topical route");

const fn dose(
    product: &'static str,
    text: &'static str,
    (value, unit): (&'static str, &'static str),
    every: Every,
    supply: (&'static str, &'static str),
) -> Dose {
    Dose {
        product,
        text,
        value,
        unit,
        every,
        supply,
    }
}

const fn drug(
    key: &'static str,
    substance: (&'static str, &'static str),
    doses: &'static [Dose],
    not_with: &'static [&'static str],
) -> Drug {
    Drug {
        key,
        substance,
        doses,
        route: ORAL,
        not_with,
    }
}

const fn inhaled(
    key: &'static str,
    substance: (&'static str, &'static str),
    doses: &'static [Dose],
) -> Drug {
    Drug {
        key,
        substance,
        doses,
        route: INHALED,
        not_with: &[],
    }
}

const ONE_A_DAY: &str = "Take ONE each day";
const TABLETS_28: (&str, &str) = ("28", "tablet");
const CAPSULES_28: (&str, &str) = ("28", "capsule");

/// All of them.
pub(super) const DRUGS: [Drug; 32] = [
    drug(
        "ramipril",
        ("386872004", "Ramipril"),
        &[
            dose(
                "Ramipril 2.5mg capsules",
                ONE_A_DAY,
                ("2.50", "mg"),
                Every::Day(1),
                CAPSULES_28,
            ),
            dose(
                "Ramipril 5mg capsules",
                ONE_A_DAY,
                ("5.0", "mg"),
                Every::Day(1),
                CAPSULES_28,
            ),
            dose(
                "Ramipril 10mg capsules",
                ONE_A_DAY,
                ("10", "mg"),
                Every::Day(1),
                CAPSULES_28,
            ),
        ],
        &[],
    ),
    drug(
        "amlodipine",
        ("386864001", "Amlodipine"),
        &[
            dose(
                "Amlodipine 5mg tablets",
                ONE_A_DAY,
                ("5.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Amlodipine 10mg tablets",
                ONE_A_DAY,
                ("10", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &["heart-failure"],
    ),
    drug(
        "metformin",
        ("372567009", "Metformin"),
        &[
            dose(
                "Metformin 500mg tablets",
                "Take ONE twice a day with food",
                ("500", "mg"),
                Every::Day(2),
                ("56", "tablet"),
            ),
            dose(
                "Metformin 500mg modified-release tablets",
                "Take TWO with the evening meal",
                ("1000.0", "mg"),
                Every::Day(1),
                ("56", "tablet"),
            ),
        ],
        &[],
    ),
    drug(
        "atorvastatin",
        ("373444002", "Atorvastatin"),
        &[
            dose(
                "Atorvastatin 20mg tablets",
                "Take ONE at night",
                ("20.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Atorvastatin 80mg tablets",
                "Take ONE at night",
                ("80", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &[],
    ),
    inhaled(
        "salbutamol",
        ("372897005", "Salbutamol"),
        &[dose(
            "Salbutamol 100micrograms/dose inhaler CFC free",
            "Inhale TWO puffs when needed, up to four times a day",
            ("200", "ug"),
            Every::Need(4),
            ("1", "inhaler"),
        )],
    ),
    inhaled(
        "beclometasone",
        ("116574000", "Beclometasone"),
        &[dose(
            "Clenil Modulite 100micrograms/dose inhaler",
            "Inhale TWO puffs twice a day with a spacer",
            ("200", "ug"),
            Every::Day(2),
            ("1", "inhaler"),
        )],
    ),
    inhaled(
        "tiotropium",
        ("409169006", "Tiotropium"),
        &[dose(
            "Tiotropium 2.5micrograms/dose solution for inhalation",
            "Inhale TWO puffs once a day",
            ("5.0", "ug"),
            Every::Day(1),
            ("1", "inhaler"),
        )],
    ),
    drug(
        "warfarin",
        ("372756006", "Warfarin"),
        &[
            dose(
                "Warfarin 1mg tablets",
                "Take THREE (3 mg) at 6 pm, or as the yellow book says",
                ("3.00", "mg"),
                Every::Day(1),
                ("84", "tablet"),
            ),
            dose(
                "Warfarin 1mg tablets",
                "Take TWO AND A HALF (2.5 mg) at 6 pm, or as the yellow book says",
                ("2.50", "mg"),
                Every::Day(1),
                ("70", "tablet"),
            ),
            dose(
                "Warfarin 5mg tablets",
                "Take ONE (5 mg) at 6 pm, or as the yellow book says",
                ("5.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &["hip-fracture"],
    ),
    drug(
        "apixaban",
        ("", "Apixaban"),
        &[
            dose(
                "Apixaban 2.5mg tablets",
                "Take ONE twice a day",
                ("2.50", "mg"),
                Every::Day(2),
                ("56", "tablet"),
            ),
            dose(
                "Apixaban 5mg tablets",
                "Take ONE twice a day",
                ("5.0", "mg"),
                Every::Day(2),
                ("56", "tablet"),
            ),
        ],
        &["warfarin"],
    ),
    drug(
        "bisoprolol",
        ("386868003", "Bisoprolol"),
        &[
            dose(
                "Bisoprolol 1.25mg tablets",
                ONE_A_DAY,
                ("1.25", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Bisoprolol 2.5mg tablets",
                ONE_A_DAY,
                ("2.50", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &["asthma"],
    ),
    drug(
        "digoxin",
        ("387461009", "Digoxin"),
        &[
            dose(
                "Digoxin 125microgram tablets",
                ONE_A_DAY,
                ("125.0", "ug"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Digoxin 62.5microgram tablets",
                ONE_A_DAY,
                ("62.50", "ug"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &[],
    ),
    drug(
        "furosemide",
        ("387475002", "Furosemide"),
        &[
            dose(
                "Furosemide 40mg tablets",
                "Take ONE in the morning",
                ("40.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Furosemide 20mg tablets",
                "Take ONE in the morning",
                ("20", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &[],
    ),
    drug(
        "aspirin",
        ("387458008", "Aspirin"),
        &[dose(
            "Aspirin 75mg dispersible tablets",
            "Take ONE each day in water, with food",
            ("75.0", "mg"),
            Every::Day(1),
            TABLETS_28,
        )],
        &[
            "warfarin",
            "apixaban",
            "aspirin-allergy",
            "clopidogrel",
            "asthma",
        ],
    ),
    drug(
        "clopidogrel",
        ("386952008", "Clopidogrel"),
        &[dose(
            "Clopidogrel 75mg tablets",
            ONE_A_DAY,
            ("75.0", "mg"),
            Every::Day(1),
            TABLETS_28,
        )],
        &["warfarin", "apixaban", "aspirin"],
    ),
    drug(
        "donepezil",
        ("386855006", "Donepezil"),
        &[
            dose(
                "Donepezil 5mg tablets",
                "Take ONE at bedtime",
                ("5.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Donepezil 10mg tablets",
                "Take ONE at bedtime",
                ("10.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &[],
    ),
    drug(
        "co-careldopa",
        ("", "Co-careldopa"),
        &[dose(
            "Co-careldopa 25mg/100mg tablets",
            "Take ONE three times a day, at 8 am, 1 pm and 6 pm",
            ("1.0", "tablet"),
            Every::Day(3),
            ("84", "tablet"),
        )],
        &[],
    ),
    drug(
        "paracetamol",
        ("387517004", "Paracetamol"),
        &[dose(
            "Paracetamol 500mg tablets",
            "Take TWO when needed, up to four times a day",
            ("1.0", "g"),
            Every::Need(4),
            ("100", "tablet"),
        )],
        &[],
    ),
    drug(
        "alendronic-acid",
        ("391730008", "Alendronic acid"),
        &[dose(
            "Alendronic acid 70mg tablets",
            "Take ONE once a week, 30 minutes before breakfast, sitting up",
            ("70.0", "mg"),
            Every::Week,
            ("4", "tablet"),
        )],
        &["dysphagia", "reflux"],
    ),
    drug(
        "calcium",
        ("", "Calcium carbonate and colecalciferol"),
        &[dose(
            "Calcium carbonate 1.5g / Colecalciferol 400unit chewable tablets",
            "Chew ONE twice a day",
            ("1.0", "tablet"),
            Every::Day(2),
            ("56", "tablet"),
        )],
        &[],
    ),
    drug(
        "allopurinol",
        ("387135004", "Allopurinol"),
        &[dose(
            "Allopurinol 100mg tablets",
            "Take ONE each day after food",
            ("100.0", "mg"),
            Every::Day(1),
            TABLETS_28,
        )],
        &[],
    ),
    drug(
        "levothyroxine",
        ("", "Levothyroxine"),
        &[
            dose(
                "Levothyroxine sodium 50microgram tablets",
                "Take ONE in the morning, before breakfast",
                ("50.0", "ug"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Levothyroxine sodium 100microgram tablets",
                "Take ONE in the morning, before breakfast",
                ("100", "ug"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &[],
    ),
    drug(
        "omeprazole",
        ("387137007", "Omeprazole"),
        &[dose(
            "Omeprazole 20mg gastro-resistant capsules",
            ONE_A_DAY,
            ("20.0", "mg"),
            Every::Day(1),
            CAPSULES_28,
        )],
        &[],
    ),
    drug(
        "lamotrigine",
        ("387562000", "Lamotrigine"),
        &[dose(
            "Lamotrigine 50mg tablets",
            "Take ONE twice a day",
            ("50.0", "mg"),
            Every::Day(2),
            ("56", "tablet"),
        )],
        &[],
    ),
    drug(
        "sumatriptan",
        ("", "Sumatriptan"),
        &[dose(
            "Sumatriptan 50mg tablets",
            "Take ONE as soon as an attack begins; a second after two hours if it comes back",
            ("50", "mg"),
            Every::Need(2),
            ("6", "tablet"),
        )],
        &["hypertension", "ischaemic-heart-disease"],
    ),
    Drug {
        route: SKIN,
        ..drug(
            "emollient",
            ("", "Emollient"),
            &[dose(
                "Zeroderm ointment",
                "Apply to dry skin as often as needed",
                ("1.0", "application"),
                Every::Need(4),
                ("500", "g"),
            )],
            &[],
        )
    },
    drug(
        "methotrexate",
        ("387381009", "Methotrexate"),
        &[dose(
            "Methotrexate 2.5mg tablets",
            "Take SIX (15 mg) ONCE A WEEK, on a Monday",
            ("15.0", "mg"),
            Every::Week,
            ("24", "tablet"),
        )],
        &["kidney-disease"],
    ),
    drug(
        "folic-acid",
        ("63718003", "Folic acid"),
        &[dose(
            "Folic acid 5mg tablets",
            "Take ONE once a week, on a Thursday",
            ("5.0", "mg"),
            Every::Week,
            ("4", "tablet"),
        )],
        &[],
    ),
    drug(
        "sertraline",
        ("372594008", "Sertraline"),
        &[
            dose(
                "Sertraline 50mg tablets",
                "Take ONE each morning",
                ("50.0", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
            dose(
                "Sertraline 100mg tablets",
                "Take ONE each morning",
                ("100", "mg"),
                Every::Day(1),
                TABLETS_28,
            ),
        ],
        &["warfarin", "apixaban"],
    ),
    drug(
        "mirtazapine",
        ("386847004", "Mirtazapine"),
        &[dose(
            "Mirtazapine 15mg tablets",
            "Take ONE at night",
            ("15.0", "mg"),
            Every::Day(1),
            TABLETS_28,
        )],
        &[],
    ),
    drug(
        "aciclovir",
        ("", "Aciclovir"),
        &[dose(
            "Aciclovir 400mg tablets",
            "Take ONE twice a day",
            ("400", "mg"),
            Every::Day(2),
            ("56", "tablet"),
        )],
        &[],
    ),
    drug(
        "biktarvy",
        ("", "Bictegravir, emtricitabine and tenofovir alafenamide"),
        &[dose(
            "Biktarvy 50mg/200mg/25mg tablets",
            ONE_A_DAY,
            ("1.0", "tablet"),
            Every::Day(1),
            ("30", "tablet"),
        )],
        &[],
    ),
    drug(
        "thickener",
        ("", "Xanthan gum"),
        &[dose(
            "Resource ThickenUp Clear powder",
            "Thicken all drinks to level 2 (mildly thick)",
            ("1.2", "g"),
            Every::Need(10),
            ("127", "g"),
        )],
        &[],
    ),
];
