//! The bytes of a database file that hold no rows: remains of rows in unallocated space, free pages, and the pages of
//! auto-vacuum.
//!
//! `PRAGMA secure_delete` overwrites what is deleted. But when SQLite moves rows to another page, the old bytes stay in
//! the first page's unallocated space, which nothing reads again.

/// The length of the file's header, which precedes the first page's own header.
const FILE_HEADER: usize = 100;

/// Overwrites the unallocated space of a b-tree page with zeros; leaves other pages unchanged. That space lies between
/// the array of cell pointers and the cells (<https://sqlite.org/fileformat2.html#b_tree_pages>).
pub(crate) fn zero_unallocated(page: &mut [u8], is_first: bool) {
    if let Some(gap) = unallocated(page, is_first) {
        page[gap].fill(0);
    }
}

/// As [`zero_unallocated`], for every page of a file.
pub(crate) fn zero_unallocated_in(file: &mut [u8]) {
    let Some(page_size) = page_size_in(file) else { return };
    for (at, page) in file.chunks_exact_mut(page_size).enumerate() {
        zero_unallocated(page, at == 0);
    }
}

fn page_size_in(file: &[u8]) -> Option<usize> {
    let page_size = match file.get(16..18)? {
        [0, 1] => 65_536,
        [high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return None,
    };
    (page_size.is_power_of_two() && page_size >= 512).then_some(page_size)
}

fn number(file: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize)
}

fn write(file: &mut [u8], at: usize, number: usize) {
    file[at..at + 4].copy_from_slice(&(number as u32).to_be_bytes());
}

/// Offsets in the header of the first page of the freelist and of the number of free pages.
const FREELIST: usize = 32;
const FREE_PAGES: usize = 36;
/// Offsets in the header of the largest root page, which is 0 unless the file is in auto-vacuum mode, and of the flag
/// that makes that mode incremental.
const LARGEST_ROOT: usize = 52;
const INCREMENTAL: usize = 64;

/// Overwrites the free pages of a file with zeros, except the numbers of other free pages in them.
pub(crate) fn zero_free_pages_in(file: &mut [u8]) {
    let Some(page_size) = page_size_in(file) else { return };
    let mut trunk = number(file, FREELIST).unwrap_or(0);
    // The bound ends a freelist that is circular.
    for _ in 0..file.len() / page_size {
        let Some(start) = trunk.checked_sub(1).map(|page| page * page_size) else { return };
        let (Some(next), Some(count)) = (number(file, start), number(file, start + 4)) else { return };
        let count = count.min(page_size / 4 - 2);
        for leaf in 0..count {
            let page = number(file, start + 8 + 4 * leaf).unwrap_or(0);
            if let Some(page) =
                page.checked_sub(1).and_then(|page| file.get_mut(page * page_size..(page + 1) * page_size))
            {
                page.fill(0);
            }
        }
        if let Some(rest) = file.get_mut(start + 8 + 4 * count..start + page_size) {
            rest.fill(0);
        }
        trunk = next;
    }
}

/// Takes a file out of auto-vacuum mode; returns whether it was in that mode. The pointer-map pages, which record what
/// points to each page, become free pages. Nothing else differs in such a file, so every row and index stays as it is.
pub(crate) fn turn_off_auto_vacuum(file: &mut [u8]) -> bool {
    // SQLite never uses the page that holds this byte, because file locks are placed there.
    const PENDING_BYTE: usize = 0x4000_0000;
    let (Some(page_size), Some(1..)) = (page_size_in(file), number(file, LARGEST_ROOT)) else { return false };
    let usable = page_size - usize::from(file[20]);
    let pending = PENDING_BYTE / page_size + 1;
    let maps: Vec<usize> = (2..=file.len() / page_size)
        .step_by(usable / 5 + 1)
        .map(|page| if page == pending { page + 1 } else { page })
        .filter(|page| *page <= file.len() / page_size)
        .collect();
    let free = number(file, FREE_PAGES).unwrap_or(0) + maps.len();
    // A trunk page of the freelist holds the number of the next trunk page, the number of leaves, and the leaves.
    for listed in maps.chunks(usable / 4 - 8) {
        let next = number(file, FREELIST).unwrap_or(0);
        for page in listed {
            file[(page - 1) * page_size..page * page_size].fill(0);
        }
        let start = (listed[0] - 1) * page_size;
        write(file, start, next);
        write(file, start + 4, listed.len() - 1);
        for (at, leaf) in listed[1..].iter().enumerate() {
            write(file, start + 8 + 4 * at, *leaf);
        }
        write(file, FREELIST, listed[0]);
    }
    write(file, FREE_PAGES, free);
    write(file, LARGEST_ROOT, 0);
    write(file, INCREMENTAL, 0);
    true
}

fn unallocated(page: &[u8], is_first: bool) -> Option<std::ops::Range<usize>> {
    let header = if is_first { FILE_HEADER } else { 0 };
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    // Other pages begin with a page number, of which this is the highest byte. No file is so large that it reaches 2.
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
            // A leaf with one cell, an inner page with two, the first page of a file, and pages outside any b-tree.
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
