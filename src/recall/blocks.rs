//! The quantised vectors in the database, in blocks: a copy, from which they are read sooner than one by one.

use rusqlite::params;

use super::Recall;
use super::embeddings::Model;
use super::vectors::{BLOCK, Vectors};
use crate::error::Result;

impl Recall<'_> {
    /// Writes blocks of vectors that are not written yet, so that the next opening reads blocks, not rows.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn write_blocks(&self) -> Result<()> {
        let mut state = self.state.borrow_mut();
        let (Some(model), false) = (state.model.clone(), self.db.is_read_only()) else { return Ok(()) };
        let unwritten = std::mem::take(&mut state.scattered);
        let Some(index) = &mut state.vectors else { return Ok(()) };
        let blocks = index.blocks.iter_mut().filter(|block| block.ids.len() == BLOCK && !block.written);
        self.db.atomically(&mut || {
            for last in &unwritten {
                self.connection().execute("DELETE FROM embedding_blocks WHERE last = ?", [last])?;
            }
            Ok(())
        })?;
        for block in blocks {
            let (mut ids, mut codes) = (Vec::new(), Vec::new());
            for (id, sequence, scale, code) in block.slots(model.dimensions) {
                ids.extend(id.to_le_bytes());
                ids.extend(sequence.to_le_bytes());
                codes.extend(scale.to_le_bytes());
                codes.extend(code);
            }
            let last = block.sequences.iter().max().copied().unwrap_or_default();
            self.db.atomically(&mut || {
                let sql = "INSERT OR REPLACE INTO embedding_blocks (last, model, ids, codes) VALUES (?, ?, ?, ?)";
                self.connection().prepare_cached(sql)?.execute(params![last, model.id, ids, codes])?;
                Ok(())
            })?;
            block.written = true;
        }
        Ok(())
    }

    /// Has the vectors of the model in memory.
    pub(super) fn read_index(&self, model: &Model) -> Result<()> {
        if self.state.borrow().vectors.is_none() {
            let (vectors, scattered) = self.read_vectors(model)?;
            let mut state = self.state.borrow_mut();
            state.vectors = Some(vectors);
            state.scattered = scattered;
        }
        Ok(())
    }

    /// Reads the vectors of a model: blocks where they are written, and the rest row by row.
    fn read_vectors(&self, model: &Model) -> Result<(Vectors, Vec<i64>)> {
        let connection = self.connection();
        let mut live: Vec<(i64, i64)> = {
            let mut statement = connection.prepare_cached("SELECT sequence, id FROM embeddings WHERE model = ?")?;
            let rows = statement.query_map([model.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        live.sort_unstable();
        let mut covered = vec![false; live.len()];
        let mut vectors = Vectors::new(model.dimensions);
        let mut scattered = Vec::new();
        let sql = "SELECT last, ids, codes FROM embedding_blocks WHERE model = ? ORDER BY last";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([model.id])?;
        while let Some(row) = rows.next()? {
            let blob = |at| row.get_ref(at).map(|value| value.as_blob().unwrap_or_default());
            let (ids, codes) = (blob(1)?, blob(2)?);
            if !vectors.add_block(ids, codes, &live, &mut covered, false) {
                scattered.push((row.get(0)?, ids.to_vec(), codes.to_vec()));
            }
        }
        for (_, ids, codes) in &scattered {
            vectors.add_block(ids, codes, &live, &mut covered, true);
        }
        let scattered = scattered.into_iter().map(|(last, ..)| last).collect();
        drop(rows);
        for ((sequence, id), _) in live.iter().zip(&covered).filter(|(_, covered)| !**covered) {
            if let Some((_, vector)) = self.vector(*id, model)? {
                vectors.add(*id, *sequence, &vector);
            }
        }
        Ok((vectors, scattered))
    }
}
