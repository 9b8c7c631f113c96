//! Scores that turns receive from the conversation: a turn next to a hit is about the same subject, even if it shares
//! no word with the question. "And the second one?" is answered by the turn after it.

use std::collections::HashMap;

use super::Recall;
use super::item::Item;
use crate::error::Result;
use crate::tables::MemoryTable;

/// The share of its score that a turn passes on to the turns one, two and three away, on both sides. A turn that
/// receives several shares keeps the largest. Their sum finds as much in `eval/`, but lets a turn among many hits
/// outrank the row that is the answer. The shares were chosen on the half of `eval/` that is meant for choosing.
const SHARES: [f64; 3] = [0.8, 0.6, 0.4];
/// A silence of this many seconds ends a stretch of conversation.
const GAP: f64 = 3600.0;
/// How many turns pass on their scores, at most; those with the best scores do.
const MOST: usize = 64;

impl Recall<'_> {
    /// The scores that turns receive from the hits around them.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn shared(&self, scores: impl Iterator<Item = (Item, f64)>) -> Result<HashMap<i64, f64>> {
        let mut giving: Vec<(Item, f64)> =
            scores.filter(|(item, score)| item.table() == MemoryTable::Turns && *score > 0.0).collect();
        giving.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        giving.truncate(MOST);
        let mut shared: HashMap<i64, f64> = HashMap::new();
        for (item, score) in giving {
            let before = "SELECT id, timestamp FROM turns WHERE id <= ?1 ORDER BY id DESC LIMIT ?2";
            let after = "SELECT id, timestamp FROM turns WHERE id >= ?1 ORDER BY id LIMIT ?2";
            for side in [before, after] {
                for (turn, share) in self.stretch(side, item.row())?.into_iter().zip(SHARES) {
                    let given = shared.entry(Item::new(MemoryTable::Turns, turn).0).or_default();
                    *given = given.max(share * score);
                }
            }
        }
        Ok(shared)
    }

    /// The turns on one side of a turn, the nearest first, up to the end of their stretch.
    fn stretch(&self, side: &str, turn: i64) -> Result<Vec<i64>> {
        let mut statement = self.connection().prepare_cached(side)?;
        let mut rows = statement.query((turn, SHARES.len() as u32 + 1))?;
        let mut last: Option<f64> = None;
        let mut stretch = Vec::with_capacity(SHARES.len());
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            // Another program may have stored a text there, so the time is unknown.
            let Some(time) = row.get::<_, Option<f64>>(1).unwrap_or_default() else { break };
            if last.is_some_and(|last| (time - last).abs() > GAP) {
                break;
            }
            last = Some(time);
            if id != turn {
                stretch.push(id);
            }
        }
        Ok(stretch)
    }
}
