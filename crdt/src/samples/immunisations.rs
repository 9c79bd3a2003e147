//! Immunisations, by age and season.

use serde_json::json;

use super::{
    day::{Day, TODAY},
    page::{Closed, Page, snomed},
};

/// A vaccine and what it is given against.
struct Vaccine {
    key: &'static str,
    code: &'static str,
    product: &'static str,
    target: (&'static str, &'static str),
    amount: &'static str,
}

const FLU: Vaccine = Vaccine {
    key: "flu",
    code: "1181000221105",
    product: "Influenza vaccine",
    target: ("6142004", "Influenza"),
    amount: "0.50",
};
const COVID: Vaccine = Vaccine {
    key: "covid",
    code: "1119349007",
    product: "COVID-19 mRNA vaccine",
    target: ("840539006", "COVID-19"),
    amount: "0.30",
};
const PNEUMOCOCCAL: Vaccine = Vaccine {
    key: "pneumococcal",
    code: "",
    product: "Pneumococcal polysaccharide vaccine (PPV23)",
    target: ("16814004", "Pneumococcal infectious disease"),
    amount: "0.50",
};
const SHINGLES: Vaccine = Vaccine {
    key: "shingles",
    code: "",
    product: "Shingles vaccine (Shingrix)",
    target: ("4740000", "Herpes zoster"),
    amount: "0.50",
};
/// What was given before September 2023, once.
const SHINGLES_LIVE: Vaccine = Vaccine {
    product: "Shingles vaccine, live (Zostavax)",
    amount: "0.65",
    ..SHINGLES
};
const MMR: Vaccine = Vaccine {
    key: "mmr",
    code: "",
    product: "Measles, mumps and rubella vaccine",
    target: ("14189004", "Measles"),
    amount: "0.50",
};

/// What the practice gave.
pub(super) fn given(page: &mut Page<'_>) {
    let age = page.life.age;
    let mut stream = page.stream("immunisations");
    let at_risk = [
        "asthma",
        "copd",
        "diabetes",
        "heart-failure",
        "kidney-disease",
    ];
    let for_flu = age >= 65 || at_risk.iter().any(|problem| page.life.has(problem));
    for years in 0..3 {
        if for_flu && stream.chance(85) {
            let day = Day::of(2026 - years, 10, stream.between(1, 23)).working();
            give(page, &FLU, day, 1);
        }
    }
    if age >= 75 {
        for years in 0..2 {
            let day = Day::of(2026 - years, 4, stream.between(10, 28)).working();
            give(page, &COVID, day, 1);
        }
    } else if age >= 18 {
        give(
            page,
            &COVID,
            Day::of(2021, 5, stream.between(1, 28)).working(),
            1,
        );
        give(
            page,
            &COVID,
            Day::of(2021, 8, stream.between(1, 28)).working(),
            2,
        );
    }
    let birthday = |years: i32| {
        let (year, month, day) = page.life.person.born().date();
        Day::of(year + years, month, day.min(28))
    };
    if age >= 66 {
        let day = birthday(65).on(stream.between(20, 200)).working();
        give(page, &PNEUMOCOCCAL, day, 1);
    }
    if (71..80).contains(&age) {
        let day = birthday(70).on(stream.between(20, 100)).working();
        if day < Day::of(2023, 9, 1) {
            give(page, &SHINGLES_LIVE, day, 1);
        } else {
            give(page, &SHINGLES, day, 1);
            give(page, &SHINGLES, day.on(200).working(), 2);
        }
    }
    if (4..30).contains(&age) {
        give(page, &MMR, birthday(1).on(20).working(), 1);
        give(page, &MMR, birthday(3).on(130).working(), 2);
    }
}

fn give(page: &mut Page<'_>, vaccine: &Vaccine, day: Day, dose: u8) {
    if day >= TODAY {
        return;
    }
    let key = format!("immunisation/{}/{day}", vaccine.key);
    let mut stream = page.stream(&key);
    let (code, term) = vaccine.target;
    let body = json!({
        "resourceType": "Immunization",
        "identifier": page.identifier("immunisation", &key),
        "status": "completed",
        "vaccineCode": snomed(vaccine.code, vaccine.product),
        "patient": page.patient(),
        "occurrenceDateTime": day.at(stream.between(9 * 60, 17 * 60)),
        "primarySource": true,
        "lotNumber": format!("ZX{:05}", stream.below(100_000)),
        "expirationDate": day.on(stream.between(60, 300)).to_string(),
        "site": snomed("368208006", "Left upper arm structure"),
        "route": snomed("78421000", "Intramuscular route"),
        "doseQuantity": super::page::quantity(vaccine.amount, "ml", "mL"),
        "performer": [{"actor": page.staff(1)}],
        "protocolApplied": [{"targetDisease": [snomed(code, term)], "doseNumberPositiveInt": dose}],
    });
    let story = format!("{}, dose {dose}, {} ml", vaccine.product, vaccine.amount);
    page.add(&key, day, Closed::Open, &story, body);
}
