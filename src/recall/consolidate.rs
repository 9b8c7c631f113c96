//! Tidying up semantic memories: duplicates merged, importance faded, the least important forgotten. Only when asked, all or
//! nothing, and with a way back: each row as it was is put away first.

mod plan;
mod undo;

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::Recall;
use super::question::DUPLICATE_THRESHOLD;
use crate::db::ask;
use crate::error::{Error, Result};
pub(super) use plan::Plan;
use plan::{Fact, folded};

const DAY: f64 = 86_400.0;
/// So many memories fade in one statement.
const FADED_AT_ONCE: usize = 10_000;
/// How much of the file is kept in memory while many rows change, in KiB below 0.
const ROOM: &str = "PRAGMA cache_size = -65536";
/// After how many seconds a search that nobody went on with gives way to another.
const ABANDONED: f64 = 10.0;
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
    /// What [`Recall::prepare_consolidation`] has found is carried out; what it has not is looked for first.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range. Nothing is changed on any error.
    pub fn consolidate(&self, how: &ConsolidationOptions) -> Result<Consolidated> {
        while !self.prepare_consolidation(how, f64::INFINITY)? {}
        let prepared = self.state.borrow_mut().plan.take_if(|plan| plan.is_of(how.duplicate_threshold));
        let mut plan = prepared.unwrap_or_else(|| Plan::new(how.duplicate_threshold));
        plan.step(self, &mut || false)?;
        let groups = plan.groups();
        self.write_uses()?;
        let mut done = Consolidated::default();
        let mut change = || {
            done = self.carry_out(how, &groups)?;
            Ok(())
        };
        // Ranked by importance, the rows that fade stand all over an index; with the usual 2 MB of it in memory, each would be
        // read from the disk and put back there.
        let connection = self.connection();
        let usual: i64 = ask(connection, "PRAGMA cache_size")?;
        connection.execute_batch(ROOM)?;
        let result = if how.dry_run { self.db.rehearse(&mut change) } else { self.db.atomically(&mut change) };
        connection.execute_batch(&format!("PRAGMA cache_size = {usual}"))?;
        result?;
        if how.dry_run {
            done.id = None;
        }
        Ok(done)
    }

    /// Looks for memories that say the same, for so many seconds, and says whether all are found: then a consolidation with
    /// these options has the least to do. It changes nothing, and may be called again or not.
    ///
    /// There is one such search at a time. Where one with another threshold is under way, nothing is done, and the
    /// consolidation will look by itself.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range.
    pub fn prepare_consolidation(&self, how: &ConsolidationOptions, seconds: f64) -> Result<bool> {
        let in_range = how.duplicate_threshold > 0.0
            && how.half_life_days > 0.0
            && how.floor.is_none_or(|floor| (0.0..=1.0).contains(&floor));
        if !in_range {
            let message = "A similarity and a half-life must be above 0, and a floor from 0 to 1.";
            return Err(Error::invalid_argument(message));
        }
        self.index()?;
        let begun = self.db.now();
        let under_way = self.state.borrow_mut().plan.take();
        let mut plan = match under_way {
            Some(plan) if begun - plan.touched() >= ABANDONED => Plan::new(how.duplicate_threshold),
            Some(plan) if plan.is_of(how.duplicate_threshold) => plan,
            Some(other) => {
                self.state.borrow_mut().plan = Some(other);
                return Ok(true);
            }
            None => Plan::new(how.duplicate_threshold),
        };
        let is_done = plan.step(self, &mut || self.db.now() - begun >= seconds)?;
        self.state.borrow_mut().plan = Some(plan);
        Ok(is_done)
    }

    fn carry_out(&self, how: &ConsolidationOptions, groups: &[Vec<Fact>]) -> Result<Consolidated> {
        let connection = self.connection();
        let now = self.db.now();
        let last: Option<f64> = ask(connection, "SELECT max(timestamp) FROM consolidations WHERE undone_at IS NULL")?;
        connection.execute("INSERT INTO consolidations (timestamp) VALUES (?)", [now])?;
        let run = connection.last_insert_rowid();
        let mut done = Consolidated { id: Some(run), ..Consolidated::default() };
        for group in groups {
            done.merged.extend(self.as_it_is_now(group)?);
        }
        let gone: HashSet<i64> = done.merged.iter().flat_map(|merged| &merged.removed).copied().collect();
        let mut fading = self.fading(how, now, last)?;
        fading.retain(|(id, _)| !gone.contains(id));

        for MergedMemories { kept, removed } in &done.merged {
            for id in removed {
                self.put_away(run, *id, "merged", Some(*kept))?;
            }
        }
        let forgets = |importance: f64| how.floor.is_some_and(|floor| importance < floor);
        for (id, _) in fading.iter().filter(|(_, importance)| forgets(*importance)) {
            self.put_away(run, *id, "forgotten", None)?;
            done.forgotten.push(*id);
        }
        fading.retain(|(_, importance)| !forgets(*importance));
        done.faded = fading.len() as u64;
        fading.chunks(FADED_AT_ONCE).try_for_each(|some| self.fade(run, some))?;
        // All at once and last: when a transaction has touched the index of words, each further statement makes FTS5 flush it.
        let removed = done.merged.iter().flat_map(|merged| &merged.removed).chain(&done.forgotten);
        let removed = removed.map(i64::to_string).collect::<Vec<_>>().join(",");
        let sql = "DELETE FROM semantic_memories WHERE id IN (SELECT value FROM json_each('[' || ? || ']'))";
        connection.execute(sql, [removed])?;
        if done.merged.is_empty() && done.faded == 0 && done.forgotten.is_empty() {
            connection.execute("DELETE FROM consolidations WHERE id = ?", [run])?;
            done.id = None;
        }
        Ok(done)
    }

    /// Writes down how important memories are now, and keeps how important they were.
    ///
    /// In few statements: within a savepoint, as a change of a batch is, each that ends goes through all that SQLite keeps to
    /// take the savepoint back.
    fn fade(&self, run: i64, fading: &[(i64, f64)]) -> Result<()> {
        let pairs: Vec<String> = fading.iter().map(|(id, importance)| format!("[{id},\"{importance}\"]")).collect();
        let pairs = format!("[{}]", pairs.join(","));
        let sql = "INSERT INTO consolidated_memories (consolidation, memory, action, before, after)
                   SELECT ?, m.id, 'faded', json_object('importance', importance, 'content', content), f.value ->> 1
                   FROM json_each(?) AS f CROSS JOIN semantic_memories AS m ON m.id = f.value ->> 0";
        self.connection().prepare_cached(sql)?.execute(params![run, pairs])?;
        let sql = "UPDATE semantic_memories SET importance = CAST(f.value ->> 1 AS REAL)
                   FROM json_each(?) AS f WHERE semantic_memories.id = f.value ->> 0";
        self.connection().prepare_cached(sql)?.execute([pairs])?;
        Ok(())
    }

    /// What of a group still says the same: the most important of it stays, or of several the newest. All say the same as the
    /// first, so where that one was changed, nobody knows what the others do.
    fn as_it_is_now(&self, group: &[Fact]) -> Result<Option<MergedMemories>> {
        let sql =
            "SELECT coalesce(category, ''), content, coalesce(importance, 0.5) FROM semantic_memories WHERE id = ?";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut still: Vec<(f64, i64)> = Vec::with_capacity(group.len());
        for (at, fact) in group.iter().enumerate() {
            let importance = statement.query_row([fact.id], |row| {
                let reads = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_str().ok());
                let is_same = reads(0) == Some(&fact.category) && reads(1).map(folded).as_deref() == Some(&fact.text);
                Ok(is_same.then(|| importance_of(row, 2)))
            });
            match importance.optional()?.flatten() {
                Some(importance) => still.push((importance, fact.id)),
                None if at == 0 => return Ok(None),
                None => {}
            }
        }
        still.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        let mut ids = still.into_iter().map(|(_, id)| id);
        let (kept, removed) = (ids.next(), ids.collect::<Vec<_>>());
        Ok(kept.filter(|_| !removed.is_empty()).map(|kept| MergedMemories { kept, removed }))
    }

    /// The memories that have faded, or are below the floor, and how important they are now.
    fn fading(&self, how: &ConsolidationOptions, now: f64, last: Option<f64>) -> Result<Vec<(i64, f64)>> {
        let sql = "SELECT m.id, coalesce(m.timestamp, 0), coalesce(m.importance, 0.5), coalesce(i.uses, 0),
                          coalesce(m.category, ''), m.content
                   FROM semantic_memories AS m LEFT JOIN memory_uses AS i ON i.id = m.id << 3 | 2 ORDER BY m.id";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut fading = Vec::new();
        while let Some(row) = rows.next()? {
            // Another program may have put what is no text there, or no number.
            if row.get_ref(4)?.as_str().is_err() || row.get_ref(5)?.as_str().is_err() {
                continue;
            }
            let (timestamp, before): (f64, f64) = (row.get(1).unwrap_or_default(), importance_of(row, 2));
            let uses: u32 = row.get(3).unwrap_or_default();
            let since = last.map_or(timestamp, |last| last.max(timestamp));
            let days = ((now - since) / DAY).max(0.0);
            let importance = before * 0.5_f64.powf(days / how.half_life_days / (1.0 + f64::from(uses)));
            if before - importance > 1e-6 || how.floor.is_some_and(|floor| importance < floor) {
                fading.push((row.get(0)?, importance));
            }
        }
        Ok(fading)
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

    /// Keeps a row that is about to be deleted as it is. One that says the same has what use has taught of it from here on.
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
        Ok(())
    }

    /// Adds to the uses of the memories that others were merged into, or takes away, what those others had; of all that
    /// were, or of one.
    fn add_uses(&self, sign: &str, run: i64, memory: i64) -> Result<()> {
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
}

/// An importance from 0 to 1. Another program may have put what is no number there.
fn importance_of(row: &Row<'_>, at: usize) -> f64 {
    row.get::<_, f64>(at).unwrap_or(0.5).clamp(0.0, 1.0)
}
