//! What migrating costs: to head with 100,000 rows in each table, beside the same statements by hand; and the check when
//! there is nothing to migrate. Run by `npm run bench`, or `cargo bench --bench migrations`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use support::OnDisk;
use synth_memory::db::{Db, Location};
use synth_memory::memory::Migrations;
use synth_memory::migrate::Graph;
use synth_memory::migrate::backup::Backups;
use synth_memory::{Clock, Durability, Memory};

const ROWS: usize = 100_000;
const ROUNDS: usize = 5;
const OPENINGS: usize = 201;

const FILL: &str = "
    PRAGMA foreign_keys = OFF;
    CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ROWS)
        SELECT n, 'green tea and peanuts for the guest number ' || n || ' at noon' AS words FROM n;
    BEGIN;
    INSERT INTO turns SELECT n, n, words, words, '{}' FROM n;
    INSERT INTO episodes SELECT n, n, 'task', json_array(words, n), 0.5, '{}' FROM n;
    INSERT INTO long_term SELECT 'key ' || n, json_quote(words), n FROM n;
    INSERT INTO uncertainty_log SELECT n, n, words, 'intent', 0.25, words, '{}', 0, NULL FROM n;
    INSERT INTO semantic_memories SELECT n, n, words, 'fact', 0.5, '{}' FROM n;
    COMMIT;
    DROP TABLE n;";

fn open(path: &Path) -> Memory {
    Memory::open_as_is(location(path), Durability::Strict, Clock::system(), Migrations::new(Graph::bundled())).unwrap()
}

fn location(path: &Path) -> Location<'_> {
    Location::File { path: path.to_str().unwrap(), vfs: None }
}

/// A plain connection, set up as a memory's.
fn plain(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let set_up = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                  PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF";
    connection.execute_batch(set_up).unwrap();
    connection
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed(), result)
}

/// In ms.
fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (at_001, at_head) = (folder.path().join("001.db"), folder.path().join("head.db"));
    let mut memory = open(&at_001);
    memory.upgrade("001").unwrap();
    memory.db().connection().execute_batch(&FILL.replace("ROWS", &ROWS.to_string())).unwrap();
    memory.close().unwrap();

    let head = Graph::bundled().heads()[0].id.clone();
    let (mut ours, mut by_hand, mut backup) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        // In turns, and each side first as often as the other.
        for side in [round % 2, 1 - round % 2] {
            std::fs::copy(&at_001, &at_head).unwrap();
            if side == 0 {
                let mut memory = open(&at_head);
                ours.push(timed(|| memory.upgrade("head").unwrap()).0);
                memory.close().unwrap();
            } else {
                let connection = plain(&at_head);
                by_hand.push(timed(|| upgrade_by_hand(&connection, &head)).0);
                connection.close().unwrap();
            }
        }
        let backups = Backups::new(Box::new(OnDisk(folder.path().to_owned())), "head.db");
        let connection = plain(&at_head);
        backup.push(timed(|| backups.take(&connection, round as f64, &|| Ok(Vec::new()), &mut |_, _| {}).unwrap()).0);
    }
    let (ours, by_hand, backup) = (median(&mut ours), median(&mut by_hand), median(&mut backup));

    // The check: opening as a memory, and only the connection of one.
    let (mut checked, mut unchecked) = (vec![], vec![]);
    for opening in 0..OPENINGS {
        for side in [opening % 2, 1 - opening % 2] {
            if side == 0 {
                let open = || {
                    Memory::open(
                        location(&at_head),
                        Durability::Strict,
                        Clock::system(),
                        Migrations::new(Graph::bundled()),
                    )
                };
                let (time, memory) = timed(|| open().unwrap());
                assert!(memory.migrated().is_empty());
                checked.push(time);
                memory.close().unwrap();
            } else {
                let open = || Db::open(location(&at_head), Durability::Strict, Clock::system());
                let (time, db) = timed(|| open().unwrap());
                unchecked.push(time);
                db.close().unwrap();
            }
        }
    }
    let (checked, unchecked) = (median(&mut checked), median(&mut unchecked));

    println!(
        "\nNative, a file on the disk, medians of {ROUNDS} upgrades with {ROWS} rows in each table and of {OPENINGS} openings.\n"
    );
    println!("| | ms |\n|---|---|");
    println!("| 001 to head | {ours:.0} |\n| The same statements by hand, in one transaction | {by_hand:.0} |");
    println!("| Ratio | {:.2} |\n| The backup before it, verified | {backup:.0} |", ours / by_hand);
    println!("| Opening with nothing to migrate | {checked:.2} |\n| Opening without the check | {unchecked:.2} |");
    println!("| The check | {:.2} |", checked - unchecked);
}

fn upgrade_by_hand(connection: &Connection, head: &str) {
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    for revision in &Graph::bundled().revisions()[1..] {
        connection.execute_batch(&revision.up).unwrap();
    }
    connection.execute("UPDATE alembic_version SET version_num = ?", [head]).unwrap();
    connection.execute_batch("COMMIT").unwrap();
}
