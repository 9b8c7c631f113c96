//! The search key of a text, which is the same however a word is written.
//!
//! It is Unicode's compatible composed form (NFKC) in lower case, without accents, vowel signs that are often left out,
//! and invisible characters. A few letters that no Unicode form decomposes are spelled as they are when a keyboard
//! lacks them. Marks that make a different letter stay: the vowels of Hindi, the voicing of Japanese, the breve of й.

use super::normal::{apart, composed};

/// A character of the key.
pub(super) enum Folded {
    /// A part of a word.
    Letter(char),
    /// A character between words.
    Gap,
}

/// Calls `take` with the key of a text, character by character.
pub(super) fn fold(text: &str, take: &mut impl FnMut(Folded)) {
    if text.is_ascii() {
        for byte in text.bytes() {
            take(if byte.is_ascii_alphanumeric() {
                Folded::Letter(byte.to_ascii_lowercase().into())
            } else {
                Folded::Gap
            });
        }
        return;
    }
    for character in composed(text).chars().flat_map(char::to_lowercase) {
        if character.is_ascii() {
            take(if character.is_alphanumeric() { Folded::Letter(character) } else { Folded::Gap });
        } else if is_whole(character) {
            letter(character, take);
        } else {
            apart(character, |part| letter(part, take));
        }
    }
}

/// Whether a character stays as it is, because it would become another one if decomposed, or cannot be decomposed.
fn is_whole(character: char) -> bool {
    character == 'й' || super::is_alone(character)
}

fn letter(character: char, take: &mut impl FnMut(Folded)) {
    if is_left_out(character) {
        return;
    }
    if let Some(spelled) = spelled(character) {
        spelled.chars().for_each(|letter| take(Folded::Letter(letter)));
        return;
    }
    let is_of_a_word = character.is_alphanumeric()
        || is_mark(character)
        || super::is_alone(character)
        || ('\u{E000}'..='\u{F8FF}').contains(&character);
    take(if is_of_a_word { Folded::Letter(character) } else { Folded::Gap });
}

/// Marks within words that Unicode does not count as letters: signs that remove a vowel in the scripts of India and
/// others.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{94D}'
            | '\u{9CD}'
            | '\u{A4D}'
            | '\u{ACD}'
            | '\u{B4D}'
            | '\u{BCD}'
            | '\u{C4D}'
            | '\u{CCD}'
            | '\u{D4D}'
            | '\u{DCA}'
            | '\u{F39}'
            | '\u{F84}'
            | '\u{1714}'
            | '\u{1734}'
            | '\u{1A60}'
            | '\u{1B44}'
            | '\u{1BAA}'..='\u{1BAB}' | '\u{A8C4}' | '\u{A953}' | '\u{A9C0}' | '\u{ABED}'
    )
}

/// Optional signs: accents, the vowel signs of Hebrew and Arabic, tatweel, nukta, joiners and invisible characters.
fn is_left_out(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{300}'..='\u{36F}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5BD}'
            | '\u{5BF}'
            | '\u{5C1}'..='\u{5C2}'
            | '\u{5C4}'..='\u{5C5}'
            | '\u{5C7}'
            | '\u{610}'..='\u{61A}'
            | '\u{640}'
            | '\u{64B}'..='\u{65F}'
            | '\u{670}'
            | '\u{6D6}'..='\u{6DC}'
            | '\u{6DF}'..='\u{6E4}'
            | '\u{6E7}'..='\u{6E8}'
            | '\u{6EA}'..='\u{6ED}'
            | '\u{93C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2060}'..='\u{2064}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
    )
}

/// Letters with another spelling that no Unicode form covers.
fn spelled(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        'ٱ' => "ا",
        'ى' | 'ی' => "ي",
        'ک' => "ك",
        _ => return None,
    })
}
