//! A row and its table as one number, which is the rowid in all tables that recall keeps.

use std::ops::RangeInclusive;

use crate::tables::MemoryTable;

/// The rowids that fit into an item.
pub const IDS: RangeInclusive<i64> = i64::MIN >> 3..=i64::MAX >> 3;

/// A row: its rowid times eight, plus the number of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(pub i64);

impl Item {
    /// The item of a row of a table.
    pub fn new(table: MemoryTable, row: i64) -> Self {
        Self(row << 3 | table as i64)
    }

    /// The table. A number that no table has is treated as the last table's, where no such row is found.
    pub fn table(self) -> MemoryTable {
        MemoryTable::ALL[((self.0 & 7) as usize).min(MemoryTable::ALL.len() - 1)]
    }

    /// The rowid.
    pub fn row(self) -> i64 {
        self.0 >> 3
    }
}

/// A set of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryTables(u8);

impl MemoryTables {
    /// The set of these tables.
    pub fn of(tables: &[MemoryTable]) -> Self {
        let mut all = Self::default();
        tables.iter().for_each(|table| all.add(*table));
        all
    }

    /// Adds a table.
    pub fn add(&mut self, table: MemoryTable) {
        self.0 |= 1 << table as u8;
    }

    /// Whether the set has this table.
    pub fn has(self, table: MemoryTable) -> bool {
        self.0 >> table as u8 & 1 == 1
    }

    /// One bit per table, at the table's number.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Whether the other set has all tables of this one.
    pub fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }
}
