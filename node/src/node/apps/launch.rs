//! Apps that ask a person for a share (SMART App Launch), and the tokens that they are given.

use kith_protocol::{id::PrincipalId, store::Item};

use super::{Client, Token, Use, hash, new_token};
use crate::{
    api::ShareRequest,
    failure::{Ending, Failure},
    node::{
        Node,
        identity::{RowKind, read_row, read_rows, row},
        now_ms,
    },
};

/// How long a token that gave others is known for what it is: whoever shows it within this time has
/// it from somebody else.
const SPENT_REMEMBERED_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// What somebody allowed an app that asked.
pub(crate) struct Granted {
    /// The app.
    pub(crate) app: PrincipalId,
    /// The id of the record's person.
    pub(crate) patient: String,
}

/// Tokens that an app is given.
pub(crate) struct Tokens {
    /// What opens the record.
    pub(crate) access: String,
    /// What gives another one, where it was asked for.
    pub(crate) refresh: Option<String>,
}

/// Tokens in the place of one that gave them.
pub(crate) struct Refreshed {
    /// The tokens.
    pub(crate) tokens: Tokens,
    /// The id of the record's person.
    pub(crate) patient: String,
    /// What the app may do.
    pub(crate) scope: String,
}

impl Node {
    /// An app that may ask.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn client(&self, id: &str) -> Result<Option<Client>, Failure> {
        Ok(read_row(&self.store, RowKind::Clients, id.as_bytes())?)
    }

    /// Somebody allows an app what it asked for.
    ///
    /// # Errors
    /// When the app is not registered, or the record cannot be shared like this.
    pub(crate) fn connect_client(
        &mut self,
        id: &str,
        share: &ShareRequest,
        scope: &str,
    ) -> Result<Granted, Failure> {
        let client = self.client(id)?.ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "This app is not registered any more.",
                "kith connect app registers one. Nothing was shared.",
            )
        })?;
        let app = self.new_app(
            &client.name,
            share,
            (Some(id.to_owned()), Some(scope.to_owned())),
        )?;
        Ok(Granted {
            app: app.principal,
            patient: self.patient_of_app(&app)?,
        })
    }

    /// Tokens for an app; with `refreshes` one that gives others, for as long as the share holds.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) fn tokens(
        &mut self,
        app: PrincipalId,
        lasts_ms: u64,
        refreshes: bool,
    ) -> Result<Tokens, Failure> {
        self.tokens_beside(app, (lasts_ms, refreshes), Vec::new())
    }

    /// The same, in one commit with other rows.
    fn tokens_beside(
        &mut self,
        app: PrincipalId,
        (lasts_ms, refreshes): (u64, bool),
        mut items: Vec<Item>,
    ) -> Result<Tokens, Failure> {
        let now = now_ms();
        let access = new_token();
        let opens = Token {
            app,
            until_ms: Some(now + lasts_ms),
            use_: Use::Access,
        };
        items.push(row(RowKind::Tokens, &hash(&access), &opens));
        let refresh = refreshes.then(new_token);
        if let Some(refresh) = &refresh {
            let gives = Token {
                app,
                until_ms: None,
                use_: Use::Refresh,
            };
            items.push(row(RowKind::Tokens, &hash(refresh), &gives));
        }
        // What has passed is not kept.
        let known = read_rows::<Token>(&self.store, RowKind::Tokens)?.into_iter();
        let passed = known.filter(|(_, token)| token.until_ms.is_some_and(|until| until <= now));
        items.extend(passed.map(|(name, _)| Item::Row {
            key: RowKind::Tokens.key(&name),
            value: None,
        }));
        self.commit(items)?;
        Ok(Tokens { access, refresh })
    }

    /// Other tokens for one that gives them: once. Shown a second time, somebody else has it, and
    /// every token of the app ends.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) fn refreshed(
        &mut self,
        token: &str,
        client: &str,
        lasts_ms: u64,
    ) -> Result<Option<Refreshed>, Failure> {
        let name = hash(token);
        let known: Option<Token> = read_row(&self.store, RowKind::Tokens, &name)?;
        let Some(known) = known else {
            return Ok(None);
        };
        let Some(app) = self.app_by(known.app)? else {
            return Ok(None);
        };
        if app.client.as_deref() != Some(client) {
            return Ok(None);
        }
        match known.use_ {
            Use::Access => Ok(None),
            Use::Spent => {
                self.end_tokens(app.principal)?;
                Ok(None)
            }
            Use::Refresh => {
                let scope = self.with_record(app.record, |_, record| {
                    Ok(Self::scope_of_app(record, app.principal))
                })?;
                if scope.is_empty() {
                    return Ok(None);
                }
                let spent = Token {
                    use_: Use::Spent,
                    until_ms: Some(now_ms() + SPENT_REMEMBERED_MS),
                    ..known
                };
                let spent = row(RowKind::Tokens, &name, &spent);
                let tokens = self.tokens_beside(app.principal, (lasts_ms, true), vec![spent])?;
                let patient = self.patient_of_app(&app)?;
                Ok(Some(Refreshed {
                    tokens,
                    patient,
                    scope: app.scope.unwrap_or_default(),
                }))
            }
        }
    }

    /// Every token of an app ends: one of its codes was shown twice, so that somebody else has it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) fn end_tokens(&mut self, app: PrincipalId) -> Result<(), Failure> {
        let gone = self.tokens_of(&[app])?.into_iter();
        self.commit(gone.map(|key| Item::Row { key, value: None }).collect())
    }
}
