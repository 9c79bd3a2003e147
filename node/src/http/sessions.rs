//! Who may see the pages: one-use links, and the sessions that they begin.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use kith_protocol::id::StaffId;

use super::once::lock;
use crate::store::random;

/// How long a one-use link can be used.
const LINK_LASTS: Duration = Duration::from_mins(10);

/// How long a session lasts in which nothing is asked.
const IDLE_MAX: Duration = Duration::from_hours(12);

/// Links that nobody has used, and sessions, at most: the oldest give way.
const LINKS_MAX: usize = 32;
const SESSIONS_MAX: usize = 256;

/// A secret of 32 bytes that stands for something here; only its hash is kept.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    pub fn draw() -> Self {
        Self(data_encoding::HEXLOWER.encode(&random::<32>()))
    }

    /// As it was sent back; what is none names nothing.
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compared by their hashes, so that how long it takes says nothing of a secret.
    pub fn is(&self, other: &Self) -> bool {
        self.name() == other.name()
    }

    fn name(&self) -> [u8; 32] {
        *blake3::hash(self.0.as_bytes()).as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// As whom somebody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Viewer {
    /// The node's owner: a person at their own machine, or whoever runs an organisation's node.
    Owner,
    /// A member of staff of an organisation.
    Staff(StaffId),
    /// The owner's phone, which looks and does nothing else.
    Phone,
}

/// A session, as a request has it.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub viewer: Viewer,
    /// What each form carries, so that nobody else's form is taken.
    pub form: Secret,
}

struct Begun {
    session: Session,
    last: Instant,
}

/// Links and sessions, while the process runs.
pub(super) struct Sessions {
    is_over_tls: bool,
    /// The cookie's name, another one for each run and port, so that nodes of one machine, whose
    /// ports share cookies, do not take each other's.
    cookie: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    links: BTreeMap<[u8; 32], (Viewer, Instant)>,
    begun: BTreeMap<[u8; 32], Begun>,
}

impl Sessions {
    pub fn new(port: u16, is_over_tls: bool) -> Self {
        let some = data_encoding::HEXLOWER.encode(&random::<4>());
        let prefix = if is_over_tls { "__Host-" } else { "" };
        Self {
            is_over_tls,
            cookie: format!("{prefix}kith-{port}-{some}"),
            inner: Mutex::default(),
        }
    }

    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What a browser is told to keep for a session.
    pub fn set_cookie(&self, session: &Secret) -> String {
        let secure = if self.is_over_tls { "; Secure" } else { "" };
        format!(
            "{}={}; HttpOnly; SameSite=Strict; Path=/{secure}",
            self.cookie,
            session.as_str()
        )
    }

    /// Ends every session of a member of staff.
    pub fn end_staff(&self, staff: StaffId) {
        let mut inner = self.inner();
        inner
            .begun
            .retain(|_, begun| begun.session.viewer != Viewer::Staff(staff));
    }

    /// A link that begins one session.
    pub fn link(&self, viewer: Viewer) -> Secret {
        let secret = Secret::draw();
        let mut inner = self.inner();
        let now = Instant::now();
        inner
            .links
            .retain(|_, (_, made)| now.duration_since(*made) < LINK_LASTS);
        if inner.links.len() >= LINKS_MAX {
            let oldest = inner.links.iter().min_by_key(|(_, (_, made))| *made);
            if let Some(name) = oldest.map(|(name, _)| *name) {
                inner.links.remove(&name);
            }
        }
        inner.links.insert(secret.name(), (viewer, now));
        secret
    }

    /// Begins the session of a link, which ends by that.
    pub fn enter(&self, link: &Secret) -> Option<Secret> {
        let (viewer, made) = self.inner().links.remove(&link.name())?;
        (made.elapsed() < LINK_LASTS).then(|| self.begin(viewer))
    }

    /// Begins a session.
    pub fn begin(&self, viewer: Viewer) -> Secret {
        let secret = Secret::draw();
        let mut inner = self.inner();
        if inner.begun.len() >= SESSIONS_MAX {
            let oldest = inner.begun.iter().min_by_key(|(_, begun)| begun.last);
            if let Some(name) = oldest.map(|(name, _)| *name) {
                inner.begun.remove(&name);
            }
        }
        let session = Session {
            viewer,
            form: Secret::draw(),
        };
        let last = Instant::now();
        inner.begun.insert(secret.name(), Begun { session, last });
        secret
    }

    /// The session that a cookie stands for.
    pub fn find(&self, secret: &Secret) -> Option<Session> {
        let mut inner = self.inner();
        let name = secret.name();
        let begun = inner.begun.get_mut(&name)?;
        if begun.last.elapsed() >= IDLE_MAX {
            inner.begun.remove(&name);
            return None;
        }
        begun.last = Instant::now();
        Some(begun.session.clone())
    }

    pub fn end(&self, secret: &Secret) {
        self.inner().begun.remove(&secret.name());
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{IDLE_MAX, LINK_LASTS, LINKS_MAX, Secret, Sessions, Viewer};

    #[test]
    fn a_link_begins_one_session_and_no_more() {
        let sessions = Sessions::new(1, false);
        let link = sessions.link(Viewer::Owner);
        let session = sessions.enter(&link).expect("a session");
        assert!(sessions.enter(&link).is_none(), "used");
        assert!(sessions.find(&session).is_some());
        assert!(sessions.find(&link).is_none(), "a link is no session");
        sessions.end(&session);
        assert!(sessions.find(&session).is_none());
    }

    #[test]
    fn links_and_sessions_that_lay_about_are_over() {
        let ago = |how_long| Instant::now().checked_sub(how_long).expect("a time before");
        let sessions = Sessions::new(1, false);
        let session = sessions.begin(Viewer::Owner);
        let link = sessions.link(Viewer::Owner);
        for begun in sessions.inner().begun.values_mut() {
            begun.last = ago(IDLE_MAX);
        }
        for (_, made) in sessions.inner().links.values_mut() {
            *made = ago(LINK_LASTS);
        }
        assert!(sessions.find(&session).is_none());
        assert!(sessions.enter(&link).is_none());
    }

    #[test]
    fn links_that_nobody_uses_are_bounded() {
        let sessions = Sessions::new(1, false);
        let links: Vec<_> = (0..=LINKS_MAX)
            .map(|_| sessions.link(Viewer::Owner))
            .collect();
        assert!(sessions.enter(&links[0]).is_none(), "the oldest gave way");
        assert!(sessions.enter(&links[LINKS_MAX]).is_some());
        assert!(sessions.enter(&Secret::sent("made up")).is_none());
    }
}
