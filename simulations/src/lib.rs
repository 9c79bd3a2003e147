//! The other shell: the node's own engine over a virtual network, disk and clock.
//!
//! A [`World`] holds [`Host`]s, each with a [`Disk`], an engine and keys made from the seed. Links
//! between them carry frames in order, as streams do, with delay, bandwidth and loss; they can be
//! cut, in one direction too, and lead through relays. Clocks can be wrong, disks lose what was not
//! synced, and hosts crash, sleep and come back with what their disk holds, or with an older copy.
//! Everything follows from the seed: the same seed and the same steps give the same frames, byte
//! for byte.
//!
//! ```
//! use kith_simulations::{Sight, World};
//!
//! let mut world = World::new(7);
//! let practice = world.host();
//! let daughter = world.host();
//! let record = world.record(practice);
//! world.write(practice, record, "plans:general", "ReSPECT: for care at home");
//! world.share(practice, record, daughter, &[Sight::sees("plans:general")]);
//! world.run_for(60_000);
//! assert_eq!(world.texts(daughter, record), ["ReSPECT: for care at home"]);
//! ```

mod clock;
mod disk;
pub mod histories;
mod host;
mod network;
pub mod parity;
pub mod study;
mod world;

pub use clock::Clock;
pub use disk::{Disk, Leaves, Trouble};
pub use host::{Claim, Done, Host, Share, Shown, shown_by, with_other_payload};
pub use network::{Fate, Nat, Network, Route, STALL_MS, Way, Wire};
pub use world::{Arrived, HostId, Misdeed, Passed, Sent, Sight, World, document_named, event_of};
