//! Code tables: what kith knows, and what a site adds in a file of its own.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// Bytes of a site's own file.
const FILE_LEN_MAX: usize = 1024 * 1024;

const OWN: &str = include_str!("tables.toml");

/// What codes of HL7 v2 are in FHIR, table by table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    tables: BTreeMap<String, BTreeMap<String, String>>,
}

/// Why a file is no file of tables.
#[derive(Debug, thiserror::Error)]
pub enum NotATable {
    /// Too long.
    #[error("it has more than 1 MiB")]
    TooLong,
    /// Not TOML.
    #[error("it is not TOML: {0}")]
    NotToml(String),
    /// A table that kith does not know: a misspelt name would silently do nothing.
    #[error("it has a table [{0}] that kith does not know; those of kith are: {1}")]
    Unknown(String, String),
    /// A line that stands in no table.
    #[error("{0:?} stands outside of a table")]
    NotATable(String),
    /// A line whose value is no text.
    #[error("{0}.{1} is not a text in quotes")]
    NotText(String, String),
    /// A time zone that is not known.
    #[error("site.zone names the time zone {0:?}, which is not known on this machine")]
    NoZone(String),
}

impl Default for Tables {
    fn default() -> Self {
        Self::read(OWN).expect("kith's own tables are read by a test")
    }
}

impl Tables {
    /// kith's own tables with a site's before them.
    ///
    /// # Errors
    /// When the file is not understood as a whole: half of it is not used.
    pub fn with(site: &str) -> Result<Self, NotATable> {
        if site.len() > FILE_LEN_MAX {
            return Err(NotATable::TooLong);
        }
        let mut own = Self::default();
        for (name, added) in Self::read(site)?.tables {
            let Some(table) = own.tables.get_mut(&name) else {
                let names: Vec<_> = own.tables.keys().cloned().collect();
                return Err(NotATable::Unknown(name, names.join(", ")));
            };
            table.extend(added);
        }
        let zone = own.get("site", "zone").filter(|zone| !zone.is_empty());
        match zone.map(|zone| (zone, jiff::tz::TimeZone::get(zone))) {
            Some((zone, Err(_))) => Err(NotATable::NoZone(zone.to_owned())),
            Some((_, Ok(_))) | None => Ok(own),
        }
    }

    fn read(text: &str) -> Result<Self, NotATable> {
        let read =
            DeTable::parse(text).map_err(|error| NotATable::NotToml(error.message().to_owned()))?;
        let mut tables = BTreeMap::new();
        for (name, table) in read.get_ref() {
            let name = name.get_ref().to_string();
            let DeValue::Table(table) = table.get_ref() else {
                return Err(NotATable::NotATable(name));
            };
            let lines = table.iter().map(|(code, value)| {
                let code = code.get_ref().to_string();
                match value.get_ref() {
                    DeValue::String(value) => Ok((code, value.to_string())),
                    DeValue::Integer(_)
                    | DeValue::Float(_)
                    | DeValue::Boolean(_)
                    | DeValue::Datetime(_)
                    | DeValue::Array(_)
                    | DeValue::Table(_) => Err(NotATable::NotText(name.clone(), code)),
                }
            });
            let lines: Result<_, _> = lines.collect();
            tables.insert(name.clone(), lines?);
        }
        Ok(Self { tables })
    }

    /// What a code of a table is in FHIR.
    pub fn get(&self, table: &str, code: &str) -> Option<&str> {
        self.tables.get(table)?.get(code).map(String::as_str)
    }

    /// The character set of senders that name none.
    pub fn charset(&self) -> &str {
        self.get("site", "charset").unwrap_or_default()
    }

    /// The zone of times that name none: the site's, or this machine's.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        self.get("site", "zone")
            .filter(|zone| !zone.is_empty())
            .and_then(|zone| jiff::tz::TimeZone::get(zone).ok())
            .unwrap_or_else(jiff::tz::TimeZone::system)
    }
}

#[cfg(test)]
mod tests {
    use super::{NotATable, Tables};

    #[test]
    fn a_site_adds_and_replaces_lines_and_no_tables() {
        let tables = Tables::default();
        assert_eq!(tables.get("visit-class", "I"), Some("IMP"));
        let site = "[visit-class]\nH = \"HH\"\nR = \"IMP\"\n[site]\nzone = \"Europe/London\"";
        let tables = Tables::with(site).expect("a file of tables");
        assert_eq!(tables.get("visit-class", "H"), Some("HH"));
        assert_eq!(tables.get("visit-class", "R"), Some("IMP"));
        assert_eq!(tables.get("visit-class", "I"), Some("IMP"));
        let refused = |text| Tables::with(text).expect_err("it is refused").to_string();
        assert!(refused("[visit-clas]\nH = \"HH\"").contains("visit-class"));
        assert!(refused("[gender]\nH = 1").contains("gender.H"));
        assert!(refused("[site]\nzone = \"Atlantis\"").contains("Atlantis"));
        assert!(matches!(Tables::with("[["), Err(NotATable::NotToml(_))));
    }
}
