//! Random schemas and random changes to them: the revision that is written works in both directions and loses no row.
//! If a STRICT table would have to hold values of a wrong type, it fails and changes nothing.

use proptest::prelude::*;
use rusqlite::Connection;
use synth_memory::ErrorCode;
use synth_memory::migrate::autogenerate::{Renames, compare, declared};

use super::model::{Choices, Model};
use super::{assert_sound, check, graph};

/// The values of one column.
#[derive(Debug)]
pub(crate) struct Held {
    /// Whether NULL may become another value.
    pub(crate) becomes_filled: bool,
    pub(crate) values: Vec<String>,
}

fn assert_kept(before: &[Held], after: &[Held]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        let same = |(one, other): (&String, &String)| one == other || before.becomes_filled && one == "NULL";
        let kept = before.values.len() == after.values.len() && before.values.iter().zip(&after.values).all(same);
        assert!(kept, "{before:?} became {after:?}");
    }
}

/// The SQL of a schema as SQLite stores it.
fn texts(connection: &Connection) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql NOT NULL AND name <> 'sqlite_sequence' ORDER BY type, name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn goes_there_and_back(choices: Vec<u32>) {
    let mut choices = Choices(choices.into_iter());
    let from = Model::random(&mut choices);
    let mut to = from.clone();
    for _ in 0..=choices.below(6) {
        to.change(&mut choices);
    }
    println!("{}\n-- to\n{}", from.sql(), to.sql());
    let (before, after) = (declared(&from.sql()).unwrap(), declared(&to.sql()).unwrap());
    let (renames, drops) = to.answers(&from);
    let (renames, drops): (Vec<&str>, Vec<&str>) =
        (renames.iter().map(String::as_str).collect(), drops.iter().map(String::as_str).collect());
    let renames = Renames::parse(&renames, &drops).unwrap();
    let written = compare(&before, &after, &renames).unwrap().answered().unwrap();
    println!("-- up\n{}\n-- down\n{}", written.up, written.down);

    let graph = graph(&from.sql(), &written);
    let mut file = Connection::open_in_memory().unwrap();
    crate::support::upgrade(&mut file, &graph, "0a").unwrap();
    let rows = from.rows(&mut choices);
    println!("{rows}");
    file.execute_batch(&rows).unwrap();
    let before_texts = texts(&file);
    let (there, back) = (from.held(&file, &to, true), from.held(&file, &to, false));

    let refused = from.holds_what_is_refused(&file, &to);
    let upgraded = crate::support::upgrade(&mut file, &graph, "0b");
    if refused {
        let error = upgraded.unwrap_err();
        assert!(error.code() == ErrorCode::MigrationFailed && error.message().contains("cannot store"), "{error}");
        assert_eq!(texts(&file), before_texts);
        assert_kept(&back, &from.held(&file, &to, false));
        return;
    }
    upgraded.unwrap();
    assert_eq!(check(&file, &after), [""; 0]);
    assert_sound(&file);
    assert_kept(&there, &to.held(&file, &from, true));

    crate::support::downgrade(&mut file, &graph, "0a").unwrap();
    assert_eq!(check(&file, &before), [""; 0]);
    // SQLite's own ALTER TABLE may write the same SQL in another style.
    if !format!("{}{}", written.up, written.down).contains("ALTER TABLE") {
        assert_eq!(texts(&file), before_texts);
    }
    assert_sound(&file);
    assert_kept(&back, &from.held(&file, &to, false));
}

proptest! {
    // PROPTEST_CASES sets another number of cases.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_goes_to_any_other_and_back(choices in prop::collection::vec(0u32..2520, 0..200)) {
        goes_there_and_back(choices);
    }
}
