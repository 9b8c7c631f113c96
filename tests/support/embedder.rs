//! What the tests of both embedders share: comparisons of vectors, files with a valid checksum, and what must hold for
//! any model.

use serde_json::Value;
use synth_memory::ErrorCode;
use synth_memory::embed::StaticModel;

/// The rows of a fixture: a text, and the expected result.
pub(crate) fn expected<'e>(fixture: &'e Value, key: &str) -> impl Iterator<Item = (&'e str, &'e Value)> {
    fixture[key].as_array().unwrap().iter().map(|row| (row[0].as_str().unwrap(), &row[1]))
}

/// The ids of tokens in a fixture.
pub(crate) fn ids(expected: &Value) -> Vec<u32> {
    expected.as_str().unwrap().split_terminator(' ').map(|id| id.parse().unwrap()).collect()
}

pub(crate) fn alike(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Compares the vectors of texts with those of a fixture, and returns how many texts have one.
pub(crate) fn check_vectors(model: &StaticModel, fixture: &Value) -> usize {
    let mut count = 0;
    for (text, vector) in expected(fixture, "vectors") {
        let found = model.embed(text);
        let Some(vector) = vector.as_array() else {
            assert_eq!(found, None, "{text:?}");
            continue;
        };
        let vector: Vec<f32> = vector.iter().map(|value| value.as_f64().unwrap() as f32).collect();
        let found = found.unwrap_or_else(|| panic!("no vector for {text:?}"));
        assert_eq!(found.len(), model.dimensions());
        assert!((alike(&found, &found) - 1.0).abs() < 1e-5, "the length of {text:?}");
        assert!(alike(&found, &vector) / alike(&vector, &vector).sqrt() > 0.9999, "{text:?}");
        count += 1;
    }
    count
}

/// For how many questions the nearest fact is the expected one, which is given by its index.
pub(crate) fn nearest(model: &StaticModel, facts: &[&str], questions: &[(&str, usize)]) -> usize {
    let vectors: Vec<Vec<f32>> = facts.iter().map(|fact| model.embed(fact).unwrap()).collect();
    let right = questions.iter().filter(|(question, fact)| {
        let asked = model.embed(question).unwrap();
        let likeness: Vec<f32> = vectors.iter().map(|vector| alike(&asked, vector)).collect();
        likeness.iter().all(|&other| other <= likeness[*fact])
    });
    right.count()
}

/// The file with a valid checksum, as described in models/README.md.
pub(crate) fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = bytes[16..].chunks(8).fold(0xcbf2_9ce4_8422_2325, |sum: u64, word| {
        let mut whole = [0; 8];
        whole[..word.len()].copy_from_slice(word);
        (sum ^ u64::from_le_bytes(whole)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Checks a file that was changed in places and cut short, but has a valid checksum: it is either rejected, or read and
/// able to split and embed texts.
pub(crate) fn check_harmless(mut bytes: Vec<u8>, changes: Vec<(usize, u8)>, cut: usize, text: &str) {
    for (at, value) in changes {
        bytes[at] = value;
    }
    bytes.truncate(bytes.len() - cut.saturating_sub(30));
    match StaticModel::from_bytes(&signed(bytes)) {
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidArgument),
        Ok(model) => {
            model.token_ids(text);
            if let Some(vector) = model.embed(text) {
                assert_eq!(vector.len(), model.dimensions());
                assert!((alike(&vector, &vector) - 1.0).abs() < 1e-5, "{vector:?}");
            }
        }
    }
}
