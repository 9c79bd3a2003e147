//! Meeting somebody for the first time: by four spoken words, or by a link.
//!
//! One conversation for both, on a stream of its own that strangers may open. The guest knocks at
//! a door: the first of four words, or the name that a link's secret has. Both then find a key by
//! SPAKE2 (`key`), with the keys of the two devices as identities, so that whoever stands
//! between them has another key than either. The guest proves that it has the key, then the host;
//! until then the host says nothing of itself or of a record. Everything after that carries a MAC
//! of the key. The host then says what it offers, the guest takes it or does not, and only then is
//! anything given or stored ([`host`], [`guest`]).

pub mod code;
pub mod guest;
pub mod host;
mod key;
pub mod message;
pub mod newcomer;
pub mod place;
pub mod questioner;
pub mod reception;
pub mod sheet;
pub mod words;
