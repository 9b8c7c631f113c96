//! Finding by words: FTS5's BM25, for questions as people and models ask them.

use rusqlite::{Connection, params};

use super::item::MemoryTables;
use super::vectors::Accept;
use crate::error::Result;
use crate::words;

/// The most words of a question that are looked for; those behind them are not.
const MAX_WORDS: usize = 64;
/// How many rows are scored at the most. What a word that stands in more rows than that says of a row is next to nothing.
const BUDGET: usize = 6000;

/// The rows with words of the question and how well they fit (BM25, larger is better), the best first.
///
/// Of a question's words, those that stand in the fewest rows are looked for; the commonest only where nothing else is left
/// of it, and then all of them together, in the newest rows.
///
/// # Errors
///
/// Where the file cannot be read.
pub(super) fn find(connection: &Connection, question: &str, accept: Accept<'_>) -> Result<Vec<(i64, f64)>> {
    let mut words: Vec<String> = Vec::new();
    // What is put together with a sign is found also where it stands apart.
    let question: String = question.chars().map(|character| if is_sign(character) { ' ' } else { character }).collect();
    let mut asked = words::words(&question);
    let begins: Vec<String> = asked.iter().filter_map(|word| beginning(word)).collect();
    asked.extend(begins);
    for word in asked {
        if words.len() < MAX_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    let mut counted = Vec::with_capacity(words.len());
    for word in words {
        let count = count(connection, &word, accept.tables)?;
        if count > 0 {
            counted.push((count, word));
        }
    }
    counted.sort();
    let mut left = BUDGET;
    let rare: Vec<&str> = counted
        .iter()
        .take_while(|(count, _)| {
            let fits = *count <= left;
            left = left.saturating_sub(*count);
            fits
        })
        .map(|(_, word)| word.as_str())
        .collect();
    let all: Vec<&str> = counted.iter().map(|(_, word)| word.as_str()).collect();
    let expression = match (rare.is_empty(), all.is_empty()) {
        (_, true) => return Ok(Vec::new()),
        (true, _) => all.join(" AND "),
        (false, _) => rare.join(" OR "),
    };
    let sql = "SELECT rowid, -bm25(memory_fts) FROM memory_fts
               WHERE memory_fts MATCH ? AND ? >> (rowid & 7) & 1 ORDER BY rowid DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![expression, accept.tables.bits()])?;
    let mut found = Vec::new();
    while let (Some(row), true) = (rows.next()?, found.len() < BUDGET) {
        let id = row.get(0)?;
        if accept.has(id) {
            found.push((id, row.get(1)?));
        }
    }
    found.sort_unstable_by(|a: &(i64, f64), b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
    Ok(found)
}

/// Punctuation, as far as it stands between words: not what scripts write within them.
fn is_sign(character: char) -> bool {
    character.is_ascii_punctuation() || ('\u{2010}'..='\u{205E}').contains(&character)
}

/// In how many rows a word stands, counted as far as it matters.
fn count(connection: &Connection, word: &str, tables: MemoryTables) -> Result<usize> {
    let sql = "SELECT count(*) FROM
               (SELECT 1 FROM memory_fts WHERE memory_fts MATCH ? AND ? >> (rowid & 7) & 1 LIMIT ?)";
    let mut statement = connection.prepare_cached(sql)?;
    let count: i64 = statement.query_row(params![word, tables.bits(), BUDGET as u32 + 1], |row| row.get(0))?;
    Ok(count as usize)
}

/// The beginning of a long word, whatever its ending: what stemming does for English, for every language with endings.
fn beginning(word: &str) -> Option<String> {
    const LONG: usize = 6;
    const ENDING: usize = 3;
    let letters: Vec<char> = word.trim_matches('"').chars().collect();
    let kept = letters.len() - if letters.len() < LONG { return None } else { ENDING.min(letters.len() - 4) };
    letters
        .iter()
        .all(|letter| letter.is_alphabetic())
        .then(|| format!("\"{}\"*", letters[..kept].iter().collect::<String>()))
}
