//! Memories that become one: those of the same text, and those that whoever reads them says are the same.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::super::Recall;
use super::super::same_text::normalised;
use super::plan::{Fact, Found};
use super::{Consolidated, MergedMemories, SimilarMemory, importance_of};
use crate::error::{Error, ErrorCode, Result};

/// How many groups of similar memories are told of at the most.
const MOST_SIMILAR: usize = 1000;

impl Recall<'_> {
    /// Makes memories part of another one, which stays as it is and has what use has taught of them. They are put away and come
    /// back with [`Recall::undo_consolidation`].
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such memory; `invalid_argument` where one is named twice, or none is to be merged.
    /// Nothing is changed then.
    pub fn merge(&self, keep: i64, others: &[i64]) -> Result<Consolidated> {
        if others.is_empty() {
            return Err(Error::invalid_argument("There is nothing to be merged: name at least one other memory."));
        }
        let mut seen = HashSet::from([keep]);
        if let Some(twice) = others.iter().find(|id| !seen.insert(**id)) {
            return Err(Error::invalid_argument(format!("The memory {twice} is named twice.")));
        }
        // What was deleted is taken out of the index first, with what it had learnt.
        self.index()?;
        self.write_uses()?;
        let connection = self.connection();
        let mut run = 0;
        self.db.atomically(&mut || {
            let mut there = connection.prepare_cached("SELECT 1 FROM semantic_memories WHERE id = ?")?;
            for id in others.iter().chain([&keep]) {
                if !there.exists([id])? {
                    return Err(Error::new(ErrorCode::NotFound, format!("There is no semantic memory {id}.")));
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

    /// What of a group is still the same: the most important of it stays, or of several the newest.
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

    /// What of the groups that are near each other is still there as it was read; of those that became one, the one that
    /// stayed.
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

    /// The importance and the text of the memory with this id, if it is still in the fact's category and says the same.
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

    /// Keeps a row that is about to be deleted as it is. The one that it becomes a part of has what
    /// use has taught of it from here on.
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

    /// Adds to the uses of the memories that others were merged into, or takes away, what those others had; of all that
    /// were, or of one.
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

    /// Deletes memories: all at once, for each statement that ends goes through what SQLite keeps to take a savepoint back.
    pub(super) fn remove<'i>(&self, ids: impl Iterator<Item = &'i i64>) -> Result<()> {
        let ids = ids.map(i64::to_string).collect::<Vec<_>>().join(",");
        let sql = "DELETE FROM semantic_memories WHERE id IN (SELECT value FROM json_each('[' || ? || ']'))";
        self.connection().execute(sql, [ids])?;
        Ok(())
    }
}
