//! Ranked search over everything remembered: by words, by meaning, and by what else is known of a row.
//!
//! ```
//! use synth_memory::recall::RecallQuestion;
//! use synth_memory::{Clock, Memory, tables::semantic::NewSemanticMemory};
//!
//! let memory = Memory::in_memory(Clock::system())?;
//! let fact = NewSemanticMemory { content: "Ada is allergic to peanuts".into(), ..NewSemanticMemory::default() };
//! memory.semantic().add(vec![fact])?;
//!
//! let hits = memory.recall().recall(&RecallQuestion::of("peanut allergies"))?;
//! assert_eq!(hits[0].text, "Ada is allergic to peanuts");
//! # Ok::<(), synth_memory::Error>(())
//! ```

pub mod item;

mod lanes;

mod rotation;

mod unit;

mod vectors;

pub mod embeddings;

mod blocks;

mod bundled;

mod text;

pub mod fusion;

pub mod filter;

pub mod question;

mod search;

mod reference;

pub mod lessons;

pub mod judgement;

mod duplicates;

mod near;

pub mod consolidate;

pub mod map;

pub use crate::tables::MemoryTable;
pub use embeddings::{EmbeddingStatus, Model, Pending};
pub use filter::QuestionFilter;
pub use fusion::{RecallEvidence, RecallParts, RecallWeights};
pub use item::Item;
pub use question::{NearRow, RecallHit, RecallQuestion};
pub use reference::{MemoryReference, RecalledRow};

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use rusqlite::Connection;

use crate::db::{Db, ask};
use crate::embed::StaticModel;
use crate::error::Result;
use vectors::Vectors;

/// What an open memory holds for its recall beside the database; all of it can be made anew from there.
#[derive(Default)]
pub(crate) struct State {
    model: Option<Model>,
    vectors: Option<Vectors>,
    /// Blocks in the database of which little is left, to be written anew.
    scattered: Vec<i64>,
    /// Whether the index was held against the tables.
    checked: bool,
    /// Whether what is said to have a vector was held against those that there are.
    agreed: bool,
    /// Whether the memory can only be read, and has the vectors of another model.
    other_model: bool,
    /// The vectors of what was talked about last, the newest last.
    contexts: VecDeque<Vec<f32>>,
    /// The bundled model, where it was asked for.
    embedder: Option<StaticModel>,
    /// The search for facts that say the same, if one is under way.
    plan: Option<consolidate::Plan>,
    /// How often rows were of use since that was last written down.
    used: HashMap<i64, u32>,
}

impl State {
    /// Forgets what another database held.
    pub(crate) fn forget(&mut self) {
        let contexts = std::mem::take(&mut self.contexts);
        let embedder = self.embedder.take();
        *self = Self { contexts, embedder, ..Self::default() };
    }
}

/// The recall of an open memory.
pub struct Recall<'m> {
    db: &'m Db,
    state: &'m RefCell<State>,
}

impl<'m> Recall<'m> {
    pub(crate) fn new(db: &'m Db, state: &'m RefCell<State>) -> Self {
        Self { db, state }
    }

    fn connection(&self) -> &'m Connection {
        self.db.connection()
    }

    fn forget(&self) {
        self.state.borrow_mut().forget();
    }

    /// Holds what is indexed against the tables, once, and mends it where another program wrote past the triggers: `REPLACE`
    /// deletes without telling them.
    ///
    /// # Errors
    ///
    /// `schema_mismatch` where the memory is at a revision without an index.
    pub fn mend(&self) -> Result<()> {
        if self.state.borrow().checked {
            return Ok(());
        }
        let connection = self.connection();
        let agrees: bool = ask(
            connection,
            "SELECT total(id & 7 = 0) = (SELECT count(*) FROM turns)
                AND total(id & 7 = 1) = (SELECT count(*) FROM episodes)
                AND total(id & 7 = 2) = (SELECT count(*) FROM semantic_memories)
                AND total(id & 7 = 3) = (SELECT count(*) FROM long_term)
                AND total(id & 7 = 4) = (SELECT count(*) FROM uncertainty_log)
                AND count(*) = (SELECT count(*) FROM memory_fts_docsize)
             FROM memory_items",
        )?;
        if !agrees && !self.db.is_read_only() {
            self.db.atomically(&mut || {
                Ok(connection.execute_batch(
                    "DELETE FROM memory_items
                     WHERE id NOT IN (SELECT row << 3 | source FROM memory_texts);
                     INSERT INTO memory_items (id) SELECT row << 3 | source FROM memory_texts
                     WHERE row << 3 | source NOT IN (SELECT id FROM memory_items);
                     DELETE FROM memory_fts WHERE rowid NOT IN (SELECT id FROM memory_items);
                     INSERT INTO memory_fts (rowid, text)
                     SELECT row << 3 | source, text FROM memory_words
                     WHERE row << 3 | source NOT IN (SELECT id FROM memory_fts_docsize);",
                )?)
            })?;
        }
        // Rowids of a table without an INTEGER PRIMARY KEY may be given anew, as by a dump.
        let renumbered = "row << 3 | source FROM memory_words AS w LEFT JOIN memory_fts AS f ON f.rowid = row << 3 | 3
                          WHERE source = 3 AND f.text IS NOT w.text";
        let moved: bool = ask(connection, &format!("SELECT EXISTS (SELECT {renumbered})"))?;
        if moved && !self.db.is_read_only() {
            self.db.atomically(&mut || {
                Ok(connection.execute_batch(
                    "DELETE FROM memory_items WHERE id & 7 = 3;
                     INSERT INTO memory_items (id) SELECT rowid << 3 | 3 FROM long_term;",
                )?)
            })?;
        }
        self.state.borrow_mut().checked = true;
        Ok(())
    }
}
