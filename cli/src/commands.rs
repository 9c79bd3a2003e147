//! The commands, one file each.

pub mod add;
pub mod backup;
pub mod bench;
pub mod change;
pub mod completions;
pub mod control;
pub mod demo;
pub mod emergency;
pub mod events;
pub mod explain;
pub mod export;
pub mod import;
pub mod invitation;
pub mod join;
pub mod practice;
pub mod record;
pub mod restore;
pub mod review;
pub mod run;
pub mod setup;
pub mod share;
pub mod sharing;
pub mod status;
pub mod stop;
pub mod verify;
pub mod who_looked;
