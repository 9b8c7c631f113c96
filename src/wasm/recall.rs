//! The calls of recall.

use wasm_bindgen::prelude::*;

use super::{Answer, Engine};
use crate::error::{Error, Result};
use crate::recall::Source;
use crate::recall::consolidate::Consolidation;
use crate::recall::lessons::Reference;
use crate::wire::{self, Asked, FromJs, ToJs};

impl Engine {
    /// A question, with its vector where the bundled model shall make it.
    fn asked(&self, question: &JsValue) -> Result<Asked> {
        let mut asked = Asked::from_js(question, "question")?;
        if asked.embed {
            asked.question.vector = self.memory()?.recall().embed(&asked.question.text)?;
        }
        Ok(asked)
    }
}

#[wasm_bindgen]
impl Engine {
    /// The rows that answer a question, the best first.
    #[wasm_bindgen(unchecked_return_type = "RecallHit[]")]
    pub fn recall(&self, #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] question: &JsValue) -> Answer {
        self.call(|memory| {
            let asked = self.asked(question)?;
            let hits = memory.recall().recall(&asked.question)?;
            let hits = hits.into_iter().map(|hit| wire::RecallHit::of(memory, hit, asked.neighbours));
            hits.collect::<Result<Vec<_>>>()?.to_js()
        })
    }

    /// The semantic memories nearest in meaning.
    #[wasm_bindgen(js_name = semanticSearch, unchecked_return_type = "NearRow[]")]
    pub fn semantic_search(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] question: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let mut asked = self.asked(question)?;
            asked.question.filter.sources = Some(vec![Source::Semantic]);
            let found = memory.recall().search(&asked.question)?;
            let found = found.into_iter().map(|found| wire::NearRow::of(memory, found));
            found.collect::<Result<Vec<_>>>()?.to_js()
        })
    }

    /// Semantic memories near a text, and recent episodes.
    #[wasm_bindgen(unchecked_return_type = "NearRow[]")]
    pub fn related(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] question: &JsValue,
        episodes: bool,
    ) -> Answer {
        self.call(|memory| {
            let found = memory.recall().related(&self.asked(question)?.question, episodes)?;
            let found = found.into_iter().map(|found| wire::NearRow::of(memory, found));
            found.collect::<Result<Vec<_>>>()?.to_js()
        })
    }

    /// How well what is known supports a text, from 0 to 1.
    #[wasm_bindgen(js_name = groundingConfidence, unchecked_return_type = "number")]
    pub fn grounding_confidence(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] question: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let asked = self.asked(question)?.question;
            memory.recall().grounding_confidence(&asked.text, asked.vector)?.to_js()
        })
    }

    /// Notes what is talked about.
    #[wasm_bindgen(js_name = trackContext, unchecked_return_type = "Done")]
    pub fn track_context(&self, #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] question: &JsValue) -> Answer {
        self.call(|memory| match self.asked(question)?.question.vector {
            Some(vector) => memory.recall().track_context(&vector)?.to_js(),
            None => Err(Error::invalid_argument("The text has no meaning that could be tracked.")),
        })
    }

    /// Whether the talk has left its subject.
    #[wasm_bindgen(js_name = coherenceDrift, unchecked_return_type = "CoherenceDrift")]
    pub fn coherence_drift(&self, threshold: f64) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().coherence_drift(threshold)))
    }

    /// Marks a doubt as settled, and which memories settled it or misled.
    #[wasm_bindgen(js_name = uncertaintyLearn, unchecked_return_type = "Done")]
    pub fn uncertainty_learn(
        &self,
        id: f64,
        pattern: &str,
        #[wasm_bindgen(unchecked_param_type = "readonly MemoryReference[]")] settled: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "readonly MemoryReference[]")] misled: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let id = i64::from_js(&id.into(), "id")?;
            let settled: Vec<Reference> = Vec::from_js(settled, "settledBy")?;
            let misled: Vec<Reference> = Vec::from_js(misled, "misledBy")?;
            memory.recall().resolve(id, pattern, &settled, &misled)?.to_js()
        })
    }

    /// Takes the bundled model, whose vectors are kept and searched from here on; tells their dimensions.
    #[wasm_bindgen(js_name = embedderLoad, unchecked_return_type = "number")]
    pub fn embedder_load(&self, model: Vec<u8>) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().load_embedder(model)))
    }

    /// Vectors of texts, by the bundled model; zeros for a text without any known word.
    #[wasm_bindgen(unchecked_return_type = "Float32Array<ArrayBuffer>[]")]
    pub fn embed(&self, texts: Vec<String>) -> Answer {
        self.call(|memory| {
            let vectors = js_sys::Array::new();
            for text in &texts {
                let vector = memory.recall().embed(text)?.unwrap_or_else(|| vec![0.0; memory.recall().dimensions()]);
                vectors.push(&js_sys::Float32Array::from(vector.as_slice()));
            }
            Ok(vectors.into())
        })
    }

    /// Embeds texts that wait, by the bundled model; tells how many there were, `limit` at most.
    #[wasm_bindgen(js_name = embeddingsCatchUp, unchecked_return_type = "number")]
    pub fn embeddings_catch_up(&self, limit: u32) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().catch_up(limit)))
    }

    /// Which model's vectors are kept and searched from here on.
    #[wasm_bindgen(js_name = embeddingsUse, unchecked_return_type = "Done")]
    pub fn embeddings_use(&self, name: &str, dimensions: u32) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().use_model(name, dimensions as usize)))
    }

    /// Texts that wait for their vector.
    #[wasm_bindgen(js_name = embeddingsPending, unchecked_return_type = "PendingText[]")]
    pub fn embeddings_pending(&self, limit: u32) -> Answer {
        let pending = self.memory().and_then(|memory| memory.recall().pending(limit));
        self.answer(pending.map(|texts| texts.into_iter().map(wire::PendingText::from).collect::<Vec<_>>()))
    }

    /// Keeps the vectors of such texts, one behind the other; tells how many were kept.
    #[wasm_bindgen(js_name = embeddingsKeep, unchecked_return_type = "number")]
    pub fn embeddings_keep(&self, keys: Vec<String>, vectors: &[f32], dimensions: u32, model: &str) -> Answer {
        self.call(|memory| {
            memory.recall().expect_model(model, dimensions as usize)?;
            let mut vectors = vectors.chunks(dimensions.max(1) as usize);
            let mut pairs = Vec::with_capacity(keys.len());
            for key in &keys {
                let (item, version) = wire::pending_key(key)?;
                pairs.push((item, version, Some(vectors.next().unwrap_or_default().to_vec())));
            }
            let kept = memory.recall().keep(&pairs)?;
            memory.recall().write_blocks()?;
            kept.to_js()
        })
    }

    /// Lets texts that have nothing to be embedded wait no longer.
    #[wasm_bindgen(js_name = embeddingsSkip, unchecked_return_type = "Done")]
    pub fn embeddings_skip(&self, keys: Vec<String>) -> Answer {
        self.call(|memory| {
            let keys = keys.iter().map(|key| wire::pending_key(key).map(|(item, version)| (item, version, None)));
            memory.recall().keep(&keys.collect::<Result<Vec<_>>>()?)?.to_js()
        })
    }

    /// Notes that texts could not be embedded, and why.
    #[wasm_bindgen(js_name = embeddingsFail, unchecked_return_type = "Done")]
    pub fn embeddings_fail(&self, keys: Vec<String>, why: &str) -> Answer {
        self.call(|memory| {
            let keys = keys.iter().map(|key| wire::pending_key(key)).collect::<Result<Vec<_>>>()?;
            memory.recall().fail(&keys, why)?.to_js()
        })
    }

    /// Lets what failed be tried again at once.
    #[wasm_bindgen(js_name = embeddingsRetry, unchecked_return_type = "Done")]
    pub fn embeddings_retry(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().retry()))
    }

    /// What is known of the vectors.
    #[wasm_bindgen(js_name = embeddingsStatus, unchecked_return_type = "EmbeddingStatus")]
    pub fn embeddings_status(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().embedding_status()))
    }

    /// The rows embedded last, on a plane.
    #[wasm_bindgen(js_name = embeddingsMap, unchecked_return_type = "MapPoint[]")]
    pub fn embeddings_map(&self, limit: u32) -> Answer {
        self.call(|memory| {
            let points = memory.recall().map(limit)?;
            let points = points.into_iter().map(|point| wire::MapPoint::of(memory, point));
            points.collect::<Result<Vec<_>>>()?.to_js()
        })
    }

    /// Tidies up semantic memories.
    #[wasm_bindgen(unchecked_return_type = "Consolidated")]
    pub fn consolidate(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ConsolidationOptions")] options: &JsValue,
    ) -> Answer {
        self.call(|memory| memory.recall().consolidate(&Consolidation::from_js(options, "options")?)?.to_js())
    }

    /// The consolidations that are kept, the newest first.
    #[wasm_bindgen(unchecked_return_type = "KeptConsolidation[]")]
    pub fn consolidations(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().consolidations()))
    }

    /// Takes a consolidation back; tells how many rows are as before.
    #[wasm_bindgen(js_name = undoConsolidation, unchecked_return_type = "number")]
    pub fn undo_consolidation(&self, id: Option<f64>) -> Answer {
        self.call(|memory| {
            let id = id.map(|id| i64::from_js(&id.into(), "id")).transpose()?;
            memory.recall().undo_consolidation(id)?.to_js()
        })
    }

    /// Lets go of what consolidations put away; tells how many there were.
    #[wasm_bindgen(js_name = discardConsolidations, unchecked_return_type = "number")]
    pub fn discard_consolidations(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.recall().discard_consolidations()))
    }
}
