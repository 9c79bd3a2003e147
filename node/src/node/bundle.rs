use std::path::Path;
use kith_protocol::record::Record;
use super::{Node, export::BundleTo};
use crate::{api::{Exported, Imported, Verified}, failure::Failure};
impl Node {
    pub(super) fn export_bundle(&mut self, _r: &mut Record, _p: &Path, _t: &BundleTo) -> Result<Exported, Failure> { todo!() }
    pub(super) fn import_bundle(&mut self, _p: &Path, _i: &mut Imported) -> Result<(), Failure> { todo!() }
    pub(super) fn verify_bundle(&mut self, _p: &Path) -> Result<Verified, Failure> { todo!() }
    pub(super) fn summary(&mut self, _r: &mut Record, _n: &str) -> Result<serde_json::Value, Failure> { todo!() }
}
