//! Each kind of difference by itself: its description, and its revision run up and down.

use rusqlite::Connection;
use rusqlite::types::Value;
use synth_memory::migrate::autogenerate::{Renames, compare, declared};

use super::{assert_sound, check, database, graph};

pub(crate) struct Case {
    pub(crate) from: &'static str,
    pub(crate) rows: &'static str,
    pub(crate) to: &'static str,
    pub(crate) renames: &'static [&'static str],
    pub(crate) drops: &'static [&'static str],
    /// The expected descriptions.
    pub(crate) says: &'static [&'static str],
    /// What the upgrade script must contain, and what it must not.
    pub(crate) up: &'static str,
    pub(crate) never: &'static str,
    /// A query, its result after the upgrade and its result after the downgrade.
    pub(crate) ask: (&'static str, &'static str, &'static str),
}

const T: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);";
const ROWS: &str = "INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL);";
pub(crate) const ALL: &str = "SELECT group_concat(quote(id) || quote(a) || quote(b), ' ') FROM t";
pub(crate) const KEPT: &str = "1'x'10 5NULLNULL";
pub(crate) const BASE: Case = Case {
    from: T,
    rows: ROWS,
    to: T,
    renames: &[],
    drops: &[],
    says: &[],
    up: "",
    never: "!",
    ask: (ALL, KEPT, KEPT),
};

#[test]
fn each_kind_of_difference_goes_there_and_back() {
    let cases = [
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, mood TEXT NOT NULL DEFAULT 'calm');",
            says: &["add column t.mood TEXT NOT NULL DEFAULT 'calm'"],
            up: "ALTER TABLE t ADD COLUMN mood",
            never: "batch",
            ask: ("SELECT group_concat(mood) FROM t", "calm,calm", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, mood TEXT, a TEXT, b INTEGER);",
            says: &["add column t.mood TEXT before a"],
            up: "-- batch: t",
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT NOT NULL, d INT NOT NULL);",
            says: &["add column t.c TEXT NOT NULL", "add column t.d INT NOT NULL"],
            up: "-- column: c = ''\n-- column: d = 0\n",
            ask: ("SELECT group_concat(quote(c) || quote(d)) FROM t", "''0,''0", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP);",
            says: &["add column t.at TEXT DEFAULT CURRENT_TIMESTAMP"],
            up: "-- batch: t",
            ask: ("SELECT count(at) FROM t", "2", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, v AS (a || 'y'));",
            says: &["add column t.v AS (a || 'y')"],
            up: "ADD COLUMN v AS (a || 'y')",
            ask: ("SELECT v FROM t", "xy", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, v AS (a || 'y') STORED);",
            says: &["add column t.v AS (a || 'y') STORED"],
            up: "-- batch: t",
            ask: ("SELECT v FROM t", "xy", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, token TEXT NOT NULL UNIQUE);",
            says: &["add column t.token TEXT NOT NULL UNIQUE"],
            up: "-- column: token = rowid",
            ask: ("SELECT count(DISTINCT token) FROM t", "2", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER);",
            says: &["remove column t.a"],
            up: "ALTER TABLE t DROP COLUMN a",
            ask: ("SELECT group_concat(quote(id) || quote(b), ' ') FROM t", "110 5NULL", "110 5NULL"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER);",
            rows: "INSERT INTO t VALUES (1, 'x', 10)",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER);",
            says: &["remove column t.a"],
            ask: ("SELECT id || b FROM t", "110", "110"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER NOT NULL DEFAULT 7);",
            says: &[
                "change column t.a: TEXT becomes TEXT NOT NULL",
                "change column t.b: INTEGER becomes INTEGER NOT NULL DEFAULT 7",
            ],
            up: "-- column: a = coalesce(a, '')\n-- column: b = coalesce(b, 7)\n",
            ask: (ALL, "1'x'10 5''7", "1'x'10 5''7"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);",
            says: &["change column t.b: INTEGER becomes TEXT"],
            ask: (ALL, "1'x''10' 5NULLNULL", KEPT),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'A' COLLATE NOCASE, b INTEGER);",
            says: &["change column t.a: TEXT becomes TEXT DEFAULT 'A' COLLATE NOCASE"],
            ask: ("SELECT count(*) FROM t WHERE a = 'X'", "1", "0"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER, a TEXT);",
            says: &["reorder the columns of t"],
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b INTEGER);",
            says: &["change column t.id: INTEGER PRIMARY KEY becomes INTEGER PRIMARY KEY AUTOINCREMENT"],
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, UNIQUE (a, b), CHECK (b > 0));",
            says: &["add UNIQUE (a, b) to t", "add CHECK (b > 0) to t"],
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, CONSTRAINT positive CHECK (b > 0));",
            says: &["remove CONSTRAINT positive CHECK (b > 0) from t"],
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER, a TEXT, b INTEGER);",
            to: "CREATE TABLE t (id INTEGER NOT NULL, a TEXT, b INTEGER, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;",
            says: &[
                "change column t.id: INTEGER becomes INTEGER NOT NULL",
                "add PRIMARY KEY (id) to t",
                "change table t: nothing becomes STRICT, WITHOUT ROWID",
            ],
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER, a TEXT, b INTEGER REFERENCES p (id)); CREATE TABLE p (id INTEGER PRIMARY KEY);",
            rows: "INSERT INTO p VALUES (10); INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL);",
            to: "CREATE TABLE t (id INTEGER, a TEXT, b INTEGER REFERENCES p (id) ON DELETE CASCADE); \
                 CREATE TABLE p (id INTEGER PRIMARY KEY);",
            says: &["change column t.b: INTEGER REFERENCES p (id) becomes INTEGER REFERENCES p (id) ON DELETE CASCADE"],
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE TABLE \"other one\" (x);",
            says: &["add table \"other one\""],
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE TABLE gone (x, y);
                   CREATE INDEX gone_x ON gone (x);",
            says: &["remove table gone", "remove index gone_x"],
            up: "DROP TABLE gone;",
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE INDEX i ON t (a); CREATE INDEX j ON t (b);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);
                 CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE DESC) WHERE b > 0; CREATE INDEX k ON t (a || b);",
            says: &["change index i", "remove index j", "add index k"],
            never: "batch",
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE VIEW v AS SELECT a FROM t;
                   CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END;
                   CREATE TRIGGER h AFTER INSERT ON t BEGIN SELECT 1; END;",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE VIEW v AS SELECT a, b FROM t;
                 CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END;
                 CREATE TRIGGER h AFTER INSERT ON t BEGIN SELECT 2; END;",
            says: &["change view v", "change trigger h"],
            never: "batch",
            ..BASE
        },
        Case {
            // A column moves to another table, while a view and a trigger still name it.
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE TABLE u (uid INTEGER);
                   CREATE VIEW v AS SELECT a FROM t, u; CREATE VIEW w AS SELECT a FROM v;",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER); CREATE TABLE u (uid INTEGER, a TEXT);
                 CREATE VIEW v AS SELECT a FROM t, u; CREATE VIEW w AS SELECT a FROM v;",
            says: &["remove column t.a", "add column u.a TEXT"],
            ask: ("SELECT group_concat(id) FROM t", "1,5", "1,5"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, \"order\" TEXT, b INTEGER);",
            renames: &["t.a:t.order"],
            says: &["rename column t.a to t.order"],
            up: "RENAME COLUMN a TO \"order\"",
            never: "batch",
            ask: ("SELECT group_concat(quote(t.\"order\")) FROM t", "'x',NULL", "none"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT CHECK (a <> ''), b INTEGER, UNIQUE (a));
                   CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT a FROM t;
                   CREATE TRIGGER g AFTER UPDATE OF a ON t BEGIN SELECT old.a; END;
                   CREATE TABLE k (x REFERENCES t (a));",
            to: "CREATE TABLE u (id INTEGER PRIMARY KEY, c TEXT CHECK (c <> ''), b INTEGER, n INT, UNIQUE (c));
                 CREATE INDEX i ON u (c); CREATE VIEW v AS SELECT c FROM u;
                 CREATE TRIGGER g AFTER UPDATE OF c ON u BEGIN SELECT old.c; END;
                 CREATE TABLE k (x REFERENCES u (c));",
            renames: &["t:u", "t.a:u.c"],
            says: &["rename table t to u", "rename column t.a to u.c", "add column u.n INT"],
            ask: ("SELECT group_concat(quote(c) ORDER BY id) FROM u", "'x',NULL", "none"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT, b INTEGER);",
            drops: &["t.a"],
            says: &["remove column t.a", "add column t.c TEXT before b"],
            ask: ("SELECT group_concat(quote(id) || quote(b), ' ') FROM t", "110 5NULL", "110 5NULL"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE VIRTUAL TABLE f USING fts5(a, b);",
            rows: "INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL); INSERT INTO f (rowid, a, b) VALUES (3, 'running', 'z');",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE VIRTUAL TABLE f USING fts5(a, tokenize = porter);",
            says: &["change virtual table f"],
            ask: ("SELECT rowid || a FROM f WHERE f MATCH 'runs OR running'", "3running", "3running"),
            ..BASE
        },
        Case {
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);
                 CREATE VIRTUAL TABLE f USING fts5(a, content = 't', content_rowid = 'id');",
            says: &["add virtual table f"],
            up: "VALUES ('rebuild')",
            ask: ("SELECT rowid FROM f WHERE f MATCH 'x'", "1", "none"),
            ..BASE
        },
        Case {
            // If a table is made again, its words are indexed again, because values may differ.
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);
                   CREATE VIRTUAL TABLE f USING fts5(a, content = t, content_rowid = id);",
            rows: "INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL); INSERT INTO f (f) VALUES ('rebuild');",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'unknown', b INTEGER);
                 CREATE VIRTUAL TABLE f USING fts5(a, content = t, content_rowid = id);",
            says: &["change column t.a: TEXT becomes TEXT NOT NULL DEFAULT 'unknown'"],
            ask: ("SELECT rowid FROM f WHERE f MATCH 'unknown'", "5", "5"),
            ..BASE
        },
        Case {
            rows: "INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL), (6, NULL, NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER NOT NULL, UNIQUE (a));",
            says: &[
                "change column t.a: TEXT becomes TEXT NOT NULL",
                "change column t.b: INTEGER becomes INTEGER NOT NULL",
                "add UNIQUE (a) to t",
            ],
            ask: (ALL, "1'x'10 5'-5'0 6'-6'0", "1'x'10 5'-5'0 6'-6'0"),
            ..BASE
        },
        Case {
            // A column that was unique stays unique in between, because the downgrade makes it unique again.
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER); CREATE UNIQUE INDEX i ON t (a);",
            rows: "INSERT INTO t VALUES (1, 'x', 10), (5, NULL, NULL), (6, NULL, NULL);",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER);",
            says: &["change column t.a: TEXT becomes TEXT NOT NULL", "remove index i"],
            ask: (ALL, "1'x'10 5'-5'NULL 6'-6'NULL", "1'x'10 5'-5'NULL 6'-6'NULL"),
            ..BASE
        },
        Case {
            from: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB NOT NULL UNIQUE) STRICT;",
            rows: "INSERT INTO t VALUES (1, 'x', x'00'), (5, NULL, x'01');",
            to: "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT;",
            says: &["remove column t.b"],
            ask: ("SELECT group_concat(quote(id) || quote(a), ' ') FROM t", "1'x' 5NULL", "1'x' 5NULL"),
            ..BASE
        },
    ];
    go_there_and_back(&cases);
}

/// Runs the revision that is written for each case on tables with rows, and checks the rows.
pub(crate) fn go_there_and_back(cases: &[Case]) {
    for case in cases {
        let (from, to) = (database(case.from), declared(case.to).unwrap());
        let renames = Renames::parse(case.renames, case.drops).unwrap();
        let difference = compare(&from, &to, &renames).unwrap().answered().unwrap();
        let shown = format!("{}\n{}\n{difference:#?}\n{}", case.from, case.to, difference.up);
        assert_eq!(difference.operations, case.says, "{shown}");
        assert!(difference.up.contains(case.up) && !difference.up.contains(case.never), "{shown}");
        let (graph, before) = (graph(case.from, &difference), database(case.from));
        let mut file = Connection::open_in_memory().unwrap();
        crate::support::upgrade(&mut file, &graph, "0a").unwrap();
        file.execute_batch(case.rows).unwrap();
        let ask = |file: &Connection| -> String {
            match file.query_row(case.ask.0, [], |row| row.get(0)) {
                Ok(Value::Text(text)) => text,
                Ok(Value::Integer(number)) => number.to_string(),
                _ => "none".to_owned(),
            }
        };
        crate::support::upgrade(&mut file, &graph, "0b").unwrap_or_else(|error| panic!("{error:?}\n{shown}"));
        assert_eq!(check(&file, &to), [""; 0], "{shown}");
        assert_eq!(ask(&file), case.ask.1, "{shown}");
        assert_sound(&file);
        crate::support::downgrade(&mut file, &graph, "0a").unwrap_or_else(|error| panic!("{error:?}\n{shown}"));
        assert_eq!(check(&file, &before), [""; 0], "{shown}");
        assert_eq!(ask(&file), case.ask.2, "{shown}");
        assert_sound(&file);
    }
}
