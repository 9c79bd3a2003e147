//! A file of events: `patient,day,who,what,section,bytes`, with a line of names above.

use super::{
    scenario::{Row, RowKind},
    times::{DAY_MS, to_ms},
};

/// The names of the columns.
const COLUMNS: [&str; 6] = ["patient", "day", "who", "what", "section", "bytes"];

/// The rows of a file, sorted. `patient` counts from 0, `day` is a number with a fraction, `who` is
/// a kind of organisations, `what` is `write`, `notice` or `read`.
///
/// # Errors
/// What is wrong, with the line, and what to write instead.
pub fn rows(text: &str, kinds: &[String]) -> Result<Vec<Row>, (String, String)> {
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let (_, names) = lines.next().unwrap_or((1, ""));
    if names.split(',').map(str::trim).ne(COLUMNS) {
        return Err((
            "line 1 does not name the columns".to_owned(),
            format!("write {} as its first line", COLUMNS.join(",")),
        ));
    }
    let mut rows = Vec::new();
    for (number, line) in lines {
        rows.push(
            row(line, kinds)
                .map_err(|(what, instead)| (format!("line {number}: {what}"), instead))?,
        );
    }
    if rows.is_empty() {
        return Err(("it has no events".to_owned(), "write one a line".to_owned()));
    }
    rows.sort_by_key(|row| (row.patient, row.at_ms));
    Ok(rows)
}

fn row(line: &str, kinds: &[String]) -> Result<Row, (String, String)> {
    let cells: Vec<_> = line.split(',').map(str::trim).collect();
    let [patient, day, who, what, section, bytes] = cells[..] else {
        return Err((
            format!("{} cells instead of 6", cells.len()),
            "write patient,day,who,what,section,bytes".to_owned(),
        ));
    };
    let number = |name: &str, cell: &str| {
        let number = cell
            .parse::<f64>()
            .ok()
            .filter(|n| *n >= 0.0 && n.is_finite());
        number.ok_or((
            format!("{name} is `{cell}`"),
            "write a number of 0 or more".to_owned(),
        ))
    };
    let kind = kinds.iter().position(|kind| kind == who);
    let what = match what {
        "write" => RowKind::Write,
        "notice" => RowKind::Notice,
        "read" => RowKind::Read,
        other => {
            return Err((
                format!("`{other}` is nothing that happens"),
                "write write, notice or read".to_owned(),
            ));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a day of milliseconds fits")]
    let at_ms = to_ms(number("day", day)? * DAY_MS as f64);
    Ok(Row {
        patient: patient.parse().map_err(|_| {
            (
                format!("patient is `{patient}`"),
                "count patients from 0 on".to_owned(),
            )
        })?,
        at_ms,
        kind: kind.ok_or((
            format!("there is no organisation `{who}`"),
            format!("write one of: {}", kinds.join(", ")),
        ))?,
        what,
        section: section.parse().map_err(|_| {
            (
                format!("there is no section `{section}`"),
                "write one such as medicines".to_owned(),
            )
        })?,
        len: u32::try_from(to_ms(number("bytes", bytes)?)).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let kinds = ["practice".to_owned()];
        let read = |lines: &str| {
            rows(
                &format!("patient,day,who,what,section,bytes\n{lines}"),
                &kinds,
            )
        };
        assert_eq!(
            read("0,1.5,practice,write,plans,100\n0,0.5,practice,read,plans,0").expect("rows")[0]
                .at_ms,
            43_200_000
        );
        for (line, said) in [
            ("0,-1,practice,write,plans,1", "line 2: day is `-1`"),
            (
                "0,1,hospital,write,plans,1",
                "line 2: there is no organisation `hospital`",
            ),
            (
                "0,1,practice,tell,plans,1",
                "line 2: `tell` is nothing that happens",
            ),
            (
                "0,1,practice,write,plan,1",
                "line 2: there is no section `plan`",
            ),
            ("0,1,practice,write,plans", "line 2: 5 cells instead of 6"),
            ("", "it has no events"),
        ] {
            assert_eq!(read(line).expect_err("wrong").0, said);
        }
        assert!(
            rows("a,b\n", &kinds)
                .expect_err("wrong")
                .0
                .contains("columns")
        );
    }
}
