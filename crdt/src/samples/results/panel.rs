//! The tests that the laboratory does, with its ranges.

use super::super::life::Life;

/// A test, its unit and the range that the laboratory prints beside it.
pub(super) struct Test {
    pub(super) key: &'static str,
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) ucum: &'static str,
    /// In hundredths; the top of what is open above is `i32::MAX`.
    pub(super) normal: (i32, i32),
    /// Decimal places that the laboratory reports.
    pub(super) places: usize,
    /// What this person's value is about: middle and spread, in hundredths. Nothing if the test
    /// is not done.
    pub(super) expected: fn(&Life) -> Option<(i32, i32)>,
    pub(super) months: i32,
}

pub(super) const TESTS: [Test; 9] = [
    Test {
        key: "potassium",
        code: "2823-3",
        name: "Potassium [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (350, 530),
        places: 1,
        expected: |life| {
            Some((
                if life.takes("ramipril").is_some() {
                    470
                } else {
                    430
                },
                40,
            ))
        },
        months: 6,
    },
    Test {
        key: "sodium",
        code: "2951-2",
        name: "Sodium [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (13_300, 14_600),
        places: 0,
        expected: |_| Some((13_900, 300)),
        months: 6,
    },
    Test {
        key: "egfr",
        code: "62238-1",
        name: "eGFR (CKD-EPI) per 1.73 sq M",
        unit: "mL/min/1.73m2",
        ucum: "mL/min/{1.73_m2}",
        normal: (6_000, i32::MAX),
        places: 0,
        expected: |life| {
            let aged = 9_800 - 60 * (life.age - 40).max(0);
            Some(if life.has("kidney-disease") {
                (4_700, 400)
            } else {
                (aged.max(6_600), 400)
            })
        },
        months: 6,
    },
    Test {
        key: "haemoglobin",
        code: "718-7",
        name: "Hemoglobin [Mass/volume] in Blood",
        unit: "g/L",
        ucum: "g/L",
        normal: (11_500, 16_500),
        places: 0,
        expected: |life| {
            Some((
                if life.has("iron-deficiency") {
                    10_900
                } else {
                    13_400
                },
                600,
            ))
        },
        months: 8,
    },
    Test {
        key: "hba1c",
        code: "59261-8",
        name: "Hemoglobin A1c/Hemoglobin.total in Blood by IFCC protocol",
        unit: "mmol/mol",
        ucum: "mmol/mol",
        normal: (2_000, 4_200),
        places: 0,
        expected: |life| life.has("diabetes").then_some((5_600, 500)),
        months: 6,
    },
    Test {
        key: "cholesterol",
        code: "14647-2",
        name: "Cholesterol [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (0, 500),
        places: 2,
        expected: |life| {
            let high = if life.takes("atorvastatin").is_some() {
                420
            } else {
                560
            };
            (life.age >= 40).then_some((high, 50))
        },
        months: 12,
    },
    Test {
        key: "tsh",
        code: "3016-3",
        name: "Thyrotropin [Units/volume] in Serum or Plasma",
        unit: "mIU/L",
        ucum: "m[IU]/L",
        normal: (27, 420),
        places: 2,
        expected: |life| life.has("hypothyroidism").then_some((230, 120)),
        months: 12,
    },
    Test {
        key: "inr",
        code: "6301-6",
        name: "INR in Platelet poor plasma by Coagulation assay",
        unit: "{INR}",
        ucum: "{INR}",
        normal: (200, 300),
        places: 1,
        expected: |life| life.takes("warfarin").map(|_| (250, 60)),
        months: 1,
    },
    Test {
        key: "crp",
        code: "1988-5",
        name: "C reactive protein [Mass/volume] in Serum or Plasma",
        unit: "mg/L",
        ucum: "mg/L",
        normal: (0, 500),
        places: 0,
        expected: |life| life.has("rheumatoid-arthritis").then_some((900, 400)),
        months: 3,
    },
];
