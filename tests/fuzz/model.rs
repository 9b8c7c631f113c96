//! The file of a model: it is rejected with `invalid_argument`, or read and then harmless.

use synth_memory::ErrorCode;
use synth_memory::embed::StaticModel;

use crate::embedder::signed;
use crate::harness::{Target, refused};
use crate::mutate::{self, Op, number, put};

/// Letters, accents and signs for which the seeds have runs, and characters at which arithmetic may overflow.
const TEXT: &str = "A abb é. e\u{301} z\t\u{132}가힣\u{1100}\u{1161}\u{11a8}\u{0}\u{10ffff} ##b [CLS]";

#[test]
fn model() {
    Target { name: "model", seeds: Vec::new(), mutate, check: &check, seconds: 15.0 }.run();
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], op: Op) {
    let [kind, at, _, with] = op;
    match kind % 3 {
        // The fields before the name: version, tokeniser, ids and sizes.
        0 => put(bytes, 16 + 4 * (at as usize % 10), 4, if with & 16 == 0 { number(with) } else { with.into() }, false),
        // Any number after them, mostly before the centroids, which may hold any bytes.
        1 => put(bytes, 56 + at as usize % 200, [1, 4][at as usize % 2], number(with), false),
        _ => mutate::bytes(bytes, seeds, [kind / 3, at, op[2], with]),
    }
    // Without a valid checksum, nothing after it would be read.
    if bytes.len() > 16 && with % 16 != 0 {
        *bytes = signed(std::mem::take(bytes));
    }
}

fn check(bytes: &[u8]) -> String {
    let model = match StaticModel::from_bytes(bytes) {
        Err(error) => {
            refused(&error, &[ErrorCode::InvalidArgument]);
            return String::new();
        }
        Ok(model) => model,
    };
    let ids = model.token_ids(TEXT);
    if let Some(vector) = model.embed(TEXT) {
        assert_eq!(vector.len(), model.dimensions());
        let length = vector.iter().map(|value| value * value).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-5, "a vector of length {length}");
    }
    assert_eq!(model.name().to_owned(), format!("{model:?}")["StaticModel(".len()..][..model.name().len()]);
    format!("read {}", ids.len())
}
