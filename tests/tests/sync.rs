//! Nodes that were apart hold the same when they have met: whatever was written meanwhile, in
//! whichever order it came, whoever died over it, and whoever wants to keep them from it.

mod apart;
mod broken_off;
mod hostile;
mod killed;
mod logs;
mod neighbours;
mod reunion;
mod stopped;
