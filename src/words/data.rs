//! Data in a text, such as an image in base64, a key or a dump. It is written in letters but contains no words.

use std::borrow::Cow;

/// From this many characters on, text without a gap is data; the lines of one block count together.
const LEAST: usize = 256;
/// The least length of each line of a block. MIME has lines of 76 characters, PEM of 64.
const LINE: usize = 60;

/// The text with a space in place of data.
pub(crate) fn without_data(text: &str) -> Cow<'_, str> {
    if text.len() < LEAST {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut from) = (String::new(), 0);
    let mut block: Option<Block> = None;
    let mut take = |block: Block| {
        if block.length >= LEAST {
            kept.push_str(&text[from..block.start]);
            kept.push(' ');
            from = block.end;
        }
    };
    for (start, end) in runs(text.as_bytes()).filter(|(start, end)| end - start >= LINE) {
        block = Some(match block {
            Some(before) if is_break(&text[before.end..start]) => {
                Block { end, length: before.length + end - start, ..before }
            }
            before => {
                before.into_iter().for_each(&mut take);
                Block { start, end, length: end - start }
            }
        });
    }
    block.into_iter().for_each(&mut take);
    if from == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(&text[from..]);
    Cow::Owned(kept)
}

/// A block of consecutive lines.
struct Block {
    start: usize,
    end: usize,
    /// The number of characters without line breaks.
    length: usize,
}

/// The runs without a gap of characters that base64, base64url, base32 or hexadecimal data consists of.
fn runs(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let is_data = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].iter().position(is_data)?;
        let length = text[start..].iter().position(|byte| !is_data(byte));
        at = length.map_or(text.len(), |length| start + length);
        Some((start, at))
    })
}

/// Whether this is exactly one line break.
fn is_break(between: &str) -> bool {
    ["\n", "\r\n", "\r"].contains(&between)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::without_data;

    #[test]
    fn data_is_taken_out_and_words_stay() {
        // A length of whole lines at both widths, because a shorter last line is kept.
        let base64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ+/".repeat(200)[..64 * 76].to_owned();
        let lines = |width: usize, end: &str| {
            base64.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join(end)
        };
        let hex = "00ff17e5".repeat(64);
        for data in [base64.clone(), format!("{base64}=="), lines(76, "\r\n"), lines(64, "\n"), hex] {
            assert_eq!(
                without_data(&format!("my passport: data:image/png;base64,{data} is in the drawer")),
                "my passport: data:image/png;base64,  is in the drawer"
            );
        }
        let link = format!("https://example.com/{}?q=tea", "a-page-of-many-words/".repeat(6));
        for words in [
            "Donaudampfschifffahrtsgesellschaftskapitän ".repeat(20),
            "花生".repeat(300),
            "กขค".repeat(300),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
            link,
            "-----".repeat(40),
            "one\ntwo\n".repeat(200),
        ] {
            assert_eq!(without_data(&words), words);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_looked_through(text in "(\\PC{0,9}|[a-zA-Z0-9+/]{50,300}|\r?\n){0,12}") {
            let kept = without_data(&text);
            proptest::prop_assert!(kept.len() <= text.len());
            // The data that was removed had no gap but line breaks.
            for word in text.split_whitespace().filter(|word| word.len() < 60) {
                proptest::prop_assert!(kept.contains(word), "{word:?}");
            }
        }
    }
}
