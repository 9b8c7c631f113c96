//! The calls of recall.

use wasm_bindgen::prelude::*;

use super::{Answer, Engine};
use crate::error::{ErrorCode, Result};
use crate::recall::{MemoryReference, RecallQuestion};
use crate::tables::MemoryTable;
use crate::wire::{self, from_js, object_from_js};

/// A question, with its vector if the page computed it.
fn question(question: &JsValue, vector: Option<Vec<f32>>) -> Result<RecallQuestion> {
    Ok(RecallQuestion { vector, ..object_from_js(question, "question")? })
}

#[wasm_bindgen]
impl Engine {
    /// The hits of a question, the best first.
    #[wasm_bindgen(unchecked_return_type = "RecallHit[]")]
    pub fn recall(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] asked: &JsValue,
        vector: Option<Vec<f32>>,
    ) -> Answer {
        self.call(|memory| memory.recall().recall(&question(asked, vector)?))
    }

    /// Indexes some of the changed rows, for a few milliseconds; returns whether there are more.
    #[wasm_bindgen(js_name = indexSlice, unchecked_return_type = "boolean")]
    pub fn index_slice(&self) -> Answer {
        self.call(|memory| match memory.recall().index_slice() {
            // A revision without a full-text index has nothing to index.
            Err(error) if error.code() == ErrorCode::SchemaMismatch => Ok(false),
            more => more,
        })
    }

    /// The semantic memories that are nearest in meaning.
    #[wasm_bindgen(js_name = semanticSearch, unchecked_return_type = "NearRow[]")]
    pub fn semantic_search(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] asked: &JsValue,
        vector: Option<Vec<f32>>,
    ) -> Answer {
        self.call(|memory| {
            let mut question = question(asked, vector)?;
            question.filter.tables = Some(vec![MemoryTable::Semantic]);
            memory.recall().search(&question)
        })
    }

    /// Semantic memories near a text and, if `episodes`, also recent episodes that are near it.
    #[wasm_bindgen(unchecked_return_type = "NearRow[]")]
    pub fn related(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] asked: &JsValue,
        vector: Option<Vec<f32>>,
        episodes: bool,
    ) -> Answer {
        self.call(|memory| memory.recall().related(&question(asked, vector)?, episodes))
    }

    /// How well semantic memories support a text, from 0 to 1.
    #[wasm_bindgen(js_name = groundingConfidence, unchecked_return_type = "number")]
    pub fn grounding_confidence(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] asked: &JsValue,
        vector: Option<Vec<f32>>,
    ) -> Answer {
        self.call(|memory| memory.recall().grounding_confidence(&question(asked, vector)?))
    }

    /// Records what the conversation is about.
    #[wasm_bindgen(js_name = trackContext, unchecked_return_type = "Done")]
    pub fn track_context(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecallQuestion")] asked: &JsValue,
        vector: Option<Vec<f32>>,
    ) -> Answer {
        self.call(|memory| memory.recall().track_context(&question(asked, vector)?))
    }

    /// Whether the conversation has left its subject.
    #[wasm_bindgen(js_name = coherenceDrift, unchecked_return_type = "CoherenceDrift")]
    pub fn coherence_drift(&self, threshold: f64) -> Answer {
        self.call(|memory| memory.recall().coherence_drift(threshold))
    }

    /// Marks an open question as resolved, and records how, and which memories settled it or were misleading.
    #[wasm_bindgen(js_name = uncertaintyLearn, unchecked_return_type = "Done")]
    pub fn uncertainty_learn(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] id: &JsValue,
        pattern: &str,
        #[wasm_bindgen(unchecked_param_type = "readonly MemoryReference[]")] settled: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "readonly MemoryReference[]")] misled: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let settled: Vec<MemoryReference> = from_js(settled, "settledBy")?;
            let misled: Vec<MemoryReference> = from_js(misled, "misledBy")?;
            memory.recall().resolve(from_js(id, "id")?, pattern, &settled, &misled)
        })
    }

    /// Loads the bundled model, whose vectors are kept and searched from now on; returns their number of dimensions.
    #[wasm_bindgen(js_name = embedderLoad, unchecked_return_type = "number")]
    pub fn embedder_load(&self, model: Vec<u8>) -> Answer {
        self.call(|memory| memory.recall().load_embedder(&model))
    }

    /// The vectors of texts by the bundled model; zeros for a text without a known word.
    #[wasm_bindgen(unchecked_return_type = "Float32Array<ArrayBuffer>[]")]
    pub fn embed(&self, texts: Vec<String>) -> Answer {
        let vectors = self.memory().and_then(|memory| {
            let vectors = js_sys::Array::new();
            for text in &texts {
                let vector = memory.recall().embed(text)?.unwrap_or_else(|| vec![0.0; memory.recall().dimensions()]);
                vectors.push(&js_sys::Float32Array::from(vector.as_slice()));
            }
            Ok(vectors.into())
        });
        self.raw(vectors)
    }

    /// Embeds pending texts with the bundled model, at most `limit`; returns how many there were.
    #[wasm_bindgen(js_name = embeddingsCatchUp, unchecked_return_type = "number")]
    pub fn embeddings_catch_up(&self, limit: u32) -> Answer {
        self.call(|memory| memory.recall().catch_up(limit))
    }

    /// Sets the model whose vectors are kept and searched from now on.
    #[wasm_bindgen(js_name = embeddingsUse, unchecked_return_type = "Done")]
    pub fn embeddings_use(&self, name: &str, dimensions: u32) -> Answer {
        self.call(|memory| memory.recall().use_model(name, dimensions as usize))
    }

    /// Texts that wait for their vector.
    #[wasm_bindgen(js_name = embeddingsPending, unchecked_return_type = "PendingText[]")]
    pub fn embeddings_pending(&self, limit: u32) -> Answer {
        self.call(|memory| {
            let pending = memory.recall().pending(limit)?;
            Ok(pending.into_iter().map(wire::PendingText::from).collect::<Vec<_>>())
        })
    }

    /// Keeps the vectors of pending texts, one after the other in one array; returns how many were kept.
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
            Ok(kept)
        })
    }

    /// Removes texts that have nothing to embed from the pending ones.
    #[wasm_bindgen(js_name = embeddingsSkip, unchecked_return_type = "Done")]
    pub fn embeddings_skip(&self, keys: Vec<String>) -> Answer {
        self.call(|memory| {
            let keys = keys.iter().map(|key| wire::pending_key(key).map(|(item, version)| (item, version, None)));
            memory.recall().keep(&keys.collect::<Result<Vec<_>>>()?).map(drop)
        })
    }

    /// Records that texts could not be embedded, and why.
    #[wasm_bindgen(js_name = embeddingsFail, unchecked_return_type = "Done")]
    pub fn embeddings_fail(&self, keys: Vec<String>, why: &str) -> Answer {
        self.call(|memory| {
            let keys = keys.iter().map(|key| wire::pending_key(key)).collect::<Result<Vec<_>>>()?;
            memory.recall().fail(&keys, why)
        })
    }

    /// Makes failed texts be retried at once.
    #[wasm_bindgen(js_name = embeddingsRetry, unchecked_return_type = "Done")]
    pub fn embeddings_retry(&self) -> Answer {
        self.call(|memory| memory.recall().retry())
    }

    /// The state of the vectors.
    #[wasm_bindgen(js_name = embeddingsStatus, unchecked_return_type = "EmbeddingStatus")]
    pub fn embeddings_status(&self) -> Answer {
        self.call(|memory| memory.recall().embedding_status())
    }

    /// The rows that were embedded last, projected onto a plane.
    #[wasm_bindgen(js_name = embeddingsMap, unchecked_return_type = "MemoryMapPoint[]")]
    pub fn embeddings_map(&self, limit: u32) -> Answer {
        self.call(|memory| memory.recall().map(limit))
    }

    /// Consolidates semantic memories.
    #[wasm_bindgen(unchecked_return_type = "Consolidated")]
    pub fn consolidate(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ConsolidationOptions")] options: &JsValue,
    ) -> Answer {
        self.call(|memory| memory.recall().consolidate(&object_from_js(options, "options")?))
    }

    /// Merges semantic memories into another one; returns what was done.
    #[wasm_bindgen(js_name = semanticMerge, unchecked_return_type = "Consolidated")]
    pub fn semantic_merge(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] keep: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "readonly number[]")] others: &JsValue,
    ) -> Answer {
        self.call(|memory| {
            let (keep, others): (i64, Vec<i64>) = (from_js(keep, "keep")?, from_js(others, "others")?);
            memory.recall().merge(keep, &others)
        })
    }

    /// Searches for semantic memories that are the same or near each other, for this many milliseconds; returns whether
    /// the search is finished.
    #[wasm_bindgen(js_name = consolidatePrepare, unchecked_return_type = "boolean")]
    pub fn consolidate_prepare(
        &self,
        #[wasm_bindgen(unchecked_param_type = "ConsolidationOptions")] options: &JsValue,
        milliseconds: f64,
    ) -> Answer {
        self.call(|memory| {
            let how = object_from_js(options, "options")?;
            memory.recall().prepare_consolidation(&how, milliseconds / 1000.0)
        })
    }

    /// The consolidations that are kept, the newest first.
    #[wasm_bindgen(unchecked_return_type = "KeptConsolidation[]")]
    pub fn consolidations(&self) -> Answer {
        self.call(|memory| memory.recall().consolidations())
    }

    /// Undoes a consolidation; returns how many rows were restored.
    #[wasm_bindgen(js_name = undoConsolidation, unchecked_return_type = "number")]
    pub fn undo_consolidation(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | undefined")] id: &JsValue,
    ) -> Answer {
        self.call(|memory| memory.recall().undo_consolidation(from_js(id, "id")?))
    }

    /// Deletes what consolidations saved, so that they can no longer be undone; returns how many there were.
    #[wasm_bindgen(js_name = discardConsolidations, unchecked_return_type = "number")]
    pub fn discard_consolidations(&self) -> Answer {
        self.call(|memory| memory.recall().discard_consolidations())
    }
}
