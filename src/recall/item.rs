//! Which row of which table: one number for both, which is the rowid of everything that recall keeps.

/// A table whose rows are recalled. The numbers stand in files; revision 002 knows them too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `turns`.
    Turns = 0,
    /// `episodes`.
    Episodes = 1,
    /// `semantic_memories`.
    Semantic = 2,
    /// `long_term`, by rowid.
    LongTerm = 3,
    /// `uncertainty_log`.
    Uncertainty = 4,
}

impl Source {
    /// All of them, in the order of their numbers.
    pub const ALL: [Source; 5] =
        [Source::Turns, Source::Episodes, Source::Semantic, Source::LongTerm, Source::Uncertainty];
}

/// A row: the rowid times eight, and the number of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(pub i64);

impl Item {
    /// The row of a table.
    pub fn new(source: Source, row: i64) -> Self {
        Self(row << 3 | source as i64)
    }

    /// Its table; what no table has the number of is taken for the last one's, where it is not found.
    pub fn source(self) -> Source {
        Source::ALL[((self.0 & 7) as usize).min(Source::ALL.len() - 1)]
    }

    /// Its rowid.
    pub fn row(self) -> i64 {
        self.0 >> 3
    }
}

/// Some of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources(u8);

impl Sources {
    /// These.
    pub fn of(sources: &[Source]) -> Self {
        let mut all = Self::default();
        sources.iter().for_each(|source| all.add(*source));
        all
    }

    /// Adds one.
    pub fn add(&mut self, source: Source) {
        self.0 |= 1 << source as u8;
    }

    /// Whether it is among them.
    pub fn has(self, source: Source) -> bool {
        self.0 >> source as u8 & 1 == 1
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
