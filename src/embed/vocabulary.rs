//! The tokens' texts, and a hash table to find them.

/// The most bytes of a token.
pub(super) const LONGEST_TOKEN: usize = 64;
/// How many bits of a slot hold the token's place; the others hold bits of its hash.
const PLACE_BITS: u32 = 18;
const PLACE: u32 = (1 << PLACE_BITS) - 1;

/// The tokens' texts, found by an open-addressed hash table of their places.
pub(super) struct Vocabulary {
    texts: Box<[u8]>,
    /// The start of each text, and the end of the last one.
    offsets: Vec<u32>,
    /// Zero, or the upper bits of the hash and the token's place plus one.
    slots: Vec<u32>,
    /// The most bytes of a token.
    longest: usize,
}

impl Vocabulary {
    /// Returns none if the lengths do not fit the texts, or two tokens are the same.
    pub(super) fn new(lengths: &[u8], texts: &[u8]) -> Option<Self> {
        let mut offsets = Vec::with_capacity(lengths.len() + 1);
        offsets.push(0);
        let mut end = 0;
        for &length in lengths {
            end += u32::from(length);
            offsets.push(end);
        }
        let longest = usize::from(lengths.iter().copied().max()?);
        if end as usize != texts.len() || longest > LONGEST_TOKEN || lengths.len() >= PLACE as usize {
            return None;
        }
        // At least two slots per token, so that a missing word is recognised soon.
        let slots = vec![0; (lengths.len() * 2).next_power_of_two()];
        let mut vocabulary = Self { texts: texts.into(), offsets, slots, longest };
        // It stops at the first repeated token. A token that repeats would be compared with all before it: 40 s for a
        // file of 1.3 MB.
        (0..lengths.len()).all(|at| vocabulary.insert(at)).then_some(vocabulary)
    }

    /// The most bytes of a token.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    fn text(&self, at: usize) -> &[u8] {
        &self.texts[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    /// Returns false if the token exists already.
    fn insert(&mut self, at: usize) -> bool {
        let hash = self.text(at).iter().fold(Hash::START, Hash::next).finished();
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 {
            let other = (self.slots[slot] & PLACE) as usize - 1;
            if (self.slots[slot] ^ hash) >> PLACE_BITS == 0 && self.text(other) == self.text(at) {
                return false;
            }
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = hash & !PLACE | (at as u32 + 1);
        true
    }

    /// The place of the token that equals `before` followed by `text`. `hash` is the hash of both.
    pub(super) fn find(&self, hash: u32, before: &[u8], text: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // At least one slot in two is empty, so this ends.
        while self.slots[slot] != 0 {
            let at = (self.slots[slot] & PLACE) as usize - 1;
            if (self.slots[slot] ^ hash) >> PLACE_BITS == 0 && self.text(at).strip_prefix(before) == Some(text) {
                return Some(at);
            }
            slot = (slot + 1) & mask;
        }
        None
    }
}

/// FNV-1a, mixed once more at the end, because otherwise its low bits alone would choose the slot.
#[derive(Clone, Copy)]
pub(super) struct Hash(u32);

impl Hash {
    pub(super) const START: Self = Self(0x811c_9dc5);

    pub(super) fn next(self, byte: &u8) -> Self {
        Self((self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }

    pub(super) fn finished(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 15).wrapping_mul(0x2c1b_3c6d);
        mixed ^ mixed >> 13
    }
}
