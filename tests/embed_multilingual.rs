//! Compares the multilingual embedder with SentencePiece and NumPy (tests/fixtures/embed-multilingual.json, made by
//! models/make_multilingual_fixtures.py), and tests damaged files.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/embedder.rs"]
mod support;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use synth_memory::embed::StaticModel;

use support::{alike, check_harmless, check_vectors, expected, ids as ids_of, nearest, signed};

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/multilingual-e5-small-256.bin")).unwrap()
});
static MODEL: LazyLock<StaticModel> = LazyLock::new(|| StaticModel::from_bytes(&BYTES).unwrap());
static EXPECTED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("fixtures/embed-multilingual.json")).unwrap());

#[test]
fn tokens_are_those_of_sentencepiece() {
    let (mut count, mut other) = (0, Vec::new());
    for (text, ids) in expected(&EXPECTED, "tokens") {
        let ids = ids_of(ids);
        let found = MODEL.token_ids(text);
        if found != ids {
            other.push(format!("{text:?}: {found:?}, not {ids:?}"));
        }
        count += 1;
    }
    assert!(other.is_empty(), "{} of {count}: {:#?}", other.len(), &other[..other.len().min(20)]);
    assert!(count >= 3_000, "only {count} texts");
}

#[test]
fn vectors_are_those_of_numpy() {
    let count = check_vectors(&MODEL, &EXPECTED);
    assert!(count >= 60, "only {count} texts");
}

#[test]
fn the_file_is_small_and_says_what_it_is() {
    assert!(BYTES.len() <= 9_000_000, "{} bytes", BYTES.len());
    assert_eq!((MODEL.name(), MODEL.dimensions()), ("multilingual-e5-small-static-256-pq", 256));
}

#[test]
fn texts_of_like_meaning_are_nearest_across_languages() {
    let facts = [
        "Ada is allergic to peanuts",
        "Der Zug nach Köln fährt um neun Uhr ab",
        "妹の誕生日は五月三日です",
        "Mi gata tiene que ir al veterinario el viernes",
    ];
    let questions = [
        ("¿Qué alergia tiene a los cacahuetes?", 0),
        ("À quelle heure part le train ?", 1),
        ("When is my sister's birthday?", 2),
        ("猫什么时候去看兽医？", 3),
    ];
    // A table knows the meanings of words, but not of their combinations.
    assert!(nearest(&MODEL, &facts, &questions) >= 3);
}

#[test]
fn what_is_unknown_takes_no_part() {
    for text in ["", " \t\r\n", "\u{7}\u{200b}\u{3000}"] {
        assert_eq!(MODEL.embed(text), None, "{text:?}");
        assert!(MODEL.token_ids(text).is_empty());
    }
    // Characters that are in no piece are one token, after the space that begins a word.
    assert_eq!(MODEL.token_ids("\u{13000}\u{13001}").len(), 2);
    assert_eq!(MODEL.token_ids("\u{13000}\u{13001}")[1], 0);
}

#[test]
fn no_more_than_512_tokens_are_looked_at_and_long_words_are_cut() {
    let start = "tea ".repeat(512);
    assert_eq!(MODEL.embed(&(start.clone() + "train")), MODEL.embed(&start));
    let long = "中文".repeat(100_000);
    assert!(MODEL.embed(&long).is_some());
    // No space is inserted at the place where a word is cut.
    let ids = MODEL.token_ids(&"中".repeat(5_000));
    assert!(ids[1..].iter().all(|id| *id != ids[0]) && ids.len() <= 5_001, "{}", ids.len());
}

/// A small model: four dimensions in one part, six pieces, three runs of characters, one composition.
fn small() -> Vec<u8> {
    let pieces = [" ", " a", "b", "ab", "é", "a"];
    let scores = [-3.0_f32, -2.0, -2.0, -1.0, -4.0, -2.5];
    let texts = pieces.concat();
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let mut centroids = [0; 4 * 256];
    for (code, centroid) in [[0, 0], [1, 0], [0, 1], [3, 4], [5, 5], [1, 1]].iter().enumerate() {
        centroids[code * 4..][..2].copy_from_slice(centroid);
    }
    let content = [
        // Version, tokeniser, first id, unknown id; the sizes of name, runs, several, tokens, texts, dimensions.
        &numbers(&[2, 1, 1, 0, 4, 4, 2, pieces.len() as u32, texts.len() as u32, 4])[..],
        b"tiny",
        // Letters from 0, a space at 32, letters from 33, U+0132 and all after it as "ab".
        &numbers(&[0, 32, 33, 0x132]),
        &numbers(&[0, 2, 0, 4 | 2 << 3]),
        &numbers(&[97, 98]),
        &pieces.map(|piece| piece.len() as u8),
        texts.as_bytes(),
        &numbers(&[1, 97, 98, 233]),
        &scores.map(f32::to_le_bytes).concat(),
        &[[0x80, 0x3f]; 6].concat(),
        &1.0_f32.to_le_bytes(),
        &centroids,
        &[0, 1, 2, 3, 4, 5],
    ]
    .concat();
    signed([&b"synthemb"[..], &[0; 8], &content].concat())
}

#[test]
fn a_small_model_is_read_too() {
    let model = StaticModel::from_bytes(&small()).unwrap();
    // "a" and "b" together become "é", but not if one character became both.
    assert_eq!(model.token_ids("ab"), [1, 5]);
    assert_eq!(model.token_ids("  a   b "), [2, 1, 3]);
    assert_eq!(model.token_ids("\u{132}"), [1, 4]);
    assert_eq!(model.token_ids("xyz a"), [1, 0, 2]);
    assert_eq!(model.embed("\u{132}"), Some(vec![0.6, 0.8, 0.0, 0.0]));
    assert_eq!(model.embed(" "), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever a file with a valid checksum contains, it is either rejected, or read and able to split and embed
    /// texts.
    #[test]
    fn no_content_of_a_file_can_do_harm(
        // Mostly before the centroids, which are most of the file and may hold any bytes.
        changes in prop::collection::vec((prop_oneof![16..190_usize, 16..small().len()], any::<u8>()), 1..6),
        cut in 0..40_usize,
        text in "[a-b é\u{132}\u{ac00}\u{10ffff}]{0,9}",
    ) {
        check_harmless(small(), changes, cut, &text);
    }

    #[test]
    fn any_text_has_a_vector_of_length_one_or_none(text in any::<String>()) {
        if let Some(vector) = MODEL.embed(&text) {
            prop_assert!((alike(&vector, &vector) - 1.0).abs() < 1e-5);
        }
    }
}
