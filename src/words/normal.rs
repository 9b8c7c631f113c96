//! Unicode's normal forms: natively from a crate, in WebAssembly from JavaScript, which has them in every browser.

use std::borrow::Cow;

#[cfg(target_arch = "wasm32")]
use javascript::{nfc, nfd, nfkc};
#[cfg(not(target_arch = "wasm32"))]
use native::{nfc, nfd, nfkc};

/// The compatible composed form of a text (NFKC).
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_composed) { Cow::Borrowed(text) } else { Cow::Owned(nfkc(text)) }
}

/// The composed form of a text (NFC), which looks exactly like the text.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_composed) { Cow::Borrowed(text) } else { Cow::Owned(nfc(text)) }
}

/// Calls `each` with the characters that a character decomposes into (NFD).
pub(super) fn apart(character: char, each: impl FnMut(char)) {
    nfd(character).into_iter().for_each(each);
}

/// Whether a character is in composed form whatever stands next to it. Most texts consist of such characters.
fn is_composed(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{7F}'
            | '\u{C0}'..='\u{131}'
            | '\u{134}'..='\u{13E}'
            | '\u{141}'..='\u{148}'
            | '\u{14A}'..='\u{17E}'
            | '\u{386}'
            | '\u{388}'..='\u{3CE}'
            | '\u{400}'..='\u{481}'
            | '\u{48A}'..='\u{52F}'
            | '\u{5D0}'..='\u{5EA}'
            | '\u{621}'..='\u{64A}'
            | '\u{660}'..='\u{669}'
            | '\u{904}'..='\u{93B}'
            | '\u{93D}'..='\u{957}'
            | '\u{2013}'..='\u{2014}'
            | '\u{2018}'..='\u{201E}'
            | '\u{3001}'..='\u{3011}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30A1}'..='\u{30FE}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{1F300}'..='\u{1F64F}'
    )
}

#[cfg(target_arch = "wasm32")]
mod javascript {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use js_sys::JsString;

    thread_local! {
        /// The decompositions looked up so far. A memory has some hundreds of them.
        static APART: RefCell<HashMap<char, Vec<char>>> = RefCell::default();
    }

    fn normalised(text: &str, form: &str) -> String {
        JsString::from(text).normalize(form).into()
    }

    pub(super) fn nfc(text: &str) -> String {
        normalised(text, "NFC")
    }

    pub(super) fn nfkc(text: &str) -> String {
        normalised(text, "NFKC")
    }

    pub(super) fn nfd(character: char) -> Vec<char> {
        APART.with_borrow_mut(|known| {
            let made = || normalised(character.encode_utf8(&mut [0; 4]), "NFD").chars().collect();
            known.entry(character).or_insert_with(made).clone()
        })
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use unicode_normalization::UnicodeNormalization;

    pub(super) fn nfc(text: &str) -> String {
        text.nfc().collect()
    }

    pub(super) fn nfkc(text: &str) -> String {
        text.nfkc().collect()
    }

    pub(super) fn nfd(character: char) -> Vec<char> {
        std::iter::once(character).nfd().collect()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

    #[test]
    fn what_is_sure_to_be_composed_is() {
        for character in ('\0'..=char::MAX).filter(|character| super::is_composed(*character)) {
            assert_eq!(is_nfkc_quick(std::iter::once(character)), IsNormalized::Yes, "{character:?}");
            // Nor does it compose with the character before it.
            assert_eq!(std::iter::once('a').chain([character]).nfkc().collect::<String>(), format!("a{character}"));
        }
    }
}
