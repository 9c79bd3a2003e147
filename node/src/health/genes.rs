//! Results that say how a body deals with medicines: pharmacogenomics.
//!
//! Such a result is shown where medicines are chosen, in its author's own words. What follows from
//! it for a medicine is nowhere said here: that is for a person with a guideline.

use serde_json::Value;

/// What is said of such a result.
pub const MATTERS: &str = "matters for medicines";

const LOINC: &str = "http://loinc.org";
/// Where genes have their numbers, as HL7's Genomics Reporting guide names it.
const HGNC: &str = "http://www.genenames.org";
/// LOINC: "Gene studied [ID]", the component that says which gene (Genomics Reporting 2.0.0).
const GENE_STUDIED: &str = "48018-6";

/// A gene for which guidelines say how to prescribe.
struct Gene {
    /// Its symbol.
    symbol: &'static str,
    /// Its number (HGNC).
    hgnc: &'static str,
    /// LOINC codes of results about it: the interpretation of what its product does ("… gene product
    /// metabolic activity interpretation"), and others in use.
    loinc: &'static [&'static str],
}

const fn gene(symbol: &'static str, hgnc: &'static str, loinc: &'static [&'static str]) -> Gene {
    Gene {
        symbol,
        hgnc,
        loinc,
    }
}

/// Genes with a CPIC guideline of level A (cpicpgx.org/genes-drugs) or that the NHS tests before a
/// medicine is given. Numbers are HGNC's. A LOINC code stands where it was found in a published
/// laboratory catalogue or value set; others are known by the gene's symbol in their words.
const GENES: [Gene; 14] = [
    gene("CYP2D6", "HGNC:2625", &["79715-9", "40425-1"]),
    gene("CYP2C19", "HGNC:2621", &["79714-2"]),
    gene("CYP2C9", "HGNC:2623", &["79716-7"]),
    gene("CYP2B6", "HGNC:2615", &[]),
    gene("CYP3A5", "HGNC:2638", &[]),
    gene("VKORC1", "HGNC:23663", &[]),
    gene("DPYD", "HGNC:3012", &["79719-1"]),
    gene("TPMT", "HGNC:12014", &["79713-4"]),
    gene("NUDT15", "HGNC:23063", &[]),
    gene("SLCO1B1", "HGNC:10959", &[]),
    gene("UGT1A1", "HGNC:12530", &[]),
    gene("HLA-A", "HGNC:4931", &[]),
    gene("HLA-B", "HGNC:4932", &[]),
    gene("G6PD", "HGNC:4057", &[]),
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

/// The code of a result that somebody types, and the gene that it says it is about: a known gene
/// with its number, anything else in words.
pub fn typed(what: &str) -> (Value, Option<Value>) {
    let symbol = what.trim().to_ascii_uppercase();
    let Some(gene) = GENES.iter().find(|gene| gene.symbol == symbol) else {
        return (serde_json::json!({ "text": what }), None);
    };
    let mut code = serde_json::json!({ "text": gene.symbol });
    if let Some(loinc) = gene.loinc.first() {
        code["coding"] = serde_json::json!([{"system": LOINC, "code": loinc}]);
    }
    let component = serde_json::json!([{
        "code": {"coding": [{"system": LOINC, "code": GENE_STUDIED, "display": "Gene studied [ID]"}]},
        "valueCodeableConcept": {"coding": [{"system": HGNC, "code": gene.hgnc, "display": gene.symbol}]},
    }]);
    (code, Some(component))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{GENES, codes, matters, typed};

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
    fn what_is_typed_is_coded_where_the_gene_is_known() {
        let (code, component) = typed("cyp2d6");
        assert_eq!(code["text"], "CYP2D6");
        assert_eq!(
            codes(&json!({ "code": code })),
            [("http://loinc.org", "79715-9")]
        );
        let component = component.expect("a known gene");
        assert_eq!(
            component[0]["valueCodeableConcept"]["coding"][0]["code"],
            "HGNC:2625"
        );
        assert_eq!(typed("Vitamin D"), (json!({"text": "Vitamin D"}), None));
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
