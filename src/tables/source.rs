//! The list of the tables.

/// A table whose rows are recalled. The numbers stand in files; revision 003 knows them too.
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
