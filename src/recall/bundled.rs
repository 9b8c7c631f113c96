//! The bundled embedder at work: vectors for questions, and for the texts that wait.

use super::Recall;
use super::embeddings::Pending;
use super::question::RecallQuestion;
use crate::embed::StaticModel;
use crate::error::{Error, ErrorCode, Result};

impl Recall<'_> {
    /// Takes the bundled model from its bytes; its vectors are kept and searched from here on. Tells their dimensions.
    ///
    /// # Errors
    ///
    /// `invalid_argument` where the bytes are no model.
    pub fn load_embedder(&self, model: &[u8]) -> Result<u32> {
        let model = StaticModel::from_bytes(model)?;
        self.use_model(model.name(), model.dimensions())?;
        let dimensions = model.dimensions() as u32;
        self.state.borrow_mut().embedder = Some(model);
        Ok(dimensions)
    }

    /// The vector of a text; none where there is no word in it that the model knows.
    ///
    /// # Errors
    ///
    /// `embedder_missing` where it was not loaded.
    pub fn embed(&self, text: &str) -> Result<Option<Vec<f32>>> {
        Ok(self.state.borrow().embedder.as_ref().ok_or_else(missing)?.embed(text))
    }

    /// The vector of a question: its own, or the bundled model's if that is to make it. Then what was just written gets its
    /// vector first, so that it is found by meaning too; what is more than that, soon.
    ///
    /// # Errors
    ///
    /// `embedder_missing`.
    pub(super) fn vector_of(&self, question: &RecallQuestion) -> Result<Option<Vec<f32>>> {
        const AT_ONCE: u32 = 256;
        if !question.embed {
            if let (Some(vector), Some(name)) = (&question.vector, &question.model) {
                self.expect_model(name, vector.len())?;
            }
            return Ok(question.vector.clone());
        }
        let vector = self.embed(&question.text)?;
        match self.catch_up(AT_ONCE) {
            // A full disk is no reason not to answer: what could not be stored is found by its words.
            Err(error) if [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) => Ok(vector),
            caught_up => caught_up.map(|_| vector),
        }
    }

    /// How many numbers its vectors have; 0 where it was not loaded.
    pub fn dimensions(&self) -> usize {
        self.state.borrow().embedder.as_ref().map_or(0, StaticModel::dimensions)
    }

    /// Embeds up to so many texts that wait; tells how many there were.
    ///
    /// # Errors
    ///
    /// `embedder_missing`; where the file cannot be written, when they wait on.
    pub fn catch_up(&self, limit: u32) -> Result<u64> {
        // Looked up again, for the memory may have been imported since.
        let (name, dimensions) = {
            let state = self.state.borrow();
            let embedder = state.embedder.as_ref().ok_or_else(missing)?;
            (embedder.name().to_owned(), embedder.dimensions())
        };
        self.use_model(&name, dimensions)?;
        if self.db.is_read_only() {
            return Ok(0);
        }
        let waiting = self.pending(limit)?;
        let vectors: Vec<_> = {
            let state = self.state.borrow();
            let embedder = state.embedder.as_ref().ok_or_else(missing)?;
            waiting.iter().map(|Pending { item, version, text }| (*item, *version, embedder.embed(text))).collect()
        };
        if !vectors.is_empty() {
            self.keep(&vectors)?;
            self.write_blocks()?;
        }
        Ok(vectors.len() as u64)
    }
}

fn missing() -> Error {
    Error::new(ErrorCode::EmbedderMissing, "The bundled embedder is not loaded.")
}
