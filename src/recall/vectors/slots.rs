//! Where vectors are in memory, and how the room of those that are gone is used again.

use super::{BLOCK, Block, CODES, Lane, NOBODY, Vectors, lanes};

/// Where a vector is in memory: block and slot.
pub(in crate::recall) type Place = (u32, u32);

impl Vectors {
    /// Whether it is time to see which vectors are gone: where so many were added since that was last done that a good part
    /// of the slots may be nobody's.
    pub(in crate::recall) fn may_be_sparse(&self) -> bool {
        self.added > (self.len() / 4).max(BLOCK)
    }

    /// Lets go of the slots of vectors that are gone, where a block has many of them. `live` are the places and ids of all that
    /// are there, sorted. Gives the keys in the database of the blocks that are no more.
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

    /// Another number whenever vectors moved, so that places do not hold any more.
    pub(in crate::recall) fn moves(&self) -> u32 {
        self.moves
    }

    /// The places of the newest vectors of these rows, which are sorted by id.
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

    /// The code of the vector at a place, and what a unit of it stands for.
    pub(in crate::recall) fn code(&self, (block, slot): Place) -> (&[Lane], f32) {
        let (block, slot) = (&self.blocks[block as usize], slot as usize);
        let width = lanes(self.dimensions, CODES);
        (&block.codes[slot * width..(slot + 1) * width], block.scales[slot])
    }
}
