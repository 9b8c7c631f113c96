//! What other programs put into a file: what would act by itself is left out; what only they understand is kept as it
//! is.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use rusqlite::types::Value;
use support::{
    TABLES, changed, contents, file_of, in_memory, integrity, left_out, open, open_bytes, open_with, relabelled, rows,
    schema,
};
use synth_memory::memory::Foreign;
use synth_memory::migrate::Graph;
use synth_memory::tables::turns::{NewTurn, TurnFilter};
use synth_memory::{ErrorCode, Memory};

/// Statements of another program in a file, and what is left out of it.
const ACTING: &[(&str, &[&str])] = &[
    ("CREATE TRIGGER evil AFTER INSERT ON turns BEGIN DELETE FROM long_term; END", &["trigger evil"]),
    ("CREATE TRIGGER evil AFTER INSERT ON alembic_version BEGIN DELETE FROM turns; END", &["trigger evil"]),
    ("CREATE VIEW v AS SELECT * FROM turns", &["view v"]),
    // A trigger can have the same name as a table.
    ("CREATE TRIGGER turns AFTER INSERT ON turns BEGIN DELETE FROM long_term; END", &["trigger turns"]),
    ("CREATE TRIGGER x AFTER INSERT ON turns BEGIN DELETE FROM long_term; END; CREATE TABLE x (y)", &["trigger x"]),
    (
        "CREATE VIEW x AS SELECT 1 AS y; CREATE TRIGGER x INSTEAD OF INSERT ON x BEGIN DELETE FROM turns; END",
        &["trigger x", "view x"],
    ),
    ("CREATE TABLE synth_aside (x); CREATE TABLE synth_aside_ (x)", &[]),
    (
        "CREATE VIEW v AS SELECT 1 AS x; CREATE TRIGGER instead INSTEAD OF INSERT ON v BEGIN DELETE FROM turns; END",
        &["trigger instead", "view v"],
    ),
    (
        "CREATE TABLE log (x); CREATE TRIGGER t AFTER DELETE ON turns BEGIN INSERT INTO log VALUES (1); END",
        &["trigger t"],
    ),
    ("CREATE VIRTUAL TABLE words USING fts5(x); INSERT INTO words VALUES ('kept')", &["table words"]),
    ("ALTER TABLE turns ADD COLUMN more TEXT AS (upper(user_input))", &["table turns"]),
    (
        "ALTER TABLE turns ADD COLUMN more TEXT AS (user_input); CREATE INDEX m ON turns (more)",
        &["table turns", "index m"],
    ),
    ("CREATE INDEX mine ON turns (assistant_response)", &[]),
    ("DROP INDEX idx_turns_timestamp; CREATE INDEX idx_turns_timestamp ON turns (id)", &["index idx_turns_timestamp"]),
];

/// Other declarations of `long_term` with the same columns, and what is left out.
const DECLARED: &[(&str, &[&str])] = &[
    ("key TEXT PRIMARY KEY, value TEXT CHECK (length(value) < 1e9), updated_at REAL", &["table long_term"]),
    ("key TEXT COLLATE NOCASE PRIMARY KEY, value TEXT, updated_at REAL", &["table long_term"]),
    ("key TEXT PRIMARY KEY ON CONFLICT IGNORE, value TEXT, updated_at REAL", &["table long_term"]),
    ("key TEXT PRIMARY KEY, value TEXT DEFAULT 'x', updated_at REAL", &["table long_term"]),
    ("key TEXT PRIMARY KEY, value TEXT, updated_at REAL, UNIQUE (value, key)", &["table long_term"]),
    ("updated_at DOUBLE, value CLOB, key VARCHAR PRIMARY KEY", &[]),
];

fn check_kept(file: Connection, change: &str, expected: &[&str]) {
    let before = contents(&file);
    let file = file_of(file);
    let mut memory = in_memory();
    let refused = memory.import_with(file.clone(), Foreign::Refuse);
    if expected.is_empty() {
        assert_eq!(refused.unwrap().left_out, [], "{change}");
        memory = in_memory();
    } else {
        let error = refused.unwrap_err();
        assert!(
            [ErrorCode::SchemaMismatch, ErrorCode::UnversionedDatabase].contains(&error.code()),
            "{change}: {error}"
        );
        assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 0);
    }
    let imported = memory.import(file).unwrap_or_else(|error| panic!("{change}: {error}"));
    assert_eq!(left_out(&imported), expected, "{change}");
    assert!(imported.left_out.iter().all(|object| object.sql.starts_with("CREATE ")), "{imported:?}");
    let connection = memory.db().connection();
    for table in TABLES {
        let sql = format!("(SELECT {} FROM {table} ORDER BY 1)", columns_of(table));
        let kept = before.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| rows.len());
        assert_eq!(rows(connection, &sql).len(), kept, "{change}");
    }
    // The tables are those that the revisions make, without any additions.
    let ours = schema(in_memory().db().connection());
    let declared = schema(connection);
    for object in ours.iter().filter(|(_, name, sql)| sql.is_some() && name != "sqlite_sequence") {
        let found = declared.iter().find(|found| found.1 == object.1).map(|found| found.2.clone().unwrap_or_default());
        let expected = object.2.clone().unwrap_or_default();
        let with_marks = expected.replace("PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)");
        assert!(found.as_ref().is_some_and(|sql| *sql == expected || *sql == with_marks), "{change}: {found:?}");
    }
    assert_eq!(integrity(connection), "ok", "{change}");
    memory.turns().add(vec![NewTurn { user_input: "goes on".into(), ..NewTurn::default() }]).unwrap();
    let [found, expected] = support::indexed(&memory);
    assert_eq!(found, expected, "{change}");
    memory.downgrade("base").unwrap_or_else(|error| panic!("{change}: {error}"));
}

fn columns_of(table: &str) -> &'static str {
    if table == "long_term" { "key, value, updated_at" } else { "*" }
}

#[test]
fn what_acts_by_itself_is_left_out_and_told() {
    for name in ["synth-mind-alembic.db", "synth-mind-app.db"] {
        for (change, expected) in ACTING {
            if name == "synth-mind-app.db" && (change.contains("alembic_version") || change.contains("DROP INDEX")) {
                continue;
            }
            check_kept(changed(name, change), change, expected);
        }
    }
    // The rows of a virtual table stay in the tables in which it kept them.
    let mut memory = in_memory();
    let (words, _) = ACTING.iter().find(|(change, _)| change.contains("VIRTUAL")).unwrap();
    memory.import(file_of(changed("synth-mind-alembic.db", words))).unwrap();
    assert_eq!(rows(memory.db().connection(), "words_content")[0][1], Value::Text("kept".into()));
}

#[test]
fn our_tables_are_always_of_our_making() {
    for name in ["synth-mind-alembic.db", "synth-mind-app.db"] {
        for (columns, expected) in DECLARED {
            let change = format!(
                "ALTER TABLE long_term RENAME TO old; CREATE TABLE long_term ({columns});
                 INSERT INTO long_term (rowid, key, value, updated_at) SELECT rowid + 9, key, value, updated_at FROM old;
                 DROP TABLE old"
            );
            let file = changed(name, &change);
            let sql = "SELECT rowid, key FROM long_term ORDER BY 1";
            let before = rows(&file, &format!("({sql})"));
            let mut memory = in_memory();
            memory.import(file_of(file)).unwrap();
            assert_eq!(rows(memory.db().connection(), &format!("({sql})")), before, "{columns}");
            check_kept(changed(name, &change), &change, expected);
        }
    }
}

#[test]
fn a_row_that_does_not_fit_is_named() {
    let turns = "id INT PRIMARY KEY, timestamp REAL, user_input TEXT, assistant_response TEXT, metadata TEXT";
    let cases = [
        (
            "ALTER TABLE long_term RENAME TO old; DROP TABLE old;
             CREATE TABLE long_term (key TEXT PRIMARY KEY, value TEXT, updated_at REAL);
             INSERT INTO long_term (rowid, key) VALUES (5, 'a'), (17, NULL)"
                .to_owned(),
            "long_term has a row with id 17 that does not fit",
        ),
        (
            format!("DROP TABLE turns; CREATE TABLE turns ({turns}); INSERT INTO turns (id) VALUES (1), ('x')"),
            "turns has a row (number 2) that does not fit",
        ),
        (
            format!("DROP TABLE turns; CREATE TABLE turns ({turns}); INSERT INTO turns (id) VALUES (NULL)"),
            "turns has a row (number 1) that does not fit",
        ),
    ];
    for (change, words) in cases {
        let mut memory = in_memory();
        memory.turns().add(vec![NewTurn { user_input: "kept".into(), ..NewTurn::default() }]).unwrap();
        let error = memory.import(file_of(changed("synth-mind-alembic.db", &change))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnexpectedValue, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
    }
}

/// Tables of a program that has its own functions and collations.
fn theirs() -> Vec<u8> {
    let sql = "
        CREATE TABLE people (name TEXT COLLATE NOCASE UNIQUE, age INT CHECK (abs(age) < 200), born AS (abs(age)));
        CREATE TABLE pairs (a TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE folded (x TEXT);
        INSERT INTO people VALUES ('b', 1), ('A', 2), ('C', -3); INSERT INTO pairs VALUES ('b'), ('A'), ('C');
        INSERT INTO folded VALUES ('b'), ('A'), ('C'), (NULL);
        CREATE INDEX of_age ON people (abs(age)); CREATE INDEX of_x ON folded (lower(x));
        CREATE INDEX on_ours ON turns (abs(timestamp)); CREATE TABLE gone (x); INSERT INTO gone VALUES (randomblob(9000));
        DROP TABLE gone";
    let words = [("NOCASE", "THEIRS"), ("abs(", "theirs("), ("lower(x)", "upper(x)")];
    relabelled(changed("synth-mind-alembic.db", sql), &words)
}

#[test]
fn what_only_another_program_knows_is_carried_and_not_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    let imported = memory.import(theirs()).unwrap();
    assert_eq!(left_out(&imported), ["index on_ours"]);
    let people =
        |memory: &Memory| rows(memory.db().connection(), "(SELECT name COLLATE BINARY, age FROM people NOT INDEXED)");
    assert_eq!(people(&memory).len(), 3);

    // All functions of a memory still work with these tables.
    let turn = || vec![NewTurn { user_input: "goes on".into(), ..NewTurn::default() }];
    memory.turns().add(turn()).unwrap();
    let backup = memory.back_up().unwrap();
    let plan = memory.plan("001", true).unwrap();
    assert_eq!(plan.tables.iter().find(|table| table.table == "people").unwrap().after, Some(3));
    memory.downgrade("001").unwrap();
    memory.upgrade("head").unwrap();
    memory.compact().unwrap();
    memory.restore(&backup.id).unwrap();
    memory.db().connection().execute_batch("CREATE TABLE secret AS SELECT 'what has vanished' AS x").unwrap();
    memory.db().connection().execute_batch("DROP TABLE secret").unwrap();
    let mut exported = memory.export().unwrap();
    // As in a file exported from OPFS: it is in WAL mode, which plain SQLite in memory does not open.
    exported[18..20].fill(1);
    assert!(!exported.windows(8).any(|bytes| bytes == b"vanished"));
    let mut other = in_memory();
    assert_eq!(other.import(exported.clone()).unwrap().left_out, []);
    assert_eq!(people(&other).len(), 3);
    memory.close().unwrap();
    assert_eq!(people(&open(folder.path()).unwrap()).len(), 3);

    // The other program finds its indexes intact.
    let words = [("THEIRS", "NOCASE"), ("theirs(", "abs("), ("upper(x)", "lower(x)")];
    let mut back = Connection::open_in_memory().unwrap();
    back.deserialize_read_exact("main", exported.as_slice(), exported.len(), false).unwrap();
    let (_folder, back) = open_bytes(&relabelled(back, &words));
    assert_eq!(integrity(&back), "ok");
    let found: i64 = back.query_row("SELECT count(*) FROM people WHERE name = 'a'", [], |row| row.get(0)).unwrap();
    assert_eq!(found, 1);
}

#[test]
fn a_table_of_ours_with_a_collation_of_theirs_is_made_again() {
    let sql = "ALTER TABLE long_term RENAME TO old;
        CREATE TABLE long_term (key TEXT COLLATE NOCASE PRIMARY KEY, value TEXT, updated_at REAL);
        INSERT INTO long_term SELECT * FROM old; DROP TABLE old; CREATE TABLE other (x COLLATE NOCASE UNIQUE)";
    for name in ["synth-mind-alembic.db", "synth-mind-app.db"] {
        let mut memory = in_memory();
        let imported = memory.import(relabelled(changed(name, sql), &[("NOCASE", "THEIRS")])).unwrap();
        assert_eq!(left_out(&imported), ["table long_term"]);
        assert_eq!(rows(memory.db().connection(), "long_term").len(), 5);
        let back = memory.export().unwrap();
        assert_eq!(in_memory().import(back).unwrap().left_out, []);
    }
}

#[test]
fn damage_is_found_all_the_same() {
    // An index of a memory's table that does not match its rows, and a damaged page of the other program's table.
    let ours = changed("synth-mind-alembic.db", "CREATE TABLE other (x COLLATE NOCASE UNIQUE)");
    let root: i64 = ours
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'idx_turns_timestamp'", [], |row| row.get(0))
        .unwrap();
    let damage = |mut bytes: Vec<u8>, root: i64| {
        let start = (root as usize - 1) * 4096;
        bytes[start + 8..start + 4096].fill(0xA5);
        bytes
    };
    let mut cases = vec![damage(relabelled(ours, &[("NOCASE", "THEIRS")]), root)];
    let theirs = changed("synth-mind-alembic.db", "CREATE TABLE other (x COLLATE NOCASE UNIQUE)");
    theirs.execute_batch("INSERT INTO other SELECT hex(randomblob(2000)) FROM turns").unwrap();
    let root: i64 =
        theirs.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'other'", [], |row| row.get(0)).unwrap();
    cases.push(damage(relabelled(theirs, &[("NOCASE", "THEIRS")]), root));
    for file in cases {
        let mut memory = in_memory();
        let error = memory.import(file).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CorruptDatabase, "{error}");
    }
}

#[test]
fn rows_that_refer_to_no_row_come_in_and_no_migration_makes_more() {
    let own = "CREATE TABLE parents (id INTEGER PRIMARY KEY);
               CREATE TABLE children (parent INTEGER REFERENCES parents (id));
               INSERT INTO children VALUES (7);
               CREATE TABLE odd (x REFERENCES parents (name));
               INSERT INTO odd VALUES ('a')";
    let revision = |id: &str, revises: &str, up: &str| {
        let text = format!(
            "-- {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n-- migrate:up\n{up};\n-- migrate:down\n"
        );
        (format!("{id}.sql"), text)
    };
    let fine = revision("fine", "", "CREATE TABLE more (id INTEGER PRIMARY KEY REFERENCES parents (id))");
    let graph = |files: &[(String, String)]| Graph::with_bundled(files).unwrap();
    // At a revision, and of the app, which records none.
    for fixture in ["synth-mind-alembic.db", "synth-mind-app.db"] {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = open(folder.path()).unwrap();
        memory.import(file_of(changed(fixture, own))).unwrap_or_else(|error| panic!("{fixture}: {error}"));
        memory.close().unwrap();
        let memory = open_with(folder.path(), graph(std::slice::from_ref(&fine))).unwrap();
        for (table, count) in [("children", 1), ("odd", 1), ("parents", 0)] {
            assert_eq!(rows(memory.db().connection(), table).len(), count, "{fixture}: {table}");
        }
        memory.close().unwrap();
        for (up, named) in [
            ("INSERT INTO children VALUES (8)", "A row of children would refer to a row of parents"),
            ("INSERT INTO more VALUES (8)", "A row of more would refer to a row of parents"),
            ("CREATE TABLE new (x REFERENCES parents (name)); INSERT INTO new VALUES (1)", "The foreign keys of new"),
        ] {
            let bad = revision("bad", "fine", up);
            let error = open_with(folder.path(), graph(&[fine.clone(), bad])).err().unwrap();
            assert_eq!(error.code(), ErrorCode::MigrationFailed, "{up}: {error}");
            assert!(error.message().contains(named), "{up}: {error}");
        }
    }
}

#[test]
fn a_row_of_the_memorys_own_that_refers_to_no_row_is_rejected() {
    for (sql, named) in [
        ("INSERT INTO memory_lessons VALUES (8, 999, 1)", "memory_lessons would refer to a row of uncertainty_log"),
        ("INSERT INTO embeddings (id, model, vector) VALUES (8, 999, x'00')", "embeddings would refer to a row of"),
    ] {
        let (_folder, file) = open_bytes(&in_memory().export().unwrap());
        file.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        let error = in_memory().import(file_of(file)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MigrationFailed, "{sql}: {error}");
        assert!(error.message().contains(named), "{sql}: {error}");
    }
}
