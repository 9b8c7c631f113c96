//! The vectors in the database, by model, and the texts that wait for theirs. Texts are saved first and embedded
//! afterwards.

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use tsify::Tsify;

use super::Recall;
use super::index::{Index, Texts};
use super::item::Item;
use super::unit::{from_blob, to_blob, unit};
use super::vectors::{Near, Vectors};
use crate::db::{Db, ask};
use crate::error::{Error, ErrorCode, Result};
use crate::words::without_data;

/// The maximum number of dimensions of a vector.
pub const MAX_DIMENSIONS: usize = 4096;
/// The longest text that an embedder receives, in characters; the rest of a longer text is not embedded.
pub const MAX_EMBEDDED_CHARACTERS: usize = 16_384;
/// The longest time, in seconds, until a text that could not be embedded is retried.
const LONGEST_WAIT: f64 = 3600.0;

/// The model whose vectors are searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) id: i64,
    /// Its name, as the embedder reports it.
    pub name: String,
    /// How many numbers its vectors have.
    pub dimensions: usize,
}

/// A text that waits for its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The row that the text belongs to.
    pub item: Item,
    /// The version of the text. A vector of another version is not kept.
    pub version: i64,
    /// The text.
    pub text: String,
}

/// The state of the vectors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
#[tsify(missing_as_null)]
pub struct EmbeddingStatus {
    /// The name of the model whose vectors are searched; null before the first.
    pub model: Option<String>,
    /// How many dimensions its vectors have; null before the first.
    pub dimensions: Option<u32>,
    /// How many rows have their vector.
    pub embedded: u64,
    /// How many rows wait for one, including those that failed.
    pub pending: u64,
    /// How many of the waiting rows failed at least once.
    pub failed: u64,
    /// What the embedder reported for the row that failed last; null if none failed.
    pub last_error: Option<String>,
    /// When the first of the failed rows is retried.
    #[tsify(type = "Seconds | null")]
    pub retry_at: Option<f64>,
    /// How many bytes of memory their quantised copies take; 0 before the first search or vector.
    pub bytes: u64,
}

impl Recall<'_> {
    /// The model in use; none before the first.
    pub(super) fn model(&self) -> Result<Option<Model>> {
        if let Some(model) = &self.state.borrow().model {
            return Ok(Some(model.clone()));
        }
        if self.state.borrow().other_model {
            return Ok(None);
        }
        let sql = "SELECT id, name, dimensions FROM embedding_models WHERE in_use AND dimensions BETWEEN 1 AND 4096
                     AND typeof(dimensions) = 'integer'";
        let mut statement = self.connection().prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Model { id: row.get(0)?, name: row.get(1)?, dimensions: row.get::<_, u32>(2)? as usize })
        };
        let model = statement.query_row([], read).optional()?;
        self.state.borrow_mut().model.clone_from(&model);
        Ok(model)
    }

    /// The model in use, if it has this name and these dimensions.
    fn model_of(&self, name: &str, dimensions: usize) -> Result<Option<Model>> {
        Ok(self.model()?.filter(|model| model.name == name && model.dimensions == dimensions))
    }

    /// Sets the model whose vectors are kept and searched from here on. If it differs from the one before, every row
    /// waits for its vector of this model; the old vector is deleted when the new one is kept.
    ///
    /// # Errors
    ///
    /// `invalid_argument` if the name is empty or longer than 1024 bytes, or if the dimensions are not from 1 to 4096.
    pub fn use_model(&self, name: &str, dimensions: usize) -> Result<()> {
        if name.is_empty() || name.len() > 1024 {
            return Err(Error::invalid_argument("The name of an embedder must have 1 to 1024 bytes."));
        }
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            let message = format!("An embedder has {dimensions} dimensions; it must have 1 to {MAX_DIMENSIONS}.");
            return Err(Error::invalid_argument(message));
        }
        Index::of(self.db).exists()?;
        if let Some(model) = self.model_of(name, dimensions)? {
            return self.queue_missing(&model);
        }
        if self.db.is_read_only() {
            // Rows cannot be embedded again in a read-only memory, so they are found by their words.
            let mut state = self.state.borrow_mut();
            state.other_model = true;
            state.model = None;
            return Ok(());
        }
        self.forget();
        self.state.borrow_mut().agreed = true;
        self.db.atomically(&mut || {
            let connection = self.connection();
            connection.execute(
                "INSERT OR IGNORE INTO embedding_models (name, dimensions) VALUES (?, ?)",
                params![name, dimensions as u32],
            )?;
            connection.execute(
                "UPDATE embedding_models SET in_use = (name = ? AND dimensions = ?)",
                params![name, dimensions as u32],
            )?;
            // A row that is not indexed yet is queued when it is indexed.
            connection.execute_batch(
                "DELETE FROM embedding_queue;
                 INSERT INTO embedding_queue (id) SELECT id FROM memory_fts_docsize
                 WHERE id NOT IN (SELECT e.id FROM embeddings AS e JOIN embedding_models AS m ON m.id = e.model WHERE m.in_use);
                 DELETE FROM embedding_blocks WHERE model NOT IN (SELECT id FROM embedding_models WHERE in_use);",
            )?;
            Ok(())
        })
    }

    /// Queues rows again if another program deleted their vectors. Checked once per opening.
    fn queue_missing(&self, model: &Model) -> Result<()> {
        if self.state.borrow().agreed || self.db.is_read_only() {
            return Ok(());
        }
        let connection = self.connection();
        let counts = "SELECT (SELECT count(*) FROM embeddings WHERE model = ?) + (SELECT count(*) FROM embedding_queue)
                           < (SELECT count(*) FROM memory_fts_docsize)";
        if connection.query_one(counts, [model.id], |row| row.get(0))? {
            // Rows without a text to embed are queued once more, too.
            let missing = "INSERT OR IGNORE INTO embedding_queue (id) SELECT id FROM memory_fts_docsize
                           WHERE id NOT IN (SELECT id FROM embeddings WHERE model = ?)";
            self.db.atomically(&mut || {
                connection.execute(missing, [model.id])?;
                Ok(())
            })?;
        }
        self.state.borrow_mut().agreed = true;
        Ok(())
    }

    /// Rejects vectors of a model other than the one in use, because an import may have brought another one.
    ///
    /// # Errors
    ///
    /// `embedder_missing`.
    pub fn expect_model(&self, name: &str, dimensions: usize) -> Result<()> {
        if self.model_of(name, dimensions)?.is_some() {
            return Ok(());
        }
        Err(Error::new(ErrorCode::EmbedderMissing, format!("The memory does not know the embedder {name} yet.")))
    }

    /// Returns up to `limit` texts that wait for their vector and may be tried now, the newest first, because the
    /// newest are asked about soonest. A row without a text is returned with an empty one; it needs no vector.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn pending(&self, limit: u32) -> Result<Vec<Pending>> {
        // A changed row is queued when it is indexed.
        loop {
            let more = self.index_slice()?;
            self.begin_queue()?;
            if !more || ask(self.connection(), "SELECT EXISTS (SELECT 1 FROM embedding_queue)")? {
                break;
            }
        }
        let sql = "SELECT id, version FROM embedding_queue WHERE retry_at IS NULL OR retry_at <= ?
                   ORDER BY id DESC LIMIT ?";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map(params![self.db.now(), limit], |row| Ok((Item(row.get(0)?), row.get(1)?)))?;
        let mut texts = Texts::of(self.connection());
        let mut waiting = Vec::new();
        for row in rows {
            let (item, version) = row?;
            let text = texts.read(item)?;
            let text = text.map(|text| beginning(&without_data(&text), MAX_EMBEDDED_CHARACTERS).to_owned());
            waiting.push(Pending { item, version, text: text.unwrap_or_default() });
        }
        Ok(waiting)
    }

    /// Queues everything indexed, if an embedder asks before anything is known about its vectors.
    fn begin_queue(&self) -> Result<()> {
        if self.db.is_read_only() || Index::of(self.db).is_embedded()? {
            return Ok(());
        }
        let all = "INSERT INTO embedding_queue (id) SELECT id FROM memory_fts_docsize";
        self.db.atomically_relaxed(&mut || Ok(self.connection().execute_batch(all)?))
    }

    /// Keeps the vectors of texts that waited. No vector means that the text has none. If the text was changed or
    /// deleted meanwhile, its vector is dropped.
    ///
    /// # Errors
    ///
    /// `invalid_embedding` for a vector with other dimensions, with a non-finite number, or of length 0. In that case
    /// none of the vectors is kept.
    pub fn keep(&self, vectors: &[(Item, i64, Option<Vec<f32>>)]) -> Result<u64> {
        let Some(model) = self.model()? else { return Err(no_model()) };
        let units = vectors.iter().map(|(item, version, vector)| {
            let unit = vector.as_deref().map(|vector| unit(vector, model.dimensions)).transpose()?;
            Ok((*item, *version, unit))
        });
        let units = units.collect::<Result<Vec<_>>>()?;
        // Blocks are written from the vectors in memory.
        self.read_index(&model)?;
        let mut kept = Vec::new();
        // A vector can be made again: if a power cut undoes this commit, its text waits again.
        self.db.atomically_relaxed(&mut || {
            kept.clear();
            // Vectors that were rolled back, or changed before their block was written, have used a sequence number
            // too.
            let had = self.state.borrow().vectors.as_ref().map_or(0, Vectors::last_sequence);
            let mut sequence = next_sequence(self.db)?.max(had + 1);
            let connection = self.connection();
            let mut changed = connection.prepare_cached("SELECT 1 FROM memory_changes WHERE id = ?")?;
            let mut done = connection.prepare_cached("DELETE FROM embedding_queue WHERE id = ? AND version = ?")?;
            let mut forget = connection.prepare_cached("DELETE FROM embeddings WHERE id = ?")?;
            let sql = "INSERT INTO embeddings (sequence, id, model, vector) VALUES (?, ?, ?, ?)";
            let mut insert = connection.prepare_cached(sql)?;
            for (item, version, vector) in &units {
                if changed.exists([item.0])? || done.execute(params![item.0, version])? == 0 {
                    continue;
                }
                forget.execute([item.0])?;
                if let Some(vector) = vector {
                    insert.execute(params![sequence, item.0, model.id, to_blob(vector)])?;
                    kept.push((item.0, sequence, vector.clone()));
                    sequence += 1;
                }
            }
            Ok(())
        })?;
        if let Some(index) = &mut self.state.borrow_mut().vectors {
            for (id, sequence, vector) in &kept {
                index.add(*id, *sequence, vector);
            }
        }
        Ok(kept.len() as u64)
    }

    /// Notes that texts could not be embedded, and why. Each further attempt is made after a longer time.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn fail(&self, items: &[(Item, i64)], why: &str) -> Result<()> {
        let now = self.db.now();
        self.db.atomically(&mut || {
            for (item, version) in items {
                let sql = "UPDATE embedding_queue SET attempts = attempts + 1, error = ?,
                             retry_at = ? + min(?, 1 << min(attempts, 12))
                           WHERE id = ? AND version = ?";
                let mut statement = self.connection().prepare_cached(sql)?;
                statement.execute(params![why, now, LONGEST_WAIT, item.0, version])?;
            }
            Ok(())
        })
    }

    /// Retries failed texts at once.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn retry(&self) -> Result<()> {
        let sql = "UPDATE embedding_queue SET retry_at = NULL WHERE retry_at IS NOT NULL";
        self.db.atomically(&mut || Ok(self.connection().execute_batch(sql)?))
    }

    /// Returns the state of the vectors.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn embedding_status(&self) -> Result<EmbeddingStatus> {
        let model = self.model()?;
        let connection = self.connection();
        let mut status = EmbeddingStatus {
            embedded: match &model {
                Some(model) => {
                    let sql =
                        "SELECT count(*) FROM embeddings WHERE model = ? AND id NOT IN (SELECT id FROM memory_changes)";
                    connection.query_one(sql, [model.id], |row| row.get::<_, i64>(0))? as u64
                }
                None => 0,
            },
            dimensions: model.as_ref().map(|model| model.dimensions as u32),
            model: model.map(|model| model.name),
            bytes: self.state.borrow().vectors.as_ref().map_or(0, Vectors::bytes) as u64,
            ..EmbeddingStatus::default()
        };
        let sql = "SELECT count(*), count(error), min(retry_at)
                   FROM embedding_queue WHERE id NOT IN (SELECT id FROM memory_changes)";
        (status.pending, status.failed, status.retry_at) = connection
            .query_one(sql, [], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64, row.get(2)?)))?;
        if status.model.is_none() && status.pending == 0 {
            // The queue is empty before the first model, but everything indexed waits.
            let sql = "SELECT count(*) FROM memory_fts_docsize WHERE id NOT IN (SELECT id FROM memory_changes)";
            status.pending = ask::<i64>(connection, sql)? as u64;
        }
        // Texts that are not indexed yet wait too.
        status.pending += Index::of(self.db).texts()?;
        if status.failed > 0 {
            let sql = "SELECT error FROM embedding_queue WHERE error IS NOT NULL ORDER BY retry_at DESC LIMIT 1";
            status.last_error = ask(connection, sql)?;
        }
        Ok(status)
    }

    /// The vector of a row as it is in the database now. If another program stored something that is not a vector, this
    /// returns none and the row waits for its vector again.
    pub(super) fn vector(&self, id: i64, model: &Model) -> Result<Option<Vec<f32>>> {
        self.stored("SELECT vector FROM embeddings WHERE id = ? AND model = ?", &[&id, &model.id], id, model)
    }

    /// The same for a vector that was found; none if the row has another vector by now.
    pub(super) fn vector_of_near(&self, near: &Near, model: &Model) -> Result<Option<Vec<f32>>> {
        let sql = "SELECT vector FROM embeddings WHERE sequence = ? AND +id = ? AND +model = ?";
        self.stored(sql, &[&near.sequence, &near.id, &model.id], near.id, model)
    }

    fn stored(&self, sql: &str, values: &[&dyn ToSql], id: i64, model: &Model) -> Result<Option<Vec<f32>>> {
        let vector = {
            let mut statement = self.connection().prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            let Some(row) = rows.next()? else { return Ok(None) };
            row.get_ref(0)?.as_blob().ok().and_then(|bytes| from_blob(bytes, model.dimensions))
        };
        if vector.is_none() && !self.db.is_read_only() {
            self.embed_again(id, model)?;
        }
        Ok(vector)
    }

    fn embed_again(&self, id: i64, model: &Model) -> Result<()> {
        self.db.atomically(&mut || {
            let sql = "DELETE FROM embeddings WHERE id = ? AND model = ?";
            self.connection().prepare_cached(sql)?.execute([id, model.id])?;
            let sql = "INSERT OR REPLACE INTO embedding_queue (id) VALUES (?)";
            self.connection().prepare_cached(sql)?.execute([id])?;
            Ok(())
        })
    }
}

/// At most `characters` characters of a text, without surrounding white space.
pub(super) fn beginning(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    text[..end].trim()
}

fn no_model() -> Error {
    Error::new(ErrorCode::InvalidArgument, "There is no embedder yet.")
}

/// The next sequence number of a vector: one that was never used.
fn next_sequence(db: &Db) -> Result<i64> {
    let sql = "SELECT max(coalesce((SELECT max(sequence) FROM embeddings), 0),
                          coalesce((SELECT max(last) FROM embedding_blocks), 0)) + 1";
    ask(db.connection(), sql)
}
