//! What a page of a database file keeps of rows that it does not hold any more.
//!
//! `PRAGMA secure_delete` overwrites what is deleted, but where SQLite moves rows from one page to another it leaves what stood
//! there in the page's unallocated space, which nothing reads again.

/// The header of the file, which stands before the first page's own.
const FILE_HEADER: usize = 100;

/// Overwrites the unallocated space of a page with zeros, if it is a page of a b-tree: what lies between its array of cell
/// pointers and its cells (<https://sqlite.org/fileformat2.html#b_tree_pages>).
pub(crate) fn zero_unallocated(page: &mut [u8], is_first: bool) {
    if let Some(gap) = unallocated(page, is_first) {
        page[gap].fill(0);
    }
}

/// The same for every page of a file.
pub(crate) fn zero_unallocated_in(file: &mut [u8]) {
    let page_size = match file.get(16..18) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return,
    };
    if page_size.is_power_of_two() && page_size >= 512 {
        for (at, page) in file.chunks_exact_mut(page_size).enumerate() {
            zero_unallocated(page, at == 0);
        }
    }
}

fn unallocated(page: &[u8], is_first: bool) -> Option<std::ops::Range<usize>> {
    let header = if is_first { FILE_HEADER } else { 0 };
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    // Other pages begin with the number of a page, of which this is the highest byte: so large a file there is none.
    let header_length = match page.get(header)? {
        0x02 | 0x05 => 12,
        0x0a | 0x0d => 8,
        _ => return None,
    };
    let from = header + header_length + 2 * number(header + 3)?;
    let to = match number(header + 5)? {
        0 => 65_536,
        to => to,
    };
    (from < to && to <= page.len()).then_some(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_cell_is_in_is_overwritten() {
        let cases = [
            // A leaf with one cell, an inner page with two, the first page of a file, and pages that are none of a b-tree.
            (512, false, vec![0x0d, 0, 0, 0, 1, 1, 0, 0], 0, Some(10..256)),
            (512, false, vec![0x05, 0, 0, 0, 2, 0, 200, 0], 0, Some(16..200)),
            (512, true, vec![0x0d, 0, 0, 0, 0, 2, 0, 0], 100, Some(108..512)),
            (512, false, vec![0, 0, 0, 0, 1, 1, 0, 0], 0, None),
            (512, false, vec![0x0d, 0, 0, 0, 1, 9, 0, 0], 0, None),
            (65_536, false, vec![0x0a, 0, 0, 0, 0, 0, 0, 0], 0, Some(8..65_536)),
        ];
        for (size, is_first, header, at, gap) in cases {
            let mut page = vec![7; size];
            page[at..at + header.len()].copy_from_slice(&header);
            let mut expected = page.clone();
            if let Some(gap) = gap {
                expected[gap].fill(0);
            }
            zero_unallocated(&mut page, is_first);
            assert_eq!(page, expected, "{header:?}");
        }
        zero_unallocated(&mut [], true);
        zero_unallocated(&mut [0x0d, 0, 0], false);
        zero_unallocated_in(&mut [0; 20]);
    }
}
