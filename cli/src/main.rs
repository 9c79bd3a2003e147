//! kith
fn main() {}
