//! What commits changed, for those who listen: embedding, other tabs, and whoever shows rows.

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
    /// The tables of the app's own that changed.
    pub own: Vec<String>,
    /// Whether there were more rows than these.
    pub missed: bool,
    /// Whether another database, or another schema, took the place of the one that was there: by an import, a restored
    /// backup or a migration.
    pub replaced: bool,
}

/// Rows with consecutive ids that were changed alike, one after the other. So the rows of one `add` are one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ChangedRows {
    /// Their table.
    pub table: MemoryTable,
    /// What became of them.
    pub kind: ChangeKind,
    /// The lowest id; of `longTerm`, the rowid.
    pub first: i64,
    /// The highest.
    pub last: i64,
    /// Of `longTerm`, their keys, as its rows are known by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub keys: Option<Vec<String>>,
}

impl Memory {
    /// What was changed and committed since this was last called; none if that is nothing.
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

/// How rowids of `long_term` become keys.
///
/// A key never changes, so a row has the key that is noted when it is next deleted; if it was not deleted, the one that it
/// has now.
struct Names {
    /// Those that are not reached yet.
    deleted: Vec<Deleted>,
    /// How many keys were reported.
    reported: usize,
}

impl Names {
    /// The keys of a run, as far as they are known.
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
