//! The words of connecting other software.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Subcommand;

#[derive(clap::Args)]
pub struct ConnectArgs {
    #[command(subcommand)]
    pub command: Option<ConnectCommand>,
}

#[derive(Subcommand)]
pub enum ConnectCommand {
    /// HL7 v2: where messages come in, by MLLP or out of a folder, and whose
    Hl7(ConnectHl7Args),
    /// Share parts of a record with an app on this computer, and print the token by which it reads
    /// and writes them over FHIR
    Fhir(ConnectFhirArgs),
    /// Let an app ask you in your browser whether it may read a record (SMART App Launch)
    App(ConnectAppArgs),
    /// The apps that are connected, and those that may ask
    List,
    /// Stop an app: its share, its tokens, and that it may ask
    Stop {
        /// The app: its name, or its id
        #[arg(value_name = "APP")]
        app: String,
    },
}

#[derive(clap::Args)]
pub struct ConnectFhirArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// What the app is called: so it stands in the record and among those who looked
    #[arg(long)]
    pub name: String,
    /// What it can see: all, or parts such as medicines,plans:general
    #[arg(long, value_name = "PARTS")]
    pub see: String,
    /// What it can add to
    #[arg(long, value_name = "PARTS")]
    pub add: Option<String>,
    /// What it can change; it can add to it too
    #[arg(long, value_name = "PARTS")]
    pub change: Option<String>,
    /// The last day of the share
    #[arg(long, value_name = "DATE")]
    pub until: String,
}

#[derive(clap::Args)]
pub struct ConnectAppArgs {
    /// What the app is called: so it stands on the page that asks
    #[arg(long)]
    pub name: String,
    /// Where your browser goes back to when you have answered, exactly; can be given several times
    #[arg(long, value_name = "URL", required = true)]
    pub redirect: Vec<String>,
}

#[derive(clap::Args)]
pub struct ConnectHl7Args {
    /// Listen for MLLP here while the node runs, such as 127.0.0.1:2575
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// An address that may connect where the node listens for more than this machine; can be given
    /// several times
    #[arg(long, value_name = "IP")]
    pub allow: Vec<IpAddr>,
    /// File by itself only what comes from this sender, as MSH-3 and MSH-4 name it:
    /// 'APPLICATION|FACILITY'; can be given several times
    #[arg(long, value_name = "APP|FACILITY")]
    pub sender: Vec<String>,
    /// Take files out of this folder while the node runs: to done or to waiting beside them
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Codes of your own beside kith's, a TOML file
    #[arg(long, value_name = "FILE")]
    pub tables: Option<PathBuf>,
    /// Take nothing in any more, and forget all of this
    #[arg(long, conflicts_with_all = ["listen", "allow", "sender", "folder", "tables"])]
    pub off: bool,
}
