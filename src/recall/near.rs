//! Groups of vectors that are near each other, found in steps.
//!
//! The bits of two vectors bound how near they may be, and their codes say approximately how near they are. Only for
//! the pairs that are left are the vectors themselves compared. Up to [`EACH_WITH_EACH`] vectors, each is compared with
//! each. With more, only vectors whose bits agree in some part are compared, so that the work does not grow with the
//! square of their number.

use std::f64::consts::PI;

use super::lanes::{self, BITS, CODES, Lane, Wide, bytes, distance, dot, lane, lanes, wide};
use crate::error::Result;

/// Up to this many vectors, each is compared with each.
const EACH_WITH_EACH: usize = 1024;
/// How many bits a part has. That many rarely agree by chance. Of two vectors with a cosine of 0.95, one in ten bits
/// differs, so more than one in four of their parts agree, and there are dozens of parts.
const PART: usize = 12;
/// If very many vectors agree in a part, only this many neighbors are compared: those whose next bits are nearly the
/// same.
const CROWD: usize = 200;
/// With how many others a vector is compared exactly. There are more only if very many vectors are the same and their
/// texts are not.
const CANDIDATES: usize = 64;
/// How far the cosine of two codes may be from that of their vectors, in units of their scales. Each code is off by up
/// to half a unit, so the error's standard deviation is less than a third of a unit.
const MARGIN: f64 = 1.5;

/// Whether two members, which are near according to their codes, belong together.
pub(super) type Belong<'b> = &'b mut dyn FnMut(usize, usize) -> Result<bool>;

/// The vectors that are grouped.
pub(super) struct NearGroups {
    threshold: f64,
    /// In how many bits two members may differ.
    reach: u32,
    dimensions: usize,
    codes: Vec<Lane>,
    scales: Vec<f32>,
    bits: Vec<Lane>,
    /// The first of each member's group; itself if it follows none.
    leaders: Vec<u32>,
    stage: Stage,
}

enum Stage {
    /// Each member is compared with the leaders before it: the member whose turn it is, and the leaders with their
    /// bits.
    EachWithEach {
        second: usize,
        leading: Vec<u32>,
        bits: Vec<Lane>,
    },
    /// Members that agree in a part of their bits are compared, in the order of their bits from that part on. `found`
    /// holds, for each member, the near ones before it.
    Parts {
        part: usize,
        order: Vec<(u64, u32)>,
        at: usize,
        found: Vec<Vec<u32>>,
    },
    /// The members that were found near each other are compared exactly, in the order of the members.
    Among {
        second: usize,
        found: Vec<Vec<u32>>,
    },
    Done,
}

impl NearGroups {
    /// Groups vectors with a cosine of at least `threshold`.
    pub(super) fn new(dimensions: usize, threshold: f64) -> Self {
        // If two vectors are rotated at random, the expected share of their signs that differ is their angle divided by
        // π.
        let differing = threshold.clamp(-1.0, 1.0).acos() / PI;
        let expected = dimensions as f64 * differing;
        let reach = expected + 6.0 * (expected * (1.0 - differing)).sqrt() + 4.0;
        let stage = Stage::EachWithEach { second: 0, leading: Vec::new(), bits: Vec::new() };
        let (codes, scales, bits, leaders) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { threshold, reach: reach as u32, dimensions, codes, scales, bits, leaders, stage }
    }

    /// Adds a member by its code.
    pub(super) fn push(&mut self, codes: &[Lane], scale: f32) {
        self.leaders.push(self.leaders.len() as u32);
        self.scales.push(scale);
        self.codes.extend_from_slice(codes);
        let mut signs = [0; BITS / 8];
        for (at, codes) in codes.iter().enumerate() {
            for (place, code) in bytes(*codes).into_iter().enumerate() {
                signs[at % 8 * 2 + place / 8] |= u8::from(code as i8 > 0) << (place % 8);
            }
            if at % 8 == 7 || at + 1 == codes_in(self.dimensions) {
                self.bits.push(lane(std::mem::take(&mut signs)));
            }
        }
    }

    /// Continues until the time is up, and returns whether all is found.
    pub(super) fn step(&mut self, is_over: &mut dyn FnMut() -> bool, belong: Belong<'_>) -> Result<bool> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::EachWithEach { .. } if self.leaders.len() > EACH_WITH_EACH => {
                    let found = vec![Vec::new(); self.leaders.len()];
                    self.stage = Stage::Parts { part: 0, order: self.in_order(0), at: 1, found };
                }
                Stage::EachWithEach { second, leading, bits } if second < self.leaders.len() => {
                    self.stage = self.compare(second, leading, bits, belong)?;
                }
                Stage::Parts { part, order, mut at, mut found } => {
                    // At least one, because a slice of no time would never end otherwise.
                    while at < order.len() {
                        self.look_around(&order, at, &mut found);
                        at += 1;
                        if is_over() {
                            break;
                        }
                    }
                    self.stage = if at < order.len() {
                        Stage::Parts { part, order, at, found }
                    } else if (part + 1) * PART < self.dimensions {
                        Stage::Parts { part: part + 1, order: self.in_order(part + 1), at: 1, found }
                    } else {
                        Stage::Among { second: 0, found }
                    };
                }
                Stage::Among { second, mut found } if second < self.leaders.len() => {
                    let mut before = std::mem::take(&mut found[second]);
                    before.sort_unstable();
                    for first in before {
                        if self.leads(first) && belong(first as usize, second)? {
                            self.leaders[second] = first;
                            break;
                        }
                    }
                    self.stage = Stage::Among { second: second + 1, found };
                }
                _ => return Ok(true),
            }
            if is_over() {
                return Ok(false);
            }
        }
    }

    /// The first of each member's group. All members of a group are near it, so that a group does not drift from
    /// neighbor to neighbor.
    pub(super) fn leaders(&self) -> &[u32] {
        &self.leaders
    }

    fn leads(&self, member: u32) -> bool {
        self.leaders[member as usize] == member
    }

    /// Makes a member follow the first leader that it belongs to, or lead.
    fn compare(
        &mut self,
        second: usize,
        mut leading: Vec<u32>,
        mut bits: Vec<Lane>,
        belong: Belong<'_>,
    ) -> Result<Stage> {
        let own = self.bits_of(second);
        let mut distances = Vec::with_capacity(leading.len());
        lanes::distances(&bits, own, &mut distances);
        let mut query = None;
        let mut asked = 0;
        for (first, distance) in leading.iter().zip(distances) {
            let first = *first as usize;
            if u32::from(distance) <= self.reach && self.is_near(first, second, &mut query) {
                asked += 1;
                if belong(first, second)? {
                    self.leaders[second] = first as u32;
                    break;
                }
                if asked == CANDIDATES {
                    break;
                }
            }
        }
        if self.leads(second as u32) {
            leading.push(second as u32);
            bits.extend_from_slice(self.bits_of(second));
        }
        Ok(Stage::EachWithEach { second: second + 1, leading, bits })
    }

    /// The members in the order of their bits, starting at a part.
    fn in_order(&self, part: usize) -> Vec<(u64, u32)> {
        let mut order: Vec<_> =
            (0..self.leaders.len()).map(|member| (self.bits_from(member, part * PART), member as u32)).collect();
        order.sort_unstable();
        order
    }

    /// Notes which of the members just before a member, in the order of their bits, are near it.
    fn look_around(&self, order: &[(u64, u32)], at: usize, found: &mut [Vec<u32>]) {
        let (bits, member) = order[at];
        let mut query = None;
        for (others, other) in order[at.saturating_sub(CROWD)..at].iter().rev() {
            if (others ^ bits) >> (64 - PART) != 0 {
                break;
            }
            let (first, second) = (member.min(*other), member.max(*other));
            let of_second = &mut found[second as usize];
            if of_second.len() < CANDIDATES
                && distance(self.bits_of(member as usize), self.bits_of(*other as usize)) <= self.reach
                && !of_second.contains(&first)
                && self.is_near(*other as usize, member as usize, &mut query)
            {
                of_second.push(first);
            }
        }
    }

    /// Whether the codes of two members are near enough. `query` keeps the second one's between calls.
    fn is_near(&self, first: usize, second: usize, query: &mut Option<Vec<Wide>>) -> bool {
        let query = query.get_or_insert_with(|| {
            let widened = |codes: &Lane| wide(bytes(*codes).map(|code| i16::from(code as i8)));
            self.codes_of(second).iter().map(widened).collect()
        });
        let product = f64::from(dot(self.codes_of(first), query));
        let (first, second) = (f64::from(self.scales[first]), f64::from(self.scales[second]));
        product * first * second >= self.threshold - MARGIN * (first + second)
    }

    fn codes_of(&self, member: usize) -> &[Lane] {
        let width = codes_in(self.dimensions);
        &self.codes[member * width..(member + 1) * width]
    }

    fn bits_of(&self, member: usize) -> &[Lane] {
        let width = lanes(self.dimensions, BITS);
        &self.bits[member * width..(member + 1) * width]
    }

    /// 64 bits of a member starting at `from`, the first in the highest place; after the last bit, the first follow.
    fn bits_from(&self, member: usize, from: usize) -> u64 {
        let bits = self.bits_of(member);
        let word = |at: usize| {
            let at = at % (2 * bits.len());
            u64::from_le_bytes(bytes(bits[at / 2])[at % 2 * 8..][..8].try_into().expect("eight bytes"))
        };
        let (at, shift) = (from / 64, from % 64);
        let low = word(at) >> shift;
        let high = if shift == 0 { 0 } else { word(at + 1) << (64 - shift) };
        (low | high).reverse_bits()
    }
}

fn codes_in(dimensions: usize) -> usize {
    lanes(dimensions, CODES)
}
