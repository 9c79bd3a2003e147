//! All other medicines.

use super::{CAPSULES_28, Drug, Every, ONE_A_DAY, SKIN, TABLETS_28, dose, drug};

pub(super) const DRUGS: [Drug; 19] = [
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
        "ferrous-fumarate",
        ("", "Ferrous fumarate"),
        &[dose(
            "Ferrous fumarate 322mg tablets",
            "Take ONE each day on an empty stomach",
            ("322.0", "mg"),
            Every::Day(1),
            TABLETS_28,
        )],
        &[],
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
