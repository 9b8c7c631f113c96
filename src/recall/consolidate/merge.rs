//! Merges facts: those of the same text, and those that the caller finds to say the same.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::super::Recall;
use super::super::same_text::normalised;
use super::plan::{Fact, Found};
use super::{Consolidated, MergedMemories, SimilarMemory, importance_of};
use crate::error::{Error, ErrorCode, Result};

/// The most groups of similar facts that are reported.
const MOST_SIMILAR: usize = 1000;

impl Recall<'_> {
    /// Merges facts into another one, which keeps its text and receives their uses and lessons. The merged facts are
    /// saved, and [`Recall::undo_consolidation`] restores them.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such fact; `invalid_argument` if one is named twice, or none is to be merged. On any
    /// error, nothing is changed.
    pub fn merge(&self, keep: i64, others: &[i64]) -> Result<Consolidated> {
        if others.is_empty() {
            return Err(Error::invalid_argument("There is nothing to merge: name at least one other fact."));
        }
        let mut seen = HashSet::from([keep]);
        if let Some(twice) = others.iter().find(|id| !seen.insert(**id)) {
            return Err(Error::invalid_argument(format!("The fact {twice} is named twice.")));
        }
        // Deleted rows are removed from the index first, with their lessons.
        self.index()?;
        self.write_uses()?;
        let connection = self.connection();
        let mut run = 0;
        self.db.atomically(&mut || {
            let mut there = connection.prepare_cached("SELECT 1 FROM semantic_memories WHERE id = ?")?;
            for id in others.iter().chain([&keep]) {
                if !there.exists([id])? {
                    return Err(Error::new(ErrorCode::NotFound, format!("There is no fact {id}.")));
                }
            }
            connection.execute("INSERT INTO consolidations (timestamp) VALUES (?)", [self.db.now()])?;
            run = connection.last_insert_rowid();
            others.iter().try_for_each(|id| self.put_away(run, *id, "merged", Some(keep)))?;
            self.remove(others.iter())
        })?;
        let merged = vec![MergedMemories { kept: keep, removed: others.to_vec() }];
        Ok(Consolidated { id: Some(run), merged, ..Consolidated::default() })
    }

    /// The facts of a group that still have the same text, merged: the most important stays, or the newest of several
    /// equally important ones.
    pub(super) fn as_it_is_now(&self, group: &[Fact]) -> Result<Option<MergedMemories>> {
        let mut still: Vec<(f64, i64)> = Vec::with_capacity(group.len());
        for fact in group {
            still.extend(self.read_again(fact, fact.id)?.map(|(importance, _)| (importance, fact.id)));
        }
        still.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        let mut ids = still.into_iter().map(|(_, id)| id);
        let (kept, removed) = (ids.next(), ids.collect::<Vec<_>>());
        Ok(kept.filter(|_| !removed.is_empty()).map(|kept| MergedMemories { kept, removed }))
    }

    /// The groups of facts near each other, without facts that changed since they were read. A merged fact is replaced
    /// by the one that stayed.
    pub(super) fn similar(&self, found: &Found, merged: &[MergedMemories]) -> Result<Vec<Vec<SimilarMemory>>> {
        let pairs = merged.iter().flat_map(|merged| merged.removed.iter().map(|removed| (*removed, merged.kept)));
        let became: HashMap<i64, i64> = pairs.collect();
        let mut groups = Vec::new();
        for group in &found.similar {
            let mut still = Vec::with_capacity(group.len());
            for fact in group {
                let id = became.get(&fact.id).copied().unwrap_or(fact.id);
                still.extend(self.read_again(fact, id)?.map(|(_, content)| SimilarMemory { id, content }));
            }
            if still.len() > 1 {
                groups.push(still);
            }
            if groups.len() == MOST_SIMILAR {
                break;
            }
        }
        Ok(groups)
    }

    /// The importance and the text of the fact with this id, if its category and its text are still those of `fact`.
    fn read_again(&self, fact: &Fact, id: i64) -> Result<Option<(f64, String)>> {
        let sql =
            "SELECT coalesce(category, ''), content, coalesce(importance, 0.5) FROM semantic_memories WHERE id = ?";
        let read = self.connection().prepare_cached(sql)?.query_row([id], |row| {
            let reads = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_str().ok());
            let is_there = reads(0) == Some(&fact.category);
            let content = reads(1).filter(|text| is_there && normalised(text) == *fact.text);
            Ok(content.map(|content| (importance_of(row, 2), content.to_owned())))
        });
        Ok(read.optional()?.flatten())
    }

    /// Saves a row as it is, before it is deleted. The fact that it is merged into receives its uses and lessons.
    pub(super) fn put_away(&self, run: i64, id: i64, action: &str, into: Option<i64>) -> Result<()> {
        self.note(run, id, action, into)?;
        if let Some(kept) = into {
            let new = "SELECT uncertainty, effect FROM memory_lessons WHERE id = ?2 << 3 | 2 AND uncertainty NOT IN
                         (SELECT uncertainty FROM memory_lessons WHERE id = ?1 << 3 | 2)";
            let noted = format!(
                "UPDATE consolidated_memories SET after = (SELECT json_group_array(uncertainty) FROM ({new}))
                 WHERE consolidation = ?3 AND memory = ?2"
            );
            self.connection().prepare_cached(&noted)?.execute(params![kept, id, run])?;
            let handed_on =
                format!("INSERT INTO memory_lessons (id, uncertainty, effect) SELECT ?1 << 3 | 2, * FROM ({new})");
            self.connection().prepare_cached(&handed_on)?.execute(params![kept, id])?;
            self.add_uses("+", run, id)?;
        }
        Ok(())
    }

    /// Adds the uses of a merged fact to those of the fact that it was merged into, or subtracts them.
    pub(super) fn add_uses(&self, sign: &str, run: i64, memory: i64) -> Result<()> {
        let theirs = "SELECT coalesce(before ->> 'uses', 0) FROM consolidated_memories
                      WHERE consolidation = ?1 AND memory = ?2";
        let sql = format!(
            "INSERT INTO memory_uses (id, uses)
             SELECT merged_into << 3 | 2, max(0, 0 {sign} ({theirs})) FROM consolidated_memories
             WHERE consolidation = ?1 AND memory = ?2 AND merged_into IS NOT NULL
             ON CONFLICT (id) DO UPDATE SET uses = max(0, uses {sign} ({theirs}))"
        );
        self.connection().prepare_cached(&sql)?.execute([run, memory])?;
        Ok(())
    }

    /// Deletes facts in one statement, because each statement that ends scans what SQLite keeps to roll a savepoint
    /// back.
    pub(super) fn remove<'i>(&self, ids: impl Iterator<Item = &'i i64>) -> Result<()> {
        let ids = ids.map(i64::to_string).collect::<Vec<_>>().join(",");
        let sql = "DELETE FROM semantic_memories WHERE id IN (SELECT value FROM json_each('[' || ? || ']'))";
        self.connection().execute(sql, [ids])?;
        Ok(())
    }
}
