//! The words about emergencies.

#[derive(clap::Args)]
pub struct EmergencyArgs {
    /// The record: its id or the beginning of it
    pub record: String,
    /// Whose node may open it with a reason, by the name of a node that is known here; may be
    /// repeated
    #[arg(long, value_name = "NAME")]
    pub allow: Vec<String>,
    /// Who may not any more; may be repeated
    #[arg(long, value_name = "NAME")]
    pub disallow: Vec<String>,
    /// A secret for the emergency page, as a link that the page shows as a code; one before it
    /// opens nothing any more
    #[arg(long, conflicts_with = "no_secret")]
    pub secret: bool,
    /// No secret opens the record any more
    #[arg(long)]
    pub no_secret: bool,
    /// Parts with these labels are opened: general, unless said otherwise
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    pub labels: Vec<String>,
}

#[derive(clap::Args)]
pub struct EmergencyOpenArgs {
    /// A record that is here, or the link on its emergency page; - reads the link from standard
    /// input
    #[arg(value_name = "RECORD or LINK")]
    pub what: String,
    /// Why, in words that the person and their practice will read
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// For how many hours
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(4..=24))]
    pub hours: u8,
}
