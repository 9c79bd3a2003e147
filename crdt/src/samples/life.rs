//! What is true of a sample before anybody writes it down: one life, told by all its sources.

use super::{
    day::{Day, TODAY},
    drugs::{self, Dose, Drug},
    organisations::{Kind, SampleOrganisation},
    page::Closed,
    person::SamplePerson,
    problems::{PROBLEMS, Problem, Who},
    stream::Stream,
};

/// A life.
pub(super) struct Life {
    pub(super) seed: u64,
    pub(super) number: u32,
    pub(super) person: SamplePerson,
    pub(super) age: i32,
    pub(super) problems: Vec<Had>,
    pub(super) medicines: Vec<Taken>,
    pub(super) allergy: Option<&'static Allergy>,
    pub(super) home: Home,
    /// The last fall or breathlessness for which an ambulance came.
    pub(super) called_ambulance: Option<Day>,
    /// Asked a clinician to keep something from everybody else.
    pub(super) has_secret: bool,
    /// Somebody else's NHS number, which the hospital wrote down by mistake.
    pub(super) mistaken_nhs_number: Option<String>,
}

/// A condition that the person has or had.
pub(super) struct Had {
    pub(super) problem: &'static Problem,
    pub(super) since: Day,
}

/// A medicine that the person takes.
pub(super) struct Taken {
    pub(super) drug: &'static Drug,
    pub(super) dose: &'static Dose,
    /// What for.
    pub(super) problem: &'static Problem,
    pub(super) since: Day,
}

/// Where and how the person lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// On their own feet.
    Independent,
    /// At home, with carers who come in.
    Helped,
    /// In a care home.
    Residential,
}

/// An allergy of the population.
pub(super) struct Allergy {
    pub(super) key: &'static str,
    pub(super) term: &'static str,
    pub(super) code: &'static str,
    pub(super) category: &'static str,
    pub(super) reaction: (&'static str, &'static str),
    pub(super) is_severe: bool,
}

const ALLERGIES: [Allergy; 6] = [
    allergy(
        "penicillin",
        ("Allergy to penicillin", "91936005"),
        "medication",
        ("126485001", "Urticaria"),
        false,
    ),
    allergy(
        "penicillin",
        ("Allergy to penicillin", "91936005"),
        "medication",
        ("39579001", "Anaphylaxis"),
        true,
    ),
    allergy(
        "peanut",
        ("Allergy to peanut", "91935009"),
        "food",
        ("41291007", "Angioedema"),
        true,
    ),
    allergy(
        "latex",
        ("Allergy to latex", "300916003"),
        "environment",
        ("271807003", "Eruption of skin"),
        false,
    ),
    allergy(
        "aspirin-allergy",
        ("Allergy to aspirin", "293586001"),
        "medication",
        ("56018004", "Wheezing"),
        true,
    ),
    allergy(
        "egg",
        ("Allergy to egg protein", "213020009"),
        "food",
        ("126485001", "Urticaria"),
        false,
    ),
];

const fn allergy(
    key: &'static str,
    (term, code): (&'static str, &'static str),
    category: &'static str,
    reaction: (&'static str, &'static str),
    is_severe: bool,
) -> Allergy {
    Allergy {
        key,
        term,
        code,
        category,
        reaction,
        is_severe,
    }
}

impl Life {
    /// The life of person `number` of the population `seed`.
    pub(super) fn of(seed: u64, number: u32) -> Self {
        Self::lived_by(SamplePerson::of(seed, number), seed, number)
    }

    /// The life of a given person.
    pub(super) fn lived_by(person: SamplePerson, seed: u64, number: u32) -> Self {
        let mut stream = Stream::of(seed, number, "life");
        let problems = problems(&person, seed, number);
        let allergy = stream.chance(35).then(|| stream.pick(&ALLERGIES));
        let medicines = medicines(&problems, allergy, &mut stream);
        let frail = problems.iter().any(|had| had.problem.key == "frailty");
        // The first person lives at home with a daughter or son who helps: the story of the demo.
        let home = match (frail, number != 0 && stream.chance(35)) {
            (false, _) => Home::Independent,
            (true, false) => Home::Helped,
            (true, true) => Home::Residential,
        };
        let called = frail && (number == 0 || stream.chance(70)) || stream.chance(8);
        Self {
            seed,
            number,
            age: person.age(TODAY),
            called_ambulance: called.then(|| TODAY.back(stream.between(20, 200))),
            has_secret: person.age(TODAY) >= 16 && stream.chance(12),
            person,
            problems,
            medicines,
            allergy,
            home,
            mistaken_nhs_number: None,
        }
    }

    /// Whether they have or had a condition.
    pub(super) fn has(&self, problem: &str) -> bool {
        self.had(problem).is_some()
    }

    /// The condition, if they have or had it.
    pub(super) fn had(&self, problem: &str) -> Option<&Had> {
        self.problems.iter().find(|had| had.problem.key == problem)
    }

    /// The medicine, if they take it.
    pub(super) fn takes(&self, drug: &str) -> Option<&Taken> {
        self.medicines.iter().find(|taken| taken.drug.key == drug)
    }

    /// Whether they are frail: then they have a ReSPECT plan and carers.
    pub(super) fn is_frail(&self) -> bool {
        self.home != Home::Independent
    }

    /// Whether anything of this sensitivity is among their conditions.
    pub(super) fn has_closed(&self, closed: Closed) -> Option<&Had> {
        self.problems
            .iter()
            .find(|had| had.problem.closed == closed)
    }

    /// Their weight in hundredths of a kilogram, about which every scale agrees.
    pub(super) fn weight(&self) -> i32 {
        let own = Stream::of(self.seed, self.number, "weight").between(5_200, 9_000);
        if self.person.is_female {
            own - 600
        } else {
            own
        }
    }

    /// The organisations that know them.
    pub(super) fn organisations(&self) -> Vec<SampleOrganisation> {
        let mut kinds = vec![Kind::Practice, Kind::Hospital];
        if self.called_ambulance.is_some() {
            kinds.push(Kind::Ambulance);
        }
        match self.home {
            Home::Independent => {}
            Home::Helped => kinds.push(Kind::HomeCare),
            Home::Residential => kinds.push(Kind::CareHome),
        }
        if !self.medicines.is_empty() {
            kinds.push(Kind::Pharmacy);
        }
        if self.age >= 16 {
            kinds.push(Kind::Laboratory);
        }
        kinds
            .into_iter()
            .map(|kind| SampleOrganisation::of(self.seed, self.number, kind))
            .collect()
    }
}

fn problems(person: &SamplePerson, seed: u64, number: u32) -> Vec<Had> {
    let age = person.age(TODAY);
    let mut found: Vec<Had> = Vec::new();
    for problem in &PROBLEMS {
        let mut stream = Stream::of(seed, number, problem.key);
        let suits = match problem.who {
            Who::Anyone => true,
            Who::Women => person.is_female,
            Who::Men => !person.is_female,
            Who::With(others) => found.iter().any(|had| others.contains(&had.problem.key)),
        };
        let fated = problem.key == "frailty" && number.is_multiple_of(5);
        let (low, high) = problem.ages;
        if suits && (fated || (low..=high).contains(&age) && stream.chance(problem.percent)) {
            let years = (age - low).clamp(0, 14);
            let since = TODAY.back(stream.between(40, 300 + years * 365));
            found.push(Had { problem, since });
        }
    }
    found
}

fn medicines(problems: &[Had], allergy: Option<&Allergy>, stream: &mut Stream) -> Vec<Taken> {
    let mut taken: Vec<Taken> = Vec::new();
    for had in problems {
        for step in had.problem.steps {
            let suits = |drug: &&Drug| {
                !problems
                    .iter()
                    .any(|had| drug.not_with.contains(&had.problem.key))
                    && !allergy.is_some_and(|allergy| drug.not_with.contains(&allergy.key))
                    && !taken.iter().any(|taken| {
                        drug.not_with.contains(&taken.drug.key)
                            || taken.drug.not_with.contains(&drug.key)
                    })
            };
            // One in three of those who could have the first choice have the second.
            let skipped = usize::from(step.len() > 1 && stream.chance(33));
            let chosen = step
                .iter()
                .skip(skipped)
                .filter_map(|key| drugs::named(key))
                .find(suits);
            let Some(drug) = chosen else { continue };
            if taken.iter().any(|taken| taken.drug.key == drug.key) {
                continue;
            }
            taken.push(Taken {
                drug,
                dose: stream.pick(drug.doses),
                problem: had.problem,
                since: had.since.on(stream.between(0, 30)),
            });
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::Life;

    #[test]
    fn a_medicine_has_a_condition_and_suits_the_person() {
        for number in 0..500 {
            let life = Life::of(11, number);
            for taken in &life.medicines {
                assert!(life.has(taken.problem.key));
                for other in taken.drug.not_with {
                    assert!(!life.has(other), "{} with {other}", taken.drug.key);
                    assert!(
                        life.takes(other).is_none(),
                        "{} with {other}",
                        taken.drug.key
                    );
                }
            }
        }
    }

    #[test]
    fn every_fifth_person_is_frail() {
        assert!(
            (0..200)
                .step_by(5)
                .all(|number| Life::of(11, number).is_frail())
        );
    }
}
