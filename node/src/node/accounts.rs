//! How members of staff sign in to the pages of an organisation's node: a code that is used once,
//! a passphrase of their own, and codes of the hour from an app (TOTP, RFC 6238).
//!
//! Accounts stay on this node. What is signed for somebody is signed by the node on their behalf,
//! and the organisation's own log says who they are.

use kith_protocol::{consent::grant::Actions, id::StaffId, store::Item};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Node,
    identity::{RowKind, read_row, read_rows, row},
    now_ms,
};
use crate::{
    failure::{Ending, Failure},
    store::random,
};

/// How long a code for a new account can be used, milliseconds.
const CODE_LASTS_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Wrong passphrases or codes after which somebody has to wait, and how long, milliseconds.
const TRIES: u32 = 5;
const WAITS_MS: u64 = 15 * 60 * 1000;

/// How somebody signs in.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// The hash of a code by which it is begun, and until when.
    begins_by: Option<(serde_bytes::ByteBuf, u64)>,
    /// The salt and Argon2id of their passphrase; nothing before it was chosen.
    passphrase: Option<(serde_bytes::ByteBuf, serde_bytes::ByteBuf)>,
    /// What their app and this node both have.
    #[serde(with = "serde_bytes")]
    pub(crate) shared: Vec<u8>,
    /// The step of the last code that was used: none is used twice.
    last_step: u64,
    /// Wrong tries since the last right one.
    tries: u32,
    waits_until_ms: u64,
}

/// Somebody at whose account is looked.
pub struct Signing {
    /// Who.
    pub(crate) staff: StaffId,
    /// What they are called here.
    pub(crate) name: String,
    /// Their account.
    pub(crate) account: Account,
}

impl Account {
    /// The salt and hash of the passphrase.
    pub(crate) fn passphrase(&self) -> Option<(&[u8], &[u8])> {
        let (salt, hash) = self.passphrase.as_ref()?;
        Some((salt, hash))
    }

    /// Whether a code of this step was used already.
    pub(crate) const fn used(&self, step: u64) -> bool {
        step <= self.last_step
    }
}

impl Node {
    /// A code by which a member of staff begins an account; one that they had ends.
    ///
    /// # Errors
    /// When nobody of that name is active.
    pub(crate) fn account_code(&mut self, word: &str) -> Result<(String, String), Failure> {
        let staff = self.staff_named(word)?;
        self.may_act(staff, Actions::READ)?;
        let code = data_encoding::HEXLOWER.encode(&random::<16>());
        let hash = Sha256::digest(code.as_bytes()).to_vec();
        let account = Account {
            begins_by: Some((hash.into(), now_ms() + CODE_LASTS_MS)),
            shared: random::<20>().to_vec(),
            ..Account::default()
        };
        self.commit(vec![kept(staff, &account)])?;
        Ok((self.name_of_staff(staff), code))
    }

    /// Whose account a code begins.
    ///
    /// # Errors
    /// When it begins none.
    pub(crate) fn account_of_code(&self, code: &str) -> Result<Signing, Failure> {
        let hash = Sha256::digest(code.trim().as_bytes()).to_vec();
        let now = now_ms();
        let accounts = read_rows::<Account>(&self.store, RowKind::Accounts)?;
        let found = accounts.into_iter().find(|(_, account)| {
            let begins = account.begins_by.as_ref();
            begins.is_some_and(|(known, until)| *known == hash && now < *until)
        });
        found
            .and_then(|(name, account)| {
                let staff = StaffId::from_bytes(<[u8; 32]>::try_from(name).ok()?);
                Some(self.signing(staff, account))
            })
            .ok_or_else(|| {
                Failure::new(
                    Ending::NotAllowed,
                    "This code begins no account any more.",
                    "A code works once, for seven days: ask whoever runs this node for a new one.",
                )
            })
    }

    /// Begins an account: its passphrase was chosen, and the app has shown a right code.
    ///
    /// # Errors
    /// When the code begins none, or a code of the hour was used already.
    pub(crate) fn account_begin(
        &mut self,
        code: &str,
        (salt, hash): (Vec<u8>, Vec<u8>),
        step: u64,
    ) -> Result<StaffId, Failure> {
        let Signing {
            staff, mut account, ..
        } = self.account_of_code(code)?;
        self.may_act(staff, Actions::READ)?;
        account.begins_by = None;
        account.passphrase = Some((salt.into(), hash.into()));
        account.last_step = step;
        self.commit(vec![kept(staff, &account)])?;
        Ok(staff)
    }

    /// The account of a name, where one was begun.
    ///
    /// # Errors
    /// When the store cannot be read, and when they have to wait.
    pub(crate) fn account_named(&self, name: &str) -> Result<Option<Signing>, Failure> {
        let lower = name.trim().to_lowercase();
        let mut members = self.staff_list()?.staff.into_iter();
        let member =
            members.find(|member| member.state == "active" && member.name.to_lowercase() == lower);
        let Some(staff) = member.and_then(|member| StaffId::from_hex(&member.id)) else {
            return Ok(None);
        };
        let account: Option<Account> = read_row(&self.store, RowKind::Accounts, staff.as_bytes())?;
        let Some(account) = account.filter(|account| account.passphrase.is_some()) else {
            return Ok(None);
        };
        if now_ms() < account.waits_until_ms {
            return Err(Failure::new(
                Ending::TryAgain,
                "There were too many wrong tries for this name.",
                "Wait a quarter of an hour, or ask whoever runs this node for a new code.",
            ));
        }
        Ok(Some(self.signing(staff, account)))
    }

    /// Somebody has signed in with a code of this step, or has not.
    ///
    /// # Errors
    /// When a code of this step was used already, and when it cannot be kept.
    pub(crate) fn account_tried(
        &mut self,
        staff: StaffId,
        step: Option<u64>,
    ) -> Result<(), Failure> {
        let account: Option<Account> = read_row(&self.store, RowKind::Accounts, staff.as_bytes())?;
        let Some(mut account) = account else {
            return Ok(());
        };
        match step {
            Some(step) if account.used(step) => {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    "This code of the app was used already.",
                    "Wait until the app shows the next one.",
                ));
            }
            Some(step) => {
                account.last_step = step;
                account.tries = 0;
            }
            None => {
                account.tries += 1;
                if account.tries >= TRIES {
                    account.tries = 0;
                    account.waits_until_ms = now_ms() + WAITS_MS;
                }
            }
        }
        self.commit(vec![kept(staff, &account)])
    }

    /// Which members of staff have an account.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn with_accounts(&self) -> Result<Vec<String>, Failure> {
        let accounts = read_rows::<Account>(&self.store, RowKind::Accounts)?;
        let begun = accounts
            .into_iter()
            .filter(|(_, account)| account.passphrase.is_some());
        Ok(begun
            .filter_map(|(name, _)| {
                let staff = StaffId::from_bytes(<[u8; 32]>::try_from(name).ok()?);
                Some(staff.to_string())
            })
            .collect())
    }

    fn signing(&self, staff: StaffId, account: Account) -> Signing {
        Signing {
            staff,
            name: self.name_of_staff(staff),
            account,
        }
    }
}

fn kept(staff: StaffId, account: &Account) -> Item {
    row(RowKind::Accounts, staff.as_bytes(), account)
}

#[cfg(test)]
mod tests;
