//! Changes to the file of a database: to the numbers of SQLite's format, and to rows and a schema in ways that this
//! package never writes.

use rusqlite::Connection;

use crate::mutate::{self, Op, number, place, put};

/// The numbers of the header: offset and number of bytes.
const HEADER: [(usize, usize); 20] = [
    (16, 2),
    (18, 1),
    (19, 1),
    (20, 1),
    (21, 1),
    (22, 1),
    (23, 1),
    (24, 4),
    (28, 4),
    (32, 4),
    (36, 4),
    (40, 4),
    (44, 4),
    (48, 4),
    (52, 4),
    (56, 4),
    (60, 4),
    (64, 4),
    (92, 4),
    (96, 4),
];
const TABLES: [&str; 12] = [
    "turns",
    "episodes",
    "long_term",
    "uncertainty_log",
    "semantic_memories",
    "alembic_version",
    "synth_migrations",
    "synth_requests",
    "memory_fts_data",
    "memory_changes",
    "embedding_queue",
    "sqlite_sequence",
];
/// Values that the memory's columns do not hold, as SQL.
const VALUES: [&str; 18] = [
    "NULL",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1152921504606846976",
    "9007199254740993",
    "1e999",
    "-1e999",
    "0.1",
    "''",
    "'tea'",
    "'2026-01-01'",
    "'{\"a\":[1]}'",
    "x''",
    "x'ff00'",
    "CAST(x'ff' AS TEXT)",
    "char(0, 97)",
];
/// What another program could do to a file. `{t}`, `{c}`, `{v}` and `{n}` are a table, a column, a value and a number.
const STATEMENTS: [&str; 24] = [
    "UPDATE {t} SET {c} = {v}",
    "UPDATE {t} SET {c} = {v} WHERE rowid = {n}",
    "UPDATE {t} SET rowid = {v} WHERE rowid = {n}",
    "UPDATE alembic_version SET version_num = {v}",
    "INSERT INTO alembic_version VALUES ('002')",
    "INSERT OR REPLACE INTO {t} ({c}) VALUES ({v})",
    "INSERT INTO {t} (rowid, {c}) VALUES ({v}, {v})",
    "DELETE FROM {t}",
    "DELETE FROM {t} WHERE rowid = {n}",
    "DROP TABLE {t}",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text); INSERT INTO notes (text) VALUES ({v})",
    "CREATE TABLE synth_requests (client)",
    "CREATE TABLE synth_migrations (revision)",
    "CREATE VIEW memory_changes AS SELECT 1",
    "CREATE INDEX one ON {t} ({c})",
    "CREATE VIRTUAL TABLE words USING fts5(text)",
    "ALTER TABLE {t} ADD COLUMN more",
    "ALTER TABLE {t} RENAME COLUMN {c} TO other",
    "ALTER TABLE {t} RENAME TO other",
    "PRAGMA user_version = {n}; PRAGMA application_id = {n}",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = {n} WHERE rowid = 1 + {m}",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = NULL WHERE rowid = 1 + {m}",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = {v} WHERE rowid = 1 + {m}",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'index' WHERE rowid = 1 + {m}",
];

pub(crate) fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], op: Op) {
    let [kind, at, much, with] = op;
    let size = page_size(bytes);
    let pages = (bytes.len() / size).max(1);
    let page = at as usize % pages * size;
    let header = page + if page == 0 { 100 } else { 0 };
    match kind % 16 {
        0 => {
            let (at, width) = HEADER[at as usize % HEADER.len()];
            put(bytes, at, width, if with & 16 == 0 { number(with) } else { u64::from(much % 64) }, true);
        }
        // The kind of a page, its first free block, the number of its cells, where they begin, and its right child.
        1 => put(bytes, header + much as usize % 12, 1 + with as usize % 2, number(with), true),
        2 => {
            let pointer = header + 8 + 2 * (much as usize % 32);
            put(bytes, pointer, 2, u64::from(with) % (size as u64 + 2), true);
        }
        // The beginning of a cell: its length, its rowid, the types of its values.
        3 => {
            let pointer = header + 8 + 2 * (much as usize % 16);
            let Some(cell) = bytes.get(pointer..pointer + 2) else { return };
            let cell = page + usize::from(u16::from_be_bytes([cell[0], cell[1]]));
            put(
                bytes,
                cell + (with >> 8) as usize % 12,
                1,
                if with & 1 == 0 { number(with) } else { with.into() },
                true,
            );
        }
        // The text of the schema. Names do not get longer and expressions are left out, because they could compute
        // forever.
        4 => {
            let texts: Vec<usize> =
                (0..bytes.len().min(8 * size)).filter(|&at| bytes[at..].starts_with(b"CREATE ")).collect();
            let Some(&text) = texts.get(at as usize % texts.len().max(1)) else { return };
            const LETTERS: &[u8] = b" (),;'\"`[]-x\0\xff";
            put(bytes, text + much as usize % 120, 1, LETTERS[with as usize % LETTERS.len()].into(), true);
        }
        5 => {
            let other = much as usize % pages * size;
            let copied = bytes[page..(page + size).min(bytes.len())].to_vec();
            bytes.splice(other..(other + copied.len()).min(bytes.len()), copied);
        }
        6 => bytes.truncate(page),
        7 => {
            let other = &seeds[with as usize % seeds.len()];
            let end = place(other, much) / size * size;
            let from = page.min(end);
            bytes.splice(
                from.min(bytes.len())..end.min(bytes.len()).max(from.min(bytes.len())),
                other[from..end].to_vec(),
            );
        }
        8 => mutate::bytes(bytes, seeds, [kind / 16, at, much, with]),
        _ => {
            if let Some(changed) = rewritten(bytes, &statement(op)) {
                *bytes = changed;
            }
        }
    }
}

fn page_size(bytes: &[u8]) -> usize {
    match bytes.get(16..18) {
        Some(&[0, 1]) => 65_536,
        Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])).max(512),
        _ => 512,
    }
}

fn statement([kind, at, much, with]: Op) -> String {
    const COLUMNS: [&str; 16] = [
        "id",
        "timestamp",
        "metadata",
        "user_input",
        "content",
        "value",
        "\"key\"",
        "updated_at",
        "valence",
        "category",
        "importance",
        "resolved",
        "confidence_score",
        "signals",
        "script",
        "answers",
    ];
    let pick = |list: &[&'static str], number: u32| list[number as usize % list.len()];
    pick(&STATEMENTS, kind / 16)
        .replace("{t}", pick(&TABLES, at))
        .replace("{c}", pick(&COLUMNS, at / 12))
        .replace("{v}", pick(&VALUES, with))
        .replace("{n}", &number(much).to_string())
        .replace("{m}", &(much / 16 % 24).to_string())
}

/// The file after some statements; `None` if SQLite cannot read it or rejects them.
fn rewritten(bytes: &[u8], sql: &str) -> Option<Vec<u8>> {
    let mut connection = Connection::open_in_memory().ok()?;
    connection.deserialize_read_exact("main", bytes, bytes.len(), false).ok()?;
    connection.execute_batch(sql).ok()?;
    Some(connection.serialize("main").ok()?.to_vec())
}
