//! Results that somebody brings, and the word of those who have seen and accept them (decision
//! 0103).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Node, add,
    import::{may_write, write_into},
    now_ms, review, show,
};
use crate::{
    api::{AttestRequest, Attested, Line},
    failure::{Ending, Failure},
    health::{
        attest::{self, Attestation, Word},
        drugs::Drugs,
        genes,
        search::View,
    },
};
use kith_crdt::{DocumentId, Edit, ResourceId, Section};
use kith_protocol::{
    audit::How,
    consent::{Reader, Status, grant::Actions},
    id::{EnvelopeId, PrincipalId},
    logs::{Act, PrincipalAct, principal::PrincipalKind},
    record::{Placed, Record},
};

/// What organisations say of the results in a document, by the result's id.
#[derive(Default)]
pub(super) struct Attestations(BTreeMap<String, Vec<Said>>);

/// The last word of one organisation on one result.
struct Said {
    author: PrincipalId,
    /// Later ones count; of two at one time the one that takes back.
    order: (u64, bool, EnvelopeId),
    when: String,
    what: Attestation,
}

impl Node {
    /// Whether somebody is a person, or an app that a person connected, and no organisation.
    pub(super) fn is_brought_by(&self, author: PrincipalId) -> bool {
        let known = self.bringers.borrow().get(&author).copied();
        known.unwrap_or_else(|| {
            let brings = self.finds_out_who_brings(author);
            self.bringers.borrow_mut().insert(author, brings);
            brings
        })
    }

    fn finds_out_who_brings(&self, author: PrincipalId) -> bool {
        let kind = self.log_of(author).ok().and_then(|log| {
            log.iter().find_map(|event| match &event.value().act {
                Act::Principal(PrincipalAct::Begin { kind, .. }) => Some(*kind),
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
            })
        });
        kind == Some(PrincipalKind::Person) || self.is_app(author)
    }

    /// What is said in the place of the author of a result that somebody brought.
    pub(super) fn brought(
        &self,
        document: &DocumentId,
        kind: &str,
        author: Option<PrincipalId>,
    ) -> Option<String> {
        let author = author.filter(|_| is_result(document, kind))?;
        self.is_brought_by(author)
            .then(|| brought_words(&self.name_of(author)))
    }

    /// The words on results among these.
    pub(super) fn attestations(&self, record: &mut Record, placed: &[Placed]) -> Attestations {
        let mut attestations = Attestations::default();
        for placed in placed.iter().filter(|placed| may_be_word(placed)) {
            if let Some(said) = self.word_of(record, placed) {
                let of_result = attestations.0.entry(said.what.result.clone()).or_default();
                match of_result
                    .iter_mut()
                    .find(|known| known.author == said.author)
                {
                    Some(known) if known.order < said.order => *known = said,
                    Some(_) => {}
                    None => of_result.push(said),
                }
            }
        }
        attestations
    }

    /// A word that counts: an organisation's own, accepted, as it was signed. What others wrote into
    /// it since, or that they say of it that it was an error, changes nothing.
    fn word_of(&self, record: &mut Record, placed: &Placed) -> Option<Said> {
        let entry = record.writer(&placed.held.created)?;
        if record.ledger().status(&entry) != Some(Status::Accepted) {
            return None;
        }
        let made = record.creations(&entry)?;
        let [made] = made.as_slice() else {
            return None;
        };
        let what = attest::read(&serde_json::from_str(&made.to_text(0)).ok()?)?;
        let (author, time_ms) = record
            .ledger()
            .header(&entry)
            .map(|header| (header.author, header.time_ms))?;
        let retractions = placed.held.retractions.iter();
        let is_withdrawn = retractions
            .filter_map(|said| record.author(&said.writer))
            .any(|by| by == author);
        (!is_withdrawn && !self.is_brought_by(author)).then(|| Said {
            author,
            order: (time_ms, what.word == Word::TakenBack, entry),
            when: show::time(time_ms),
            what,
        })
    }

    /// Who has seen and accepts a result, in sentences.
    fn accepted(
        &self,
        attestations: &Attestations,
        result: &Placed,
        author: Option<PrincipalId>,
    ) -> Vec<String> {
        let said = attestations.0.get(result.held.id.as_str());
        let accepts =
            |said: &&Said| said.what.word == Word::Accepted && Some(said.author) != author;
        let now = attest::version(&result.held.to_text(0));
        let has_versions = result.held.siblings().next().is_some();
        said.into_iter()
            .flatten()
            .filter(accepts)
            .map(|said| {
                let organisation = self.name_of(said.author);
                let who = match &said.what.who {
                    Some(who) => format!("{who} of {organisation}"),
                    None => organisation,
                };
                let day = said.when.get(..10).unwrap_or(&said.when);
                if said.what.version == now && !has_versions {
                    format!("seen and accepted by {who} on {day}")
                } else {
                    format!("changed since it was seen and accepted by {who} on {day}")
                }
            })
            .collect()
    }

    /// What a summary says of a result that somebody brought.
    pub(super) fn brought_and_accepted(
        &self,
        record: &Record,
        placed: &Placed,
        attestations: &Attestations,
    ) -> Vec<String> {
        let author = record.author(&placed.held.created);
        let brought = self.brought(&placed.document, &placed.held.meta.kind, author);
        let Some(brought) = brought else {
            return Vec::new();
        };
        let accepted = self.accepted(attestations, placed, author);
        std::iter::once(brought).chain(accepted).collect()
    }

    /// Says of a result who accepts it.
    pub(super) fn note_accepted(
        &self,
        record: &Record,
        placed: &Placed,
        attestations: &Attestations,
        line: &mut Line,
    ) {
        if line.brought.is_some() {
            let author = record.author(&placed.held.created);
            line.accepted = self.accepted(attestations, placed, author);
        }
    }

    /// Who accepts which result of a document, by the result's id: nothing is read where its view
    /// knows of no such word.
    pub(super) fn accepted_in(
        &self,
        record: &mut Record,
        reader: &Reader,
        view: &View,
    ) -> BTreeMap<String, Vec<String>> {
        let words = view.rows.iter().filter(|row| row.kind == "Provenance");
        let ids: BTreeSet<_> = words
            .filter_map(|row| ResourceId::parse(&row.resource))
            .collect();
        if ids.is_empty() || reader.document().section != Section::Results {
            return BTreeMap::new();
        }
        let placed = record.read_some(reader, &ids);
        let attestations = self.attestations(record, &placed);
        let named = attestations.0.keys().filter_map(|id| ResourceId::parse(id));
        let results = record.read_some(reader, &named.collect());
        results
            .iter()
            .map(|result| {
                let author = record.author(&result.held.created);
                let said = self.accepted(&attestations, result, author);
                (result.held.id.to_string(), said)
            })
            .filter(|(_, said)| !said.is_empty())
            .collect()
    }

    /// Results of a record that matter for medicines, each with whose word it is.
    pub(super) fn results_for_medicines(
        &mut self,
        record: &mut Record,
    ) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        let documents = record.ledger().documents().into_iter();
        let results: Vec<_> = documents
            .filter(|id| id.section == Section::Results)
            .collect();
        for document in results {
            let placed = self.read_document(record, &document);
            let attestations = self.attestations(record, &placed);
            for placed in placed.iter().filter(|placed| !placed.held.meta.made_here) {
                let mut line = self.line(record, placed, &Drugs::default());
                if line.matters_for_medicines() {
                    self.note_accepted(record, placed, &attestations, &mut line);
                    lines.push(line);
                }
            }
        }
        if !lines.is_empty() {
            self.disclose_part(record, &[Section::Results], How::Show)?;
        }
        Ok(lines)
    }

    /// The same of a record that a word names, for a page on which a medicine is chosen.
    ///
    /// # Errors
    /// When the record is not here, and when the access log cannot be written.
    pub(crate) fn mind_for_medicines(&mut self, word: &str) -> Result<Vec<Line>, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, Self::results_for_medicines)
    }

    /// Says that a result was seen and is accepted, or takes that back.
    pub(super) fn attest(&mut self, asked: &AttestRequest) -> Result<Attested, Failure> {
        let id = self.record_named(&asked.record)?;
        self.with_record(id, |node, record| {
            let placed = node.thing_named(record, &asked.thing)?;
            let accepts = node.accepts_result(record, &placed)?;
            let word = match (asked.take_back, accepts) {
                (false, false) => Word::Accepted,
                (true, true) => Word::TakenBack,
                (false, true) => {
                    return Err(no_sense("You have said already that you accept this."));
                }
                (true, false) => {
                    return Err(no_sense(
                        "You have not said that you accept this, or have taken it back.",
                    ));
                }
            };
            let now = now_ms();
            let text = placed.held.to_text(0);
            let described = node.line(record, &placed, &Drugs::default()).text;
            let staff = node.acting.map(|staff| node.name_of_staff(staff));
            let note = asked.note.as_deref().map(str::trim);
            let value = attest::provenance(
                (&placed.held.meta.kind, placed.held.id.as_str(), &described),
                (word, &attest::version(&text)),
                (staff.as_deref(), &node.identity.name),
                note.filter(|note| !note.is_empty()),
                &show::time(now),
            );
            let edits = [Edit::Create(add::resource(&value, &placed.document, now))];
            let (mut items, mut rng) = (Vec::new(), node.rng.clone());
            let document = placed.document.clone();
            write_into(
                record,
                &node.pen(now),
                document,
                &edits,
                &mut items,
                &mut rng,
            )?;
            node.rng = rng;
            let entry = items.first().map_or_else(String::new, review::id_of);
            node.commit(items)?;
            node.disclose_part(record, &[Section::Results], How::Show)?;
            Ok(Attested {
                record: id.to_string(),
                entry,
                result: node.result_line(record, &placed),
            })
        })
    }

    /// A result as it is shown, with who accepts it.
    fn result_line(&self, record: &mut Record, placed: &Placed) -> Line {
        let all = self.read_document(record, &placed.document);
        let attestations = self.attestations(record, &all);
        let mut line = self.line(record, placed, &Drugs::default());
        self.note_accepted(record, placed, &attestations, &mut line);
        line
    }

    /// Whether this node's owner accepts a result now.
    ///
    /// # Errors
    /// When they cannot say that of it.
    fn accepts_result(&self, record: &mut Record, placed: &Placed) -> Result<bool, Failure> {
        let own = self.identity.principal;
        let author = record.author(&placed.held.created);
        if self
            .brought(&placed.document, &placed.held.meta.kind, author)
            .is_none()
        {
            return Err(no_sense(
                "This is not a result that somebody brought: its author answers for it.",
            ));
        }
        if author == Some(own) {
            return Err(Failure::new(
                Ending::NotAllowed,
                "You brought this result yourself.",
                "Somebody else has to look at it: a practice or a hospital that may add to results. Nothing was changed.",
            ));
        }
        if self.is_brought_by(own) {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Only an organisation that cares for them can say that it accepts a result.",
                "Ask a practice or a hospital that may add to results. Nothing was changed.",
            ));
        }
        if placed.held.is_retracted() {
            return Err(no_sense("This was entered in error."));
        }
        if placed.held.siblings().next().is_some() {
            return Err(no_sense(
                "This has two versions, and nobody has decided between them.",
            ));
        }
        let all = self.read_document(record, &placed.document);
        let attestations = self.attestations(record, &all);
        let said = attestations.0.get(placed.held.id.as_str());
        let now = attest::version(&placed.held.to_text(0));
        Ok(said.into_iter().flatten().any(|said| {
            said.author == own && said.what.word == Word::Accepted && said.what.version == now
        }))
    }

    /// Whether this node's owner may say that they accept a result, and whether they do; nothing
    /// where they may not.
    pub(super) fn may_attest(&self, record: &mut Record, placed: &Placed) -> Option<bool> {
        let accepts = self.accepts_result(record, placed).ok()?;
        let document = record.current(&placed.document);
        let may = may_write(
            record,
            &self.whoever(),
            &document,
            Actions::APPEND,
            now_ms(),
        );
        may.is_ok().then_some(accepts)
    }
}

/// What is said of a result that somebody brought.
pub(super) fn brought_words(name: &str) -> String {
    format!("brought by {name}, not verified by an NHS laboratory")
}

pub(super) fn is_result(document: &DocumentId, kind: &str) -> bool {
    document.section == Section::Results && ["Observation", "DiagnosticReport"].contains(&kind)
}

/// Whether a result says how a body deals with medicines.
pub(super) fn matters<'c>(
    document: &DocumentId,
    kind: &str,
    codes: impl IntoIterator<Item = (&'c str, &'c str)>,
    words: &str,
) -> bool {
    is_result(document, kind) && genes::matters(codes, words)
}

fn may_be_word(placed: &Placed) -> bool {
    placed.document.section == Section::Results
        && placed.held.meta.kind == "Provenance"
        && !placed.aside
        && !placed.late
}

fn no_sense(what: &str) -> Failure {
    Failure::new(
        Ending::Usage,
        what,
        "There is nothing to do. Nothing was changed.",
    )
}
