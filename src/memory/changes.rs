//! What commits changed, for all that listen: embedding, other tabs, and live queries.

use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::changes::{ChangeKind, Changed, Deleted, MAX_KEYS, Run};
use crate::db::texts;
use crate::tables::MemoryTable;

/// What was changed and committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Tsify)]
pub struct Changes {
    /// The tables whose rows were added, changed or deleted.
    pub tables: Vec<MemoryTable>,
    /// The rows, in the order in which they were changed.
    pub rows: Vec<ChangedRows>,
    /// The app's own tables that changed.
    pub own: Vec<String>,
    /// Whether more rows were changed than are listed here.
    pub missed: bool,
    /// Whether the database or its schema was replaced: by an import, a restored backup or a migration.
    pub replaced: bool,
}

/// Rows with consecutive ids that were changed in the same way, one after the other. The rows of one `add` are one
/// entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ChangedRows {
    /// Their table.
    pub table: MemoryTable,
    /// What happened to them.
    pub kind: ChangeKind,
    /// The lowest id; for `longTerm`, the lowest rowid.
    pub first: i64,
    /// The highest id; for `longTerm`, the highest rowid.
    pub last: i64,
    /// For `longTerm`, their keys: its rows are identified by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub keys: Option<Vec<String>>,
}

impl Memory {
    /// What was changed and committed since the last call; `None` if nothing was.
    pub fn take_changes(&self) -> Option<Changes> {
        self.db.take_changes().map(|changed| {
            let tables = MemoryTable::ALL.into_iter().filter(|table| changed.has(*table as usize)).collect();
            let Changed { runs, deleted, own, mut missed, replaced, .. } = changed;
            let mut names = Names { deleted, reported: 0 };
            let mut rows = Vec::with_capacity(runs.len());
            for run in runs {
                let table = MemoryTable::ALL[run.table];
                let Run { kind, first, mut last, .. } = run;
                let mut keys = None;
                if table == MemoryTable::LongTerm {
                    let named = names.of(self, &run);
                    missed |= named.len() as i64 != last - first + 1;
                    last = first + named.len() as i64 - 1;
                    keys = Some(named);
                }
                if first <= last {
                    rows.push(ChangedRows { table, kind, first, last, keys });
                }
            }
            Changes { tables, rows, own, missed, replaced }
        })
    }
}

/// Resolves rowids of `long_term` to keys.
///
/// The key of a row never changes. So the key at the time of a change is the one that was recorded at the row's next
/// deletion, or, if the row was not deleted since, the key that it has now.
struct Names {
    /// The deletions that have not been reached yet.
    deleted: Vec<Deleted>,
    /// How many keys have been reported.
    reported: usize,
}

impl Names {
    /// The keys of a run, up to the first that is not known.
    fn of(&mut self, memory: &Memory, run: &Run) -> Vec<String> {
        let mut keys = Vec::new();
        for row in run.first..=run.last {
            let Some(key) = self.key(memory, row, run.kind).filter(|_| self.reported < MAX_KEYS) else { break };
            keys.push(key);
            self.reported += 1;
        }
        keys
    }

    fn key(&mut self, memory: &Memory, row: i64, kind: ChangeKind) -> Option<String> {
        let at = self.deleted.iter().position(|deleted| deleted.0 == row);
        match (at, kind) {
            (Some(at), ChangeKind::Delete) => self.deleted.remove(at).1,
            (Some(at), _) => self.deleted[at].1.clone(),
            (None, ChangeKind::Delete) => None,
            (None, _) => {
                let key = "SELECT key FROM long_term WHERE rowid = ?";
                texts(memory.db.connection(), key, &[&row]).ok()?.pop()
            }
        }
    }
}
