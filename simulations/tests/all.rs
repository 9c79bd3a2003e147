//! The engine in virtual time: what two and more nodes tell each other, and what they do not.

#[path = "all/broken_off.rs"]
mod broken_off;
#[path = "all/faults.rs"]
mod faults;
#[path = "all/histories.rs"]
mod histories;
#[path = "all/hostile.rs"]
mod hostile;
#[path = "all/leaks.rs"]
mod leaks;
#[path = "all/owed.rs"]
mod owed;
#[path = "all/parcels.rs"]
mod parcels;
#[path = "all/parity.rs"]
mod parity;
#[path = "all/passed_over.rs"]
mod passed_over;
#[cfg(feature = "planted-bugs")]
#[path = "all/planted.rs"]
mod planted;
#[path = "all/random.rs"]
mod random;
#[path = "all/returning.rs"]
mod returning;
#[path = "all/sharing.rs"]
mod sharing;
#[path = "all/study.rs"]
mod study;
#[path = "all/trouble.rs"]
mod trouble;
