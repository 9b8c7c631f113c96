//! Compares the bundled embedder with Hugging Face's tokenizers and NumPy (tests/fixtures/embed.json, made by
//! models/make_token_fixtures.py), and tests damaged files.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/embedder.rs"]
mod support;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use synth_memory::ErrorCode;
use synth_memory::embed::StaticModel;

use support::{alike, check_harmless, check_vectors, expected, ids as ids_of, nearest, signed};

static BYTES: LazyLock<Vec<u8>> =
    LazyLock::new(|| std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/all-minilm-l6-v2-256.bin")).unwrap());
static MODEL: LazyLock<StaticModel> = LazyLock::new(|| StaticModel::from_bytes(&BYTES).unwrap());
static EXPECTED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("fixtures/embed.json")).unwrap());

#[test]
fn tokens_are_those_of_hugging_face() {
    let mut count = 0;
    for (text, ids) in expected(&EXPECTED, "tokens") {
        let ids = ids_of(ids);
        assert_eq!(MODEL.token_ids(text), ids, "{text:?}");
        count += 1;
    }
    assert!(count >= 3_000, "only {count} texts");
}

#[test]
fn vectors_are_those_of_numpy() {
    let count = check_vectors(&MODEL, &EXPECTED);
    assert!(count >= 45, "only {count} texts");
}

#[test]
fn the_file_is_small_and_says_what_it_is() {
    assert!(BYTES.len() <= 2_400_000, "{} bytes", BYTES.len());
    assert_eq!((MODEL.name(), MODEL.dimensions()), ("all-minilm-l6-v2-static-256-pq", 256));
    assert_eq!(format!("{:?}", *MODEL), "StaticModel(all-minilm-l6-v2-static-256-pq, 256 dimensions)");
}

#[test]
fn what_looks_like_a_special_token_is_text() {
    assert_eq!(MODEL.token_ids("[CLS]"), MODEL.token_ids("[ cls ]"));
    assert!(MODEL.token_ids("[unused5]").iter().all(|&id| id >= 999));
}

#[test]
fn where_there_is_nothing_there_is_no_vector() {
    let too_long = "x".repeat(101);
    for text in ["", " \t\r\n", "\0\u{7}\u{200b}\u{ad}", "\u{301}", "\u{13000}", &too_long] {
        assert_eq!(MODEL.embed(text), None, "{text:?}");
    }
    assert_eq!(MODEL.token_ids("\u{13000}"), [100]);
    // Unknown tokens do not count.
    assert_eq!(MODEL.embed("peanuts \u{13000}"), MODEL.embed("peanuts"));
}

#[test]
fn no_more_than_512_tokens_are_looked_at() {
    let start = "tea ".repeat(511);
    assert_ne!(MODEL.embed(&(start.clone() + "train")), MODEL.embed(&start));
    assert_eq!(MODEL.embed(&(start.clone() + "tea train")), MODEL.embed(&(start.clone() + "tea")));
    // The limit also applies in the middle of a word, and unknown tokens count towards it.
    assert_eq!(MODEL.embed(&(start.clone() + "electroencephalography")), MODEL.embed(&(start.clone() + "electro")));
    assert_eq!(MODEL.embed(&("\u{13000} ".repeat(512) + "train")), None);
    assert_eq!(MODEL.token_ids(&start.repeat(2)).len(), 1_022);
}

#[test]
fn texts_of_like_meaning_are_nearest() {
    let facts = [
        "Ada is allergic to peanuts",
        "The train to Edinburgh leaves at nine",
        "My sister's birthday is on the third of May",
        "He works as a software engineer at a bank",
        "The wifi password is written on the fridge",
        "She prefers tea without milk",
        "Our cat has to see the vet on Friday",
        "The flat's rent is due on the first of each month",
    ];
    let questions = [
        ("which nuts make her ill?", 0),
        ("when does the railway journey start?", 1),
        ("when was my sibling born?", 2),
        ("what is his job?", 3),
        ("how do I log in to the internet?", 4),
        ("which drink does she like?", 5),
        ("appointment for the pet's health", 6),
        ("how much do I pay the landlord for the apartment?", 7),
    ];
    // The model itself finds all of them.
    assert!(nearest(&MODEL, &facts, &questions) >= 7);
}

fn refused(bytes: &[u8], what: &str) {
    let error = StaticModel::from_bytes(bytes).err().unwrap_or_else(|| panic!("{what} was taken"));
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{what}");
}

#[test]
fn a_file_cut_short_or_made_longer_is_refused() {
    for length in (0..200).chain((200..BYTES.len()).step_by(BYTES.len() / 50)).chain([BYTES.len() - 1]) {
        refused(&BYTES[..length], &format!("a file of {length} bytes"));
    }
    for more in [1, 2, 6, 7, 8, 9] {
        refused(&[&BYTES[..], &vec![0; more]].concat(), &format!("{more} bytes more"));
    }
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    for at in (0..100).chain((100..BYTES.len()).step_by(BYTES.len() / 100)) {
        let mut bytes = BYTES.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes, &format!("a bit flipped at {at}"));
    }
}

#[test]
fn another_version_says_so() {
    let mut bytes = BYTES.clone();
    bytes[16] = 9;
    let error = StaticModel::from_bytes(&signed(bytes)).unwrap_err();
    assert!(error.message().contains("version 9"), "{error}");
    let error = StaticModel::from_bytes(b"SQLite format 3\0 and more").unwrap_err();
    assert!(error.message().contains("not a model"), "{error}");
}

/// A small model: four dimensions in one part, five tokens, seven runs of characters.
fn small() -> Vec<u8> {
    let tokens = ["a", "b", "##b", "ab", "."];
    let texts = tokens.concat();
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let mut centroids = [0; 4 * 256];
    for (code, centroid) in [[1, 0], [0, 1], [0, 255], [3, 4], [1, 1]].iter().enumerate() {
        centroids[code * 4..][..2].copy_from_slice(centroid);
    }
    let content = [
        // Version, tokeniser, first id, unknown id; the sizes of name, runs, several, tokens, texts, dimensions.
        &numbers(&[2, 0, 10, 7, 4, 7, 2, tokens.len() as u32, texts.len() as u32, 4])[..],
        b"tiny",
        // Letters from 0, a space at 32, signs, capitals that become the letter 32 further on, letters, "é" as "ab",
        // Hangul.
        &numbers(&[0, 32, 33, 65, 91, 233, 234]),
        &numbers(&[0, 2, 3, 32 << 3, 0, 4 | 2 << 3, 5]),
        &numbers(&[97, 98]),
        &tokens.map(|token| token.len() as u8),
        texts.as_bytes(),
        // The upper halves of 1.0, as lengths; 1.0 as the scale of the part.
        &[[0x80, 0x3f]; 5].concat(),
        &1.0_f32.to_le_bytes(),
        &centroids,
        &[0, 1, 2, 3, 4],
    ]
    .concat();
    signed([&b"synthemb"[..], &[0; 8], &content].concat())
}

#[test]
fn a_small_model_is_read_too() {
    let model = StaticModel::from_bytes(&small()).unwrap();
    assert_eq!((model.name(), model.dimensions()), ("tiny", 4));
    assert_eq!(model.token_ids("A abb é. z"), [10, 13, 12, 13, 14, 7]);
    assert_eq!(model.embed("ab"), Some(vec![0.6, 0.8, 0.0, 0.0]));
    // Vectors that cancel out have no direction.
    assert_eq!(model.embed("bb"), None);
    // A vector has unit length even if it is made of numbers barely above zero.
    check_harmless(small(), vec![(145, 1), (146, 154)], 0, ".가");
    // The same token twice: the second one in "ab##bab.".
    let mut bytes = small();
    assert_eq!(&bytes[129..137], b"ab##bab.");
    bytes[130] = b'a';
    refused(&signed(bytes), "the same token twice");
    // The last id must fit into a `u32`.
    let mut bytes = small();
    bytes[24..28].copy_from_slice(&[255; 4]);
    refused(&signed(bytes), "ids above all numbers");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever a file with a valid checksum contains, it is either rejected, or read and able to split and embed
    /// texts.
    #[test]
    fn no_content_of_a_file_can_do_harm(
        // Mostly before the centroids, which are most of the file and may hold any bytes.
        changes in prop::collection::vec((prop_oneof![16..150_usize, 16..small().len()], any::<u8>()), 1..6),
        cut in 0..40_usize,
        text in "[a-bA-B é.\u{ac00}\u{10ffff}]{0,9}",
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
