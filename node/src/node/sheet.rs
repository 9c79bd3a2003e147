//! The owner's root key, sealed to the code of the recovery sheet of the device on which they
//! began. Every device of theirs keeps it so, and none but the first can use it without the code:
//! who has lost that one retires it from any other, and who steals another cannot.

use kith_protocol::{
    consent::devices,
    identity::SecretKey,
    store::{Item, StoreError},
};

use super::{
    Node,
    identity::{Identity, RowKind, read_row, row},
};
use crate::{
    failure::{Ending, Failure},
    store::{KeystoreError, SheetSealed},
};

/// The row that keeps the root key of a new owner for the sheet that `code` stands on.
pub(super) fn kept(identity: &Identity, code: &str) -> Result<Option<Item>, Failure> {
    let Some(root) = identity.root_key() else {
        return Ok(None);
    };
    let sealed = SheetSealed::seal(&root.seed(), code).map_err(|error| not_opened(&error))?;
    Ok(Some(item(&sealed)))
}

/// The row of a device that was given the sealed key.
pub(super) fn item(sealed: &SheetSealed) -> Item {
    row(RowKind::Sheet, b"", sealed)
}

impl Node {
    /// The root key as the sheet's code opens it; nothing on devices that were never given it.
    pub(super) fn sealed_root(&self) -> Result<Option<SheetSealed>, StoreError> {
        read_row(&self.store, RowKind::Sheet, b"")
    }

    /// The owner's root key, by the code of the recovery sheet.
    pub(super) fn root_by_sheet(&self, code: &str) -> Result<SecretKey, Failure> {
        let sealed = self.sealed_root()?.ok_or_else(not_kept)?;
        let seed = sealed
            .open(&as_printed(code))
            .map_err(|error| not_opened(&error))?;
        let root = SecretKey::from_seed(*seed);
        let log = self.principal_log()?;
        let is_owners = devices::root_keys(&log, self.identity.principal).contains(&root.device());
        is_owners.then_some(root).ok_or_else(not_kept)
    }
}

/// The code as it stands on the sheet, however it was typed.
fn as_printed(code: &str) -> String {
    code.trim().to_lowercase()
}

fn not_kept() -> Failure {
    Failure::new(
        Ending::Failed,
        "This device was not given the key that a recovery sheet opens.",
        "Use the device on which you began, or one that was restored from its backup. Nothing was changed.",
    )
}

fn not_opened(error: &KeystoreError) -> Failure {
    let failure = match error {
        KeystoreError::Wrong => Failure::new(
            Ending::Locked,
            "That is not the code of the right recovery sheet.",
            "It is on the sheet of the device on which you began, not of the one that was added later. Nothing was changed.",
        ),
        KeystoreError::Damaged | KeystoreError::Exposed { .. } | KeystoreError::Io(_) => {
            Failure::new(
                Ending::Failed,
                "The key for the recovery sheet cannot be used.",
                "This node's store may be damaged: kith verify says so. Nothing was changed.",
            )
        }
    };
    failure.because(error)
}
