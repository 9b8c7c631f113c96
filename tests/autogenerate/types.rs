//! Values of columns whose type changes, above all in STRICT tables, which enforce it, and the downgrade of values that
//! were filled in.

use rusqlite::Connection;
use synth_memory::ErrorCode;
use synth_memory::migrate::autogenerate::{Renames, compare, declared};

use super::cases::{ALL, BASE, Case, KEPT, go_there_and_back};
use super::{check, database, graph};

#[test]
fn values_of_another_type_go_there_and_back() {
    go_there_and_back(&[
        Case {
            // A text and its bytes, a number and its text: all conversions that a STRICT table needs.
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b BLOB) STRICT;",
            says: &[
                "change column t.a: TEXT becomes BLOB",
                "change column t.b: INTEGER becomes BLOB",
                "change table t: nothing becomes STRICT",
            ],
            up: "-- t.a becomes BLOB: the bytes of its text.\n-- t.b becomes BLOB: the bytes of its text.\n\
                 -- batch: t\n-- column: a = CAST(a AS BLOB)\n-- column: b = CAST(b AS BLOB)\n",
            ask: (ALL, "1X'78'X'3130' 5NULLNULL", KEPT),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b BLOB);",
            rows: "INSERT INTO t VALUES (1, x'78', x'3130'), (5, NULL, 0.25), (6, 'y', NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL) STRICT;",
            says: &[
                "change column t.a: BLOB becomes TEXT",
                "change column t.b: BLOB becomes REAL",
                "change table t: nothing becomes STRICT",
            ],
            up: "-- The bytes of t.b are read as its text.\n\
                 -- t.b accepts only REAL, and this fails on other values: convert them.\n-- batch: t\n\
                 -- column: a = iif(typeof(a) = 'blob', CAST(a AS TEXT), a)\n",
            ask: (ALL, "1'x'10.0 5NULL0.25 6'y'NULL", "1X'78'X'31302E30' 5NULLX'302E3235' 6X'79'NULL"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT) STRICT;",
            rows: "INSERT INTO t VALUES (1, '8', '10'), (5, NULL, NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b ANY) STRICT;",
            says: &["change column t.a: TEXT becomes INTEGER", "change column t.b: TEXT becomes ANY"],
            up: "-- t.a accepts only INTEGER, and this fails on other values: convert them.\n-- batch: t\nCREATE",
            ask: (ALL, "18'10' 5NULLNULL", "1'8''10' 5NULLNULL"),
            ..BASE
        },
        Case {
            // Values that are filled in must not make the downgrade fail.
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b REAL, c REAL) STRICT;",
            rows: "INSERT INTO t VALUES (1, 8, 0.25, 1), (5, NULL, NULL, NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b BLOB NOT NULL DEFAULT x'00', c BLOB NOT NULL);",
            says: &[
                "change column t.a: INTEGER becomes TEXT NOT NULL",
                "change column t.b: REAL becomes BLOB NOT NULL DEFAULT x'00'",
                "change column t.c: REAL becomes BLOB NOT NULL",
                "change table t: STRICT becomes nothing",
            ],
            ask: (
                "SELECT group_concat(quote(a) || quote(b) || quote(c), ' ') FROM t",
                "'8'X'302E3235'X'312E30' ''X'00'X''",
                "80.251.0 NULLNULLNULL",
            ),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'unknown', b INTEGER);",
            rows: "INSERT INTO t VALUES (1, '8', 10), (5, 'unknown', NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b ANY) STRICT;",
            says: &[
                "change column t.a: TEXT NOT NULL DEFAULT 'unknown' becomes INTEGER",
                "change column t.b: INTEGER becomes ANY",
                "change table t: nothing becomes STRICT",
            ],
            up: "-- t.a becomes NULL where it is 'unknown'.\n",
            ask: (ALL, "1810 5NULLNULL", "1'8'10 5'unknown'NULL"),
            ..BASE
        },
        Case {
            // They must not refer to missing rows either. Existing references are kept.
            from: "CREATE TABLE p (id INTEGER PRIMARY KEY, key TEXT UNIQUE);
                   CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER REFERENCES p, b TEXT REFERENCES p (key));",
            rows: "INSERT INTO p VALUES (0, 'x'), (3, NULL); INSERT INTO t VALUES (1, 3, 'x'), (5, 0, NULL), (6, NULL, NULL);",
            to: "CREATE TABLE p (id INTEGER PRIMARY KEY, key TEXT UNIQUE);
                 CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL DEFAULT 7, b TEXT NOT NULL UNIQUE);",
            says: &[
                "change column t.a: INTEGER REFERENCES p becomes INTEGER NOT NULL DEFAULT 7",
                "change column t.b: TEXT REFERENCES p (key) becomes TEXT NOT NULL UNIQUE",
            ],
            ask: (ALL, "13'x' 50'-5' 67'-6'", "13'x' 50NULL 6NULLNULL"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE p (id INTEGER PRIMARY KEY);
                   CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL DEFAULT -1);",
            to: "CREATE TABLE p (id INTEGER PRIMARY KEY);
                 CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER REFERENCES p, b INTEGER REFERENCES q);
                 CREATE TABLE q (id INTEGER PRIMARY KEY);",
            rows: "INSERT INTO p VALUES (0); INSERT INTO t VALUES (1, 0, -1), (5, 0, -1);",
            says: &[
                "change column t.a: INTEGER NOT NULL becomes INTEGER REFERENCES p",
                "change column t.b: INTEGER NOT NULL DEFAULT -1 becomes INTEGER REFERENCES q",
                "add table q",
            ],
            up: "-- t.a becomes NULL where it is 0 and refers to nothing.\n\
                 -- t.b becomes NULL where it is (-1) and refers to nothing.\n-- batch: t\n\
                 -- column: a = iif(a <> 0 OR a IN (SELECT \"id\" FROM \"p\"), a, NULL)\n\
                 -- column: b = iif(b <> (-1), b, NULL)\n",
            ask: (ALL, "10NULL 50NULL", "10-1 50-1"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a ANY, b ANY) STRICT;",
            rows: "INSERT INTO t VALUES (1, 'x', x'ff'), (5, 7, NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b BLOB) STRICT;",
            says: &["change column t.a: ANY becomes BLOB", "change column t.b: ANY becomes BLOB"],
            ask: (ALL, "1X'78'X'FF' 5X'37'NULL", "1X'78'X'FF' 5X'37'NULL"),
            ..BASE
        },
    ]);
}

#[test]
fn what_a_strict_table_refuses_fails_and_changes_nothing() {
    let cases = [
        ("TEXT", "'Row'", "INTEGER", "TEXT value in INTEGER column t.a"),
        ("TEXT", "''", "REAL", "TEXT value in REAL column t.a"),
        ("REAL", "1.25", "INTEGER", "REAL value in INTEGER column t.a"),
        ("BLOB", "x'01'", "REAL", "TEXT value in REAL column t.a"),
        ("", "x'01'", "TEXT", "BLOB value in TEXT column t.a"),
        ("ANY", "'Row'", "INT", "TEXT value in INT column t.a"),
    ];
    for (from, value, to, why) in cases {
        let schema = format!("CREATE TABLE t (id INTEGER PRIMARY KEY, a {from});");
        let target = declared(&format!("CREATE TABLE t (id INTEGER PRIMARY KEY, a {to}) STRICT;")).unwrap();
        let difference = compare(&database(&schema), &target, &Renames::default()).unwrap();
        let said = format!("-- t.a accepts only {to}, and this fails on other values: convert them.\n");
        assert!(difference.up.contains(&said), "{}", difference.up);
        assert!(!difference.down.contains("accepts only"), "{}", difference.down);
        let graph = graph(&schema, &difference);
        let mut file = Connection::open_in_memory().unwrap();
        crate::support::upgrade(&mut file, &graph, "0a").unwrap();
        file.execute_batch(&format!("INSERT INTO t VALUES (1, NULL), (2, {value});")).unwrap();
        let error = crate::support::upgrade(&mut file, &graph, "0b").unwrap_err();
        assert_eq!(error.code(), ErrorCode::MigrationFailed, "{error}");
        assert!(error.message().contains(why), "{error}");
        let kept = format!("SELECT count(*) FROM t WHERE id = 1 AND a IS NULL OR id = 2 AND a = {value}");
        assert_eq!(file.query_row(&kept, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
        assert_eq!(check(&file, &database(&schema)), [""; 0]);
    }
}
