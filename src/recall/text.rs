//! Search by words: BM25, for questions as people and models ask them.
//!
//! Each word is looked up once, together with the rows that contain it. Its rarity among all rows and its frequency in
//! a row make the score (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009). The
//! length of a row takes a lookup, so it counts only for the rows that score best without it, and less than usual,
//! because memories are short.

use rusqlite::Connection;

use super::matches::matches;
use super::vectors::Accept;
use crate::error::Result;
use crate::words::{self, Asked};

/// The most words of a question that are searched; later words are ignored.
const MAX_WORDS: usize = 64;
/// The most rows that are scored. A word that occurs in more rows says next to nothing about a row.
const BUDGET: usize = 6000;
/// The saturation of term frequency, BM25's k1: further occurrences of a word in a row hardly count.
const SATURATION: f64 = 1.2;
/// How much the length of a row counts, from 0 to 1 (BM25's b). In `eval/`, this is slightly better than not counting
/// it.
const LENGTH: f64 = 0.25;
/// For how many rows the length is looked up.
const MEASURED: usize = 128;

/// A row that contains words of a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WordHit {
    pub(super) id: i64,
    /// BM25.
    pub(super) score: f64,
    /// Whether one of the words is not a function word.
    pub(super) is_about_it: bool,
}

/// The rows that contain words of a question, sorted by id.
#[derive(Default)]
pub(super) struct WordHits(Vec<WordHit>);

impl WordHits {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, id: i64) -> Option<&WordHit> {
        self.0.binary_search_by_key(&id, |hit| hit.id).ok().map(|at| &self.0[at])
    }

    /// The `many` best hits, the best first.
    pub(super) fn best(&self, many: usize) -> Vec<WordHit> {
        let best_first = |a: &WordHit, b: &WordHit| b.score.total_cmp(&a.score).then(b.id.cmp(&a.id));
        let mut best = self.0.clone();
        if best.len() > many && many > 0 {
            best.select_nth_unstable_by(many - 1, best_first);
        }
        best.truncate(many);
        best.sort_unstable_by(best_first);
        best
    }
}

/// A word of a question, and the rows that contain it.
struct Found {
    asked: Asked,
    rows: Vec<(i64, u32)>,
    /// How much an occurrence of the word says about a row.
    weight: f64,
}

/// Finds the rows that contain words of the question.
///
/// Function words are searched only if there are no other words. Of the others, the words that occur in the fewest rows
/// are searched. The commonest are searched only if nothing else is left of the question, and then all of them
/// together, in the newest rows.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn find(connection: &Connection, question: &str, accept: Accept<'_>) -> Result<WordHits> {
    let mut rare = Vec::new();
    let mut common = Vec::new();
    for asked in words_of(question) {
        let found = matches(connection, &asked.expression(), accept.tables, BUDGET)?;
        let count = found.rows.len() as f64;
        if found.more {
            common.push((asked, found.rows));
        } else if count > 0.0 {
            let weight = (1.0 + (found.total as f64 - count + 0.5) / (count + 0.5)).ln();
            rare.push(Found { asked, rows: found.rows, weight });
        }
    }
    rare.sort_by_key(|found| found.rows.len());
    let mut left = BUDGET;
    rare.retain(|found| {
        let fits = found.rows.len() <= left;
        left = left.saturating_sub(found.rows.len());
        fits
    });
    if rare.is_empty() && !common.is_empty() {
        let all: Vec<String> = common.iter().map(|(asked, _)| asked.expression()).collect();
        let rows = matches(connection, &all.join(" AND "), accept.tables, BUDGET)?.rows;
        // They say as little about a row as possible.
        rare.push(Found { asked: common.swap_remove(0).0, rows, weight: 1e-3 });
    }
    let mut all = Vec::new();
    for Found { asked, rows, weight } in &rare {
        let accepted = rows.iter().rev().filter(|(id, _)| accept.has(*id));
        all.extend(accepted.map(|(id, times)| {
            let times = f64::from(*times);
            let score = weight * times * (SATURATION + 1.0) / (times + SATURATION);
            WordHit { id: *id, score, is_about_it: !asked.is_function_word }
        }));
    }
    // The rows of each word are in order, which makes this sort fast.
    all.sort_by_key(|hit| hit.id);
    all.dedup_by(|next, hit| {
        let is_same = next.id == hit.id;
        if is_same {
            hit.score += next.score;
            hit.is_about_it |= next.is_about_it;
        }
        is_same
    });
    let mut hits = WordHits(all);
    weigh_by_length(connection, &mut hits)?;
    Ok(hits)
}

/// Among the best hits, raises the scores of shorter rows and lowers those of longer ones.
fn weigh_by_length(connection: &Connection, hits: &mut WordHits) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT sz FROM memory_fts_docsize WHERE id = ?")?;
    let mut lengths = Vec::new();
    for hit in hits.best(MEASURED) {
        let length =
            statement.query_row([hit.id], |row| Ok(terms_in(row.get_ref(0)?.as_blob().unwrap_or_default())))?;
        lengths.push((hit.id, length));
    }
    let mean = lengths.iter().map(|(_, length)| length).sum::<f64>() / lengths.len().max(1) as f64;
    for (id, length) in lengths {
        if let Ok(at) = hits.0.binary_search_by_key(&id, |hit| hit.id) {
            hits.0[at].score *=
                (SATURATION + 1.0) / (1.0 + SATURATION * (1.0 - LENGTH + LENGTH * length / mean.max(1.0)));
        }
    }
    Ok(())
}

/// The number at the start of FTS5's entry for a row: seven bits per byte, the highest first.
fn terms_in(bytes: &[u8]) -> f64 {
    let end = bytes.iter().position(|byte| *byte < 0x80).map_or(bytes.len(), |last| last + 1);
    bytes[..end].iter().fold(0.0, |number, byte| number * 128.0 + f64::from(byte & 0x7F))
}

/// The words of a question that are searched.
fn words_of(question: &str) -> Vec<Asked> {
    let mut asked = words::asked(question);
    if asked.iter().any(|asked| !asked.is_function_word) {
        asked.retain(|asked| !asked.is_function_word);
    }
    let begins: Vec<Asked> = asked.iter().filter_map(words::beginning).collect();
    asked.extend(begins);
    let mut words = Vec::new();
    for word in asked {
        if words.len() < MAX_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
