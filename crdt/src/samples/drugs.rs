//! The medicines that samples take: products, doses, how they are said.

mod heart_and_lungs;
mod others;

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

/// The medicine of this key.
pub(super) fn named(key: &str) -> Option<&'static Drug> {
    heart_and_lungs::DRUGS
        .iter()
        .chain(&others::DRUGS)
        .find(|drug| drug.key == key)
}
