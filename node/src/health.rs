//! Health data in the forms that other software reads: pure values in, values out.

pub mod ips;
