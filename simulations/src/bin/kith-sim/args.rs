//! The words of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// What would a federated patient record change? Simulates it beside what is done today.
#[derive(Parser)]
#[command(name = "kith-sim", version)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked.
#[derive(Subcommand)]
pub enum Command {
    /// Write a scenario file to begin with
    New(NewArgs),
    /// Say what is wrong with a scenario file, and what a run of it would be
    Check(FileArgs),
    /// Run a scenario: every point of its sweeps with every seed
    Run(RunArgs),
    /// Put the results of all shards together
    Merge(MergeArgs),
    /// Write the tables and the report of a folder of results again
    Report(FolderArgs),
    /// Run twice and see that the bytes are the same
    Verify(VerifyArgs),
    /// Tell one patient's year in plain sentences
    Trace(TraceArgs),
    /// Compare two folders of results
    Compare(CompareArgs),
    /// Write a job script for a cluster that runs Slurm
    Slurm(SlurmArgs),
}

/// A scenario.
#[derive(clap::Args)]
pub struct FileArgs {
    /// A scenario file, or the name of one that comes with the program
    pub scenario: String,
}

/// What to begin with.
#[derive(clap::Args)]
pub struct NewArgs {
    /// The file to write
    pub file: PathBuf,
    /// The scenario to begin with [default: respect-availability]
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// List the scenarios that come with the program
    #[arg(long)]
    pub list: bool,
}

/// What is run.
#[derive(clap::Args)]
pub struct RunArgs {
    /// A scenario file, or the name of one that comes with the program
    pub scenario: String,
    /// The folder for results [default: the name of the scenario, in the folder `results`]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The first seed [default: as the scenario says]
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many seeds [default: as the scenario says]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: Option<u32>,
    /// How many runs at once [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Run only this part of all runs, such as 2/4
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(usize, usize)>,
    /// Go on with a folder that holds some of the results
    #[arg(long)]
    pub resume: bool,
    /// Change each number that has a range, one at a time
    #[arg(long)]
    pub sensitivity: bool,
}

/// What is put together.
#[derive(clap::Args)]
pub struct MergeArgs {
    /// The folders of all shards
    #[arg(required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder for the whole
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// A folder of results.
#[derive(clap::Args)]
pub struct FolderArgs {
    /// The folder
    pub folder: PathBuf,
}

/// What is run twice.
#[derive(clap::Args)]
pub struct VerifyArgs {
    /// A scenario, or a folder of results to run again
    pub what: String,
    /// How many seeds
    #[arg(long, default_value_t = 1)]
    pub seeds: u32,
}

/// Whose year is told.
#[derive(clap::Args)]
pub struct TraceArgs {
    /// A scenario file, or the name of one that comes with the program
    pub scenario: String,
    /// Which patient [default: the first for whom the ways of carrying differ]
    #[arg(long)]
    pub patient: Option<u64>,
    /// Which point of the sweeps, from 0 on [default: the last]
    #[arg(long)]
    pub point: Option<usize>,
    /// Which seed [default: the first of the scenario]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Tell everything, however long it is
    #[arg(long)]
    pub all: bool,
}

/// What is compared.
#[derive(clap::Args)]
pub struct CompareArgs {
    /// A folder of results
    pub one: PathBuf,
    /// Another one
    pub other: PathBuf,
    /// Which metric [default: that of the scenario's report]
    #[arg(long)]
    pub metric: Option<String>,
}

/// What a cluster runs.
#[derive(clap::Args)]
pub struct SlurmArgs {
    /// A scenario file, or the name of one that comes with the program
    pub scenario: String,
    /// How many jobs
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub shards: u32,
    /// The folder for results
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How long a job may take, as Slurm writes it
    #[arg(long, default_value = "01:00:00")]
    pub time: String,
}

fn shard(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((part, of)) if part >= 1 && part <= of => Ok((part, of)),
        _ => Err("write the part and how many there are, such as 2/4".to_owned()),
    }
}
