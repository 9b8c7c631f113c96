//! Ranked search over everything remembered: by words, by meaning, and by other evidence such as age and importance.
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

mod codes;

mod lanes;

mod rotation;

mod unit;

mod vectors;

pub mod embeddings;

mod blocks;

mod purge;

mod bundled;

mod text;

pub(crate) mod index;

pub(crate) mod repair;

pub(crate) mod matches;

mod conversation;

pub mod fusion;

pub mod filter;

pub mod question;

mod search;

mod reference;

pub mod lessons;

pub mod judgement;

mod hits;

mod same_text;

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

use crate::db::Db;
use crate::embed::StaticModel;
use vectors::Vectors;

/// The state that recall keeps in memory for an open memory. Except for the contexts and the counts of uses, it can be
/// rebuilt from the database.
#[derive(Default)]
pub(crate) struct State {
    model: Option<Model>,
    vectors: Option<Vectors>,
    /// The keys of stored blocks with few vectors left or with damage, which are to be deleted and rewritten.
    scattered: Vec<i64>,
    /// Whether this opening has checked for rows whose vectors are missing.
    agreed: bool,
    /// Whether the memory is read-only and holds vectors of another model than the embedder's.
    other_model: bool,
    /// The vectors of the last contexts, the newest last.
    contexts: VecDeque<Vec<f32>>,
    /// The bundled model, once it is loaded.
    embedder: Option<StaticModel>,
    /// The search for facts that are the same or near each other, if one is under way.
    plan: Option<consolidate::Plan>,
    /// How often rows were used since the counts were last stored.
    used: HashMap<i64, u32>,
}

impl State {
    /// Forgets everything that came from the database, which may have been replaced.
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
}
