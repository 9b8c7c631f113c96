//! The bundled embedder: it makes the vectors of questions and of the texts that wait.

use super::Recall;
use super::embeddings::Pending;
use super::question::RecallQuestion;
use crate::embed::StaticModel;
use crate::error::{Error, ErrorCode, Result};

impl Recall<'_> {
    /// Loads the bundled model from its bytes. Its vectors are kept and searched from here on. Returns their
    /// dimensions.
    ///
    /// # Errors
    ///
    /// `invalid_argument` if the bytes are not a model.
    pub fn load_embedder(&self, model: &[u8]) -> Result<u32> {
        let model = StaticModel::from_bytes(model)?;
        self.use_model(model.name(), model.dimensions())?;
        let dimensions = model.dimensions() as u32;
        self.state.borrow_mut().embedder = Some(model);
        Ok(dimensions)
    }

    /// The vector of a text; none if the model knows no word in it.
    ///
    /// # Errors
    ///
    /// `embedder_missing` if the model is not loaded.
    pub fn embed(&self, text: &str) -> Result<Option<Vec<f32>>> {
        Ok(self.state.borrow().embedder.as_ref().ok_or_else(missing)?.embed(text))
    }

    /// The vector of a question: its own, or one made by the bundled model if `embed` is set. In that case up to 256
    /// texts that wait are embedded first, so that what was just written is found by meaning too; the others follow
    /// soon.
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
            // A full disk must not prevent an answer: rows whose vectors could not be stored are found by their words.
            Err(error) if [ErrorCode::QuotaExceeded, ErrorCode::IoFailed].contains(&error.code()) => Ok(vector),
            caught_up => caught_up.map(|_| vector),
        }
    }

    /// The dimensions of the bundled model; 0 if it is not loaded.
    pub fn dimensions(&self) -> usize {
        self.state.borrow().embedder.as_ref().map_or(0, StaticModel::dimensions)
    }

    /// Embeds up to `limit` texts that wait; returns how many there were.
    ///
    /// # Errors
    ///
    /// `embedder_missing`; also fails if the file cannot be written, in which case the texts keep waiting.
    pub fn catch_up(&self, limit: u32) -> Result<u64> {
        // Set again, because a memory may have been imported since.
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
