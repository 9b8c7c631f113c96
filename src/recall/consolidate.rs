//! Tidying up semantic memories: duplicates merged, importance faded, the least important forgotten. Only when asked, all or
//! nothing, and with a way back: each row as it was is put away first.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::Recall;
use super::duplicates::{Fact, groups};
use super::item::Item;
use super::question::DUPLICATE_THRESHOLD;
use crate::db::ask;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::MemoryTable;

const DAY: f64 = 86_400.0;
/// A row as JSON, with what use has taught of it: from this it can be made again.
const ROW: &str = "json_object('timestamp', timestamp, 'content', content, 'category', category,
    'importance', importance, 'metadata', metadata,
    'uses', (SELECT uses FROM memory_uses AS i WHERE i.id = semantic_memories.id << 3 | 2),
    'lessons', json((SELECT json_group_array(json_array(uncertainty, effect)) FROM memory_lessons AS l
                     WHERE l.id = semantic_memories.id << 3 | 2)))";

/// How to consolidate.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConsolidationOptions {
    /// From which cosine on two memories of a category say the same; 0.95 by default, above 1 only those of the same text.
    pub duplicate_threshold: f64,
    /// After how many days an importance has faded by half, infinite for never; 90 by default. One that was of use n times
    /// fades n + 1 times as slowly.
    pub half_life_days: f64,
    /// Memories of less importance than this, from 0 to 1, are forgotten; none by default.
    pub floor: Option<f64>,
    /// Whether only to tell what would be done; false by default.
    pub dry_run: bool,
}

impl Default for ConsolidationOptions {
    fn default() -> Self {
        Self { duplicate_threshold: DUPLICATE_THRESHOLD, half_life_days: 90.0, floor: None, dry_run: false }
    }
}

/// Memories that became one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct MergedMemories {
    /// The one that stays.
    pub kept: i64,
    /// Those that said the same.
    pub removed: Vec<i64>,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Consolidated {
    /// Its id, to undo it by; none where nothing was to be done, or it was only tried.
    pub id: Option<i64>,
    /// What became one.
    #[tsify(type = "MergedMemories[]")]
    pub merged: Vec<MergedMemories>,
    /// How many faded.
    pub faded: u64,
    /// What was forgotten.
    pub forgotten: Vec<i64>,
}

/// A consolidation that is kept to be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct KeptConsolidation {
    /// Its id.
    pub id: i64,
    /// When it was, in Unix seconds.
    #[tsify(type = "Seconds")]
    pub timestamp: f64,
    /// How many memories it removed.
    pub removed: u64,
    /// How many it changed.
    pub changed: u64,
    /// When it was undone, in Unix seconds; null if it was not.
    #[tsify(type = "Seconds | null")]
    pub undone_at: Option<f64>,
}

impl Recall<'_> {
    /// Merges semantic memories that say the same, lets importance fade, and forgets what has faded below the floor.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range. Nothing is changed on any error.
    pub fn consolidate(&self, how: &ConsolidationOptions) -> Result<Consolidated> {
        let in_range = how.duplicate_threshold > 0.0
            && how.half_life_days > 0.0
            && how.floor.is_none_or(|floor| (0.0..=1.0).contains(&floor));
        if !in_range {
            let message = "A similarity and a half-life must be above 0, and a floor from 0 to 1.";
            return Err(Error::invalid_argument(message));
        }
        self.index()?;
        self.write_uses()?;
        let mut done = Consolidated::default();
        let mut change = || {
            done = self.carry_out(how)?;
            Ok(())
        };
        if how.dry_run {
            self.db.rehearse(&mut change)?;
            done.id = None;
        } else {
            self.db.atomically(&mut change)?;
        }
        Ok(done)
    }

    fn carry_out(&self, how: &ConsolidationOptions) -> Result<Consolidated> {
        let connection = self.connection();
        let now = self.db.now();
        let last: Option<f64> = ask(connection, "SELECT max(timestamp) FROM consolidations WHERE undone_at IS NULL")?;
        connection.execute("INSERT INTO consolidations (timestamp) VALUES (?)", [now])?;
        let run = connection.last_insert_rowid();
        let facts = self.facts()?;
        let mut done = Consolidated { id: Some(run), ..Consolidated::default() };

        let by_id: HashMap<i64, &Fact> = facts.iter().map(|fact| (fact.id, fact)).collect();
        let mut gone = HashSet::new();
        for mut group in groups(&facts, how.duplicate_threshold, self.model()?.map_or(0, |model| model.dimensions)) {
            // The most important stays, or of several the newest.
            group.sort_by(|a, b| by_id[b].importance.total_cmp(&by_id[a].importance).then(b.cmp(a)));
            let (kept, removed) = (group[0], group[1..].to_vec());
            for id in &removed {
                self.put_away(run, *id, "merged", Some(kept))?;
                gone.insert(*id);
            }
            done.merged.push(MergedMemories { kept, removed });
        }
        for fact in facts.iter().filter(|fact| !gone.contains(&fact.id)) {
            let since = last.map_or(fact.timestamp, |last| last.max(fact.timestamp));
            let days = ((now - since) / DAY).max(0.0);
            let importance = fact.importance * 0.5_f64.powf(days / how.half_life_days / (1.0 + f64::from(fact.uses)));
            if how.floor.is_some_and(|floor| importance < floor) {
                self.put_away(run, fact.id, "forgotten", None)?;
                done.forgotten.push(fact.id);
            } else if fact.importance - importance > 1e-6 {
                self.note(run, fact.id, "faded", None)?;
                let sql = "UPDATE semantic_memories SET importance = ? WHERE id = ?";
                connection.prepare_cached(sql)?.execute(params![importance, fact.id])?;
                let sql = "UPDATE consolidated_memories SET after = ? WHERE consolidation = ? AND memory = ?";
                connection.prepare_cached(sql)?.execute(params![importance.to_string(), run, fact.id])?;
                done.faded += 1;
            }
        }
        if done.merged.is_empty() && done.faded == 0 && done.forgotten.is_empty() {
            connection.execute("DELETE FROM consolidations WHERE id = ?", [run])?;
            done.id = None;
        }
        Ok(done)
    }

    /// Every semantic memory that can be read, with what is to be known of it here. Another program may have put what is no
    /// text there: nobody can say whether two of those say the same.
    fn facts(&self) -> Result<Vec<Fact>> {
        let model = self.model()?;
        let sql = "SELECT m.id, coalesce(m.timestamp, 0), coalesce(m.importance, 0.5), coalesce(m.category, ''),
                          m.content, coalesce(i.uses, 0)
                   FROM semantic_memories AS m LEFT JOIN memory_uses AS i ON i.id = m.id << 3 | 2 ORDER BY m.id";
        let mut statement = self.connection().prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let (Ok(category), Ok(content)) = (row.get(3), row.get::<_, String>(4)) else { continue };
            let vector = match &model {
                Some(model) => self.vector(Item::new(MemoryTable::Semantic, id).0, model)?.map(|(_, vector)| vector),
                None => None,
            };
            facts.push(Fact {
                id,
                // Another program may have put what is no number there.
                timestamp: row.get(1).unwrap_or_default(),
                importance: row.get::<_, f64>(2).unwrap_or(0.5).clamp(0.0, 1.0),
                category,
                text: content.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
                uses: row.get(5).unwrap_or_default(),
                vector,
            });
        }
        Ok(facts)
    }

    /// Keeps a row as it is.
    fn note(&self, run: i64, id: i64, action: &str, into: Option<i64>) -> Result<()> {
        let sql = format!(
            "INSERT INTO consolidated_memories (consolidation, memory, action, merged_into, before)
             SELECT ?, id, ?, ?, {ROW} FROM semantic_memories WHERE id = ?"
        );
        self.connection().prepare_cached(&sql)?.execute(params![run, action, into, id])?;
        Ok(())
    }

    /// Keeps a row as it is, and deletes it. One that says the same has what use has taught of it from here on.
    fn put_away(&self, run: i64, id: i64, action: &str, into: Option<i64>) -> Result<()> {
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
        self.connection().prepare_cached("DELETE FROM semantic_memories WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// Adds to the uses of the memories that others were merged into, or takes away, what those others had; of all that
    /// were, or of one.
    fn add_uses(&self, sign: &str, run: i64, memory: i64) -> Result<()> {
        let sql = format!(
            "INSERT INTO memory_uses (id, uses)
             SELECT merged_into << 3 | 2, max(0, 0 {sign} coalesce(before ->> 'uses', 0)) FROM consolidated_memories
             WHERE consolidation = ?1 AND memory = ?2 AND merged_into IS NOT NULL
             ON CONFLICT (id) DO UPDATE SET uses = max(0, uses {sign}
                 coalesce((SELECT before ->> 'uses' FROM consolidated_memories WHERE consolidation = ?1 AND memory = ?2), 0))"
        );
        self.connection().prepare_cached(&sql)?.execute([run, memory])?;
        Ok(())
    }

    /// Takes a consolidation back: what it removed is there again under its id, and what faded is as important as before,
    /// unless it was changed since. By default the last one; an earlier one only after those that came later.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none; `invalid_argument` where a later one is not undone.
    pub fn undo_consolidation(&self, id: Option<i64>) -> Result<u64> {
        // What was deleted is taken out of the index first: then what comes back under the same id keeps what it had learnt.
        self.index()?;
        let connection = self.connection();
        let sql = "SELECT id FROM consolidations WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1";
        let last: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let none = || Error::new(ErrorCode::NotFound, "There is no such consolidation that could be undone.");
        let last = last.ok_or_else(none)?;
        let run = id.unwrap_or(last);
        if run < last {
            let message = format!("Consolidation {last} came after {run}; undo it first.");
            return Err(Error::invalid_argument(message));
        }
        if run > last {
            return Err(none());
        }
        let mut restored = 0;
        self.db.atomically(&mut || {
            restored = self.restore(run)?;
            connection.execute("UPDATE consolidations SET undone_at = ? WHERE id = ?", params![self.db.now(), run])?;
            Ok(())
        })?;
        Ok(restored)
    }

    fn restore(&self, run: i64) -> Result<u64> {
        let connection = self.connection();
        let sql = "UPDATE semantic_memories SET importance = c.before ->> 'importance'
             FROM consolidated_memories AS c
             WHERE c.consolidation = ? AND c.action = 'faded' AND c.memory = semantic_memories.id
               AND semantic_memories.importance = CAST(c.after AS REAL)
               AND semantic_memories.content IS c.before ->> 'content'";
        let mut restored = connection.execute(sql, [run])? as u64;
        let sql = "SELECT memory FROM consolidated_memories WHERE consolidation = ? AND action <> 'faded' ORDER BY rowid DESC";
        // The last first: one that others were merged into may itself have been forgotten after that.
        let removed: Vec<i64> =
            connection.prepare(sql)?.query_map([run], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for memory in removed {
            self.restore_one(run, memory)?;
            restored += 1;
        }
        Ok(restored)
    }

    /// Brings a row back, with what use had taught of it; under its own id, unless that is somebody else's now.
    fn restore_one(&self, run: i64, memory: i64) -> Result<()> {
        let connection = self.connection();
        let sql = "INSERT INTO semantic_memories (id, timestamp, content, category, importance, metadata)
             SELECT iif(EXISTS (SELECT 1 FROM semantic_memories AS other WHERE other.id = memory), NULL, memory),
                    before ->> 'timestamp', before ->> 'content', before ->> 'category', before ->> 'importance',
                    before ->> 'metadata'
             FROM consolidated_memories WHERE consolidation = ? AND memory = ?";
        connection.prepare_cached(sql)?.execute([run, memory])?;
        let item = Item::new(MemoryTable::Semantic, connection.last_insert_rowid());
        let sql = "INSERT OR IGNORE INTO memory_lessons (id, uncertainty, effect)
             SELECT ?, value ->> 0, value ->> 1 FROM consolidated_memories AS c, json_each(c.before, '$.lessons')
             WHERE c.consolidation = ? AND c.memory = ? AND value ->> 0 IN (SELECT id FROM uncertainty_log)";
        connection.prepare_cached(sql)?.execute([item.0, run, memory])?;
        let sql = "INSERT OR REPLACE INTO memory_uses (id, uses)
             SELECT ?3, before ->> 'uses' FROM consolidated_memories
             WHERE consolidation = ?1 AND memory = ?2 AND before ->> 'uses' IS NOT NULL";
        connection.prepare_cached(sql)?.execute([run, memory, item.0])?;
        self.add_uses("-", run, memory)?;
        let sql = "DELETE FROM memory_lessons WHERE (id, uncertainty) IN
             (SELECT c.merged_into << 3 | 2, value FROM consolidated_memories AS c, json_each(c.after)
              WHERE c.consolidation = ? AND c.memory = ? AND c.action = 'merged')";
        connection.prepare_cached(sql)?.execute([run, memory])?;
        Ok(())
    }

    /// The consolidations that are kept, the newest first.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn consolidations(&self) -> Result<Vec<KeptConsolidation>> {
        let sql = "SELECT c.id, c.timestamp, c.undone_at, count(m.memory) FILTER (WHERE m.action <> 'faded'),
                          count(m.memory) FILTER (WHERE m.action = 'faded')
                   FROM consolidations AS c LEFT JOIN consolidated_memories AS m ON m.consolidation = c.id
                   GROUP BY c.id ORDER BY c.id DESC";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(KeptConsolidation {
                id: row.get(0)?,
                timestamp: row.get(1)?,
                undone_at: row.get(2)?,
                removed: row.get::<_, i64>(3)? as u64,
                changed: row.get::<_, i64>(4)? as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets go of what consolidations put away; they cannot be undone any more. Tells how many there were.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn discard_consolidations(&self) -> Result<u64> {
        let mut discarded = 0;
        self.db.atomically(&mut || {
            discarded = self.connection().execute("DELETE FROM consolidations", [])? as u64;
            Ok(())
        })?;
        Ok(discarded)
    }
}
