//! Apps: programs that read a record through this node (FHIR), each with a share of its own.
//!
//! An app is a principal, made here for one record, whose device key stays in this node's store.
//! So what it may see is decided like anybody else's (grants in the record's own log, which other
//! holders see and which `kith stop` ends), what it reads stands in the access log under its name,
//! and what it writes it signs (decision 0097). A token opens nothing by itself: it says which app
//! asks. Only hashes of tokens are stored.

mod launch;

use kith_protocol::{
    author::Author,
    bundle::seal::SealingSecret,
    codec,
    consent::Whoever,
    id::{DeviceId, PrincipalId, RecordId},
    identity::{NAME_LEN_MAX, NameCard, SecretKey, agree_to_act_for},
    logs::{Event, PrincipalAct, principal::PrincipalKind},
    record::Pen,
    signed::Verified,
    store::{Item, RowKey},
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    circle::Card,
    identity::{RowKind, read_row, read_rows, row},
    now_ms,
    sharing::NewApp,
    show,
};
use crate::{
    api::{
        AppLine, AppList, AppRegistered, AppStopped, AppToken, ConnectAsk, ConnectShown, Keep,
        ShareLine, ShareRequest,
    },
    failure::{Ending, Failure},
    health::fhir::AppScopes,
    store::random,
};

pub(crate) use launch::Tokens;

/// Addresses to which people are sent back, of one app.
const REDIRECTS_MAX: usize = 8;
const REDIRECT_LEN_MAX: usize = 2048;

/// What an app's tokens begin with, so that one that lies about is known for what it is.
const TOKEN_PREFIX: &str = "kith_";

/// An app with a share of one record, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct App {
    pub(super) name: String,
    pub(super) principal: PrincipalId,
    pub(super) record: RecordId,
    /// The seed of its device key.
    #[serde(with = "codec::array")]
    device: [u8; 32],
    /// The device of this node on which it was made: on a node that goes on from a backup its key
    /// would number twice what it wrote since.
    held_by: DeviceId,
    /// By which registration it came; nothing for a token that was given out here.
    client: Option<String>,
    /// The scopes that it asked for and was granted; all that its share gives where nothing is
    /// said.
    scope: Option<String>,
    since_ms: u64,
}

impl App {
    /// What it may do with which types.
    pub(super) fn scopes(&self) -> AppScopes {
        AppScopes::read(self.scope.as_deref().unwrap_or("patient/*.crus"))
    }

    fn key(&self) -> SecretKey {
        SecretKey::from_seed(self.device)
    }

    /// A secret of its own for some purpose.
    pub(super) fn secret_for(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.device)
    }

    /// It, as the consent decision knows it.
    pub(super) fn whoever(&self) -> Whoever {
        Whoever {
            principal: self.principal,
            device: self.key().device(),
            staff: None,
        }
    }

    /// Has it sign something.
    pub(super) fn writes<T>(
        &self,
        nonce: [u8; 8],
        time_ms: u64,
        work: impl FnOnce(&Pen<'_>) -> T,
    ) -> T {
        let key = self.key();
        work(&Pen {
            author: Author {
                principal: self.principal,
                key: &key,
                staff: None,
            },
            nonce,
            time_ms,
        })
    }
}

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Use {
    /// It opens the record.
    Access,
    /// It gives another access token, once.
    Refresh,
    /// It gave one already: whoever shows it again has it from somebody else.
    Spent,
}

/// A token, as it is stored under its hash.
#[derive(Serialize, Deserialize)]
struct Token {
    app: PrincipalId,
    /// Until when; as long as the share where nothing is said.
    until_ms: Option<u64>,
    use_: Use,
}

/// An app that may ask people to connect it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Client {
    /// What it is called.
    pub(crate) name: String,
    /// Where it may have people sent back to, exactly.
    pub(crate) redirects: Vec<String>,
    since_ms: u64,
}

impl Client {
    /// Whether one of its addresses is of this origin, as a browser says it.
    fn has_origin(&self, origin: &str) -> bool {
        let mut known = self.redirects.iter().map(|redirect| origin_of(redirect));
        known.any(|known| known.contains("://") && known.eq_ignore_ascii_case(origin))
    }
}

/// The origin of an address as a browser says it, without the port that goes without saying; of one
/// with a scheme of an app's own that scheme, which no page has.
pub(crate) fn origin_of(redirect: &str) -> String {
    match redirect.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?']).next().unwrap_or_default();
            let usual = match scheme.to_ascii_lowercase().as_str() {
                "https" => ":443",
                _ => ":80",
            };
            format!("{scheme}://{}", host.strip_suffix(usual).unwrap_or(host))
        }
        None => {
            let scheme = redirect.split(':').next().unwrap_or_default();
            format!("{scheme}:")
        }
    }
}

impl Node {
    /// Whether an app that may ask has people sent back to this origin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn is_origin_of_client(&self, origin: &str) -> Result<bool, Failure> {
        let clients = read_rows::<Client>(&self.store, RowKind::Clients)?;
        Ok(clients.iter().any(|(_, client)| client.has_origin(origin)))
    }

    pub(super) fn connect(&mut self, asked: &ConnectAsk) -> Result<ConnectShown, Failure> {
        match asked {
            ConnectAsk::Token { name, share } => self.connect_by_token(name, share),
            ConnectAsk::Register { name, redirects } => self.register(name, redirects),
            ConnectAsk::List => self.apps().map(ConnectShown::List),
            ConnectAsk::Stop { who } => self.stop_app(who).map(ConnectShown::Stopped),
        }
    }

    fn connect_by_token(
        &mut self,
        name: &str,
        share: &ShareRequest,
    ) -> Result<ConnectShown, Failure> {
        let app = self.new_app(name, share, (None, None))?;
        let token = new_token();
        let opens = Token {
            app: app.principal,
            until_ms: None,
            use_: Use::Access,
        };
        self.commit(vec![row(RowKind::Tokens, &hash(&token), &opens)])?;
        let patient = self.patient_of_app(&app)?;
        let shown = AppToken {
            base: None,
            token,
            patient,
            app: self.app_line(&app)?,
        };
        Ok(ConnectShown::Token(Box::new(shown)))
    }

    /// An app with a share of its own.
    fn new_app(
        &mut self,
        name: &str,
        share: &ShareRequest,
        (client, scope): (Option<String>, Option<String>),
    ) -> Result<App, Failure> {
        let name = checked_name(name)?;
        let record = self.record_named(&share.record)?;
        let now = now_ms();
        let (root, device) = (SecretKey::from_seed(random()), random());
        let app = App {
            name,
            principal: root.principal(),
            record,
            device,
            held_by: self.device(),
            client,
            scope,
            since_ms: now,
        };
        let card = card(&app);
        let beside = vec![
            row(RowKind::Apps, app.principal.as_bytes(), &app),
            row(RowKind::Cards, app.principal.as_bytes(), &card),
        ];
        let new = NewApp {
            principal: app.principal,
            log: log_of(&root, &app, now),
            card,
        };
        self.share_with_app(record, share, new, beside)?;
        Ok(app)
    }

    fn register(&mut self, name: &str, redirects: &[String]) -> Result<ConnectShown, Failure> {
        let name = checked_name(name)?;
        if redirects.is_empty() || redirects.len() > REDIRECTS_MAX {
            return Err(Failure::new(
                Ending::Usage,
                format!(
                    "An app needs 1 to {REDIRECTS_MAX} addresses to which people are sent back."
                ),
                "Give each with --redirect, such as --redirect http://127.0.0.1:9000/callback. Nothing was changed.",
            ));
        }
        for redirect in redirects {
            check_redirect(redirect)?;
        }
        let client_id = data_encoding::HEXLOWER.encode(&random::<16>());
        let client = Client {
            name: name.clone(),
            redirects: redirects.to_vec(),
            since_ms: now_ms(),
        };
        self.commit(vec![row(RowKind::Clients, client_id.as_bytes(), &client)])?;
        Ok(ConnectShown::Registered(AppRegistered {
            base: None,
            client_id,
            name,
            redirects: redirects.to_vec(),
        }))
    }

    fn apps(&mut self) -> Result<AppList, Failure> {
        let mut list = AppList::default();
        for app in self.all_apps()? {
            list.apps.push(self.app_line(&app)?);
        }
        for (id, client) in read_rows::<Client>(&self.store, RowKind::Clients)? {
            list.registered.push(AppRegistered {
                base: None,
                client_id: String::from_utf8_lossy(&id).into_owned(),
                name: client.name,
                redirects: client.redirects,
            });
        }
        Ok(list)
    }

    fn all_apps(&self) -> Result<Vec<App>, Failure> {
        let rows = read_rows::<App>(&self.store, RowKind::Apps)?;
        let mut apps: Vec<_> = rows.into_iter().map(|(_, app)| app).collect();
        apps.sort_by_key(|app| (app.since_ms, app.principal));
        Ok(apps)
    }

    fn app_line(&mut self, app: &App) -> Result<AppLine, Failure> {
        let share = self.with_record(app.record, |node, record| {
            Ok(node.line_of_app(record, app.principal))
        })?;
        Ok(AppLine {
            id: app.principal.to_string()[..12].to_owned(),
            name: app.name.clone(),
            since: show::time(app.since_ms),
            share,
        })
    }

    fn stop_app(&mut self, who: &str) -> Result<AppStopped, Failure> {
        let lower = who.trim().to_lowercase();
        let clients = read_rows::<Client>(&self.store, RowKind::Clients)?;
        let clients: Vec<_> = clients
            .into_iter()
            .map(|(id, client)| (String::from_utf8_lossy(&id).into_owned(), client))
            .filter(|(id, client)| *id == lower || client.name.to_lowercase() == lower)
            .collect();
        let is_named = |app: &App| {
            let id = app.principal.to_string();
            let by_client = clients
                .iter()
                .any(|(client, _)| app.client.as_ref() == Some(client));
            (lower.len() >= 4 && id.starts_with(&lower))
                || app.name.to_lowercase() == lower
                || by_client
        };
        let mut apps = self.all_apps()?;
        apps.retain(is_named);
        let direct = apps.iter().filter(|app| app.client.is_none()).count();
        if clients.len() > 1 || direct > 1 {
            return Err(Failure::new(
                Ending::NeedsPerson,
                format!("{who:?} fits several apps."),
                "Name one by its id: kith connect list shows them. Nothing was changed.",
            ));
        }
        let Some(name) = apps
            .first()
            .map(|app| app.name.clone())
            .or_else(|| clients.first().map(|(_, client)| client.name.clone()))
        else {
            return Err(Failure::new(
                Ending::Failed,
                format!("No app here is called {who:?}."),
                "kith connect list shows those that there are. Nothing was changed.",
            ));
        };
        let mut shares = 0;
        for app in &apps {
            shares += usize::from(self.stop_share_of(app)?);
        }
        let ids: Vec<_> = apps.iter().map(|app| app.principal).collect();
        let mut gone = self.tokens_of(&ids)?;
        let ended = apps
            .iter()
            .map(|app| RowKind::Apps.key(app.principal.as_bytes()));
        gone.extend(ended);
        gone.extend(
            clients
                .iter()
                .map(|(id, _)| RowKind::Clients.key(id.as_bytes())),
        );
        self.commit(
            gone.into_iter()
                .map(|key| Item::Row { key, value: None })
                .collect(),
        )?;
        Ok(AppStopped {
            note: format!(
                "{name} reads nothing more from now on. kith cannot take back what it has read. What it wrote stays in the record."
            ),
            name,
            shares,
        })
    }

    /// Stops the share of an app, where it stands.
    fn stop_share_of(&mut self, app: &App) -> Result<bool, Failure> {
        let share = self.app_line(app)?.share;
        let Some(share) = share.filter(ShareLine::is_open) else {
            return Ok(false);
        };
        self.stop(&share.record, &share.id, (Keep::All, false))?;
        Ok(true)
    }

    fn tokens_of(&self, apps: &[PrincipalId]) -> Result<Vec<RowKey>, Failure> {
        let tokens = read_rows::<Token>(&self.store, RowKind::Tokens)?.into_iter();
        let of_app = tokens.filter(|(_, token)| apps.contains(&token.app));
        Ok(of_app.map(|(name, _)| RowKind::Tokens.key(&name)).collect())
    }

    /// The app whose token this is; nothing for one that is not known, has passed, or is of another
    /// kind.
    pub(super) fn app_of(&self, token: &str) -> Result<Option<App>, Failure> {
        let known: Option<Token> = read_row(&self.store, RowKind::Tokens, &hash(token))?;
        let known = known.filter(|known| {
            known.use_ == Use::Access && known.until_ms.is_none_or(|until| now_ms() < until)
        });
        match known {
            Some(known) => self.app_by(known.app),
            None => Ok(None),
        }
    }

    fn app_by(&self, principal: PrincipalId) -> Result<Option<App>, Failure> {
        let app: Option<App> = read_row(&self.store, RowKind::Apps, principal.as_bytes())?;
        Ok(app.filter(|app| app.held_by == self.device()))
    }
}

fn new_token() -> String {
    format!(
        "{TOKEN_PREFIX}{}",
        data_encoding::HEXLOWER.encode(&random::<32>())
    )
}

fn hash(token: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 app token");
    hasher.update(token.as_bytes());
    *hasher.finalize().as_bytes()
}

fn card(app: &App) -> Card {
    let key = app.key();
    let signed = NameCard {
        principal: app.principal,
        device: key.device(),
        kind: PrincipalKind::Organisation,
        name: app.name.clone(),
        role: "app".to_owned(),
        code: None,
    }
    .sign(&key);
    Card::new(key.device(), &signed)
}

/// The log of an app: it begins, and has one device. Its root key is not kept, so that it has no
/// other one ever.
fn log_of(root: &SecretKey, app: &App, now: u64) -> Vec<Verified<Event>> {
    let author = Author {
        principal: app.principal,
        key: root,
        staff: None,
    };
    let begin = PrincipalAct::Begin {
        kind: PrincipalKind::Organisation,
        sealing_key: SealingSecret::from_seed(random()).public().0,
    };
    let begin = author.own_event(&[], now, begin);
    let device = app.key();
    let add = PrincipalAct::DeviceAdd {
        device: device.device(),
        proof: agree_to_act_for(app.principal, &device, root.device()),
    };
    let add = author.own_event(std::slice::from_ref(&begin), now, add);
    vec![begin, add]
}

fn checked_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_LEN_MAX || name.chars().any(char::is_control) {
        return Err(Failure::new(
            Ending::Usage,
            "An app needs a name of 1 to 200 bytes.",
            "Give the name that people know, with --name. Nothing was changed.",
        ));
    }
    Ok(name.to_owned())
}

/// `https`, `http` to this machine alone, or a scheme of the app's own (RFC 8252).
fn check_redirect(redirect: &str) -> Result<(), Failure> {
    let wrong = |why: &str| {
        Err(Failure::new(
            Ending::Usage,
            format!("People cannot be sent back to {redirect:?}: {why}."),
            "Use https, http to 127.0.0.1, [::1] or localhost, or the app's own scheme such as com.example.app:/callback. Nothing was changed.",
        ))
    };
    let is_plain = redirect.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || redirect.len() > REDIRECT_LEN_MAX || redirect.contains(['#', '"', '<', '>']) {
        return wrong("it is not a plain address without a fragment");
    }
    let Some((scheme, rest)) = redirect.split_once(':') else {
        return wrong("it has no scheme");
    };
    let host = rest.strip_prefix("//").unwrap_or_default();
    let host = host.split(['/', '?']).next().unwrap_or_default();
    // It stands in a policy of the page that asks, where other marks would say something.
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    match scheme.to_ascii_lowercase().as_str() {
        "https" if !host.is_empty() && host.bytes().all(is_host) => Ok(()),
        "http" => {
            let name = host.rsplit_once(':').map_or(host, |(name, port)| {
                if port.bytes().all(|byte| byte.is_ascii_digit()) {
                    name
                } else {
                    host
                }
            });
            if ["127.0.0.1", "[::1]", "localhost"].contains(&name) {
                Ok(())
            } else {
                wrong("what is sent to another machine without TLS can be read on the way")
            }
        }
        // A scheme of an app's own is a domain name turned round; so none that browsers obey is.
        own if own.contains('.')
            && own
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-') =>
        {
            Ok(())
        }
        _ => wrong("this scheme is not taken"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, check_redirect};

    #[test]
    fn an_origin_is_that_of_a_registered_address_and_no_other() {
        let client = |redirect: &str| Client {
            name: "Growth chart".to_owned(),
            redirects: vec![redirect.to_owned()],
            since_ms: 0,
        };
        for (redirect, origin, is) in [
            (
                "http://127.0.0.1:9000/callback",
                "http://127.0.0.1:9000",
                true,
            ),
            (
                "http://127.0.0.1:9000/callback",
                "http://127.0.0.1:9001",
                false,
            ),
            (
                "http://127.0.0.1:9000/callback",
                "https://127.0.0.1:9000",
                false,
            ),
            (
                "http://127.0.0.1:9000/callback",
                "http://localhost:9000",
                false,
            ),
            (
                "https://app.example:443/after?x",
                "https://app.example",
                true,
            ),
            ("https://App.example/after", "https://app.example", true),
            (
                "https://app.example/after",
                "https://app.example.evil",
                false,
            ),
            ("https://app.example/after", "null", false),
            ("com.example.app:/callback", "com.example.app:", false),
        ] {
            assert_eq!(
                client(redirect).has_origin(origin),
                is,
                "{redirect} {origin}"
            );
        }
    }

    #[test]
    fn people_are_sent_back_only_where_nobody_reads_along() {
        for good in [
            "http://127.0.0.1:9000/callback",
            "http://localhost/x",
            "http://[::1]:80/",
            "https://app.example/after",
            "com.example.app:/callback",
        ] {
            assert!(check_redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "http://app.example/after",
            "http://127.0.0.1.app.example/",
            "http://127.0.0.1@app.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://app.example/#x",
            "https:",
            "https://app.example;script-src/x",
            "https://me@app.example/x",
            "http://127.0.0.1:80;x/y",
            "app.example/after",
            "http://127.0.0.1:9000/ callback",
            "",
        ] {
            assert!(check_redirect(bad).is_err(), "{bad}");
        }
    }
}
