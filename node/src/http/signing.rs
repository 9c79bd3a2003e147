//! Proving who signs in: a passphrase under Argon2id, and a code of the hour from an app.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use totp_rs::{Builder, Totp};

use crate::{
    failure::{Ending, Failure},
    store::random,
};

/// Argon2id as OWASP recommends it: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The shortest passphrase, in characters.
pub(super) const PASSPHRASE_LEN_MIN: usize = 12;
/// The longest that is looked at, in bytes.
const PASSPHRASE_LEN_MAX: usize = 1_000;

/// So many passphrases are worked on at once: each takes 19 MiB.
static WORKING: Semaphore = Semaphore::const_new(2);

/// What a new passphrase is kept as: a salt and a hash.
pub(super) async fn hashed(passphrase: &str) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let too_short = passphrase.chars().count() < PASSPHRASE_LEN_MIN;
    if too_short || passphrase.len() > PASSPHRASE_LEN_MAX {
        return Err(Failure::new(
            Ending::Usage,
            format!("A passphrase has at least {PASSPHRASE_LEN_MIN} characters."),
            "Take four or five words. Nothing was changed.",
        ));
    }
    let salt = random::<16>().to_vec();
    let hash = work(passphrase.to_owned(), salt.clone()).await?;
    Ok((salt, hash))
}

/// Whether a passphrase is the one of a salt and hash. Where there is none, the work is done all
/// the same, so that how long it takes does not say who has an account.
pub(super) async fn is_right(
    passphrase: &str,
    known: Option<(&[u8], &[u8])>,
) -> Result<bool, Failure> {
    if passphrase.len() > PASSPHRASE_LEN_MAX {
        return Ok(false);
    }
    let (salt, hash) = known.unwrap_or((&[0; 16], &[]));
    let worked = work(passphrase.to_owned(), salt.to_vec()).await?;
    // Hashes of both are compared, so that how long it takes says nothing of either.
    let is_same = blake3::hash(&worked) == blake3::hash(hash);
    Ok(is_same && known.is_some())
}

async fn work(passphrase: String, salt: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let not_worked = || {
        Failure::new(
            Ending::TryAgain,
            "The passphrase could not be looked at.",
            "Try again in a moment. Nothing was changed.",
        )
    };
    let place = WORKING.acquire().await.map_err(|_| not_worked())?;
    let worked = tokio::task::spawn_blocking(move || {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
        let mut hash = vec![0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut hash)
            .ok()?;
        Some(hash)
    });
    let worked = worked.await.ok().flatten();
    drop(place);
    worked.ok_or_else(not_worked)
}

/// The codes of an app that shares a secret with this node.
pub(super) fn codes(shared: &[u8], name: &str, issuer: &str) -> Result<Totp, Failure> {
    // A colon parts the two in the app's link.
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_secret(shared.to_vec())
        .with_account_name(plain(name))
        .with_issuer(Some(plain(issuer)))
        .build()
        .map_err(|error| {
            Failure::new(
                Ending::Failed,
                "The codes of this account cannot be made.",
                "Ask whoever runs this node for a new code.",
            )
            .because(&error)
        })
}

/// The step of a code that is right now.
pub(super) fn step(codes: &Totp, code: &str) -> Option<u64> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    codes.check(&digits, now.unwrap_or(Duration::ZERO).as_secs())
}

#[cfg(test)]
mod tests {
    use super::{codes, hashed, is_right};

    #[tokio::test]
    async fn a_passphrase_is_told_from_another_and_from_none() {
        let (salt, hash) = hashed("birch lamp river forty").await.expect("long enough");
        let known = Some((salt.as_slice(), hash.as_slice()));
        assert!(
            is_right("birch lamp river forty", known)
                .await
                .expect("worked")
        );
        assert!(
            !is_right("birch lamp river fifty", known)
                .await
                .expect("worked")
        );
        assert!(
            !is_right("birch lamp river forty", None)
                .await
                .expect("worked")
        );
        assert!(hashed("too short").await.is_err());
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the SHA-1 codes of this secret, of which six digits are used.
        let codes = codes(b"12345678901234567890", "Sam: Field", "Riverside").expect("codes");
        assert_eq!(codes.check("287082", 59), Some(1));
        assert_eq!(codes.check("081804", 1_111_111_109), Some(37_037_036));
        assert_eq!(codes.check("287082", 1_111_111_109), None);
        let link = codes.to_url().expect("a link");
        assert!(
            link.starts_with("otpauth://totp/") && link.contains("issuer=Riverside"),
            "{link}"
        );
    }
}
