//! Text that people copy or scan: a scheme that says what it is for, and bytes in Base64.

use data_encoding::BASE64URL_NOPAD;
use kith_protocol::codec;
use serde::{Serialize, de::DeserializeOwned};

/// A value as such a text.
pub(super) fn written<T: Serialize>(scheme: &str, value: &T) -> String {
    format!("{scheme}{}", BASE64URL_NOPAD.encode(&codec::encode(value)))
}

/// The value of such a text; nothing where it is of another scheme or not whole.
pub(super) fn read<T: Serialize + DeserializeOwned>(scheme: &str, text: &str) -> Option<T> {
    let text = text.trim().strip_prefix(scheme)?;
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    codec::decode(&bytes).ok()
}
