//! Values by number.

use std::collections::BTreeMap;

/// Values by number, equal ones once.
#[derive(Clone, Debug)]
pub(in crate::consent::ledger) struct Interned<T> {
    pub(super) values: Vec<T>,
    numbers: BTreeMap<T, usize>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone> Interned<T> {
    pub(super) fn number(&mut self, value: T) -> usize {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = self.values.len();
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    pub(in crate::consent::ledger) fn get(&self, number: usize) -> &T {
        &self.values[number]
    }
}
