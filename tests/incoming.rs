//! Files that people have can be imported, in any encoding and mode.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use rusqlite::types::Value;
use support::{changed, contents, file_of, in_memory, integrity, left_out, open, relabelled, schema};
use synth_memory::ErrorCode;
use synth_memory::migrate::Graph;
use synth_memory::tables::turns::{NewTurn, TurnFilter};

/// Another program's tables, with every kind of rowid.
const OWN: &str = "
    CREATE TABLE notes (said TEXT, generated TEXT AS (upper(said)), stored TEXT AS (said || '!') STORED);
    INSERT INTO notes (rowid, said) VALUES (7, 'seven'), (1000, 'thousand'), (-3, 'minus'), (8, 'zwölf 😀');
    CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB, number NUMERIC, rowid TEXT);
    INSERT INTO numbered VALUES (5, x'00ff', 1.5, 'five'), (900, NULL, 'many', NULL); DELETE FROM numbered WHERE id = 900;
    CREATE TABLE keyed (a TEXT COLLATE NOCASE, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO keyed VALUES ('Ä', 1), ('b', 2), ('C', 3), ('naïve', 4);
    CREATE UNIQUE INDEX of_said ON notes (said COLLATE NOCASE) WHERE said NOT NULL;
    CREATE INDEX of_length ON notes (length(said));
    ALTER TABLE notes ADD COLUMN mood TEXT DEFAULT 'gelöst';
    CREATE TABLE empty (x);
    CREATE TABLE many (x TEXT);
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400)
        INSERT INTO many SELECT printf('%d %s', n, printf('%.*c', n * 5, 'é')) FROM n;
    DELETE FROM many WHERE rowid % 3 = 0;
    ANALYZE; PRAGMA user_version = 77; PRAGMA application_id = 99";

const TURNS: &str = "INSERT INTO turns (id, timestamp, user_input, metadata) VALUES
    (3, 1.0, 'naïve 日本語 😀', '{\"a\":1}'), (9, 2.5, '', NULL), (-4, NULL, char(0xfeff, 0x10ffff), NULL);
    INSERT INTO long_term (rowid, key, value) VALUES (41, 'schlüssel', '\"wert\"'), (40, 'a', '1')";

fn pragma(connection: &Connection, name: &str) -> String {
    connection.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn every_row_of_a_file_in_another_encoding_or_mode_arrives() {
    let app = schema(&changed("synth-mind-app.db", ""));
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        for (mode, page_size) in [(0, 4096), (1, 512), (2, 1024), (1, 65536)] {
            for made_by in ["app", "001", "head"] {
                let case = format!("{encoding}, auto_vacuum {mode}, pages of {page_size}, {made_by}");
                let mut file = Connection::open_in_memory().unwrap();
                let pragmas = format!("PRAGMA page_size = {page_size}; PRAGMA auto_vacuum = {mode}");
                file.execute_batch(&format!("{pragmas}; PRAGMA encoding = '{encoding}'")).unwrap();
                if made_by == "app" {
                    let tables = app.iter().filter(|(kind, name, _)| kind == "table" && name != "sqlite_sequence");
                    tables.for_each(|(.., sql)| file.execute_batch(sql.as_deref().unwrap()).unwrap());
                } else {
                    support::upgrade(&mut file, &Graph::bundled(), made_by).unwrap();
                }
                file.execute_batch(TURNS).unwrap();
                file.execute_batch(OWN).unwrap();
                let (mut before, objects) = (contents(&file), schema(&file));
                assert_eq!((integrity(&file), pragma(&file, "auto_vacuum")), ("ok".into(), mode.to_string()), "{case}");

                let folder = tempfile::tempdir().unwrap();
                let mut memory = open(folder.path()).unwrap();
                let imported = memory.import(file_of(file)).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(left_out(&imported), [""; 0], "{case}");
                let connection = memory.db().connection();
                assert_eq!(integrity(connection), "ok", "{case}");
                assert_eq!(pragma(connection, "encoding"), "UTF-8", "{case}");
                assert_eq!(pragma(connection, "auto_vacuum"), "0", "{case}");
                assert_eq!(pragma(connection, "user_version"), "77", "{case}");
                assert_eq!(pragma(connection, "page_size"), page_size.to_string(), "{case}");
                let mut after = contents(connection);
                if made_by == "app" {
                    // Tables that were just made have no statistics yet.
                    for contents in [&mut before, &mut after] {
                        contents.retain(|(name, _)| name != "sqlite_stat1");
                    }
                }
                // The index of words is made again, and is too new for statistics. A row's rowid is no part of them.
                for (name, rows) in before.iter_mut().chain(&mut after).filter(|(name, _)| name == "sqlite_stat1") {
                    rows.retain(|row| !matches!(&row[1], Value::Text(table) if table.starts_with("memory_fts")));
                    rows.iter_mut().for_each(|row| drop(row.remove(0)));
                    assert!(!rows.is_empty(), "{name}");
                }
                for (before, after) in before.iter().zip(&after) {
                    assert_eq!(before, after, "{case}");
                }
                assert_eq!(before.len(), after.len(), "{case}");
                let after = schema(connection);
                let missing = objects.iter().filter(|(_, name, _)| !after.iter().any(|object| object.1 == *name));
                assert_eq!(missing.count(), 0, "{case}");

                memory.turns().add(vec![NewTurn { user_input: "goes on".into(), ..NewTurn::default() }]).unwrap();
                let [found, expected] = support::indexed(&memory);
                assert_eq!(found, expected, "{case}");
                memory
                    .db()
                    .connection()
                    .execute_batch("DELETE FROM many; INSERT INTO notes (said) VALUES ('x')")
                    .unwrap();
                memory.compact().unwrap();
                memory.close().unwrap();
                let again = open(folder.path()).unwrap();
                assert_eq!(integrity(again.db().connection()), "ok", "{case}");
                assert_eq!(again.turns().count(TurnFilter::default()).unwrap(), 4, "{case}");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_rows_in_utf16_take_seconds() {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch("PRAGMA encoding = 'UTF-16'; PRAGMA auto_vacuum = 1").unwrap();
    support::upgrade(&mut file, &Graph::bundled(), "001").unwrap();
    file.execute_batch(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
             INSERT INTO turns (timestamp, user_input, assistant_response)
             SELECT n, 'grüner Tee für den Gast ' || n, 'kommt sofort' FROM n",
    )
    .unwrap();
    let (file, mut memory) = (file_of(file), in_memory());
    let started = std::time::Instant::now();
    memory.import(file).unwrap();
    let took = started.elapsed().as_secs_f64();
    println!("{took:.2} s");
    assert!(took < 15.0, "{took} s");
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 100_000);
}

#[test]
fn utf16_and_a_collation_of_their_own_is_too_much() {
    let mut file = Connection::open_in_memory().unwrap();
    file.execute_batch("PRAGMA encoding = 'UTF-16'").unwrap();
    support::upgrade(&mut file, &Graph::bundled(), "001").unwrap();
    file.execute_batch("CREATE TABLE people (name TEXT COLLATE NOCASE UNIQUE)").unwrap();
    let error = in_memory().import(relabelled(file, &[("NOCASE", "THEIRS")])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotADatabase, "{error}");
    assert!(error.message().contains("THEIRS"), "{error}");
}
