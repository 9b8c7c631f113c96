//! The places of vectors in memory, and how the slots of vectors that are gone are reused.

use super::{BLOCK, Block, CODES, Lane, NOBODY, Vectors, lanes};

/// The place of a vector in memory: block and slot.
pub(in crate::recall) type Place = (u32, u32);

impl Vectors {
    /// Whether it is time to check which vectors are gone: so many were added since the last check that a good part of
    /// the slots may be unused.
    pub(in crate::recall) fn may_be_sparse(&self) -> bool {
        self.added > (self.len() / 4).max(BLOCK)
    }

    /// Releases the slots of vectors that are gone, in blocks that have many of them. `live` holds the sequence numbers
    /// and ids of all vectors that exist, sorted. Returns the database keys of the blocks that were removed.
    pub(in crate::recall) fn compact(&mut self, live: &[(i64, i64)]) -> Vec<i64> {
        self.added = 0;
        for block in &mut self.blocks {
            for (id, sequence) in block.ids.iter_mut().zip(&block.sequences) {
                if *id != NOBODY && live.binary_search(&(*sequence, *id)).is_err() {
                    *id = NOBODY;
                    block.has_gone = true;
                }
            }
        }
        let is_sparse = |block: &Block| {
            block.has_gone && block.ids.iter().filter(|id| **id != NOBODY).count() < block.ids.len() / 4 * 3
        };
        let (sparse, kept) = std::mem::take(&mut self.blocks).into_iter().partition::<Vec<_>, _>(is_sparse);
        self.blocks = kept;
        if !sparse.is_empty() {
            self.moves += 1;
        }
        let width = lanes(self.dimensions, CODES);
        for block in &sparse {
            for (slot, id) in block.ids.iter().enumerate().filter(|(_, id)| **id != NOBODY) {
                let last = self.last(*id);
                last.codes.extend_from_slice(&block.codes[slot * width..(slot + 1) * width]);
                last.push(*id, block.sequences[slot], block.scales[slot]);
            }
        }
        sparse.iter().filter_map(|block| block.written).collect()
    }

    /// Changes whenever vectors move, which invalidates their places.
    pub(in crate::recall) fn moves(&self) -> u32 {
        self.moves
    }

    /// The places of the newest vectors of these rows, whose ids must be sorted.
    pub(in crate::recall) fn places(&self, ids: impl Iterator<Item = i64>) -> Vec<Option<Place>> {
        let mut all = Vec::with_capacity(self.len());
        for (block, at) in self.blocks.iter().zip(0_u32..) {
            let slots = block.ids.iter().zip(&block.sequences).zip(0_u32..);
            all.extend(slots.map(|((id, sequence), slot)| (*id, *sequence, (at, slot))));
        }
        all.sort_unstable();
        let mut next = all.iter().peekable();
        ids.map(|id| {
            let mut place = None;
            while let Some((of, _, at)) = next.next_if(|(of, ..)| *of <= id) {
                place = (*of == id).then_some(*at);
            }
            place
        })
        .collect()
    }

    /// The code of the vector at a place, and the value of one unit of it.
    pub(in crate::recall) fn code(&self, (block, slot): Place) -> (&[Lane], f32) {
        let (block, slot) = (&self.blocks[block as usize], slot as usize);
        let width = lanes(self.dimensions, CODES);
        (&block.codes[slot * width..(slot + 1) * width], block.scales[slot])
    }
}
