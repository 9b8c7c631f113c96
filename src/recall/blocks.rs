//! The quantised vectors in the database, in blocks: a copy that is faster to read than single vectors.

use rusqlite::params;
use rusqlite::types::ValueRef;

use super::Recall;
use super::codes::packed_len;
use super::embeddings::Model;
use super::vectors::{BLOCK, Vectors};
use crate::error::Result;

impl Recall<'_> {
    /// Writes the blocks that are not written yet, so that the next opening reads blocks instead of single rows.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_blocks(&self) -> Result<()> {
        let (Some(model), false) = (self.state.borrow().model.clone(), self.db.is_read_only()) else { return Ok(()) };
        if self.state.borrow().vectors.as_ref().is_some_and(Vectors::may_be_sparse) {
            let live = self.live(&model)?;
            let mut state = self.state.borrow_mut();
            let dissolved = state.vectors.as_mut().expect("just asked").compact(&live);
            state.scattered.extend(dissolved);
        }
        let mut state = self.state.borrow_mut();
        let unwritten = std::mem::take(&mut state.scattered);
        let Some(index) = &mut state.vectors else { return Ok(()) };
        let blocks = index.blocks.iter_mut().filter(|block| block.ids.len() == BLOCK && block.written.is_none());
        if !unwritten.is_empty() {
            self.db.atomically_relaxed(&mut || {
                for last in &unwritten {
                    self.connection().execute("DELETE FROM embedding_blocks WHERE last = ?", [last])?;
                }
                Ok(())
            })?;
        }
        for block in blocks {
            let (ids, codes) = block.packed(model.dimensions);
            let last = block.sequences.iter().max().copied().unwrap_or_default();
            self.db.atomically_relaxed(&mut || {
                let sql = "INSERT OR REPLACE INTO embedding_blocks (last, model, ids, codes, checksum)
                           VALUES (?, ?, ?, ?, ?)";
                let checksum = checksum(last, &model, &ids, &codes);
                self.connection().prepare_cached(sql)?.execute(params![last, model.id, ids, codes, checksum])?;
                Ok(())
            })?;
            block.written = Some(last);
        }
        Ok(())
    }

    /// Reads the vectors of the model into memory, unless they are there.
    pub(super) fn read_index(&self, model: &Model) -> Result<()> {
        if self.state.borrow().vectors.is_none() {
            let (vectors, scattered) = self.read_vectors(model)?;
            let mut state = self.state.borrow_mut();
            state.vectors = Some(vectors);
            state.scattered = scattered;
        }
        Ok(())
    }

    /// The sequence numbers and ids of all vectors of a model, sorted.
    pub(super) fn live(&self, model: &Model) -> Result<Vec<(i64, i64)>> {
        let mut statement = self.connection().prepare_cached("SELECT sequence, id FROM embeddings WHERE model = ?")?;
        let rows = statement.query_map([model.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut live = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        live.sort_unstable();
        Ok(live)
    }

    /// Reads the vectors of a model: from blocks that are written and undamaged, and the rest row by row. Also returns
    /// the blocks to delete: damaged ones, and those with few vectors left.
    fn read_vectors(&self, model: &Model) -> Result<(Vectors, Vec<i64>)> {
        let connection = self.connection();
        let live = self.live(model)?;
        let mut covered = vec![false; live.len()];
        let mut vectors = Vectors::new(model.dimensions);
        let mut scattered = Vec::new();
        let mut damaged = Vec::new();
        let sql = "SELECT last, ids, codes, checksum FROM embedding_blocks WHERE model = ? ORDER BY last";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([model.id])?;
        while let Some(row) = rows.next()? {
            let blob = |at| row.get_ref(at).map(|value| value.as_blob().unwrap_or_default());
            let (last, ids, codes) = (row.get(0)?, blob(1)?, blob(2)?);
            // Another program may have stored anything there.
            if row.get_ref(3)? != ValueRef::Integer(checksum(last, model, ids, codes)) {
                damaged.push(last);
            } else if !vectors.add_block(Some(last), ids, codes, &live, &mut covered) {
                scattered.push((last, ids.to_vec(), codes.to_vec()));
            }
        }
        drop(rows);
        for (last, ids, codes) in &scattered {
            vectors.add_block(None, ids, codes, &live, &mut covered);
            damaged.push(*last);
        }
        for ((sequence, id), _) in live.iter().zip(&covered).filter(|(_, covered)| !**covered) {
            if let Some(vector) = self.vector(*id, model)? {
                vectors.add(*id, *sequence, &vector);
            }
        }
        Ok((vectors, damaged))
    }
}

/// A checksum of everything in a block, which detects a change to any part of it. Each step is reversible, so two
/// blocks that differ in a single word never have the same checksum. It does not protect against deliberate changes.
pub(super) fn checksum(last: i64, model: &Model, ids: &[u8], codes: &[u8]) -> i64 {
    let mut sum = 0_u64;
    let mut add = |word: u64| sum = (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    add(last as u64);
    add(model.id as u64);
    add(packed_len(model.dimensions) as u64);
    for bytes in [ids, codes] {
        add(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| add(u64::from_le_bytes(*word)));
        let mut end = [0; 8];
        end[..rest.len()].copy_from_slice(rest);
        add(u64::from_le_bytes(end));
    }
    sum as i64
}
