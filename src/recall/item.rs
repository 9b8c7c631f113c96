//! Which row of which table: one number for both, which is the rowid of everything that recall keeps.

use std::ops::RangeInclusive;

use crate::tables::MemoryTable;

/// The rowids that have an item.
pub const IDS: RangeInclusive<i64> = i64::MIN >> 3..=i64::MAX >> 3;

/// A row: the rowid times eight, and the number of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(pub i64);

impl Item {
    /// The row of a table.
    pub fn new(table: MemoryTable, row: i64) -> Self {
        Self(row << 3 | table as i64)
    }

    /// Its table; what no table has the number of is taken for the last one's, where it is not found.
    pub fn table(self) -> MemoryTable {
        MemoryTable::ALL[((self.0 & 7) as usize).min(MemoryTable::ALL.len() - 1)]
    }

    /// Its rowid.
    pub fn row(self) -> i64 {
        self.0 >> 3
    }
}

/// Some of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryTables(u8);

impl MemoryTables {
    /// These.
    pub fn of(tables: &[MemoryTable]) -> Self {
        let mut all = Self::default();
        tables.iter().for_each(|table| all.add(*table));
        all
    }

    /// Adds one.
    pub fn add(&mut self, table: MemoryTable) {
        self.0 |= 1 << table as u8;
    }

    /// Whether it is among them.
    pub fn has(self, table: MemoryTable) -> bool {
        self.0 >> table as u8 & 1 == 1
    }

    /// A bit for each, by its number.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of them are among the others.
    pub fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }
}
