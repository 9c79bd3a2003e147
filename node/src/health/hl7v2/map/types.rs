//! Data types of HL7 v2 as those of FHIR.

use jiff::{civil, tz::TimeZone};
use serde_json::{Number, Value, json};

use crate::{
    health::hl7v2::{Repeat, Tables},
    percent,
};

/// Reads data types with the tables of a site.
#[derive(Clone, Debug)]
pub(super) struct Types<'a> {
    pub(super) tables: &'a Tables,
    pub(super) zone: TimeZone,
    /// Who stands for an authority that is not named: numbers without one are the sender's own.
    pub(super) sender: &'a str,
}

/// A code system of HL7 v2 itself.
pub(super) fn v2(table: &str, code: &str) -> Value {
    json!({"system": format!("http://terminology.hl7.org/CodeSystem/v2-{table}"), "code": code})
}

/// A code of a system of terminology.hl7.org.
pub(super) fn term(system: &str, code: &str) -> Value {
    json!({"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code})
}

/// The official name of NHS numbers.
const NHS_NUMBER: &str = kith_crdt::person::NHS_NUMBER_SYSTEM;

impl Types<'_> {
    /// The system of an assigning authority (HD): what a site says that it is, its universal id, or
    /// its name.
    pub(super) fn authority(&self, (name, id, kind): (&str, &str, &str)) -> Option<String> {
        let (name, id) = (name.trim(), id.trim());
        let named = [name, id].into_iter().filter(|name| !name.is_empty());
        let known = named
            .filter_map(|name| {
                let table = "authorities";
                self.tables
                    .get(table, name)
                    .or_else(|| self.tables.get(table, &name.to_ascii_uppercase()))
            })
            .next();
        if let Some(known) = known {
            return Some(known.to_owned());
        }
        let is_oid =
            id.contains('.') && id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_oid {
            return Some(format!("urn:oid:{id}"));
        }
        if ["GUID", "UUID"].contains(&kind.trim()) && !id.is_empty() {
            return Some(format!("urn:uuid:{}", id.to_ascii_lowercase()));
        }
        if id.contains("://") {
            return Some(id.to_owned());
        }
        let name = if name.is_empty() { id } else { name };
        (!name.is_empty())
            .then(|| format!("urn:kith:hl7v2:authority:{}", percent::encoded(name.trim())))
    }

    /// (system, value) of a CX: numbers without an authority are the sender's own.
    pub(super) fn number(&self, cx: &Repeat) -> Option<(String, String)> {
        let value = cx.filled(1)?;
        let named = (cx.sub(4, 1), cx.sub(4, 2), cx.sub(4, 3));
        let is_nhs =
            ["NH", "NHS", "NHSNMBR"].contains(&cx.c(5).trim()) && self.authority(named).is_none();
        let system = if is_nhs {
            NHS_NUMBER.to_owned()
        } else {
            self.authority(named).unwrap_or_else(|| {
                format!(
                    "urn:kith:hl7v2:sender:{}",
                    percent::encoded(self.sender.trim())
                )
            })
        };
        let value = if system == NHS_NUMBER {
            value
                .chars()
                .filter(|char| !char.is_whitespace() && *char != '-')
                .collect()
        } else {
            value.to_owned()
        };
        Some((system, value))
    }

    /// A CX.
    pub(super) fn identifier(&self, cx: &Repeat) -> Option<Value> {
        let (system, value) = self.number(cx)?;
        let mut identifier = json!({"system": system, "value": value});
        if let Some(kind) = cx.filled(5) {
            identifier["type"] = json!({"coding": [v2("0203", kind)]});
        }
        let (start, end) = (self.date(cx.c(7)), self.date(cx.c(8)));
        if start.is_some() || end.is_some() {
            identifier["period"] = period(start, end);
        }
        Some(identifier)
    }

    /// An EI of an order, with what kind of number it is: `PLAC` or `FILL`.
    pub(super) fn order_number(&self, ei: &Repeat, kind: &str) -> Option<Value> {
        let (system, value) = self.entity(ei)?;
        Some(json!({
            "type": {"coding": [v2("0203", kind)]},
            "system": system,
            "value": value,
        }))
    }

    /// (system, value) of an EI; its authority is in components 2 to 4.
    pub(super) fn entity(&self, ei: &Repeat) -> Option<(String, String)> {
        let value = ei.filled(1)?;
        let system = self
            .authority((ei.c(2), ei.c(3), ei.c(4)))
            .unwrap_or_else(|| {
                format!(
                    "urn:kith:hl7v2:sender:{}",
                    percent::encoded(self.sender.trim())
                )
            });
        Some((system, value.to_owned()))
    }

    /// A coded value (CE, CWE, CNE): both codings and the original text.
    pub(super) fn concept(&self, ce: &Repeat) -> Option<Value> {
        let first = self.coding(ce, (1, 2, 3, 14, 7));
        let second = self.coding(ce, (4, 5, 6, 17, 8));
        let codings: Vec<_> = first.into_iter().chain(second).collect();
        let text = ce
            .filled(9)
            .or_else(|| ce.filled(2))
            .or_else(|| ce.filled(5));
        if codings.is_empty() && text.is_none() {
            return None;
        }
        let mut concept = json!({});
        if !codings.is_empty() {
            concept["coding"] = json!(codings);
        }
        if let Some(text) = text {
            concept["text"] = json!(text);
        }
        Some(concept)
    }

    /// The same where the specification needs something: that nothing was said is no code.
    pub(super) fn concept_or_not_said(&self, ce: &Repeat) -> Value {
        self.concept(ce)
            .unwrap_or_else(|| json!({"text": "not said"}))
    }

    fn coding(
        &self,
        ce: &Repeat,
        (code, display, system, oid, version): (usize, usize, usize, usize, usize),
    ) -> Option<Value> {
        let code = ce.filled(code)?;
        let mut coding = json!({});
        if let Some(system) = self.system(ce.c(system), ce.c(oid)) {
            coding["system"] = json!(system);
        }
        if let Some(version) = ce.filled(version) {
            coding["version"] = json!(version);
        }
        coding["code"] = json!(code);
        if let Some(display) = ce.filled(display) {
            coding["display"] = json!(display);
        }
        Some(coding)
    }

    /// The system of codes that a message names.
    pub(super) fn system(&self, name: &str, oid: &str) -> Option<String> {
        let (name, oid) = (name.trim(), oid.trim());
        let tables = self.tables;
        let known = tables
            .get("systems", name)
            .or_else(|| tables.get("systems", &name.to_ascii_uppercase()))
            .or_else(|| tables.get("systems", oid));
        if let Some(known) = known {
            return Some(known.to_owned());
        }
        if let Some(table) = name.strip_prefix("HL7").filter(|rest| rest.len() == 4) {
            return Some(format!("http://terminology.hl7.org/CodeSystem/v2-{table}"));
        }
        if oid.contains('.')
            && oid
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return Some(format!("urn:oid:{oid}"));
        }
        (!name.is_empty())
            .then(|| format!("urn:kith:hl7v2:system:{}", percent::encoded(name.trim())))
    }

    /// A time (TS, DTM) as FHIR `dateTime`: as precise as it is. A time of day without a zone is in
    /// the zone of the site.
    pub(super) fn time(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let (digits, offset) = match text.find(['+', '-']) {
            Some(at) => text.split_at(at),
            None => (
                text.strip_suffix('Z').unwrap_or(text),
                if text.ends_with('Z') { "+0000" } else { "" },
            ),
        };
        let is_zone = offset.len() == 5 && offset.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        if !offset.is_empty() && !is_zone {
            return None;
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let part = |from: usize, to: usize| whole.get(from..to)?.parse::<i8>().ok();
        let year: i16 = whole.get(..4)?.parse().ok()?;
        match whole.len() {
            4 => return Some(format!("{year:04}")),
            6 => {
                civil::Date::new(year, part(4, 6)?, 1).ok()?;
                return Some(format!("{year:04}-{}", whole.get(4..6)?));
            }
            8 => return self.date(whole),
            10 | 12 | 14 => {}
            _ => return None,
        }
        let date = civil::Date::new(year, part(4, 6)?, part(6, 8)?).ok()?;
        let minute = if whole.len() >= 12 { part(10, 12)? } else { 0 };
        let second = if whole.len() >= 14 { part(12, 14)? } else { 0 };
        let moment = date.to_datetime(civil::Time::new(part(8, 10)?, minute, second, 0).ok()?);
        let offset = match offset {
            "" => {
                let zoned = moment.to_zoned_datetime(self.zone.clone()).ok()?;
                let seconds = zoned.offset().seconds();
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            offset => {
                let (hours, minutes) = (offset.get(1..3)?, offset.get(3..5).unwrap_or("00"));
                let in_range = hours.parse::<u8>().ok()? <= 14 && minutes.parse::<u8>().ok()? < 60;
                if !in_range {
                    return None;
                }
                format!("{}{hours}:{minutes}", offset.get(..1)?)
            }
        };
        let fraction = if fraction.is_empty() {
            String::new()
        } else {
            format!(".{fraction}")
        };
        let seconds = moment.strftime("%Y-%m-%dT%H:%M:%S");
        Some(format!("{seconds}{fraction}{offset}"))
    }

    /// The day of a time, or the month or year where it says no more.
    pub(super) fn date(&self, text: &str) -> Option<String> {
        let digits: String = text
            .trim()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let year: i16 = digits.get(..4)?.parse().ok()?;
        match digits.len() {
            4 => Some(digits),
            6 => {
                civil::Date::new(year, digits.get(4..6)?.parse().ok()?, 1).ok()?;
                Some(format!("{year:04}-{}", digits.get(4..6)?))
            }
            8.. => {
                let (month, day) = (digits.get(4..6)?, digits.get(6..8)?);
                civil::Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
                Some(format!("{year:04}-{month}-{day}"))
            }
            _ => None,
        }
    }

    /// A name of a person (XPN; the same parts of an XCN with `from` 2).
    pub(super) fn name(&self, xpn: &Repeat, from: usize, kind: usize) -> Option<Value> {
        let mut name = json!({});
        let code = xpn.c(kind).trim().to_owned();
        match self.tables.get("name-use", &code) {
            Some("maiden") => name["use"] = json!("maiden"),
            Some("anonymous") => name["use"] = json!("anonymous"),
            Some(known) => name["use"] = json!(known),
            None => {}
        }
        let family = xpn.filled(from);
        if let Some(family) = family {
            name["family"] = json!(family);
        }
        let given: Vec<&str> = [xpn.filled(from + 1), xpn.filled(from + 2)]
            .into_iter()
            .flatten()
            .collect();
        if !given.is_empty() {
            name["given"] = json!(given);
        }
        if let Some(prefix) = xpn.filled(from + 4) {
            name["prefix"] = json!([prefix]);
        }
        let suffix: Vec<&str> = [xpn.filled(from + 3), xpn.filled(from + 5)]
            .into_iter()
            .flatten()
            .collect();
        if !suffix.is_empty() {
            name["suffix"] = json!(suffix);
        }
        (family.is_some() || !given.is_empty()).then_some(name)
    }

    /// An address (XAD).
    pub(super) fn address(&self, xad: &Repeat) -> Option<Value> {
        let mut address = json!({});
        if let Some(kind) = self.tables.get("address-use", xad.c(7).trim()) {
            address["use"] = json!(kind);
        }
        if xad.c(7).trim() == "M" {
            address["type"] = json!("postal");
        }
        let street: Vec<&str> = [xad.part(1, 3), xad.part(1, 1)]
            .into_iter()
            .flatten()
            .collect();
        let street = (!street.is_empty()).then(|| street.join(" "));
        let street = match (street, xad.part(1, 2)) {
            (Some(first), Some(name)) => Some(format!("{first} {name}")),
            (first, name) => first.or_else(|| name.map(str::to_owned)),
        };
        let lines: Vec<String> = street
            .into_iter()
            .chain(xad.filled(2).map(str::to_owned))
            .collect();
        if !lines.is_empty() {
            address["line"] = json!(lines);
        }
        let parts = [
            ("city", 3),
            ("district", 9),
            ("state", 4),
            ("postalCode", 5),
            ("country", 6),
        ];
        let mut some = !lines.is_empty();
        for (element, component) in parts {
            if let Some(text) = xad.filled(component) {
                address[element] = json!(text);
                some = true;
            }
        }
        some.then_some(address)
    }

    /// A telephone number or an address of a network (XTN).
    pub(super) fn telecom(&self, xtn: &Repeat, default_use: Option<&str>) -> Option<Value> {
        let by_parts = || {
            let parts: Vec<&str> = [5, 6, 7]
                .into_iter()
                .filter_map(|n| xtn.filled(n))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        let is_mail = |text: &str| text.contains('@') && !text.contains(' ');
        let value = xtn
            .filled(1)
            .filter(|text| text.bytes().any(|byte| byte.is_ascii_digit()) || is_mail(text))
            .map(str::to_owned)
            .or_else(|| {
                xtn.filled(4)
                    .filter(|text| is_mail(text))
                    .map(str::to_owned)
            })
            .or_else(|| xtn.filled(12).map(str::to_owned))
            .or_else(by_parts)?;
        let system = if is_mail(&value) {
            Some("email")
        } else {
            self.tables.get("telecom-system", xtn.c(3).trim())
        };
        let mut telecom = json!({"system": system.unwrap_or("phone"), "value": value});
        let used = match xtn.c(3).trim() {
            "CP" => Some("mobile"),
            _ => self.tables.get("telecom-use", xtn.c(2).trim()),
        };
        if let Some(used) = used.or(default_use) {
            telecom["use"] = json!(used);
        }
        Some(telecom)
    }

    /// Somebody who is named (XCN), as a reference that says who it is.
    pub(super) fn person(&self, xcn: &Repeat) -> Option<Value> {
        let name = [
            xcn.filled(6),
            xcn.filled(3),
            xcn.filled(4),
            xcn.filled(2),
            xcn.filled(5),
        ];
        let name: Vec<&str> = name.into_iter().flatten().collect();
        let mut person = json!({});
        if let Some(value) = xcn.filled(1) {
            let system = self.authority((xcn.sub(9, 1), xcn.sub(9, 2), xcn.sub(9, 3)));
            person["identifier"] = match system {
                Some(system) => json!({"system": system, "value": value}),
                None => json!({"value": value}),
            };
        }
        if !name.is_empty() {
            person["display"] = json!(name.join(" "));
        }
        person
            .as_object()
            .is_some_and(|object| !object.is_empty())
            .then_some(person)
    }

    /// An organisation (XON), as a reference that says which it is.
    pub(super) fn organisation(&self, xon: &Repeat) -> Option<Value> {
        xon.filled(1).map(|name| json!({ "display": name }))
    }

    /// A place (PL), in words.
    pub(super) fn place(pl: &Repeat) -> Option<String> {
        // Facility, building, floor, point of care, room, bed; a description where there is one.
        let parts = [
            (4, ""),
            (7, ""),
            (8, "floor "),
            (1, ""),
            (2, "room "),
            (3, "bed "),
        ];
        let mut words: Vec<String> = parts
            .into_iter()
            .filter_map(|(n, word)| pl.filled(n).map(|text| format!("{word}{text}")))
            .collect();
        words.extend(pl.filled(9).map(str::to_owned));
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// A quantity with its unit (CE or CWE).
    pub(super) fn quantity(&self, number: &str, unit: &Repeat) -> Option<Value> {
        let mut quantity = json!({ "value": number_of(number)? });
        self.unit(&mut quantity, unit);
        Some(quantity)
    }

    pub(super) fn unit(&self, quantity: &mut Value, unit: &Repeat) {
        let text = unit.filled(2).or_else(|| unit.filled(1));
        if let Some(text) = text {
            quantity["unit"] = json!(text);
        }
        if let (Some(code), Some(system)) = (unit.filled(1), self.system(unit.c(3), unit.c(14))) {
            quantity["system"] = json!(system);
            quantity["code"] = json!(code);
        }
    }
}

/// A number exactly as written, where JSON can write it.
pub(super) fn number_of(text: &str) -> Option<Number> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let text = match (text.strip_prefix('.'), text.strip_prefix("-.")) {
        (Some(rest), _) => format!("0.{rest}"),
        (None, Some(rest)) => format!("-0.{rest}"),
        (None, None) => text.strip_suffix('.').unwrap_or(text).to_owned(),
    };
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    if !text.starts_with('0') {
        return None;
    }
    // `007` is a number to a laboratory and none to JSON.
    let trimmed = text.trim_start_matches('0');
    let trimmed = if trimmed.is_empty() || trimmed.starts_with('.') {
        format!("0{trimmed}")
    } else {
        trimmed.to_owned()
    };
    (trimmed != text).then(|| trimmed.parse().ok()).flatten()
}

/// A Period with what is known of it.
pub(super) fn period(start: Option<String>, end: Option<String>) -> Value {
    let mut period = json!({});
    if let Some(start) = start {
        period["start"] = json!(start);
    }
    if let Some(end) = end {
        period["end"] = json!(end);
    }
    period
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::{Types, number_of};
    use crate::health::hl7v2::Tables;

    fn with<T>(work: impl FnOnce(Types<'_>) -> T) -> T {
        let tables = Tables::default();
        work(Types {
            tables: &tables,
            zone: TimeZone::get("Europe/London").expect("a zone"),
            sender: "A|B",
        })
    }

    #[test]
    fn times_are_as_precise_as_they_came_and_have_a_zone() {
        with(|types| {
            let time = |text: &str| types.time(text);
            assert_eq!(time("2026").as_deref(), Some("2026"));
            assert_eq!(time("202602").as_deref(), Some("2026-02"));
            assert_eq!(time("20260203").as_deref(), Some("2026-02-03"));
            assert_eq!(
                time("202607030405").as_deref(),
                Some("2026-07-03T04:05:00+01:00")
            );
            assert_eq!(
                time("202602030405").as_deref(),
                Some("2026-02-03T04:05:00+00:00")
            );
            assert_eq!(
                time("20210817151943.4+0200").as_deref(),
                Some("2021-08-17T15:19:43.4+02:00")
            );
            assert_eq!(
                time("20150624084727.655-0500").as_deref(),
                Some("2015-06-24T08:47:27.655-05:00")
            );
            for odd in [
                "",
                "20261301",
                "20260230",
                "2026020325",
                "yesterday",
                "20260203040599",
                "202602030405+9900",
                "2026-02-03",
            ] {
                assert_eq!(time(odd), None, "{odd}");
            }
            assert_eq!(
                types.date("19300122000000+0215").as_deref(),
                Some("1930-01-22")
            );
        });
    }

    #[test]
    fn numbers_keep_every_digit() {
        let text = |number: &str| number_of(number).map(|number| number.to_string());
        assert_eq!(text("2.50").as_deref(), Some("2.50"));
        assert_eq!(text("+.5").as_deref(), Some("0.5"));
        assert_eq!(text("007").as_deref(), Some("7"));
        assert_eq!(text("0").as_deref(), Some("0"));
        assert_eq!(text("00.10").as_deref(), Some("0.10"));
        assert_eq!(text("<5"), None);
        assert_eq!(text("1,5"), None);
        assert_eq!(text(""), None);
    }

    proptest! {
        #[test]
        fn no_time_or_number_makes_it_panic(text in "\\PC{0,24}", digits in "[0-9+.Z-]{0,24}") {
            with(|types| {
                for text in [&text, &digits] {
                    let _time = types.time(text);
                    let _date = types.date(text);
                    let _number = number_of(text);
                }
            });
        }
    }
}
