//! A Questionnaire, read with bounds: its questions in order, with what each asks for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    finding::{Finding, Findings, Weight},
    rules::Rules,
};

/// How deep groups and questions may stand in each other.
pub const DEPTH_MAX: usize = 40;
/// Questions and groups of one form.
pub const QUESTIONS_MAX: usize = 20_000;
/// Conditions or choices of one question.
const LINES_MAX: usize = 2_000;

/// Where extensions of forms come from.
pub(super) const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";
/// Those of Structured Data Capture.
pub(super) const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// Its canonical address.
    pub url: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it is called.
    pub title: String,
    /// What it asks, in order.
    pub questions: Vec<Question>,
    /// The Questionnaire as it was received.
    pub value: Value,
    /// What of it is not understood here.
    pub notes: Vec<Finding>,
    places: BTreeMap<String, Vec<String>>,
}

/// A question, a group of them, or a text between them.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its name within the form.
    pub link_id: String,
    /// What is asked.
    pub text: String,
    /// A number or letter before it.
    pub prefix: Option<String>,
    /// What an answer to it is.
    pub kind: Kind,
    /// Whether it has to be answered.
    pub required: bool,
    /// Whether it may be answered several times.
    pub repeats: bool,
    /// Whether people do not answer it.
    pub read_only: bool,
    /// Whether people do not see it.
    pub hidden: bool,
    /// Bounds on an answer.
    pub rules: Rules,
    /// The answers that are offered: the value of each with its element, such as `valueCoding`.
    pub options: Vec<(String, Value)>,
    /// A list of answers that is kept elsewhere.
    pub value_set: Option<String>,
    /// When it is asked.
    pub when: Vec<Condition>,
    /// Whether all of these have to hold.
    pub when_all: bool,
    /// Its codes.
    pub code: Vec<Value>,
    /// The element that its answer is.
    pub definition: Option<String>,
    /// Answers that stand there from the start.
    pub initial: Vec<(String, Value)>,
    /// What else the form says of it.
    pub extensions: Vec<Value>,
    /// What stands below it.
    pub questions: Vec<Self>,
}

/// When a question is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Of which question the answer is looked at.
    pub question: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what: the element's name and the value.
    pub answer: (String, Value),
}

/// How an answer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Whether there is one.
    Exists,
    /// The same.
    Equal,
    /// No answer is the same.
    NotEqual,
    /// More.
    Greater,
    /// Less.
    Less,
    /// More or the same.
    GreaterOrEqual,
    /// Less or the same.
    LessOrEqual,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No answer: questions below it.
    Group,
    /// No answer: a text.
    Display,
    /// Yes or no.
    Boolean,
    /// A number.
    Decimal,
    /// A whole number.
    Integer,
    /// A day.
    Date,
    /// A day with a time.
    DateTime,
    /// A time of day.
    Time,
    /// A line.
    String,
    /// Several lines.
    Text,
    /// An address.
    Url,
    /// One of those offered.
    Choice,
    /// One of those offered, or words.
    OpenChoice,
    /// A file.
    Attachment,
    /// A resource.
    Reference,
    /// A number with a unit.
    Quantity,
}

impl Kind {
    const ALL: [(&'static str, Self); 16] = [
        ("group", Self::Group),
        ("display", Self::Display),
        ("boolean", Self::Boolean),
        ("decimal", Self::Decimal),
        ("integer", Self::Integer),
        ("date", Self::Date),
        ("dateTime", Self::DateTime),
        ("time", Self::Time),
        ("string", Self::String),
        ("text", Self::Text),
        ("url", Self::Url),
        ("choice", Self::Choice),
        ("open-choice", Self::OpenChoice),
        ("attachment", Self::Attachment),
        ("reference", Self::Reference),
        ("quantity", Self::Quantity),
    ];

    /// Whether it has answers of its own: a group and a text have none.
    pub const fn has_answer(self) -> bool {
        !matches!(self, Self::Group | Self::Display)
    }

    fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// As FHIR R4 writes it.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, kind)| *kind == self)
            .map_or("group", |(name, _)| name)
    }

    /// The elements in which its answer may stand.
    pub const fn elements(self) -> &'static [&'static str] {
        match self {
            Self::Group | Self::Display => &[],
            Self::Boolean => &["valueBoolean"],
            Self::Decimal => &["valueDecimal"],
            Self::Integer => &["valueInteger"],
            Self::Date => &["valueDate"],
            Self::DateTime => &["valueDateTime"],
            Self::Time => &["valueTime"],
            Self::String | Self::Text => &["valueString"],
            Self::Url => &["valueUri"],
            Self::Choice => &["valueCoding"],
            Self::OpenChoice => &["valueCoding", "valueString"],
            Self::Attachment => &["valueAttachment"],
            Self::Reference => &["valueReference"],
            Self::Quantity => &["valueQuantity"],
        }
    }

    /// What an answer has to be, in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Group | Self::Display => "no answer",
            Self::Boolean => "yes or no",
            Self::Decimal => "a number",
            Self::Integer => "a whole number",
            Self::Date => "a day, such as 2026-05-31",
            Self::DateTime => "a day with a time, such as 2026-05-31T14:30:00Z",
            Self::Time => "a time of day, such as 14:30:00",
            Self::String | Self::Text => "words",
            Self::Url => "an address",
            Self::Choice => "one of the answers offered",
            Self::OpenChoice => "one of the answers offered, or words",
            Self::Attachment => "a file",
            Self::Reference => "a reference to something in the record",
            Self::Quantity => "a number with its unit",
        }
    }
}

impl Question {
    /// What people are asked, with the number before it.
    pub fn asked(&self) -> String {
        let text = if self.text.is_empty() {
            &self.link_id
        } else {
            &self.text
        };
        match &self.prefix {
            Some(prefix) => format!("{prefix} {text}"),
            None => text.clone(),
        }
    }

    /// The elements in which an answer may stand: with answers that are offered, theirs.
    pub fn elements(&self) -> Vec<&str> {
        let mut elements: Vec<&str> = self.kind.elements().to_vec();
        if matches!(self.kind, Kind::Choice | Kind::OpenChoice) && !self.options.is_empty() {
            elements = self.options.iter().map(|(name, _)| name.as_str()).collect();
            if self.kind == Kind::OpenChoice {
                elements.push("valueString");
            }
            elements.sort_unstable();
            elements.dedup();
        }
        elements
    }

    /// An extension of it.
    pub fn extension(&self, url: &str) -> Option<&Value> {
        extension(&self.extensions, url)
    }

    /// All of a kind.
    pub fn extensions<'q>(&'q self, url: &'q str) -> impl Iterator<Item = &'q Value> {
        let all = self.extensions.iter();
        all.filter(move |one| one.get("url").and_then(Value::as_str) == Some(url))
    }
}

/// The first extension of a kind.
pub(super) fn extension<'e>(extensions: &'e [Value], url: &str) -> Option<&'e Value> {
    let mut all = extensions.iter();
    all.find(|one| one.get("url").and_then(Value::as_str) == Some(url))
}

/// The value of something that has one `value[x]` or `answer[x]`, with the element's name.
pub(super) fn choice(of: &Value, stem: &str) -> Option<(String, Value)> {
    let members = of.as_object()?.iter();
    let mut found = members.filter(|(name, _)| {
        let rest = name.strip_prefix(stem);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    });
    let (name, value) = found.next()?;
    Some((format!("value{}", &name[stem.len()..]), value.clone()))
}

impl Form {
    /// Reads a Questionnaire.
    ///
    /// # Errors
    /// All that keeps it from being asked, each with its place.
    pub fn read(value: Value) -> Result<Self, Vec<Finding>> {
        let mut reading = Reading::default();
        if value.get("resourceType").and_then(Value::as_str) != Some("Questionnaire") {
            let what = "This is not a FHIR Questionnaire.";
            reading.findings.add(Weight::Error, "", None, what);
            return Err(reading.findings.done(ROOT));
        }
        let questions = reading.questions(value.get("item"), ROOT, &[], 0);
        reading.conditions(&questions);
        if questions.is_empty() && !reading.findings.has_errors() {
            let what = "The form asks nothing.";
            reading
                .findings
                .add(Weight::Error, "Questionnaire.item", None, what);
        }
        if reading.findings.has_errors() {
            return Err(reading.findings.done(ROOT));
        }
        let said = |name: &str| {
            let text = value.get(name).and_then(Value::as_str);
            text.filter(|text| !text.trim().is_empty())
                .map(str::to_owned)
        };
        let (url, version) = (said("url"), said("version"));
        let title = said("title")
            .or_else(|| said("name"))
            .or_else(|| url.clone());
        Ok(Self {
            title: title.unwrap_or_else(|| "A form without a title".to_owned()),
            url,
            version,
            questions,
            places: reading.places,
            notes: reading.findings.done(ROOT),
            value,
        })
    }

    /// What a response names it by.
    pub fn canonical(&self) -> Option<String> {
        let url = self.url.clone()?;
        Some(match &self.version {
            Some(version) => format!("{url}|{version}"),
            None => url,
        })
    }

    /// The names of what stands around a question, from the outermost inward.
    pub(super) fn around(&self, link_id: &str) -> Option<&[String]> {
        self.places.get(link_id).map(Vec::as_slice)
    }

    /// The names of the groups around a question, from the outermost inward.
    pub fn groups_around(&self, link_id: &str) -> &[String] {
        self.around(link_id).unwrap_or_default()
    }

    /// Whether a question is asked, as the items of a response stand. Within a group that repeats
    /// this is said of the first repetition.
    pub fn asks(&self, question: &Question, items: &[Value]) -> bool {
        let mut around: Vec<&[Value]> = vec![items];
        for name in self.groups_around(&question.link_id) {
            let level = around.last().copied().unwrap_or_default();
            let is = |item: &&Value| item.get("linkId").and_then(Value::as_str) == Some(name);
            let below = level.iter().find(is).map_or(&[][..], |item| {
                let own = super::enabled::list(item, "item");
                let answers = super::enabled::list(item, "answer");
                match (own, answers.first()) {
                    ([], Some(answer)) => super::enabled::list(answer, "item"),
                    (own, _) => own,
                }
            });
            around.push(below);
        }
        super::enabled::Asked::of(self).is_enabled(question, &around)
    }

    /// Whether it has a question of this name.
    pub fn has(&self, link_id: &str) -> bool {
        self.places.contains_key(link_id)
    }

    /// Every question, those below others after them.
    pub fn all(&self) -> Vec<&Question> {
        let mut all = Vec::new();
        let mut open: Vec<&Question> = self.questions.iter().rev().collect();
        while let Some(question) = open.pop() {
            all.push(question);
            open.extend(question.questions.iter().rev());
        }
        all
    }

    /// The question of a name.
    pub fn question(&self, link_id: &str) -> Option<&Question> {
        let around = self.around(link_id)?;
        let mut questions = &self.questions;
        for name in around {
            questions = &questions.iter().find(|one| one.link_id == *name)?.questions;
        }
        questions.iter().find(|one| one.link_id == link_id)
    }

    /// What the form as a whole says.
    pub fn extensions(&self) -> &[Value] {
        self.value
            .get("extension")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

const ROOT: &str = "Questionnaire";

#[derive(Default)]
struct Reading {
    findings: Findings,
    places: BTreeMap<String, Vec<String>>,
    count: usize,
}

impl Reading {
    fn questions(
        &mut self,
        items: Option<&Value>,
        place: &str,
        around: &[String],
        depth: usize,
    ) -> Vec<Question> {
        let Some(items) = items else {
            return Vec::new();
        };
        let place = format!("{place}.item");
        let Some(items) = items.as_array() else {
            self.wrong(&place, None, "The questions are not a list.");
            return Vec::new();
        };
        if depth >= DEPTH_MAX {
            let what = format!("Questions stand in each other more than {DEPTH_MAX} deep.");
            self.wrong(&place, None, &what);
            return Vec::new();
        }
        let mut questions = Vec::with_capacity(items.len().min(QUESTIONS_MAX));
        for (n, item) in items.iter().enumerate() {
            self.count += 1;
            if self.count > QUESTIONS_MAX {
                if self.count == QUESTIONS_MAX + 1 {
                    let what = format!("The form has more than {QUESTIONS_MAX} questions.");
                    self.wrong(&place, None, &what);
                }
                break;
            }
            questions.extend(self.question(item, &format!("{place}[{n}]"), around, depth));
        }
        questions
    }

    fn question(
        &mut self,
        item: &Value,
        place: &str,
        around: &[String],
        depth: usize,
    ) -> Option<Question> {
        let said = |name: &str| item.get(name).and_then(Value::as_str);
        let is = |name: &str| item.get(name).and_then(Value::as_bool).unwrap_or_default();
        let list = |name: &str| {
            let items = item.get(name).and_then(Value::as_array);
            items.cloned().unwrap_or_default()
        };
        let Some(link_id) = said("linkId").filter(|id| !id.is_empty()) else {
            self.wrong(
                place,
                None,
                "A question has no linkId, so that no answer can name it.",
            );
            return None;
        };
        if self
            .places
            .insert(link_id.to_owned(), around.to_vec())
            .is_some()
        {
            let what = format!("Two questions have the linkId {link_id:?}.");
            self.wrong(place, Some(link_id), &what);
        }
        let Some(kind) = said("type").and_then(Kind::named) else {
            let what = match said("type") {
                Some("question") => {
                    "The type \"question\" says nothing of what an answer is.".to_owned()
                }
                Some(other) => format!("There is no type {other:?} in FHIR R4."),
                None => "A question has no type.".to_owned(),
            };
            self.wrong(place, Some(link_id), &what);
            return None;
        };
        let extensions = list("extension");
        for (name, what) in NOT_DONE {
            if extension(&extensions, name).is_some() {
                self.findings.add(Weight::Note, place, Some(link_id), what);
            }
        }
        let rules = Rules::read(item, &extensions);
        if let Some(odd) = rules.pattern_not_understood() {
            let what = format!(
                "The pattern for the answer is not understood here, so that answers are not held against it: {odd}."
            );
            self.findings.add(Weight::Note, place, Some(link_id), what);
        }
        let value_set = said("answerValueSet").map(str::to_owned);
        if value_set.is_some() {
            let what = "The answers that fit are in a list that is kept elsewhere: an answer is not held against it here.";
            self.findings.add(Weight::Note, place, Some(link_id), what);
        }
        let mut below = around.to_vec();
        below.push(link_id.to_owned());
        let questions = self.questions(item.get("item"), place, &below, depth + 1);
        let hidden = extension(&extensions, &format!("{CORE}questionnaire-hidden"));
        let values = |lines: Vec<Value>| {
            let values = lines.iter().take(LINES_MAX);
            values.filter_map(|one| choice(one, "value")).collect()
        };
        Some(Question {
            link_id: link_id.to_owned(),
            text: said("text").unwrap_or_default().to_owned(),
            prefix: said("prefix").map(str::to_owned),
            kind,
            required: is("required"),
            repeats: is("repeats"),
            read_only: is("readOnly"),
            hidden: hidden
                .and_then(|one| one.get("valueBoolean")?.as_bool())
                .unwrap_or_default(),
            rules,
            options: values(list("answerOption")),
            value_set,
            when: self.when(&list("enableWhen"), place, link_id),
            when_all: said("enableBehavior") != Some("any"),
            code: list("code"),
            definition: said("definition").map(str::to_owned),
            initial: values(list("initial")),
            extensions,
            questions,
        })
    }

    fn when(&mut self, lines: &[Value], place: &str, link_id: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (n, line) in lines.iter().take(LINES_MAX).enumerate() {
            let operator = match line.get("operator").and_then(Value::as_str) {
                Some("exists") => Some(Operator::Exists),
                Some("=") => Some(Operator::Equal),
                Some("!=") => Some(Operator::NotEqual),
                Some(">") => Some(Operator::Greater),
                Some("<") => Some(Operator::Less),
                Some(">=") => Some(Operator::GreaterOrEqual),
                Some("<=") => Some(Operator::LessOrEqual),
                Some(_) | None => None,
            };
            let question = line.get("question").and_then(Value::as_str);
            let read = question.zip(operator).zip(choice(line, "answer"));
            match read {
                Some(((question, operator), answer)) => conditions.push(Condition {
                    question: question.to_owned(),
                    operator,
                    answer,
                }),
                None => {
                    let place = format!("{place}.enableWhen[{n}]");
                    let what = "It is not said in full when this is asked: a question, an operator and an answer are needed.";
                    self.wrong(&place, Some(link_id), what);
                }
            }
        }
        conditions
    }

    /// Each condition names a question that there is.
    fn conditions(&mut self, questions: &[Question]) {
        let mut open: Vec<&Question> = questions.iter().collect();
        while let Some(question) = open.pop() {
            for condition in &question.when {
                if !self.places.contains_key(&condition.question) {
                    let what = format!(
                        "When this is asked hangs on {:?}, and there is no such question.",
                        condition.question
                    );
                    self.wrong("Questionnaire.item", Some(&question.link_id), &what);
                } else if condition.question == question.link_id {
                    let what = "When this is asked hangs on its own answer.";
                    self.wrong("Questionnaire.item", Some(&question.link_id), what);
                }
            }
            open.extend(&question.questions);
        }
    }

    fn wrong(&mut self, place: &str, link_id: Option<&str>, what: &str) {
        self.findings.add(Weight::Error, place, link_id, what);
    }
}

/// What forms can say and what is not done here, by extension.
const NOT_DONE: [(&str, &str); 7] = [
    (
        "http://hl7.org/fhir/StructureDefinition/targetConstraint",
        "A rule of this question is not held against answers here.",
    ),
    (
        "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint",
        "A rule of this question is not held against answers here.",
    ),
    (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
        "An answer that the form works out is not worked out here: it is answered by hand.",
    ),
    (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
        "When this is asked hangs on an expression that is not looked at here: it is always asked.",
    ),
    (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerExpression",
        "The answers that fit are found by an expression that is not looked at here.",
    ),
    (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-itemPopulationContext",
        "A group that is filled from many resources is not filled here: it is answered by hand.",
    ),
    (
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-subQuestionnaire",
        "A form within this form is not brought in here.",
    ),
];
