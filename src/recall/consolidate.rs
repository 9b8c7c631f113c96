//! Tidies up facts: merges those of the same text, lets importance fade, and forgets the least important. It runs only
//! when called, is all or nothing, and can be undone, because each row is first saved as it was. Facts that are only
//! near in meaning may say the opposite, so they are reported and not changed.

mod merge;
mod plan;
mod undo;

use std::collections::HashSet;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::Recall;
use crate::db::ask;
use crate::error::{Error, Result};
use plan::Found;
pub(super) use plan::Plan;

const DAY: f64 = 86_400.0;
/// How many facts fade in one statement.
const FADED_AT_ONCE: usize = 10_000;
/// The cache size while many rows change: 64 MiB, which SQLite expects as negative KiB.
const ROOM: &str = "PRAGMA cache_size = -65536";
/// After how many seconds a search that no call continued gives way to another one.
const ABANDONED: f64 = 10.0;
/// A row as JSON with its uses and lessons, from which the row can be restored.
const ROW: &str = "json_object('timestamp', timestamp, 'content', content, 'category', category,
    'importance', importance, 'metadata', metadata,
    'uses', (SELECT uses FROM memory_uses AS i WHERE i.id = semantic_memories.id << 3 | 2),
    'lessons', json((SELECT json_group_array(json_array(uncertainty, effect)) FROM memory_lessons AS l
                     WHERE l.id = semantic_memories.id << 3 | 2)))";

/// How to consolidate.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConsolidationOptions {
    /// The least cosine at which facts of one category are reported as similar; 0.95 by default. Above 1, none are.
    pub similar_threshold: f64,
    /// After how many days an importance has halved; infinite for never, 90 by default. A fact that was used n times
    /// fades n + 1 times as slowly.
    pub half_life_days: f64,
    /// Facts of less importance than this, from 0 to 1, are forgotten; by default none are.
    pub floor: Option<f64>,
    /// Whether to report what would be done without doing it; false by default.
    pub dry_run: bool,
}

impl Default for ConsolidationOptions {
    fn default() -> Self {
        Self { similar_threshold: 0.95, half_life_days: 90.0, floor: None, dry_run: false }
    }
}

/// Facts that were merged into one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct MergedMemories {
    /// The fact that stays.
    pub kept: i64,
    /// The facts that were merged into it.
    pub removed: Vec<i64>,
}

/// A fact that is near another one in meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct SimilarMemory {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub content: String,
}

/// What a consolidation did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Consolidated {
    /// Its id, with which it can be undone; null if there was nothing to do, or for a dry run.
    pub id: Option<i64>,
    /// The facts that were merged.
    #[tsify(type = "MergedMemories[]")]
    pub merged: Vec<MergedMemories>,
    /// How many facts faded.
    pub faded: u64,
    /// The ids of the facts that were forgotten.
    pub forgotten: Vec<i64>,
    /// Facts of one category that are near each other in meaning but differ in their texts. Read them to decide whether
    /// they say the same. At most a thousand groups; the others follow once these are merged.
    #[tsify(type = "SimilarMemory[][]")]
    pub similar: Vec<Vec<SimilarMemory>>,
}

/// A stored consolidation, undone or not.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct KeptConsolidation {
    /// Its id.
    pub id: i64,
    /// When it was made, in Unix seconds.
    #[tsify(type = "Seconds")]
    pub timestamp: f64,
    /// How many facts it removed.
    pub removed: u64,
    /// How many facts it changed.
    pub changed: u64,
    /// When it was undone, in Unix seconds; null if it was not.
    #[tsify(type = "Seconds | null")]
    pub undone_at: Option<f64>,
}

impl Recall<'_> {
    /// Merges facts of the same text, reports those that are near each other, lets importance fade, and forgets the
    /// facts that have faded below the floor.
    ///
    /// It applies what [`Recall::prepare_consolidation`] has found, and searches for the rest first.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range. On any error, nothing is changed.
    pub fn consolidate(&self, how: &ConsolidationOptions) -> Result<Consolidated> {
        while !self.prepare_consolidation(how, f64::INFINITY)? {}
        let prepared = self.state.borrow_mut().plan.take_if(|plan| plan.is_of(how.similar_threshold));
        let mut plan = prepared.unwrap_or_else(|| Plan::new(how.similar_threshold));
        plan.step(self, &mut || false)?;
        let found = plan.found();
        self.write_uses()?;
        let mut done = Consolidated::default();
        let mut change = || {
            done = self.carry_out(how, &found)?;
            Ok(())
        };
        // The rows that fade are scattered over the index on importance. With the usual cache of 2 MB, each page would
        // be read from the disk and written back for each row.
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

    /// Searches for facts that are the same or near each other, for up to `seconds`, and returns whether all are found.
    /// A consolidation with these options then has the least left to do. The search changes no row, and may be called
    /// any number of times or not at all.
    ///
    /// Only one such search runs at a time. If one with another threshold is under way, this returns true, and the
    /// consolidation searches by itself.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range.
    pub fn prepare_consolidation(&self, how: &ConsolidationOptions, seconds: f64) -> Result<bool> {
        let in_range = how.similar_threshold > 0.0
            && how.half_life_days > 0.0
            && how.floor.is_none_or(|floor| (0.0..=1.0).contains(&floor));
        if !in_range {
            let message = "similarThreshold and halfLifeDays must be above 0, and floor must be from 0 to 1.";
            return Err(Error::invalid_argument(message));
        }
        self.index()?;
        let begun = self.db.now();
        let under_way = self.state.borrow_mut().plan.take();
        let mut plan = match under_way {
            Some(plan) if begun - plan.touched() >= ABANDONED => Plan::new(how.similar_threshold),
            Some(plan) if plan.is_of(how.similar_threshold) => plan,
            Some(other) => {
                self.state.borrow_mut().plan = Some(other);
                return Ok(true);
            }
            None => Plan::new(how.similar_threshold),
        };
        let is_done = plan.step(self, &mut || self.db.now() - begun >= seconds)?;
        self.state.borrow_mut().plan = Some(plan);
        Ok(is_done)
    }

    fn carry_out(&self, how: &ConsolidationOptions, found: &Found) -> Result<Consolidated> {
        let connection = self.connection();
        let now = self.db.now();
        // A consolidation that only merged has not let anything fade.
        let sql = "SELECT max(timestamp) FROM consolidations AS c WHERE undone_at IS NULL AND EXISTS
                     (SELECT 1 FROM consolidated_memories WHERE consolidation = c.id AND action <> 'merged')";
        let last: Option<f64> = ask(connection, sql)?;
        connection.execute("INSERT INTO consolidations (timestamp) VALUES (?)", [now])?;
        let run = connection.last_insert_rowid();
        let mut done = Consolidated { id: Some(run), ..Consolidated::default() };
        for group in &found.same {
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
        let removed = done.merged.iter().flat_map(|merged| &merged.removed).chain(&done.forgotten);
        self.remove(removed)?;
        done.similar = self.similar(found, &done.merged)?;
        if done.merged.is_empty() && done.faded == 0 && done.forgotten.is_empty() {
            connection.execute("DELETE FROM consolidations WHERE id = ?", [run])?;
            done.id = None;
        }
        Ok(done)
    }

    /// Writes the faded importance, and saves the one before.
    ///
    /// It takes few statements: within a savepoint, such as that of a change in a batch, each statement that ends scans
    /// everything that SQLite keeps to roll the savepoint back.
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

    /// The facts that have faded or are below the floor, and their importance now.
    fn fading(&self, how: &ConsolidationOptions, now: f64, last: Option<f64>) -> Result<Vec<(i64, f64)>> {
        let sql = "SELECT m.id, coalesce(m.timestamp, 0), coalesce(m.importance, 0.5), coalesce(i.uses, 0),
                          coalesce(m.category, ''), m.content
                   FROM semantic_memories AS m LEFT JOIN memory_uses AS i ON i.id = m.id << 3 | 2 ORDER BY m.id";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut fading = Vec::new();
        while let Some(row) = rows.next()? {
            // Another program may have stored something that is not a text, or not a number.
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

    /// Saves a row as it is.
    fn note(&self, run: i64, id: i64, action: &str, into: Option<i64>) -> Result<()> {
        let sql = format!(
            "INSERT INTO consolidated_memories (consolidation, memory, action, merged_into, before)
             SELECT ?, id, ?, ?, {ROW} FROM semantic_memories WHERE id = ?"
        );
        self.connection().prepare_cached(&sql)?.execute(params![run, action, into, id])?;
        Ok(())
    }
}

/// An importance, from 0 to 1; 0.5 if another program stored something that is not a number.
fn importance_of(row: &Row<'_>, at: usize) -> f64 {
    row.get::<_, f64>(at).unwrap_or(0.5).clamp(0.0, 1.0)
}
