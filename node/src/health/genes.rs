//! Results that say how a body deals with medicines: pharmacogenomics.
//!
//! Such a result is shown where medicines are chosen, in its author's own words. What follows from
//! it for a medicine is nowhere said here: that is for a person with a guideline.

use serde_json::Value;

/// What is said of such a result.
pub const MATTERS: &str = "matters for medicines";

const LOINC: &str = "http://loinc.org";
/// A gene for which guidelines say how to prescribe.
struct Gene {
    /// Its symbol.
    symbol: &'static str,
    /// LOINC codes of results about it: the interpretation of what its product does ("… gene product
    /// metabolic activity interpretation"), and others in use.
    loinc: &'static [&'static str],
}

const fn gene(symbol: &'static str, loinc: &'static [&'static str]) -> Gene {
    Gene { symbol, loinc }
}

/// Genes with a CPIC guideline of level A (cpicpgx.org/genes-drugs) or that the NHS tests before a
/// medicine is given. A LOINC code stands where it was found in a published
/// laboratory catalogue or value set; others are known by the gene's symbol in their words.
const GENES: [Gene; 14] = [
    gene("CYP2D6", &["79715-9", "40425-1"]),
    gene("CYP2C19", &["79714-2"]),
    gene("CYP2C9", &["79716-7"]),
    gene("CYP2B6", &[]),
    gene("CYP3A5", &[]),
    gene("VKORC1", &[]),
    gene("DPYD", &["79719-1"]),
    gene("TPMT", &["79713-4"]),
    gene("NUDT15", &[]),
    gene("SLCO1B1", &[]),
    gene("UGT1A1", &[]),
    gene("HLA-A", &[]),
    gene("HLA-B", &[]),
    gene("G6PD", &[]),
];

/// Whether a result is about such a gene: by one of its LOINC codes, or by a symbol in its words.
pub fn matters<'c>(codes: impl IntoIterator<Item = (&'c str, &'c str)>, words: &str) -> bool {
    let mut codes = codes.into_iter();
    codes.any(|(system, code)| {
        system == LOINC && GENES.iter().any(|gene| gene.loinc.contains(&code))
    }) || GENES.iter().any(|gene| names(words, gene.symbol))
}

/// The codes of a result.
pub fn codes(resource: &Value) -> Vec<(&str, &str)> {
    let codings = resource.pointer("/code/coding").and_then(Value::as_array);
    let codings = codings.into_iter().flatten();
    codings
        .filter_map(|coding| {
            let text = |name: &str| coding.get(name)?.as_str();
            Some((text("system")?, text("code")?))
        })
        .collect()
}

/// Whether a symbol stands in a text as a word of its own.
fn names(words: &str, symbol: &str) -> bool {
    let mut from = 0;
    while let Some(at) = words[from..].find(symbol) {
        let (begins, ends) = (from + at, from + at + symbol.len());
        let is_word = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        if is_word(words[..begins].chars().next_back()) && is_word(words[ends..].chars().next()) {
            return true;
        }
        from = ends;
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{GENES, codes, matters};

    #[test]
    fn a_result_is_known_by_its_code_or_by_a_gene_in_its_words() {
        let coded =
            json!({"code": {"coding": [{"system": "http://loinc.org", "code": "79719-1"}]}});
        assert!(matters(codes(&coded), "metabolic activity: decreased"));
        let elsewhere = json!({"code": {"coding": [{"system": "http://x", "code": "79719-1"}]}});
        assert!(!matters(codes(&elsewhere), "metabolic activity"));
        assert!(matters([], "Genotype display name: CYP2C9 *2/*5"));
        assert!(matters([], "HLA-B*57:01: positive"));
        assert!(
            !matters([], "CYP2C90: 1") && !matters([], "XCYP2D6") && !matters([], "Potassium: 4.1")
        );
    }

    #[test]
    fn no_code_stands_for_two_genes() {
        let mut all: Vec<_> = GENES.iter().flat_map(|gene| gene.loinc).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
