//! Export, import and backups of whole databases.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use rusqlite::Connection;
use support::{TABLES, contents, fixture, in_memory, open, open_bytes, rows, schema};
use synth_memory::ErrorCode;
use synth_memory::memory::{Foreign, Imported};
use synth_memory::tables::turns::{NewTurn, TurnFilter};

fn turn(text: &str) -> NewTurn {
    NewTurn { user_input: text.into(), ..NewTurn::default() }
}

#[test]
fn a_synth_mind_file_goes_in_and_comes_out_the_same() {
    let (_theirs_folder, theirs) = open_bytes(&fixture("synth-mind-alembic.db"));
    let folder = tempfile::tempdir().unwrap();
    for mut memory in [in_memory(), open(folder.path()).unwrap()] {
        assert_eq!(memory.import(fixture("synth-mind-alembic.db")).unwrap().applied, ["002"]);
        let counts = TABLES.map(|table| rows(memory.db().connection(), table).len());
        assert_eq!(counts, [16, 5, 64, 8, 16]);

        let (_folder, out) = open_bytes(&memory.export_at("001").unwrap());
        assert_eq!(schema(&out), schema(&theirs));
        for table in TABLES {
            assert_eq!(rows(&out, table), rows(&theirs, table), "{table}");
        }
        let check: String = out.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let mode: String = out.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "delete", "a file in WAL mode cannot be read where it cannot be written");
        assert_eq!(memory.revisions().unwrap(), ["002"], "export changed the memory");
    }
}

#[test]
fn an_export_is_imported_again() {
    let first = in_memory();
    first.turns().add(vec![turn("one"), turn("two")]).unwrap();
    let file = first.export().unwrap();
    let mut second = in_memory();
    second.turns().add(vec![turn("replaced")]).unwrap();
    assert_eq!(second.import(file.clone()).unwrap(), Imported { applied: vec![], left_out: vec![] });
    assert_eq!(contents(second.db().connection()), contents(first.db().connection()));
    assert_eq!(second.turns().add(vec![turn("three")]).unwrap(), [3]);
}

#[test]
fn other_page_sizes_and_modes_are_taken() {
    for pragma in ["page_size = 512", "page_size = 65536", "journal_mode = WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
        let mut memory = in_memory();
        memory.downgrade("001").unwrap();
        let mut objects = schema(memory.db().connection());
        objects.sort_by_key(|(kind, ..)| kind != "table");
        objects.iter().filter_map(|(.., sql)| sql.as_deref()).for_each(|sql| other.execute_batch(sql).unwrap());
        other
            .execute_batch(
                "INSERT INTO alembic_version VALUES ('001'); INSERT INTO turns (user_input) VALUES ('naïve 日本語 😀');
                 PRAGMA wal_checkpoint(TRUNCATE)",
            )
            .unwrap();
        drop(other);
        let live = tempfile::tempdir().unwrap();
        let mut memory = open(live.path()).unwrap();
        memory.import(std::fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{pragma}: {error}"));
        assert_eq!(memory.turns().get(&1).unwrap().unwrap().user_input.as_deref(), Some("naïve 日本語 😀"), "{pragma}");
        memory.turns().add(vec![turn("goes on")]).unwrap();
        memory.close().unwrap();
        assert_eq!(open(live.path()).unwrap().turns().count(TurnFilter::default()).unwrap(), 2, "{pragma}");
    }
}

#[test]
fn a_file_that_is_not_understood_changes_nothing() {
    let good = fixture("synth-mind-alembic.db");
    let damaged = |at: usize| {
        let mut bytes = good.clone();
        bytes[at..at + 2000].fill(0xA5);
        bytes
    };
    let (_folder, newer) = open_bytes(&good);
    newer.execute_batch("UPDATE alembic_version SET version_num = 'f00d'").unwrap();
    let newer = newer.serialize_to_vec();
    let unversioned = Connection::open_in_memory().unwrap();
    unversioned.execute_batch("CREATE TABLE turns (id, said)").unwrap();
    let empty = Connection::open_in_memory().unwrap().serialize_to_vec();
    let set = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    // A file at head in which another program changed the tables that recall keeps for itself.
    let head = |sql: &str| {
        let (_folder, file) = open_bytes(&in_memory().export().unwrap());
        file.execute_batch(sql).unwrap();
        file.serialize_to_vec()
    };
    let cases: Vec<(&str, Vec<u8>, &[ErrorCode])> = vec![
        ("nothing", vec![], &[ErrorCode::NotADatabase]),
        ("text", b"hello".repeat(100), &[ErrorCode::NotADatabase]),
        ("empty database", empty, &[ErrorCode::NotADatabase]),
        ("truncated", good[..good.len() / 2].to_vec(), &[ErrorCode::CorruptDatabase, ErrorCode::NotADatabase]),
        ("header only", good[..100].to_vec(), &[ErrorCode::CorruptDatabase, ErrorCode::NotADatabase]),
        ("damaged schema", damaged(100), &[ErrorCode::CorruptDatabase]),
        ("damaged page", damaged(4096 * 10), &[ErrorCode::CorruptDatabase]),
        ("not versioned", unversioned.serialize_to_vec(), &[ErrorCode::UnversionedDatabase]),
        ("newer", newer, &[ErrorCode::UnknownRevision]),
        ("later versions to write", set(18, 3), &[ErrorCode::NotADatabase]),
        ("later format of the schema", set(47, 5), &[ErrorCode::CorruptDatabase]),
        ("later index of words", head("UPDATE memory_fts_config SET v = 9"), &[ErrorCode::CorruptDatabase]),
        ("a text", head("INSERT INTO memory_changes VALUES (1, 'x')"), &[ErrorCode::CorruptDatabase]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.turns().add(vec![turn("kept")]).unwrap();
    let before = memory.export().unwrap();
    for (name, bytes, codes) in cases {
        let error = memory.import(bytes).unwrap_err();
        assert!(codes.contains(&error.code()), "{name}: {error}");
        assert_eq!(memory.export().unwrap(), before, "{name}");
        assert!(memory.backups().unwrap().is_empty(), "{name} left a backup");
    }
    memory.turns().add(vec![turn("goes on")]).unwrap();
}

#[test]
fn damage_is_said_of_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.turns().add(vec![turn(&"kept ".repeat(4000))]).unwrap();
    let good = memory.export().unwrap();
    let with = |sql: &str| {
        let (_folder, file) = open_bytes(&good);
        file.execute_batch(sql).unwrap();
        file.serialize_to_vec()
    };
    // The last page holds rows.
    let (mut page, last) = (good.clone(), good.len() - 4096);
    page[last..last + 2000].fill(0xA5);
    let files = [
        ("truncated", good[..good.len() / 2].to_vec()),
        ("a page", page.clone()),
        ("a text", with("INSERT INTO memory_changes VALUES (1, 'x')")),
        ("later index of words", with("UPDATE memory_fts_config SET v = 9")),
    ];
    for (name, file) in files {
        let error = memory.import(file).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CorruptDatabase, "{name}: {error}");
        let (message, hint) = (error.message(), error.hint());
        assert!(
            message.starts_with("The file is damaged") && !message.contains("database is damaged"),
            "{name}: {error}"
        );
        assert!(hint.contains("unchanged") && !hint.contains("backups.restore"), "{name}: {error}");
    }
    // The last two are not listed: SQLite cannot read them at all.
    for name in ["a page", "truncated", "a text"] {
        let id = memory.back_up().unwrap().id;
        let path = folder.path().join(&id);
        let mut backup = std::fs::read(&path).unwrap();
        let last = backup.len() - 4096;
        match name {
            "a page" => backup[last..last + 2000].fill(0xA5),
            "truncated" => backup.truncate(last),
            _ => backup.fill(b'x'),
        }
        std::fs::write(&path, backup).unwrap();
        let error = memory.restore(&id).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CorruptDatabase, "{name}: {error}");
        assert!(error.message().starts_with(&format!("The backup \"{id}\" is damaged: ")), "{name}: {error}");
        assert!(error.hint().contains("unchanged"), "{name}: {error}");
    }
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
    memory.close().unwrap();
    // Damage of the memory itself is its own, even if a good file is imported: the backup before it fails.
    let path = folder.path().join("memory.db");
    let mut file = std::fs::read(&path).unwrap();
    let last = file.len() - 4096;
    file[last..last + 2000].fill(0xA5);
    std::fs::write(&path, file).unwrap();
    let mut damaged = open(folder.path()).unwrap();
    let error = damaged.import(good).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CorruptDatabase);
    assert!(error.message().starts_with("The database is damaged"), "{error}");
    assert!(error.hint().contains("backups.restore"), "{error}");
}

#[test]
fn a_memory_that_keeps_nothing_names_what_has_backups() {
    let mut memory = in_memory();
    let errors =
        [memory.back_up().unwrap_err(), memory.restore("any").unwrap_err(), memory.delete_backup("any").unwrap_err()];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(error.hint().contains("opfs:///") && error.hint().contains("export()"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_what_it_says_is_refused() {
    let changes = [
        "CREATE TRIGGER evil AFTER INSERT ON turns BEGIN DELETE FROM long_term; END",
        "CREATE TRIGGER evil AFTER INSERT ON alembic_version BEGIN DELETE FROM turns; END",
        "CREATE VIEW evil AS SELECT 1",
        "ALTER TABLE turns RENAME TO t; CREATE VIEW turns AS SELECT * FROM t",
        "CREATE VIRTUAL TABLE evil USING fts5(x)",
        "DROP TABLE episodes",
        "ALTER TABLE turns RENAME COLUMN user_input TO input",
        "ALTER TABLE turns ADD COLUMN more TEXT CHECK (more <> 'x')",
        "ALTER TABLE turns ADD COLUMN more TEXT AS (user_input)",
        "DROP TABLE long_term; CREATE TABLE long_term (key TEXT PRIMARY KEY, value TEXT CHECK (0), updated_at REAL)",
        "UPDATE alembic_version SET version_num = '002'",
        "INSERT INTO alembic_version VALUES ('002')",
        "DELETE FROM alembic_version",
    ];
    for change in changes {
        let (_folder, file) = open_bytes(&fixture("synth-mind-alembic.db"));
        file.execute_batch(change).unwrap();
        let mut memory = in_memory();
        memory.turns().add(vec![turn("kept")]).unwrap();
        let error = memory.import_with(file.serialize_to_vec(), Foreign::Refuse).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SchemaMismatch, "{change}: {error}");
        assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
    }
}

#[test]
fn what_is_more_than_ours_is_kept_and_missing_indexes_are_brought_back() {
    let (_folder, file) = open_bytes(&fixture("synth-mind-alembic.db"));
    file.execute_batch("CREATE TABLE notes (x); INSERT INTO notes VALUES (1); CREATE INDEX of_x ON notes (x)").unwrap();
    file.execute_batch("DROP INDEX idx_turns_timestamp").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.import(file.serialize_to_vec()).unwrap();
    assert_eq!(rows(memory.db().connection(), "notes").len(), 1);
    let indexes: Vec<String> = schema(memory.db().connection()).into_iter().map(|(_, name, _)| name).collect();
    assert!(["of_x", "idx_turns_timestamp"].iter().all(|index| indexes.iter().any(|name| name == index)));
    memory.downgrade("base").unwrap();
    assert_eq!(memory.revisions().unwrap(), [""; 0]);
}

#[test]
fn an_id_that_javascript_cannot_hold_is_not_given() {
    let memory = in_memory();
    let sql = "INSERT INTO turns (id) VALUES (9007199254740991)";
    memory.db().connection().execute_batch(sql).unwrap();
    assert_eq!(memory.turns().add(vec![turn("lost")]).unwrap_err().code(), ErrorCode::UnexpectedValue);
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
}

#[test]
fn any_bytes_are_borne() {
    // A real file with slight damage at every position: an error or a whole memory, never a panic and never half a
    // memory.
    let good = fixture("synth-mind-alembic.db");
    let mut memory = in_memory();
    let (mut taken, mut refused) = (0, 0);
    for at in (0..good.len()).step_by(487) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let before = memory.export().unwrap();
        if memory.import(bytes).is_ok() {
            taken += 1;
            assert_eq!(memory.revisions().unwrap(), ["002"], "byte {at}");
        } else {
            refused += 1;
            assert!(memory.export().unwrap() == before, "byte {at}: the memory is another one");
        }
        let check: String = memory.db().connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "byte {at}");
    }
    assert!(taken > 100 && refused >= 10, "{taken} taken, {refused} refused");
}

#[test]
fn what_was_replaced_can_be_had_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    memory.turns().add(vec![turn("mine")]).unwrap();
    memory.import(fixture("synth-mind-alembic.db")).unwrap();
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 64);
    let backup = memory.last_backup().unwrap().clone();
    assert_eq!(memory.backups().unwrap(), std::slice::from_ref(&backup));

    memory.restore(&backup.id).unwrap();
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
    assert_eq!(memory.backups().unwrap().len(), 2, "what the restore replaced was not kept");
    assert_eq!(memory.restore("memory.db").unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(in_memory().restore("any").unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn the_newest_three_backups_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = open(folder.path()).unwrap();
    for n in 0..5 {
        memory.turns().add(vec![turn(&n.to_string())]).unwrap();
        let file = memory.export().unwrap();
        memory.import(file).unwrap();
    }
    let backups = memory.backups().unwrap();
    assert_eq!(backups.len(), 3);
    assert!(backups.is_sorted_by(|newer, older| newer.created_at > older.created_at));
    let turns = |id: &str| rows(&Connection::open(folder.path().join(id)).unwrap(), "turns").len();
    assert_eq!(backups.iter().map(|backup| turns(&backup.id)).collect::<Vec<_>>(), [5, 4, 3]);
}

#[test]
fn the_only_backup_with_rows_is_kept() {
    // Rows of the memory, and rows of a table of the app's own alone.
    for sql in ["INSERT INTO turns (user_input) VALUES ('kept')", "CREATE TABLE own (x); INSERT INTO own VALUES (1)"] {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = open(folder.path()).unwrap();
        memory.db().connection().execute_batch(sql).unwrap();
        memory.downgrade("base").unwrap();
        memory.db().connection().execute_batch("DROP TABLE IF EXISTS own").unwrap();
        for _ in 0..3 {
            memory.upgrade("head").unwrap();
            memory.downgrade("base").unwrap();
        }
        let backups = memory.backups().unwrap();
        assert_eq!(backups.len(), 4, "{sql}");
        let full = backups.last().unwrap().id.clone();
        memory.restore(&full).unwrap();
        let count = "SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM sqlite_schema WHERE name = 'own')";
        assert_eq!(memory.db().connection().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "{sql}");
        // As soon as a newer one has rows, it goes.
        memory.back_up().unwrap();
        let backups = memory.backups().unwrap();
        assert_eq!((backups.len(), backups.iter().any(|backup| backup.id == full)), (3, false), "{sql}");
    }
}

trait Serialized {
    fn serialize_to_vec(self) -> Vec<u8>;
}

impl Serialized for Connection {
    fn serialize_to_vec(mut self) -> Vec<u8> {
        // Otherwise an empty database would have no page.
        self.execute_batch("PRAGMA user_version = 1").unwrap();
        self.serialize("main").unwrap().to_vec()
    }
}

#[test]
fn ids_that_recall_has_no_number_for_are_refused_at_the_door() {
    let ends = [i64::MIN, -(1 << 60) - 1, 1 << 60, 1 << 61 | 1, i64::MAX];
    let within = [-(1 << 60), (1 << 60) - 1, 1 << 53];
    let insert = |table: &str, id: i64| match table {
        "long_term" => format!("INSERT INTO long_term (rowid, key, value) VALUES ({id}, 'key', '1')"),
        _ => format!("INSERT INTO {table} (id) VALUES ({id})"),
    };
    for table in TABLES {
        for id in ends.into_iter().chain(within) {
            // Written by another program, before the first opening or while the file is at head; the file is opened and
            // imported.
            for revision in ["001", "head"] {
                let folder = tempfile::tempdir().unwrap();
                let mut memory = open(folder.path()).unwrap();
                if revision == "001" {
                    memory.downgrade("001").unwrap();
                }
                memory.close().unwrap();
                let path = folder.path().join("memory.db");
                Connection::open(&path).unwrap().execute_batch(&insert(table, id)).unwrap();
                let file = std::fs::read(&path).unwrap();
                let mut other = in_memory();
                other.turns().add(vec![turn("as before")]).unwrap();
                let (opened, imported) = (open(folder.path()).map(drop), other.import(file.clone()).map(drop));
                if within.contains(&id) {
                    opened.unwrap();
                    imported.unwrap();
                    continue;
                }
                for error in [opened.unwrap_err(), imported.unwrap_err()] {
                    assert_eq!(error.code(), ErrorCode::UnexpectedValue, "{error}");
                    assert!(error.message().contains(&format!("{table} has a row with id {id};")), "{error}");
                }
                assert_eq!(other.turns().count(TurnFilter::default()).unwrap(), 1);
                assert_eq!(rows(&Connection::open(&path).unwrap(), table).len(), 1, "the file is as it was");
            }
        }
    }
    // Written by the memory itself: the id after the largest.
    let memory = in_memory();
    memory.db().connection().execute_batch(&insert("turns", (1 << 60) - 1)).unwrap();
    let error = memory.turns().add(vec![turn("next")]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnexpectedValue, "{error}");
    assert_eq!(memory.turns().count(TurnFilter::default()).unwrap(), 1);
}
