//! Medicines for the heart, the vessels, sugar and the lungs.

use super::{CAPSULES_28, Drug, Every, ONE_A_DAY, TABLETS_28, dose, drug, inhaled};

pub(super) const DRUGS: [Drug; 14] = [
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
];
