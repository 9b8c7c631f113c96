//! Tidying up semantic memories: those of the same text merged, importance faded, the least important forgotten. Only when
//! asked, all or nothing, and with a way back: each row as it was is put away first. What is only near in meaning may say the
//! opposite, and is told of, not touched.

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
    /// From which cosine on memories of a category are told of as similar; 0.95 by default, above 1 none are.
    pub similar_threshold: f64,
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
        Self { similar_threshold: 0.95, half_life_days: 90.0, floor: None, dry_run: false }
    }
}

/// Memories that became one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct MergedMemories {
    /// The one that stays.
    pub kept: i64,
    /// Those that became part of it.
    pub removed: Vec<i64>,
}

/// A memory that is near another in meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct SimilarMemory {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub content: String,
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
    /// Memories of a category that are near each other in meaning but differ in their texts. Read them to tell whether they say
    /// the same. At most a thousand groups; the rest come up once these are merged.
    #[tsify(type = "SimilarMemory[][]")]
    pub similar: Vec<Vec<SimilarMemory>>,
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
    /// Merges semantic memories of the same text, tells of those that are near each other, lets importance fade, and forgets
    /// what has faded below the floor.
    ///
    /// What [`Recall::prepare_consolidation`] has found is carried out; what it has not is looked for first.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range. Nothing is changed on any error.
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

    /// Looks for memories that are the same or near each other, for so many seconds, and says whether all are found: then a
    /// consolidation with these options has the least to do. It changes nothing, and may be called again or not.
    ///
    /// There is one such search at a time. Where one with another threshold is under way, nothing is done, and the
    /// consolidation will look by itself.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for options out of range.
    pub fn prepare_consolidation(&self, how: &ConsolidationOptions, seconds: f64) -> Result<bool> {
        let in_range = how.similar_threshold > 0.0
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
        // One that only merged has let nothing fade.
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
}

/// An importance from 0 to 1. Another program may have put what is no number there.
fn importance_of(row: &Row<'_>, at: usize) -> f64 {
    row.get::<_, f64>(at).unwrap_or(0.5).clamp(0.0, 1.0)
}
