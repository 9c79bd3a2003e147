//! Apps that read a record beside this node.

use serde::{Deserialize, Serialize};

use super::{ShareLine, ShareRequest};

/// What is done about apps.
#[derive(Clone, Serialize, Deserialize)]
pub enum ConnectAsk {
    /// A share for an app, and a token that opens it.
    Token {
        /// What the app is called.
        name: String,
        /// What it may do of which record, and until when.
        share: ShareRequest,
    },
    /// An app may ask to be connected (SMART App Launch).
    Register {
        /// What it is called.
        name: String,
        /// Where whoever answers its question is sent back to, exactly.
        redirects: Vec<String>,
    },
    /// Every app.
    List,
    /// An app ends: its shares, its tokens, its registration.
    Stop {
        /// Its id, the beginning of it, or its name.
        who: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ConnectShown {
    /// See [`ConnectAsk::Token`].
    Token(Box<AppToken>),
    /// See [`ConnectAsk::Register`].
    Registered(AppRegistered),
    /// See [`ConnectAsk::List`].
    List(AppList),
    /// See [`ConnectAsk::Stop`].
    Stopped(AppStopped),
}

/// A token, which is shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct AppToken {
    /// Where the app reads, while this node runs with pages.
    pub base: Option<String>,
    /// What it sends as `Authorization: Bearer`.
    pub token: String,
    /// The id of the record's person there.
    pub patient: String,
    /// The app and its share.
    pub app: AppLine,
}

impl std::fmt::Debug for AppToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppToken(..)")
    }
}

/// An app that may ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppRegistered {
    /// Where it reads, while this node runs with pages.
    pub base: Option<String>,
    /// By what it calls itself when it asks.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// Where it may have people sent back to.
    pub redirects: Vec<String>,
}

/// Every app.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AppList {
    /// Those to which something is or was shared.
    pub apps: Vec<AppLine>,
    /// Those that may ask.
    pub registered: Vec<AppRegistered>,
}

/// An app and its share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppLine {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// When it was connected, RFC 3339.
    pub since: String,
    /// What it may do; nothing where no share of it is found.
    pub share: Option<ShareLine>,
}

/// An app that ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppStopped {
    /// What it is called.
    pub name: String,
    /// How many shares ended.
    pub shares: usize,
    /// Said to whoever stopped it.
    pub note: String,
}
