//! The vectors in memory, quantised, and the search for the nearest: exact over one byte per dimension, after a first
//! pass over one bit per dimension if there are many.
//!
//! The result is a hint: rows may have been deleted or changed since. The caller looks the best up in the database and
//! reports those that no longer exist with `forget`.

mod slots;

use super::codes::{pack, quantise, slot_len, unpack};
use super::item::{Item, MemoryTables};
use super::lanes::{self, BITS, CODES, Lane, Wide, bytes, dot, lane, lanes, wide};
use super::rotation::Rotation;
pub(super) use slots::Place;

/// How many vectors a block holds, in memory and in the database.
pub(super) const BLOCK: usize = 1024;
/// With fewer vectors or fewer dimensions than this, there is no first pass.
const FIRST_PASS: (usize, usize) = (4 * BLOCK, 128);
/// How many vectors the first pass leaves: at least `LEFT`, at least `LEFT_FOR_EACH` per wanted vector, and at least a
/// hundredth of all.
const LEFT: usize = BLOCK;
const LEFT_FOR_EACH: usize = 16;
/// In about how many blocks the distance limit of the first pass is estimated.
const SAMPLED_BLOCKS: usize = 32;
/// From about how many vectors the centre is computed. Each bit is measured from the centre.
const CENTRE: usize = 4 * BLOCK;
/// The id of a slot whose vector is gone.
const NOBODY: i64 = i64::MIN;

/// Up to [`BLOCK`] vectors, slot by slot.
#[derive(Default)]
pub(super) struct Block {
    /// The ids of the rows that the vectors belong to.
    pub(super) ids: Vec<i64>,
    /// The sequence numbers, in the order of storing. An id and a sequence number together identify one vector.
    pub(super) sequences: Vec<i64>,
    /// The value of one unit of a code.
    scales: Vec<f32>,
    codes: Vec<Lane>,
    bits: Vec<Lane>,
    tables: MemoryTables,
    /// Whether any slot's vector is gone.
    has_gone: bool,
    /// Its key in the database, if the stored block equals this one.
    pub(super) written: Option<i64>,
}

/// A vector that was found by its code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    pub(super) id: i64,
    pub(super) sequence: i64,
    /// The approximate cosine.
    pub(super) similarity: f32,
}

/// A vector to search for.
pub(super) struct Query {
    /// The vector itself, of unit length.
    pub(super) exact: Vec<f32>,
    /// The vector rotated, with zeros up to the end of its last lane.
    turned: Vec<f32>,
    numbers: Vec<Wide>,
    scale: f32,
}

/// Which vectors are accepted.
#[derive(Clone, Copy)]
pub(super) struct Accept<'a> {
    pub(super) tables: MemoryTables,
    /// Their ids, sorted; `None` accepts all.
    pub(super) ids: Option<&'a [i64]>,
}

impl Accept<'_> {
    pub(super) fn has(&self, id: i64) -> bool {
        id != NOBODY && self.tables.has(Item(id).table()) && self.ids.is_none_or(|ids| ids.binary_search(&id).is_ok())
    }
}

/// All vectors of one model.
pub(super) struct Vectors {
    dimensions: usize,
    rotation: Rotation,
    pub(super) blocks: Vec<Block>,
    /// The centre of the vectors, rotated, and the number of vectors that it stands for.
    centre: (Vec<f32>, usize),
    /// How many vectors were added since the last check for vectors that are gone.
    added: usize,
    /// Changes whenever vectors move.
    moves: u32,
}

impl Vectors {
    pub(super) fn new(dimensions: usize) -> Self {
        let rotation = Rotation::new(dimensions);
        Self { dimensions, rotation, blocks: Vec::new(), centre: (Vec::new(), 0), added: 0, moves: 0 }
    }

    /// How many slots there are, including slots whose vector is gone.
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.ids.len()).sum()
    }

    /// The largest sequence number of any vector.
    pub(super) fn last_sequence(&self) -> i64 {
        self.blocks.iter().filter_map(|block| block.sequences.last()).max().copied().unwrap_or_default()
    }

    /// How many bytes of memory the vectors take.
    pub(super) fn bytes(&self) -> usize {
        let of = |block: &Block| {
            (block.ids.capacity() + block.sequences.capacity()) * 8
                + block.scales.capacity() * 4
                + (block.codes.capacity() + block.bits.capacity()) * 16
        };
        self.blocks.iter().map(of).sum()
    }

    /// Adds a vector of unit length.
    pub(super) fn add(&mut self, id: i64, sequence: i64, vector: &[f32]) {
        let mut turned = vector.to_vec();
        self.rotation.turn(&mut turned);
        debug_assert_eq!(turned.len(), self.dimensions);
        self.added += 1;
        let block = self.last(id);
        let scale = quantise(&turned, &mut block.codes);
        block.push(id, sequence, scale);
    }

    /// Adds the vectors of a stored block that still exist. `ids` holds id and sequence number by turns; `codes` holds
    /// the scale and the codes of each vector. `live` holds the sequence numbers and ids of all vectors that exist,
    /// sorted; those that were added are marked in `came`.
    ///
    /// With a key, a block with fewer than half of its vectors left is not added, and this returns `false`. Without a
    /// key, its vectors are added to a block that has room.
    pub(super) fn add_block(
        &mut self,
        key: Option<i64>,
        ids: &[u8],
        codes: &[u8],
        live: &[(i64, i64)],
        came: &mut [bool],
    ) -> bool {
        let slots = names_in(ids).zip(codes.chunks_exact(slot_len(self.dimensions)));
        let slots: Vec<_> = slots
            .filter(|(_, slot)| slot.first_chunk().is_some_and(|scale| f32::from_le_bytes(*scale).is_finite()))
            .filter_map(|((id, sequence), slot)| Some((live.binary_search(&(sequence, id)).ok()?, id, sequence, slot)))
            .collect();
        if key.is_some() {
            if slots.len() < BLOCK / 2 {
                return false;
            }
            self.begin_block();
        }
        for (at, id, sequence, slot) in slots {
            came[at] = true;
            let (scale, codes) = slot.split_first_chunk::<4>().expect("a scale first");
            let dimensions = self.dimensions;
            let block = self.last(id);
            unpack(codes, dimensions, &mut block.codes);
            block.push(id, sequence, f32::from_le_bytes(*scale));
        }
        if key.is_some() {
            self.blocks.last_mut().expect("just begun").written = key;
        }
        true
    }

    fn begin_block(&mut self) {
        self.blocks.push(Block {
            ids: Vec::with_capacity(BLOCK),
            sequences: Vec::with_capacity(BLOCK),
            scales: Vec::with_capacity(BLOCK),
            codes: Vec::with_capacity(BLOCK * lanes(self.dimensions, CODES)),
            ..Block::default()
        });
    }

    /// The block that has room. Each block reserves its full capacity at the start, so it never moves.
    fn last(&mut self, id: i64) -> &mut Block {
        if self.blocks.last().is_none_or(|block| block.ids.len() >= BLOCK || block.written.is_some()) {
            self.begin_block();
        }
        let block = self.blocks.last_mut().expect("just made");
        block.tables.add(Item(id).table());
        block
    }

    /// Forgets vectors that no longer exist.
    pub(super) fn forget(&mut self, gone: &[Near]) {
        for block in &mut self.blocks {
            for (id, sequence) in block.ids.iter_mut().zip(&block.sequences) {
                if gone.iter().any(|near| near.sequence == *sequence && near.id == *id) {
                    *id = NOBODY;
                    block.has_gone = true;
                }
            }
        }
    }

    /// Makes a query of a vector of unit length.
    pub(super) fn query(&self, exact: Vec<f32>) -> Query {
        // With this limit, the sum of 4,096 products with seven-bit codes fits in 32 bits for any vector.
        const LARGEST: f32 = 4000.0;
        let mut turned = exact.clone();
        self.rotation.turn(&mut turned);
        turned.resize(lanes(self.dimensions, CODES) * CODES, 0.0);
        let largest = turned.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = largest.max(f32::MIN_POSITIVE) / LARGEST;
        let numbers = turned.chunks(CODES).map(|values| {
            let mut numbers = [0; CODES];
            for (number, value) in numbers.iter_mut().zip(values) {
                *number = (value / scale).round() as i16;
            }
            wide(numbers)
        });
        Query { numbers: numbers.collect(), exact, turned, scale }
    }

    /// The nearest `wanted` accepted vectors, the nearest first; fewer only if there are no more.
    pub(super) fn nearest(&mut self, query: &Query, wanted: usize, accept: Accept<'_>) -> Vec<Near> {
        let total = self.len();
        let mut found = if total < FIRST_PASS.0 || self.dimensions < FIRST_PASS.1 {
            let everyone = self.blocks.iter().flat_map(|block| (0..block.ids.len()).map(move |slot| (block, slot)));
            score(everyone.filter(|(block, slot)| accept.has(block.ids[*slot])), self.dimensions, query)
        } else {
            let chosen = self.first_pass(query, (LEFT_FOR_EACH * wanted).max(LEFT).max(total / 100), accept);
            let slots = chosen.iter().map(|(block, slot)| (&self.blocks[*block as usize], *slot as usize));
            score(slots, self.dimensions, query)
        };
        let by_similarity = |a: &Near, b: &Near| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id));
        if found.len() > wanted && wanted > 0 {
            found.select_nth_unstable_by(wanted - 1, by_similarity);
        }
        found.truncate(wanted);
        found.sort_unstable_by(by_similarity);
        found
    }

    /// About `wanted` slots whose bits differ least from the query's: all up to the distance that reaches that many.
    ///
    /// The distance is estimated from a sample of the blocks, so that the other blocks are scanned only once.
    fn first_pass(&mut self, query: &Query, wanted: usize, accept: Accept<'_>) -> Vec<(u32, u32)> {
        self.measure_bits();
        let mut bits = Vec::new();
        signs(query.turned.as_chunks().0.iter().copied(), &self.centre.0, &mut bits);
        let step = (self.blocks.len() / SAMPLED_BLOCKS).max(1);
        let estimated = self.reach(&bits, wanted.div_ceil(step), accept, step);
        let chosen = self.within(&bits, estimated, accept);
        if step == 1 || chosen.len() >= wanted / 2 {
            return chosen;
        }
        // Few vectors are accepted, or they are in blocks that were not sampled.
        self.within(&bits, self.reach(&bits, wanted, accept, 1), accept)
    }

    /// The distance up to which there are `wanted` accepted vectors in every `step`-th block; the largest one if there
    /// are fewer.
    fn reach(&self, bits: &[Lane], wanted: usize, accept: Accept<'_>, step: usize) -> u16 {
        let mut counts = vec![0_usize; self.dimensions + 1];
        let mut distances = Vec::with_capacity(BLOCK);
        for block in self.blocks.iter().step_by(step) {
            distances.clear();
            lanes::distances(&block.bits, bits, &mut distances);
            let everyone = block.counts_whole(accept);
            for (distance, id) in distances.iter().zip(&block.ids) {
                if everyone || accept.has(*id) {
                    counts[usize::from(*distance)] += 1;
                }
            }
        }
        let mut reached = 0;
        let limit = counts.iter().position(|count| {
            reached += count;
            reached >= wanted
        });
        limit.unwrap_or(self.dimensions) as u16
    }

    /// The slots up to this distance: block and slot.
    fn within(&self, bits: &[Lane], limit: u16, accept: Accept<'_>) -> Vec<(u32, u32)> {
        let mut chosen = Vec::new();
        let mut distances = Vec::with_capacity(BLOCK);
        for (at, block) in self.blocks.iter().enumerate() {
            distances.clear();
            lanes::distances(&block.bits, bits, &mut distances);
            for (slot, distance) in distances.iter().enumerate() {
                if *distance <= limit && accept.has(block.ids[slot]) {
                    chosen.push((at as u32, slot as u32));
                }
            }
        }
        chosen
    }

    /// Computes the bits that are missing, or all bits if the centre was computed from too few vectors.
    fn measure_bits(&mut self) {
        let total = self.len();
        if total >= 4 * self.centre.1 {
            self.centre = (self.middle(), total.min(CENTRE).max(self.centre.1 * 4));
            for block in &mut self.blocks {
                block.bits.clear();
            }
        }
        let (width, bits_width) = (lanes(self.dimensions, CODES), lanes(self.dimensions, BITS));
        for block in &mut self.blocks {
            block.bits.reserve_exact(BLOCK * bits_width - block.bits.len());
            for slot in block.bits.len() / bits_width..block.ids.len() {
                let codes = &block.codes[slot * width..(slot + 1) * width];
                signs(
                    codes.iter().map(|lane| bytes(*lane).map(|code| f32::from(code as i8) * block.scales[slot])),
                    &self.centre.0,
                    &mut block.bits,
                );
            }
        }
    }

    fn middle(&self) -> Vec<f32> {
        let mut sums = vec![0.0; lanes(self.dimensions, CODES) * CODES];
        let width = lanes(self.dimensions, CODES);
        let step = (self.len() / CENTRE).max(1);
        let mut taken = 0;
        let slots = self.blocks.iter().flat_map(|block| (0..block.ids.len()).map(move |slot| (block, slot)));
        for (block, slot) in slots.step_by(step) {
            taken += 1;
            let codes = block.codes[slot * width..(slot + 1) * width].iter().flat_map(|lane| bytes(*lane));
            for (sum, code) in sums.iter_mut().zip(codes) {
                *sum += f32::from(code as i8) * block.scales[slot];
            }
        }
        sums.iter().map(|sum| sum / taken.max(1) as f32).collect()
    }
}

impl Block {
    /// Whether every slot is accepted.
    fn counts_whole(&self, accept: Accept<'_>) -> bool {
        accept.ids.is_none() && self.tables.within(accept.tables) && !self.has_gone
    }

    fn push(&mut self, id: i64, sequence: i64, scale: f32) {
        self.ids.push(id);
        self.sequences.push(sequence);
        self.scales.push(scale);
    }

    /// Every slot that is in use, as the file stores it: ids and sequence numbers by turns, and the scale and codes of
    /// each.
    pub(super) fn packed(&self, dimensions: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut ids, mut packed) = (Vec::new(), Vec::new());
        let codes = self.codes.chunks_exact(lanes(dimensions, CODES));
        for (((id, sequence), scale), codes) in self.ids.iter().zip(&self.sequences).zip(&self.scales).zip(codes) {
            if *id == NOBODY {
                continue;
            }
            ids.extend(id.to_le_bytes());
            ids.extend(sequence.to_le_bytes());
            packed.extend(scale.to_le_bytes());
            pack(codes, dimensions, &mut packed);
        }
        (ids, packed)
    }
}

/// The id and the sequence number of each slot of a stored block.
pub(super) fn names_in(ids: &[u8]) -> impl Iterator<Item = (i64, i64)> {
    let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    ids.as_chunks::<16>().0.iter().map(move |name| (number(&name[..8]), number(&name[8..])))
}

fn score<'b>(slots: impl Iterator<Item = (&'b Block, usize)>, dimensions: usize, query: &Query) -> Vec<Near> {
    let width = lanes(dimensions, CODES);
    slots
        .map(|(block, slot)| {
            let product = dot(&block.codes[slot * width..(slot + 1) * width], &query.numbers);
            let similarity = product as f32 * block.scales[slot] * query.scale;
            Near { id: block.ids[slot], sequence: block.sequences[slot], similarity }
        })
        .collect()
}

/// One bit per value, set if the value is above the centre, in lanes of bits.
fn signs(values: impl Iterator<Item = [f32; CODES]>, middle: &[f32], bits: &mut Vec<Lane>) {
    let mut eight = [0; BITS / 8];
    let mut at = 0;
    for (values, middle) in values.zip(middle.as_chunks::<CODES>().0) {
        let mut above = 0_u16;
        for (place, (value, middle)) in values.iter().zip(middle).enumerate() {
            above |= u16::from(value > middle) << place;
        }
        eight[at..at + 2].copy_from_slice(&above.to_le_bytes());
        at += 2;
        if at == eight.len() {
            bits.push(lane(std::mem::take(&mut eight)));
            at = 0;
        }
    }
    if at > 0 {
        bits.push(lane(eight));
    }
}
