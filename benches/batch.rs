//! What a batch costs beside the statements it cannot do without: `cargo bench --bench batch`.
//!
//! A million rows in a file with a write-ahead log, five rounds of each taken in turn, the median of each.

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    for (what, batch, create, copy) in SHAPES {
        let mut times: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let (alone, whole) = by_hand(create, copy);
            for (times, time) in times.iter_mut().zip([alone, whole, by_batch(&format!("{batch}{create}"))]) {
                times.push(time);
            }
        }
        let [alone, whole, batch] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!(
            "{what}: INSERT … SELECT {alone:.0} ms, with CREATE, DROP and RENAME {whole:.0} ms, batch {batch:.0} ms: \
             {:.2} and {:.2} times",
            batch / alone,
            batch / whole
        );
    }
}

#[cfg(not(target_arch = "wasm32"))]
use native::*;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::time::Instant;

    use rusqlite::Connection;
    use synth_memory::migrate::batch;

    pub(super) const ROUNDS: usize = 5;

    /// What changes, the marker, the new table, and the bare statement that fills it.
    pub(super) const SHAPES: [(&str, &str, &str, &str); 3] = [
        (
            "a CHECK more",
            "-- batch: episodes\n",
            "CREATE TABLE episodes (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL NOT NULL, event_type TEXT, \
             content TEXT, valence REAL CHECK (valence BETWEEN -2 AND 2), metadata TEXT)",
            "INSERT INTO new SELECT * FROM episodes",
        ),
        (
            "a column renamed, one computed, one dropped",
            "-- batch: episodes\n-- column: mood = valence\n-- column: size = length(content)\n",
            "CREATE TABLE episodes (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL NOT NULL, event_type TEXT, \
             content TEXT, mood REAL, size INTEGER NOT NULL)",
            "INSERT INTO new SELECT id, timestamp, event_type, content, valence, length(content) FROM episodes",
        ),
        (
            "the same again, which SQLite copies record by record",
            "-- batch: episodes\n",
            "CREATE TABLE episodes (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL, event_type TEXT, \
             content TEXT, valence REAL, metadata TEXT)",
            "INSERT INTO new SELECT * FROM episodes",
        ),
    ];

    fn filled() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("file.db")).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;
                 CREATE TABLE episodes (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL, event_type TEXT,
                                        content TEXT, valence REAL, metadata TEXT);
                 WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 1000000)
                 INSERT INTO episodes SELECT i, 1.7e9 + i / 3.0, 'task_completed',
                     '{\"task\":\"the one of number ' || i || '\",\"outcome\":\"as it was to be expected\"}', 0.5, NULL FROM n;
                 PRAGMA wal_checkpoint(TRUNCATE); PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE",
            )
            .unwrap();
        (folder, connection)
    }

    fn since(begin: Instant) -> f64 {
        begin.elapsed().as_secs_f64() * 1000.0
    }

    /// The time of the INSERT … SELECT alone, and of all that a hand would write.
    pub(super) fn by_hand(create: &str, copy: &str) -> (f64, f64) {
        let (_folder, connection) = filled();
        let begin = Instant::now();
        connection.execute_batch(&create.replacen("episodes", "new", 1)).unwrap();
        let copying = Instant::now();
        connection.execute_batch(copy).unwrap();
        let alone = since(copying);
        connection.execute_batch("DROP TABLE episodes; ALTER TABLE new RENAME TO episodes").unwrap();
        let whole = since(begin);
        connection.execute_batch("COMMIT").unwrap();
        (alone, whole)
    }

    /// The time of a batch.
    pub(super) fn by_batch(script: &str) -> f64 {
        let (_folder, connection) = filled();
        let begin = Instant::now();
        batch::execute(&connection, script, &mut |_, _| {}).unwrap();
        let whole = since(begin);
        connection.execute_batch("COMMIT").unwrap();
        whole
    }
}
