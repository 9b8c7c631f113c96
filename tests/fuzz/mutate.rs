//! Changes for any bytes, and changes for texts.

/// The numbers that determine one change: its kind, where, how much, and with what.
pub(crate) type Op = [u32; 4];

/// Numbers that often cause failures.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x1000,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

/// One of these numbers.
pub(crate) fn number(with: u32) -> u64 {
    NUMBERS[with as usize % NUMBERS.len()]
}

/// Writes a number over `width` bytes, if they exist.
pub(crate) fn put(bytes: &mut [u8], at: usize, width: usize, number: u64, is_big: bool) {
    let Some(place) = bytes.get_mut(at..at + width) else { return };
    for (digit, byte) in place.iter_mut().enumerate() {
        let shift = 8 * if is_big { width - 1 - digit } else { digit };
        *byte = (number >> shift) as u8;
    }
}

/// A position in these bytes, which can be their end.
pub(crate) fn place(bytes: &[u8], at: u32) -> usize {
    at as usize % (bytes.len() + 1)
}

/// Changes any bytes.
pub(crate) fn bytes(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], [kind, at, much, with]: Op) {
    let at = place(bytes, at);
    let short = bytes.len().min(at + 1 + much as usize % 16);
    match kind % 9 {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (with % 8)),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = with as u8),
        2 => put(bytes, at, [1, 2, 4][much as usize % 3], number(with), with & 0x100 == 0),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..short)),
        5 => {
            let again = bytes[at..short].repeat(1 + with as usize % 8);
            bytes.splice(at..at, again);
        }
        6 => bytes[at..short].fill(with as u8),
        7 => {
            let other = &seeds[with as usize % seeds.len()];
            let from = if much % 2 == 0 { at.min(other.len()) } else { place(other, much) };
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            let copied = bytes[at..short].to_vec();
            let to = place(bytes, with);
            let end = bytes.len().min(to + copied.len());
            bytes.splice(to..end, copied);
        }
    }
}

/// Changes a text: inserts words of its language, or whole lines of other seeds. The result may be invalid UTF-8.
pub(crate) fn text(text: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str], op: Op) {
    let [kind, at, much, with] = op;
    let word = words[with as usize % words.len()].as_bytes();
    match kind % 6 {
        0 => bytes(text, seeds, [kind / 6, at, much, with]),
        1 => {
            let at = place(text, at);
            text.splice(at..at, word.iter().copied());
        }
        // Replaces a word.
        2 => {
            let parts = parts(text, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if let Some(&(start, end)) = parts.get(at as usize % parts.len().max(1)) {
                text.splice(start..end, word.iter().copied());
            }
        }
        // Removes, doubles or moves a line, or inserts one of another seed.
        _ => {
            let lines: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            let other = &seeds[with as usize % seeds.len()];
            let others: Vec<&[u8]> = other.split_inclusive(|&byte| byte == b'\n').collect();
            let mut lines = lines;
            if lines.is_empty() || others.is_empty() {
                return;
            }
            let at = at as usize % lines.len();
            match kind % 6 {
                3 => drop(lines.remove(at)),
                4 => {
                    let line = lines.remove(at);
                    lines.insert(much as usize % (lines.len() + 1), line);
                }
                _ => lines.insert(at, others[much as usize % others.len()].to_vec()),
            }
            *text = lines.concat();
        }
    }
}

/// Where runs of these bytes begin and end.
fn parts(text: &[u8], belongs: impl Fn(u8) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for at in 0..=text.len() {
        match (text.get(at).is_some_and(|&byte| belongs(byte)), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}
