//! A table that is rebuilt loses only what its new statement leaves out.
#![cfg(not(target_arch = "wasm32"))]

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use synth_memory::migrate::batch;
use synth_memory::migrate::sql::quote;
use synth_memory::{ErrorCode, Result};

/// A file with the settings of a memory, in which these statements were run.
fn file(setup: &str) -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("file.db")).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON").unwrap();
    connection.execute_batch(setup).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).unwrap();
    (folder, connection)
}

/// Runs a script as the runner does, up to the end of its transaction.
fn begin(connection: &mut Connection, script: &str) -> Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").unwrap();
    let deny = |context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } | AuthAction::Attach { .. } => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    };
    connection.authorizer(Some(deny)).unwrap();
    let result = batch::execute(connection, script, &mut |_, _| {});
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).unwrap();
    assert_eq!(ask(connection, "PRAGMA legacy_alter_table"), "0");
    assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML).unwrap());
    result
}

fn run(connection: &mut Connection, script: &str) -> Result<()> {
    let result = begin(connection, script);
    if result.is_ok() {
        assert_eq!(ask(connection, "PRAGMA foreign_key_check"), "");
    }
    connection.execute_batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    result
}

/// The result of a query as text that shows the type of each value: columns with commas, rows with semicolons.
fn ask(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(value) => value.to_string(),
            ValueRef::Real(value) => format!("{value:?}"),
            ValueRef::Text(value) => format!("'{}'", String::from_utf8_lossy(value)),
            ValueRef::Blob(value) => format!("x{value:02x?}"),
        });
        found.push(values.collect::<Vec<_>>().join(","));
    }
    found.join("; ")
}

/// All objects of the schema except one, which may be changed.
fn others(connection: &Connection, but: &str) -> String {
    let but = but.replace('\'', "''");
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
    ask(connection, &format!("{sql} WHERE name <> '{but}' AND sql IS NOT NULL ORDER BY type, name"))
}

struct Case {
    what: &'static str,
    setup: &'static str,
    script: &'static str,
    /// Whether columns are dropped or renamed, so that other objects may change.
    changes_others: bool,
    /// Queries whose results must not change.
    same: &'static [&'static str],
    /// Statements to run on the rebuilt table, and queries with the results they must then have.
    then: &'static str,
    after: &'static [(&'static str, &'static str)],
}

/// Alembic's batch loses each of these, or fails.
const CASES: &[Case] = &[
    Case {
        what: "an inline reference keeps its action",
        setup: "CREATE TABLE parent (id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1), (2);
                CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES parent ON DELETE CASCADE, a);
                INSERT INTO t VALUES (7, 1, 'x'), (9, 2, NULL);",
        script: "-- batch: t
                 CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES parent ON DELETE CASCADE, a TEXT, b INT NOT NULL DEFAULT 5);",
        same: &["SELECT id, parent, a FROM t", "PRAGMA foreign_key_list(t)"],
        then: "DELETE FROM parent WHERE id = 1",
        after: &[("SELECT * FROM t", "9,2,NULL,5")],
        ..NONE
    },
    Case {
        what: "children keep every row and value",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x'), (2, 'y');
                CREATE TABLE cascading (t REFERENCES t ON DELETE CASCADE); INSERT INTO cascading VALUES (1), (2);
                CREATE TABLE nulling (t REFERENCES t (id) ON DELETE SET NULL); INSERT INTO nulling VALUES (1), (2);
                CREATE TABLE standing (t INT, FOREIGN KEY (t) REFERENCES \"t\" (id)); INSERT INTO standing VALUES (2);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> ''));",
        same: &["SELECT rowid, * FROM cascading", "SELECT rowid, * FROM nulling", "SELECT rowid, * FROM standing"],
        then: "DELETE FROM t WHERE id = 1",
        after: &[("SELECT * FROM cascading", "2"), ("SELECT * FROM nulling", "NULL; 2")],
        ..NONE
    },
    Case {
        what: "a self-reference",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t (id) ON DELETE CASCADE);
                INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t (id) ON DELETE CASCADE, a);",
        same: &["SELECT id, up FROM t"],
        then: "DELETE FROM t WHERE id = 2",
        after: &[("SELECT * FROM t", "1,NULL,NULL")],
        ..NONE
    },
    Case {
        what: "AUTOINCREMENT and its high-water mark, rows gone at the top",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (3, 'x'), (9, 'y');
                CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO u VALUES (4); DELETE FROM t WHERE id = 9;",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT);",
        same: &["SELECT * FROM t", "SELECT * FROM sqlite_sequence ORDER BY name"],
        then: "INSERT INTO t (a) VALUES ('z')",
        after: &[("SELECT max(id) FROM t", "10")],
        ..NONE
    },
    Case {
        what: "AUTOINCREMENT of an emptied table, whose name is written otherwise",
        setup: "CREATE TABLE T (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (9, 'y'); DELETE FROM t;",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT);",
        then: "INSERT INTO t (a) VALUES ('z')",
        after: &[("SELECT * FROM sqlite_sequence", "'t',10"), ("SELECT name FROM sqlite_schema WHERE type = 'table'", "'sqlite_sequence'; 't'")],
        changes_others: true,
        ..NONE
    },
    Case {
        what: "AUTOINCREMENT added, taken away and added again",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (5, 'x');
                CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT);",
        script: "-- batch: t
                 CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
                 INSERT INTO t VALUES (8, 'y'); DELETE FROM t WHERE id = 8;
                 -- batch: t
                 CREATE TABLE t (id INTEGER PRIMARY KEY, a);
                 -- batch: t
                 CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a);",
        same: &["SELECT * FROM t"],
        then: "INSERT INTO t (a) VALUES ('z')",
        after: &[("SELECT max(id) FROM t", "9"), ("SELECT * FROM sqlite_sequence", "'t',9")],
        ..NONE
    },
    Case {
        what: "collations of columns and indexes, DESC, partial, expression and UNIQUE indexes",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, a REAL);
                INSERT INTO t VALUES (1, 'Ada', 1), (2, 'bob', 2.5);
                CREATE INDEX i1 ON t (name COLLATE RTRIM DESC, a);
                CREATE UNIQUE INDEX i2 ON t(a DESC)  WHERE name IS NOT NULL; CREATE INDEX \"i 3\" ON \"t\" (lower(name) || a, a);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, a REAL);",
        same: &["SELECT *, typeof(a) FROM t", "SELECT * FROM pragma_index_xinfo('i1')", "SELECT * FROM pragma_index_xinfo('i2')",
                "EXPLAIN QUERY PLAN SELECT * FROM t WHERE lower(name) || a = 'ada1.0'"],
        after: &[("SELECT id FROM t WHERE name = 'ADA'", "1"), ("SELECT id FROM t INDEXED BY \"i 3\" WHERE lower(name) || a = 'ada1.0'", "1")],
        ..NONE
    },
    Case {
        what: "unnamed CHECK and UNIQUE",
        setup: "CREATE TABLE t (a UNIQUE, b CHECK (b > 0), UNIQUE (b, a), CHECK (a <> b)); INSERT INTO t VALUES (1, 2), (2, 3);",
        script: "-- batch: t\nCREATE TABLE t (a UNIQUE, b CHECK (b > 0), c, UNIQUE (b, a), CHECK (a <> b));",
        same: &["SELECT rowid, a, b FROM t", "SELECT name, \"unique\", origin FROM pragma_index_list('t')"],
        then: "INSERT OR IGNORE INTO t (a, b) VALUES (1, 9), (5, 5), (5, -1)",
        after: &[("SELECT count(*) FROM t", "2")],
        ..NONE
    },
    Case {
        what: "a CHECK that names the table",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a CHECK (t.a > 0), b AS (a + 1), \"c\" DEFAULT 'c');
                INSERT INTO t (id, a) VALUES (4, 1), (8, 2); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT t.b FROM t;",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a CHECK (t.a > 0), b AS (a + 1), c TEXT, d);",
        same: &["SELECT id, a, b, c FROM t", "SELECT * FROM sqlite_sequence", "SELECT * FROM v"],
        after: &[("SELECT count(*) FROM sqlite_schema", "4")],
        ..NONE
    },
    Case {
        what: "triggers on the table, and none of them runs",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE log (what); INSERT INTO t VALUES (1, 'x');
                CREATE TRIGGER t1 AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
                CREATE TRIGGER t2 BEFORE DELETE ON \"T\" WHEN old.id > 0 BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; INSERT INTO log VALUES ('gone'); END;
                CREATE TRIGGER t3 AFTER UPDATE OF a ON t BEGIN INSERT INTO log SELECT a FROM t; END;",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b);",
        same: &["SELECT id, a FROM t", "SELECT count(*) FROM log"],
        then: "INSERT INTO t (a) VALUES ('y'); UPDATE t SET a = 'z' WHERE id = 2; DELETE FROM t WHERE id = 1",
        after: &[("SELECT * FROM log", "'y'; 'x'; 'z'; 'gone'")],
        ..NONE
    },
    Case {
        what: "views and other tables' triggers that name it",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE u (a); INSERT INTO t VALUES (1, 'x');
                CREATE VIEW v AS SELECT t.a AS b FROM t; CREATE VIEW w AS SELECT b FROM v JOIN t ON v.b = t.a;
                CREATE TRIGGER on_v INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.b); END;
                CREATE TRIGGER on_u AFTER INSERT ON u BEGIN UPDATE t SET a = new.a; END;",
        script: "-- batch: t\nCREATE TABLE t (a TEXT, id INTEGER PRIMARY KEY, c);",
        same: &["SELECT * FROM v", "SELECT * FROM w", "SELECT id, a FROM t"],
        then: "INSERT INTO v VALUES ('y'); INSERT INTO u VALUES ('z')",
        after: &[("SELECT * FROM w", "'z'; 'z'; 'z'; 'z'")],
        ..NONE
    },
    Case {
        what: "what was broken before is in nobody's way",
        setup: "CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIEW broken AS SELECT * FROM nowhere;
                CREATE TABLE u (a); CREATE TRIGGER tr AFTER INSERT ON u BEGIN INSERT INTO nowhere VALUES (1); END;",
        script: "-- batch: t\nCREATE TABLE t (a, b);",
        same: &["SELECT rowid, a FROM t"],
        ..NONE
    },
    Case {
        what: "generated columns, stored and virtual, and an index on one",
        setup: "CREATE TABLE t (a INT, b AS (a * 2) VIRTUAL, c TEXT GENERATED ALWAYS AS (a || 'c') STORED, d);
                INSERT INTO t (a, d) VALUES (1, 'x'), (2, 'y'); CREATE INDEX i ON t (b, c);",
        script: "-- batch: t\nCREATE TABLE t (a INT, b AS (a * 2) VIRTUAL, c TEXT GENERATED ALWAYS AS (a || 'c') STORED, d TEXT NOT NULL);",
        same: &["SELECT rowid, * FROM t", "SELECT d FROM t INDEXED BY i WHERE b = 4"],
        ..NONE
    },
    Case {
        what: "a generated column becomes a plain one, and a plain one generated",
        setup: "CREATE TABLE t (a INT, b AS (a * 2), c); INSERT INTO t (a, c) VALUES (1, 'x'), (2, 'y');",
        script: "-- batch: t\nCREATE TABLE t (a INT, b, c AS (a + 1) STORED);",
        after: &[("SELECT * FROM t", "1,2,2; 2,4,3")],
        ..NONE
    },
    Case {
        what: "to WITHOUT ROWID",
        setup: "CREATE TABLE t (k TEXT PRIMARY KEY, a); INSERT INTO t VALUES ('b', 1), ('a', x'00'); CREATE INDEX i ON t (a);",
        script: "-- batch: t\nCREATE TABLE t (k TEXT PRIMARY KEY, a) WITHOUT ROWID;",
        same: &["SELECT * FROM t ORDER BY k"],
        after: &[("SELECT wr FROM pragma_table_list('t')", "1")],
        ..NONE
    },
    Case {
        what: "from WITHOUT ROWID",
        setup: "CREATE TABLE t (k TEXT, l INT, a, PRIMARY KEY (l, k)) WITHOUT ROWID; INSERT INTO t VALUES ('b', 1, 2), ('a', 3, NULL);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, l INT, a, UNIQUE (l, k));",
        same: &["SELECT k, l, a FROM t ORDER BY l"],
        after: &[("SELECT id FROM t", "1; 2")],
        ..NONE
    },
    Case {
        what: "STRICT with ANY keeps every value and type",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a ANY) STRICT;
                INSERT INTO t VALUES (1, '007'), (2, 7), (3, 7.0), (4, x'37'), (5, NULL), (6, '1e3'), (7, 9223372036854775807);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a ANY, b ANY DEFAULT '08') STRICT;",
        same: &["SELECT id, a FROM t"],
        after: &[("SELECT DISTINCT b FROM t", "'08'"), ("SELECT strict FROM pragma_table_list('t')", "1")],
        ..NONE
    },
    Case {
        what: "to STRICT with ANY",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, '007'), (2, 7), (3, 7.0), (4, x'37'), (5, NULL);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a ANY) STRICT;",
        same: &["SELECT id, a FROM t"],
        ..NONE
    },
    Case {
        what: "rowids of a table without a key",
        setup: "CREATE TABLE t (a, rowid TEXT); INSERT INTO t (_rowid_, a, rowid) VALUES (-9223372036854775808, 1, 'r'),
                (-5, 2, 's'), (70, 3, NULL), (9223372036854775807, 4, 'u');",
        script: "-- batch: t\nCREATE TABLE t (b, rowid TEXT, a);",
        same: &["SELECT _rowid_, a, rowid FROM t"],
        ..NONE
    },
    Case {
        what: "the rowid becomes the key, and the key a column",
        setup: "CREATE TABLE t (a); INSERT INTO t (rowid, a) VALUES (5, 'x'), (7, 'y');
                CREATE TABLE u (id INTEGER PRIMARY KEY, a); INSERT INTO u VALUES (6, 'x');",
        script: "-- batch: t\nCREATE TABLE t (a, id INTEGER PRIMARY KEY NOT NULL);
                 -- batch: u\nCREATE TABLE u (id INTEGER, a TEXT PRIMARY KEY);",
        same: &["SELECT rowid, a FROM t", "SELECT rowid, id, a FROM u"],
        after: &[("SELECT id FROM t", "5; 7")],
        changes_others: true,
        ..NONE
    },
    Case {
        what: "FTS5 fed from it",
        setup: "CREATE TABLE t (a TEXT); CREATE VIRTUAL TABLE f USING fts5 (a, content = 't');
                CREATE TRIGGER t_in AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a) VALUES (new.rowid, new.a); END;
                CREATE TRIGGER t_out AFTER DELETE ON t BEGIN INSERT INTO f (f, rowid, a) VALUES ('delete', old.rowid, old.a); END;
                INSERT INTO t VALUES ('red'), ('green'), ('blue'), ('red green'); DELETE FROM t WHERE a = 'green';",
        script: "-- batch: t\nCREATE TABLE t (b, a TEXT NOT NULL);",
        same: &["SELECT rowid, a FROM t", "SELECT rowid, * FROM f WHERE f MATCH 'red'"],
        then: "INSERT INTO f (f, rank) VALUES ('integrity-check', 1); DELETE FROM t WHERE a = 'red'; INSERT INTO t (a) VALUES ('reddest')",
        after: &[("SELECT rowid FROM f WHERE f MATCH 'red*'", "4; 5")],
        ..NONE
    },
    Case {
        what: "quotes and spaces in names",
        setup: "CREATE TABLE \"it's \"\"my\"\" table\" (\"a b\" INTEGER PRIMARY KEY, [c\"d] TEXT, `e=f`);
                INSERT INTO \"it's \"\"my\"\" table\" VALUES (3, 'x', 1); CREATE INDEX \"i'\" ON [it's \"my\" table] ([c\"d]);
                CREATE VIEW v AS SELECT * FROM \"it's \"\"my\"\" table\";",
        script: "-- batch: \"it's \"\"my\"\" table\"
                 -- column: \"g = h\" = [c\"d] || \"it's \"\"my\"\" table\".`e=f`
                 CREATE TABLE [it's \"my\" table] (\"a b\" INTEGER PRIMARY KEY, [c\"d] TEXT, `e=f`, \"g = h\");",
        same: &["SELECT \"a b\", [c\"d], `e=f` FROM v"],
        after: &[("SELECT \"g = h\" FROM v", "'x1'")],
        ..NONE
    },
    Case {
        what: "what Alembic left beside it, and a table of the user's own",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x'), (2, 'y');
                CREATE TABLE _alembic_tmp_t (id INTEGER PRIMARY KEY, a, b); INSERT INTO _alembic_tmp_t VALUES (1, 'x', NULL);
                CREATE TABLE _synth_tmp_t (own); INSERT INTO _synth_tmp_t VALUES (1);",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a, b);",
        same: &["SELECT id, a FROM t", "SELECT * FROM _synth_tmp_t"],
        after: &[("SELECT name FROM sqlite_schema ORDER BY 1", "'_synth_tmp_t'; 't'")],
        changes_others: true,
        ..NONE
    },
    Case {
        what: "what Alembic left stays where it holds more",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a COLLATE NOCASE); INSERT INTO t VALUES (1, 'x'), (2, 'y');
                CREATE TABLE _alembic_tmp_t (id INTEGER PRIMARY KEY, a); INSERT INTO _alembic_tmp_t VALUES (1, 'X');",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a, b);",
        same: &["SELECT id, a FROM t", "SELECT * FROM _alembic_tmp_t"],
        ..NONE
    },
    Case {
        what: "an index goes with its column, and no other",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, mood, a); INSERT INTO t VALUES (1, 2, 3);
                CREATE INDEX gone1 ON t (\"mood\"); CREATE UNIQUE INDEX gone2 ON t (a, mood); CREATE INDEX gone3 ON t (a) WHERE [Mood] > 1;
                CREATE INDEX gone4 ON t (abs(mood)); CREATE INDEX mood ON t (a); CREATE INDEX kept ON t (a) WHERE a <> 'mood';
                CREATE TABLE u (mood); CREATE INDEX other ON u (mood); CREATE VIEW v AS SELECT a, 'mood' AS mood FROM t;
                CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO u (mood) VALUES (new.a); END;",
        script: "-- batch: t\nCREATE TABLE t (id INTEGER PRIMARY KEY, a);",
        same: &["SELECT id, a FROM t", "SELECT * FROM v",
                "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'gone%' AND name <> 't' ORDER BY name"],
        after: &[("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1", "'kept'; 'mood'; 'other'")],
        changes_others: true,
        ..NONE
    },
    Case {
        what: "a column renamed inside a CHECK is followed everywhere",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, valence REAL CONSTRAINT c CHECK (valence BETWEEN -1 AND 1), UNIQUE (valence));
                CREATE TABLE u (v REFERENCES t (valence)); INSERT INTO t VALUES (1, 0.5), (2, -1); INSERT INTO u VALUES (0.5);
                CREATE INDEX i ON t (valence DESC) WHERE \"valence\" > 0; CREATE VIEW v AS SELECT t.valence AS x FROM t;
                CREATE TRIGGER tr AFTER UPDATE OF valence ON t BEGIN INSERT INTO u SELECT valence FROM t WHERE valence = new.valence; END;",
        script: "-- batch: t\n-- column: mood = valence\n-- column: double = valence * 2
                 CREATE TABLE t (id INTEGER PRIMARY KEY, mood REAL CONSTRAINT c CHECK (mood BETWEEN -1 AND 1), double, UNIQUE (mood));",
        same: &["SELECT * FROM v ORDER BY x", "SELECT * FROM u"],
        then: "UPDATE t SET mood = 0.25 WHERE id = 2",
        after: &[
            ("SELECT * FROM t", "1,0.5,1.0; 2,0.25,-2.0"),
            ("SELECT * FROM u", "0.5; 0.25"),
            ("SELECT sql FROM sqlite_schema WHERE name = 'i'", "'CREATE INDEX i ON t (\"mood\" DESC) WHERE \"mood\" > 0'"),
            ("SELECT \"to\" FROM pragma_foreign_key_list('u')", "'mood'"),
        ],
        changes_others: true,
    },
    Case {
        what: "values move",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c); INSERT INTO t VALUES (1, 'x', 2, 'q'), (2, 'y', 3, 'r');",
        script: "-- batch: t
                 -- column: b = a -- its old name stays nowhere
                 -- column: d = (SELECT group_concat(o.a || t.a) FROM t AS o WHERE o.id <= t.id)
                 -- column: e = 'batch' || rowid
                 CREATE TABLE t (e TEXT, id INTEGER PRIMARY KEY, b, d);",
        after: &[("SELECT * FROM t", "'batch1',1,'x','xx'; 'batch2',2,'y','xy,yy'")],
        ..NONE
    },
    Case {
        what: "the key gets another value",
        setup: "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x'), (2, 'y');",
        script: "-- batch: T\n-- column: ID = -id\nCREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a);",
        after: &[("SELECT * FROM t", "-2,'y'; -1,'x'")],
        ..NONE
    },
    Case {
        what: "plain statements around it, triggers too",
        setup: "CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE INDEX i ON t (a);",
        script: "DROP INDEX i; INSERT INTO t VALUES (2);
                 -- batch: t\nCREATE TABLE t (a NOT NULL);
                 CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = CASE a WHEN 3 THEN 30 ELSE a END; SELECT 1; END;
                 INSERT INTO t VALUES (3); -- the end",
        after: &[("SELECT * FROM t", "1; 2; 30"), ("SELECT name FROM sqlite_schema", "'t'; 'tr'")],
        changes_others: true,
        ..NONE
    },
];

const NONE: Case = Case { what: "", setup: "", script: "", changes_others: false, same: &[], then: "", after: &[] };

#[test]
fn nothing_is_lost() {
    for Case { what, setup, script, changes_others, same, then, after } in CASES {
        let (_folder, mut connection) = file(setup);
        let name = script.split_once("batch:").unwrap().1.lines().next().unwrap().trim();
        let name = if name.starts_with('"') { "it's \"my\" table" } else { name };
        let (objects, answers) = (others(&connection, name), all(&connection, same));
        run(&mut connection, script).unwrap_or_else(|error| panic!("{what}: {error}\n{:?}", error.cause()));
        if !changes_others {
            assert_eq!(others(&connection, name), objects, "{what}");
        }
        assert_eq!(all(&connection, same), answers, "{what}");
        connection.execute_batch(then).unwrap_or_else(|error| panic!("{what}: {error}"));
        for (sql, expected) in *after {
            assert_eq!(ask(&connection, sql), *expected, "{what}: {sql}");
        }
        assert_eq!(ask(&connection, "PRAGMA integrity_check"), "'ok'", "{what}");
        let ours =
            "SELECT name FROM sqlite_schema WHERE sql LIKE '%\\_synth\\_%' ESCAPE '\\' AND name <> '_synth_tmp_t'";
        assert_eq!(ask(&connection, ours), "", "{what}");
    }
}

fn all(connection: &Connection, questions: &[&str]) -> Vec<String> {
    questions.iter().map(|sql| ask(connection, sql)).collect()
}

/// A script that cannot be carried out on `ERRORS_IN`, and words of the error.
const ERRORS: &[(&str, &str)] = &[
    // Errors in the text of the script.
    ("-- batch:\nCREATE TABLE t (a);", "must name one table"),
    ("-- batch: t of mine\nCREATE TABLE t (a);", "\"-- batch: t of mine\" must name one table"),
    ("-- batch: t\nDROP TABLE t;", "\"-- batch: t\" must be followed by"),
    ("DELETE FROM t;\n-- batch: t", "\"-- batch: t\" must be followed by"),
    ("-- batch: t\nCREATE TEMP TABLE t (a);", "\"-- batch: t\" must be followed by"),
    ("-- batch: t\nCREATE TABLE u (a);", "another name: u"),
    ("-- batch: t\nCREATE TABLE main.t (a);", "another name: main"),
    ("-- batch: t\nCREATE TABLE t AS SELECT 1 AS a;", "must list the columns"),
    ("-- batch: t\n-- batch: u\nCREATE TABLE t (a);", "\"-- batch: u\" stands before the CREATE TABLE of t"),
    ("DELETE FROM t;\n-- column: a = 1\nCREATE TABLE u (a);", "\"-- column: a = 1\" belongs to no batch"),
    ("CREATE TABLE u ( -- batch: t\na);", "\"-- batch: t\" stands inside a statement"),
    ("-- batch: t\nCREATE TABLE t (\n-- column: a = 1\na);", "\"-- column: a = 1\" stands inside a statement"),
    ("-- batch: t\n-- column: a\nCREATE TABLE t (a);", "\"-- column: a\" must be"),
    ("-- batch: t\n-- column: a ==\nCREATE TABLE t (a);", "must be a column"),
    ("-- batch: t\n-- column: a = 1\n-- column: A = 2\nCREATE TABLE t (a);", "two lines for column A"),
    // Errors in how it fits the existing schema.
    ("-- batch: nowhere\nCREATE TABLE nowhere (a);", "There is no table nowhere"),
    ("-- batch: lost\nCREATE TABLE lost (a);", "There is no table lost"),
    ("-- batch: v\nCREATE TABLE v (a);", "There is no table v"),
    ("-- batch: f\nCREATE TABLE f (a);", "f is a virtual table"),
    ("-- batch: t\n-- column: z = 1\nCREATE TABLE t (a);", "The new table t has no column z"),
    ("-- batch: t\n-- column: b = 1\nCREATE TABLE t (a, b AS (a));", "The column b of t is generated"),
    (
        "-- batch: t\n-- column: b = c\nCREATE TABLE t (a, b);",
        "The expression of column b does not work: no such column: c",
    ),
    ("-- batch: t\n-- column: b = \"c\"\nCREATE TABLE t (a, b);", "The expression of column b does not work"),
    ("-- batch: t\n-- column: b = (1\nCREATE TABLE t (a, b);", "The expression of column b does not work"),
    ("-- batch: t\nCREATE TABLE t (a, b NOT NULL);", "The new column b of t is NOT NULL"),
    ("-- batch: t\nCREATE TABLE t (a, b NOT NULL DEFAULT NULL);", "The new column b of t is NOT NULL"),
    // Errors in its result.
    ("-- batch: t\nCREATE TABLE t (b DEFAULT 1, seen);", "The trigger tr names the column a of t"),
    ("-- batch: t\nCREATE TABLE t (a);", "The view v names the column seen of t"),
    ("-- batch: p\nCREATE TABLE p (b);", "The table c names the column a of p"),
    ("-- batch: q\nCREATE TABLE q (a, b);", "a trigger on UPDATE of w (on_w) does not work"),
    ("-- batch: r\nCREATE TABLE r (a, b);", "the view x does not work"),
    ("-- batch: t\nCREATE TABLE t (a, seen, b);", "a trigger on INSERT of u (tr, whole) does not work"),
    (
        "-- batch: t\n-- column: a = 1\nCREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, seen);",
        "UNIQUE constraint failed: t.a",
    ),
    (
        "-- batch: t\n-- column: a = 1\nCREATE TABLE t (a UNIQUE ON CONFLICT IGNORE, seen);",
        "UNIQUE constraint failed: t.a",
    ),
    ("-- batch: t\nCREATE TABLE t (a CHECK (a > 1), seen);", "CHECK constraint failed: a > 1"),
    ("-- batch: t\nCREATE TABLE t (a, seen) WITHOUT ROWID;", "PRIMARY KEY missing"),
    ("-- batch: wr\nCREATE TABLE wr (z);", "no column in common"),
];

const ERRORS_IN: &str = "CREATE TABLE t (a, seen); INSERT INTO t VALUES (1, 2), (3, 4);
    CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT seen FROM t; CREATE VIRTUAL TABLE f USING fts5 (a);
    CREATE TABLE u (a, b); CREATE TRIGGER tr AFTER INSERT ON u BEGIN UPDATE t SET a = 1; END;
    CREATE TRIGGER whole AFTER INSERT ON u BEGIN INSERT INTO t VALUES (1, 2); END;
    CREATE TABLE p (a PRIMARY KEY, b); CREATE TABLE c (a REFERENCES p (a)); CREATE TABLE wr (a PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO wr VALUES (1); CREATE TABLE q (a); CREATE VIEW w AS SELECT 1 AS x; CREATE VIEW x AS SELECT 1 UNION SELECT * FROM r;
    CREATE TRIGGER on_w INSTEAD OF UPDATE OF x ON w BEGIN INSERT INTO q VALUES (1); END; CREATE TABLE r (a); CREATE TABLE _alembic_tmp_lost (a); INSERT INTO _alembic_tmp_lost VALUES (1);";

#[test]
fn what_is_wrong_is_said_and_changes_nothing() {
    let (_folder, mut connection) = file(ERRORS_IN);
    let everything = ["SELECT * FROM sqlite_schema", "SELECT * FROM t", "SELECT * FROM _alembic_tmp_lost"];
    let before = all(&connection, &everything);
    let until = ERRORS.iter().position(|(script, _)| script.contains("(b DEFAULT 1, seen)")).unwrap();
    for (at, (script, words)) in ERRORS.iter().enumerate() {
        let error = begin(&mut connection, script).expect_err(script);
        let cause = error.cause().map(|cause| cause.message.as_str()).unwrap_or_default();
        let said = format!("{} {cause}", error.message());
        assert!(said.contains(words), "{script}: {said}");
        if at < until {
            assert_eq!(error.code(), ErrorCode::InvalidMigration, "{script}");
            assert_eq!(all(&connection, &everything), before, "{script}");
        }
        connection.execute_batch("ROLLBACK").unwrap();
        assert_eq!(all(&connection, &everything), before, "{script}");
    }
    let hint = run(&mut connection, "-- batch: lost\nCREATE TABLE lost (a);").unwrap_err().hint().to_owned();
    assert!(hint.contains("_alembic_tmp_lost"), "{hint}");
}

#[test]
fn a_demanding_column_is_no_matter_where_there_are_no_rows() {
    let (_folder, mut connection) = file("CREATE TABLE t (a);");
    run(&mut connection, "-- batch: t\nCREATE TABLE t (a, b NOT NULL);").unwrap();
    assert_eq!(ask(&connection, "SELECT name, \"notnull\" FROM pragma_table_info('t')"), "'a',0; 'b',1");
}

#[test]
fn it_needs_a_transaction_and_no_foreign_keys() {
    let (_folder, connection) = file("CREATE TABLE t (a);");
    for state in ["BEGIN", "COMMIT; PRAGMA foreign_keys = OFF"] {
        connection.execute_batch(state).unwrap();
        let result = batch::execute(&connection, "-- batch: t\nCREATE TABLE t (b);", &mut |_, _| {});
        assert_eq!(result.unwrap_err().code(), ErrorCode::Internal);
        assert_eq!(ask(&connection, "SELECT name FROM pragma_table_info('t')"), "'a'");
    }
}

#[test]
fn how_far_it_is() {
    let (_folder, connection) = file(
        "CREATE TABLE t (a); INSERT INTO t (rowid, a) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 150000) \
         SELECT i * 1000003, i FROM n; PRAGMA foreign_keys = OFF; BEGIN",
    );
    let mut told = Vec::new();
    let script = "-- batch: t\nCREATE TABLE t (a, b);";
    batch::execute(&connection, script, &mut |done, total| told.push((done, total))).unwrap();
    assert_eq!(told.first(), Some(&(0, 150_000)));
    assert_eq!(told.last(), Some(&(150_000, 150_000)));
    assert!(told.len() > 3 && told.is_sorted() && told.iter().all(|(_, total)| *total == 150_000), "{told:?}");
    assert_eq!(
        ask(&connection, "SELECT count(*), sum(a), min(rowid), max(rowid) FROM t"),
        "150000,11250075000,1000003,150000450000"
    );
}

const NAMES: [&str; 8] = ["a", "Id", "order", "with space", "qu\"ote", "it's", "_synth_dropped", "é"];

/// A table `t`, its indexes, triggers and a view, and statements that insert rows; its constraints may reject some.
fn anything() -> impl Strategy<Value = Vec<String>> {
    let columns = prop::sample::subsequence(&NAMES[..], 1..6);
    let column = (
        prop::sample::select(vec!["", "INT", "TEXT", "REAL", "BLOB", "ANY", "NUMERIC", "VARCHAR(10)"]),
        prop::sample::select(vec![
            "",
            "UNIQUE",
            "NOT NULL DEFAULT 'x''y'",
            "COLLATE NOCASE",
            "CHECK (t.~ <> 3)",
            "CHECK (~ IS NOT 'no;')",
            "REFERENCES t",
            "DEFAULT (1 + 2)",
            "GENERATED ALWAYS AS (1 || '%') STORED",
            "UNIQUE ON CONFLICT IGNORE COLLATE RTRIM",
        ]),
    );
    let key = prop::sample::select(vec!["", "first", "first autoincrement", "last", "both", "without rowid"]);
    let index = (
        prop::sample::select(vec!["", "UNIQUE "]),
        prop::sample::select(vec!["~", "~ DESC", "lower(~)", "~ COLLATE NOCASE, 1 + ~"]),
        prop::sample::select(vec!["", " WHERE ~ > 1", "  WHERE ~ IS NOT NULL"]),
        any::<prop::sample::Index>(),
    );
    let value = prop::sample::select(vec![
        "NULL",
        "1",
        "2",
        "3",
        "-7",
        "1.0",
        "2.5",
        "1e300",
        "9223372036854775807",
        "'x'",
        "'X '",
        "'007'",
        "x'00ff'",
        "''",
    ]);
    let rows = prop::collection::vec((-50i64..50, prop::collection::vec(value, 6)), 0..12);
    (columns, prop::collection::vec(column, 6), key, any::<bool>(), prop::collection::vec(index, 0..4), rows).prop_map(
        |(names, columns, key, strict, indexes, rows)| {
            let mut parts = Vec::new();
            let mut plain = Vec::new();
            for (at, (name, (kind, extra))) in names.iter().zip(&columns).enumerate() {
                let kind = if strict && !["INT", "TEXT", "REAL", "BLOB"].contains(kind) { "ANY" } else { kind };
                let (kind, extra) = match key {
                    "first" if at == 0 => ("INTEGER", "PRIMARY KEY"),
                    "first autoincrement" if at == 0 => ("INTEGER", "PRIMARY KEY AUTOINCREMENT"),
                    _ if at == 0 && extra.starts_with("GENERATED") => (kind, ""),
                    _ => (kind, *extra),
                };
                if !extra.starts_with("GENERATED") {
                    plain.push(quote(name));
                }
                parts.push(format!("{} {kind} {}", quote(name), extra.replace('~', &quote(name))));
            }
            let names: Vec<_> = names.iter().map(|name| quote(name)).collect();
            match key {
                "last" => parts.push(format!("PRIMARY KEY ({})", plain[plain.len() - 1])),
                "both" => parts.push(format!("CONSTRAINT \"a key\" PRIMARY KEY ({}) -- ;\n", plain.join(", "))),
                "without rowid" => parts.push(format!("PRIMARY KEY ({} DESC)", plain[0])),
                _ => {}
            }
            let mut options: Vec<&str> = if strict { vec!["STRICT"] } else { vec![] };
            if key == "without rowid" {
                options.push("WITHOUT  ROWID");
            }
            let mut made = vec![format!("CREATE TABLE t ({}) {}", parts.join(", "), options.join(", "))];
            for (at, (unique, what, filter, column)) in indexes.into_iter().enumerate() {
                let column = column.get(&names);
                made.push(format!("CREATE {unique}INDEX \"i {at}\" ON t ({what}){filter}").replace('~', column));
            }
            for (rowid, values) in rows {
                let rowid = if key.is_empty() { ("rowid, ", format!("{rowid}, ")) } else { ("", String::new()) };
                let values = values[..plain.len()].join(", ");
                made.push(format!(
                    "INSERT OR IGNORE INTO t ({}{}) VALUES ({}{values})",
                    rowid.0,
                    plain.join(", "),
                    rowid.1
                ));
            }
            made.push("CREATE VIEW v AS SELECT * FROM t".into());
            let first = &plain[0];
            made.push(format!(
                "CREATE TRIGGER tr AFTER UPDATE OF {first} ON t BEGIN DELETE FROM t WHERE {first} = old.{first}; END"
            ));
            made.push("DELETE FROM t WHERE abs(random()) % 5 = 0".into());
            made
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 2000 }))]

    #[test]
    fn the_same_table_again_is_the_same(statements in anything()) {
        let (_folder, mut connection) = file("");
        // Statements that SQLite rejects are left out: the table, an index, or a row that violates a constraint.
        for statement in &statements {
            let _ = connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statement}"));
        }
        let tables = ask(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 't'");
        prop_assume!(tables == "1");
        let without = ask(&connection, "SELECT wr FROM pragma_table_list('t')") == "1";
        let mut everything = vec![
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT IN ('sqlite_sequence', 'v') ORDER BY type, name",
            if without { "SELECT * FROM t" } else { "SELECT rowid, * FROM t ORDER BY rowid" },
            "PRAGMA integrity_check",
        ];
        if ask(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'") == "1" {
            everything.push("SELECT name, seq FROM sqlite_sequence");
        }
        let before = all(&connection, &everything);
        let create: String = connection.query_row("SELECT sql FROM sqlite_schema WHERE name = 't'", [], |row| row.get(0)).unwrap();
        let result = begin(&mut connection, &format!("-- batch: t\n{create}"));
        if let Err(error) = &result {
            prop_assert!(false, "{error} {:?}", error.cause());
        }
        connection.execute_batch("COMMIT").unwrap();
        prop_assert_eq!(all(&connection, &everything), before);
    }
}
