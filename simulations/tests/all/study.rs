//! The researcher's half: scenario files, sweeps through the program, and laws of the model.

#[path = "study/agreement.rs"]
mod agreement;
#[path = "study/files.rs"]
mod files;
#[path = "study/laws.rs"]
mod laws;
#[path = "study/program.rs"]
mod program;

use std::path::Path;

use kith_simulations::study::scenario::Scenario;

/// A small scenario that runs in no time, with everything that a sweep can have.
pub const SMALL: &str = r#"schema = 1
name = "small"
question = "How often is the plan there?"

[run]
patients = 12
days = 120
seeds = 3

[report]
reader = "ambulance"

[adoption]
share = { sweep = [0.4, 1.0], assumption = "swept" }

[[device]]
name = "server"
failures_per_year = { value = 12, range = [1, 30] }
repair_hours = { exponential = 12 }

[[device]]
name = "telephone"
nat = "closed"
online = { share = 0.3, session_minutes = { exponential = 20 } }

[[organisation]]
name = "practice"
count = 4
device = "server"
supplier = "systems"

[[organisation]]
name = "hospital"
count = 3
device = "server"
elsewhere = 0.3

[[organisation]]
name = "ambulance"
count = 2
device = "server"
emergency = true

[[organisation]]
name = "carer"
each_patient = true
device = "telephone"

[consent]
shares = 0.9
at_visit = 0.5
stops_per_year = 0.5

[[workload]]
pathway = "end-of-life"
author = "practice"
reviser = "hospital"
called = "ambulance"
admits = "hospital"
begins_within_days = { uniform = [0, 40] }
revisions_per_year = 6
material = 0.5
crises_per_year = 8

[[workload]]
pathway = "fall"
per_year = 2
noticed_by = "carer"
called = "ambulance"
admits = "hospital"
followed_by = ["practice"]

[[fault]]
kind = "supplier-outage"
supplier = "systems"
at_day = 50
hours = 20

[[fault]]
kind = "partition"
organisations = ["hospital"]
per_year = 6
hours = { exponential = 30 }

[[baseline]]
kind = "paper"
sections = ["plans"]
found = 0.6

[[baseline]]
kind = "letter"
to = ["practice", "hospital"]
same_day = 0.43
delay_days = { exponential = 8 }

[[baseline]]
kind = "central"
recorded = 0.33
outages_per_year = 12

[[baseline]]
kind = "batch"
to = ["ambulance"]

[[baseline]]
name = "today"
kind = "together"
of = ["paper", "letter", "central", "batch"]

[federated]
beside = ["today"]
"#;

/// A scenario from its text.
pub fn scenario(text: &str) -> Scenario {
    Scenario::parse("small.toml", text, Path::new(".")).unwrap_or_else(|problems| {
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", said.join("\n"))
    })
}
