//! Sixteen numbers at a time, for the scan of vectors.
//!
//! In WebAssembly, a lane is a SIMD register; elsewhere, an array whose loops the compiler vectorises. Both return the
//! same results to the bit, so that native tests also hold for the browser.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd::*;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use plain::*;

/// Dimensions in one lane of codes.
pub(super) const CODES: usize = 16;
/// Dimensions in one lane of bits.
pub(super) const BITS: usize = 128;

/// How many lanes a vector takes, with `of` dimensions per lane.
pub(super) const fn lanes(dimensions: usize, of: usize) -> usize {
    dimensions.div_ceil(of)
}

/// The bit distances between a query and every row, with a width known at compile time.
fn distances_of<const WIDTH: usize>(rows: &[Lane], query: &[Lane], found: &mut Vec<u16>) {
    let query: &[Lane; WIDTH] = query.try_into().expect("as wide as the rows");
    let (rows, _) = rows.as_chunks::<WIDTH>();
    found.extend(rows.iter().map(|row| distance(row, query) as u16));
}

/// The bit distances between a query and every row.
pub(super) fn distances(rows: &[Lane], query: &[Lane], found: &mut Vec<u16>) {
    match query.len() {
        1 => distances_of::<1>(rows, query, found),
        2 => distances_of::<2>(rows, query, found),
        3 => distances_of::<3>(rows, query, found),
        4 => distances_of::<4>(rows, query, found),
        6 => distances_of::<6>(rows, query, found),
        8 => distances_of::<8>(rows, query, found),
        12 => distances_of::<12>(rows, query, found),
        width => found.extend(rows.chunks_exact(width).map(|row| distance(row, query) as u16)),
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::{
        i8x16_popcnt, i16x8, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat, i64x2, i64x2_extract_lane, u8x16_add, u8x16_splat,
        u16x8_extadd_pairwise_u8x16, u32x4_extadd_pairwise_u16x8, v128, v128_xor,
    };

    /// Sixteen bytes.
    pub(in super::super) type Lane = v128;
    /// Sixteen numbers of 16 bits.
    pub(in super::super) type Wide = [v128; 2];

    pub(in super::super) fn lane(bytes: [u8; 16]) -> Lane {
        let (low, high) = bytes.split_at(8);
        let half = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        i64x2(half(low), half(high))
    }

    pub(in super::super) fn bytes(lane: Lane) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&i64x2_extract_lane::<0>(lane).to_le_bytes());
        bytes[8..].copy_from_slice(&i64x2_extract_lane::<1>(lane).to_le_bytes());
        bytes
    }

    pub(in super::super) fn wide(n: [i16; 16]) -> Wide {
        [
            i16x8(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]),
            i16x8(n[8], n[9], n[10], n[11], n[12], n[13], n[14], n[15]),
        ]
    }

    fn sum(lanes: v128) -> i32 {
        i32x4_extract_lane::<0>(lanes)
            + i32x4_extract_lane::<1>(lanes)
            + i32x4_extract_lane::<2>(lanes)
            + i32x4_extract_lane::<3>(lanes)
    }

    /// How many bits differ.
    #[inline(always)]
    pub(in super::super) fn distance(a: &[Lane], b: &[Lane]) -> u32 {
        // A byte gains at most eight bits per lane, so it can count 31 lanes.
        const LANES: usize = 31;
        let mut total = i32x4_splat(0);
        for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
            let mut counts = u8x16_splat(0);
            for (a, b) in a.iter().zip(b) {
                counts = u8x16_add(counts, i8x16_popcnt(v128_xor(*a, *b)));
            }
            total = i32x4_add(total, u32x4_extadd_pairwise_u16x8(u16x8_extadd_pairwise_u8x16(counts)));
        }
        sum(total) as u32
    }

    /// The sum of the products.
    #[inline(always)]
    pub(in super::super) fn dot(codes: &[Lane], query: &[Wide]) -> i32 {
        let (mut low, mut high) = (i32x4_splat(0), i32x4_splat(0));
        for (codes, query) in codes.iter().zip(query) {
            low = i32x4_add(low, i32x4_dot_i16x8(i16x8_extend_low_i8x16(*codes), query[0]));
            high = i32x4_add(high, i32x4_dot_i16x8(i16x8_extend_high_i8x16(*codes), query[1]));
        }
        sum(i32x4_add(low, high))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod plain {
    /// Sixteen bytes.
    #[derive(Clone, Copy)]
    #[repr(align(16))]
    pub(in super::super) struct Lane([u8; 16]);
    /// Sixteen numbers of 16 bits.
    pub(in super::super) type Wide = [i16; 16];

    pub(in super::super) fn lane(bytes: [u8; 16]) -> Lane {
        Lane(bytes)
    }

    pub(in super::super) fn bytes(lane: Lane) -> [u8; 16] {
        lane.0
    }

    pub(in super::super) fn wide(numbers: [i16; 16]) -> Wide {
        numbers
    }

    /// How many bits differ.
    pub(in super::super) fn distance(a: &[Lane], b: &[Lane]) -> u32 {
        let differing = |(a, b): (&Lane, &Lane)| (u128::from_le_bytes(a.0) ^ u128::from_le_bytes(b.0)).count_ones();
        a.iter().zip(b).map(differing).sum()
    }

    /// The sum of the products.
    pub(in super::super) fn dot(codes: &[Lane], query: &[Wide]) -> i32 {
        let products = |(codes, query): (&Lane, &Wide)| -> i32 {
            codes.0.iter().zip(query).map(|(code, number)| i32::from(*code as i8) * i32::from(*number)).sum()
        };
        codes.iter().zip(query).map(products).sum()
    }
}
