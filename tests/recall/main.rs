//! Recall, through the public API: words, vectors, ranking, judgements, consolidation.
#![cfg(not(target_arch = "wasm32"))]

mod consolidation;
mod consolidation_slices;
mod damage;
mod judgement;
mod long_texts;
mod purge;
mod ranking;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
mod words;

use synth_memory::Memory;
use synth_memory::recall::{Item, MemoryTable, QuestionFilter, RecallHit, RecallQuestion};
use synth_memory::tables::semantic::NewSemanticMemory;

pub(crate) fn fact(content: &str) -> NewSemanticMemory {
    NewSemanticMemory { content: content.into(), ..NewSemanticMemory::default() }
}

/// Adds facts with these contents, in order; in a new memory their ids are 1, 2, 3, …
pub(crate) fn remember(memory: &Memory, contents: &[&str]) -> Vec<i64> {
    memory.semantic().add(contents.iter().map(|content| fact(content)).collect()).unwrap()
}

pub(crate) fn texts(hits: &[RecallHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.text.as_str()).collect()
}

pub(crate) fn semantic(row: i64) -> Item {
    Item::new(MemoryTable::Semantic, row)
}

pub(crate) fn only_semantic() -> QuestionFilter {
    QuestionFilter { tables: Some(vec![MemoryTable::Semantic]), ..QuestionFilter::default() }
}

pub(crate) fn asked(vector: &[f32]) -> RecallQuestion {
    RecallQuestion { vector: Some(vector.to_vec()), filter: only_semantic(), ..RecallQuestion::of("") }
}

/// Stores the vector that `of` makes for every text that waits.
pub(crate) fn embed(memory: &Memory, mut of: impl FnMut(&str) -> Option<Vec<f32>>) {
    loop {
        let waiting = memory.recall().pending(500).unwrap();
        if waiting.is_empty() {
            return memory.recall().write_blocks().unwrap();
        }
        let vectors: Vec<_> = waiting.into_iter().map(|text| (text.item, text.version, of(&text.text))).collect();
        memory.recall().keep(&vectors).unwrap();
        memory.recall().write_blocks().unwrap();
    }
}

/// Pseudo-random numbers, the same in every run.
pub(crate) struct Random(u64, Vec<Vec<f32>>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, Vec::new())
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    fn number(&mut self) -> f32 {
        // Approximately normal: the sum of twelve uniform numbers.
        (0..12).map(|_| self.below(1 << 20) as f32 / (1 << 20) as f32).sum::<f32>() - 6.0
    }

    /// A vector like an embedding: embeddings form groups, within which they differ in a few directions.
    pub(crate) fn embedding(&mut self, dimensions: usize) -> Vec<f32> {
        const GROUPS: usize = 40;
        if self.1.is_empty() {
            // The same whatever numbers were drawn before.
            let mut random = Self::new(1000);
            self.1 = (0..GROUPS + 30).map(|_| random.vector(dimensions)).collect();
        }
        let group = self.below(GROUPS);
        let mut vector = self.1[group].clone();
        for _ in 0..6 {
            let (at, far) = (GROUPS + (group + self.below(24)) % 30, 0.4 * self.number());
            vector.iter_mut().zip(&self.1[at]).for_each(|(value, direction)| *value += far * direction);
        }
        vector
    }

    pub(crate) fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        (0..dimensions).map(|_| self.number()).collect()
    }
}
