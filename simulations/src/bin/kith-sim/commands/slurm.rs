//! `kith-sim slurm`

use crate::{Failure, args::SlurmArgs};

/// Writes a script for `sbatch`: an array job of shards. The merge is a job that waits for it.
pub fn run(args: &SlurmArgs) -> Result<(), Failure> {
    let scenario = super::scenario(&args.scenario)?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| super::run::default_out(&scenario));
    let out = out.display();
    let (name, file, shards, time) = (&scenario.name, &args.scenario, args.shards, &args.time);
    let parts: Vec<_> = (1..=shards)
        .map(|part| format!("'{out}/part-{part}'"))
        .collect();
    let parts = parts.join(" ");
    println!(
        "#!/usr/bin/env bash\n\
         # Run with: sbatch THIS, then when all parts are done: bash THIS merge\n\
         #SBATCH --job-name=kith-{name}\n\
         #SBATCH --array=1-{shards}\n\
         #SBATCH --cpus-per-task=1\n\
         #SBATCH --time={time}\n\
         set -euo pipefail\n\
         if [[ ${{1:-}} == merge ]]; then\n    \
             exec kith-sim merge {parts} --out '{out}/whole'\n\
         fi\n\
         exec kith-sim run '{file}' --shard \"$SLURM_ARRAY_TASK_ID/{shards}\" --jobs 1 --resume \\\n    \
             --out '{out}/part-'\"$SLURM_ARRAY_TASK_ID\""
    );
    Ok(())
}
