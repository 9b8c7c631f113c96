//! Long texts, and texts that contain data.

use synth_memory::recall::RecallQuestion;
use synth_memory::tables::turns::{NewTurn, TurnFilter};

use super::support::in_memory;
use super::{Random, remember, texts};

#[test]
fn text_behind_a_nul_and_far_into_a_long_text_is_found() {
    let memory = in_memory();
    let long = format!("{} quokka", "lorem ipsum ".repeat(30_000));
    remember(&memory, &["before\0wombat", &long]);
    for word in ["wombat", "quokka"] {
        assert_eq!(memory.recall().recall(&RecallQuestion::of(word)).unwrap().len(), 1, "{word}");
    }
}

#[test]
fn an_image_in_a_text_is_no_words() {
    let memory = in_memory();
    let mut random = Random::new(3);
    let image: String = (0..500_000)
        .map(|_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.below(64)]))
        .collect();
    let said = format!("Here is my passport data:image/png;base64,{image} keep it safe");
    memory.turns().add(vec![NewTurn { user_input: said, ..NewTurn::default() }]).unwrap();
    remember(&memory, &["The passport is in the drawer"]);
    memory.recall().index().unwrap();
    let terms = "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?";
    let count = |word: &str| memory.db().connection().query_row(terms, [word], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("passport"), count("safe"), count("iv*")), (2, 1, 0));
    let sizes = "SELECT sum(length(block)) FROM memory_fts_data";
    let bytes: i64 = memory.db().connection().query_row(sizes, [], |row| row.get(0)).unwrap();
    assert!(bytes < 1000, "{bytes}");
    memory.recall().use_model("test", 2).unwrap();
    let waiting = memory.recall().pending(5).unwrap();
    assert!(waiting.iter().all(|waiting| waiting.text.len() < 100), "nor is it embedded");
    assert_eq!(texts(&memory.recall().recall(&RecallQuestion::of("Where is my passport?")).unwrap()).len(), 2);
    // Data in a search is not a word either.
    let filter = TurnFilter { search: Some(format!("passport {image}")), ..TurnFilter::default() };
    assert_eq!(memory.turns().count(filter).unwrap(), 1);
}
