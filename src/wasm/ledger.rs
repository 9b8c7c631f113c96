//! The calls of the ledger of answers.

use wasm_bindgen::prelude::*;

use super::{Answer, Engine};
use crate::db::Durability;

#[wasm_bindgen]
impl Engine {
    /// The answers kept for a client, oldest first: JSON as it was passed to `keepAnswers`, or
    /// `[[sequence, { "value": answer }]]` for a call that was announced by `enter`.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn answers(&self, client: &str) -> Answer {
        self.call(|memory| memory.answers(client))
    }

    /// Keeps the answers to calls of a client, the last of which has the number `last`, as a part of the batch that
    /// made them. Deletes its answers to calls before the number `acknowledged`. If it fails, the batch is rolled back
    /// and ends.
    #[wasm_bindgen(js_name = keepAnswers, unchecked_return_type = "Done")]
    pub fn keep_answers(&self, client: &str, acknowledged: f64, last: f64, answers: &str) -> Answer {
        self.call(|memory| memory.keep_answers(client, acknowledged as i64, last as i64, answers))
    }

    /// Announces that the next call is this request. The call has its own transaction, in which it enters its answer.
    /// If it fails, nothing is entered.
    pub fn enter(&self, client: &str, sequence: f64) {
        // After a close, no call follows.
        if let Ok(memory) = self.memory() {
            memory.enter(client, sequence as i64);
        }
    }

    /// Deletes the answers to the calls of a client before this number.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn acknowledge(&self, client: &str, below: f64) -> Answer {
        self.call(|memory| memory.acknowledge(client, below as i64))
    }

    /// Sets the durability of the writes that are answered from now on.
    #[wasm_bindgen(js_name = setDurability, unchecked_return_type = "Done")]
    pub fn set_durability(&self, #[wasm_bindgen(unchecked_param_type = "Durability")] durability: &str) -> Answer {
        let durability = if durability == "relaxed" { Durability::Relaxed } else { Durability::Strict };
        self.call(|memory| memory.db().set_durability(durability))
    }
}
