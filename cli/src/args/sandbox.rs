//! The words of the sandbox.

use std::net::SocketAddr;

#[derive(clap::Args)]
pub struct SandboxArgs {
    /// Where its pages and its FHIR server are; any port of this machine where it is left out
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub pages: SocketAddr,
    /// Where an app that asks in a browser (SMART App Launch) is gone back to
    #[arg(long, value_name = "URL", default_value = crate::sandbox::REDIRECT)]
    pub redirect: String,
}
