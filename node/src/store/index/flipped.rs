//! Damage for tests: one bit of a sealed row.

use kith_protocol::store::{RowKey, StoreError};
use redb::ReadableTable;

use super::{
    Index, guarded,
    tables::{self, ROWS},
};

impl Index {
    /// Flips a bit of a row as it stands in the index; tells whether there is such a row.
    pub(in crate::store) fn flip_in_row(
        &self,
        key: &RowKey,
        at: usize,
    ) -> Result<bool, StoreError> {
        let hashed = tables::row_key(&self.keys.names, key);
        guarded(|| {
            let transaction = self.database.begin_write()?;
            let mut rows = transaction.open_table(ROWS)?;
            let held = rows.get(hashed.as_slice())?;
            let mut sealed = held.map(|sealed| sealed.value().to_vec());
            if let Some(sealed) = &mut sealed {
                let place = at % sealed.len();
                sealed[place] ^= 1 << (at % 8);
                rows.insert(hashed.as_slice(), sealed.as_slice())?;
            }
            drop(rows);
            transaction.commit()?;
            Ok(sealed.is_some())
        })
    }
}
