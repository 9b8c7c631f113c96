//! What grows with the memory, natively, on the disk: consolidation of 10⁴ to 10⁵ facts, listings of 10⁴ and 10⁶ rows whose
//! answers are small, and what an index costs a write.
//!
//! `cargo bench --bench scale -- consolidate`, `lists` or `writes`; all of them without a word.

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Instant;

use synth_memory::db::Location;
use synth_memory::memory::Migrations;
use synth_memory::migrate::Graph;
use synth_memory::recall::consolidate::ConsolidationOptions;
use synth_memory::tables::Listing;
use synth_memory::tables::episodes::NewEpisode;
use synth_memory::tables::long_term::NewEntry;
use synth_memory::tables::semantic::{NewSemanticMemory, SemanticMemoryFilter, SemanticMemoryOrder};
use synth_memory::tables::turns::{TurnFilter, TurnOrder};
use synth_memory::tables::uncertainty::NewUncertainty;
use synth_memory::{Clock, Durability, Memory};

const DIMENSIONS: usize = 256;
const CATEGORIES: usize = 50;
/// How long a slice of a consolidation lasts, in seconds, as the page asks for it.
const SLICE: f64 = 0.004;
const WORDS: [&str; 24] = [
    "green", "tea", "river", "train", "garden", "letter", "winter", "bread", "window", "music", "paper", "market",
    "silver", "north", "table", "cloud", "friend", "harbour", "lemon", "stone", "bicycle", "morning", "copper",
    "island",
];

fn open(path: &Path) -> Memory {
    let location = Location::File { path: path.to_str().unwrap(), vfs: None };
    Memory::open(location, Durability::Strict, Clock::system(), Migrations::new(Graph::bundled())).unwrap()
}

/// How many ms of work something is: of the processor where the system tells, for the machine may be doing other things.
fn ms(work: impl FnOnce()) -> f64 {
    let processor =
        || std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse::<f64>().ok();
    let (begun, before) = (Instant::now(), processor());
    work();
    match (before, processor()) {
        (Some(before), Some(after)) => (after - before) / 1e6,
        _ => begun.elapsed().as_secs_f64() * 1000.0,
    }
}

/// Numbers that look random and are always the same: Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    fn number(&mut self) -> f32 {
        (0..4).map(|_| self.below(1 << 20) as f32 / (1 << 20) as f32).sum::<f32>() - 2.0
    }

    fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        (0..dimensions).map(|_| self.number()).collect()
    }

    /// Ten words, without a number: so many texts may say the same.
    fn text(&mut self) -> String {
        (0..10).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// Facts of 40 subjects, one in twenty nearly the same as the one before it.
fn facts(memory: &Memory, many: usize) {
    let mut random = Random(7);
    let subjects: Vec<Vec<f32>> = (0..40).map(|_| random.vector(DIMENSIONS)).collect();
    let now = memory.db().now();
    let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(many);
    let mut all: Vec<NewSemanticMemory> = Vec::with_capacity(many);
    for at in 0..many {
        let again = at % 20 == 19;
        let mut vector = if again { vectors[at - 1].clone() } else { subjects[random.below(40)].clone() };
        let (noise, own) = (random.vector(DIMENSIONS), if again { 0.1 } else { 0.8 });
        vector.iter_mut().zip(noise).for_each(|(value, noise)| *value += own * noise);
        vectors.push(vector);
        all.push(NewSemanticMemory {
            content: if again { format!("{} indeed", all[at - 1].content) } else { random.text() },
            category: Some(if again {
                all[at - 1].category.clone().unwrap()
            } else {
                format!("c{}", random.below(CATEGORIES))
            }),
            importance: Some(random.below(101) as f64 / 100.0),
            timestamp: Some(now - random.below(365 * 86_400) as f64),
            ..NewSemanticMemory::default()
        });
    }
    for bulk in all.chunks(10_000) {
        memory.semantic().add(bulk.to_vec()).unwrap();
    }
    memory.recall().use_model("test", DIMENSIONS).unwrap();
    loop {
        let waiting = memory.recall().pending(5000).unwrap();
        if waiting.is_empty() {
            break;
        }
        let vector = |id: i64| Some(vectors[id as usize - 1].clone());
        let kept: Vec<_> = waiting.iter().map(|one| (one.item, one.version, vector(one.item.row()))).collect();
        memory.recall().keep(&kept).unwrap();
        memory.recall().write_blocks().unwrap();
    }
}

fn consolidate(folder: &Path) {
    println!("\n| facts | looked for, s | longest slice, ms | carried out, s | in all, s | merged | faded |");
    println!("|---|---|---|---|---|---|---|");
    let mut times = Vec::new();
    let how = ConsolidationOptions::default();
    for many in [10_000, 30_000, 100_000] {
        let path = folder.join(format!("facts-{many}.db"));
        let memory = open(&path);
        facts(&memory, many);
        // The index is in memory, as after a question.
        memory.recall().map(1).unwrap();
        let (mut looked, mut longest, mut is_done) = (0.0, 0.0_f64, false);
        while !is_done {
            let slice = ms(|| is_done = memory.recall().prepare_consolidation(&how, SLICE).unwrap());
            looked += slice;
            longest = longest.max(slice);
        }
        let mut done = None;
        let carried_out = ms(|| done = Some(memory.recall().consolidate(&how).unwrap()));
        let (done, whole) = (done.unwrap(), looked + carried_out);
        println!(
            "| {many} | {:.2} | {longest:.1} | {:.2} | {:.2} | {} | {} |",
            looked / 1000.0,
            carried_out / 1000.0,
            whole / 1000.0,
            done.merged.len(),
            done.faded
        );
        times.push((many as f64, whole));
    }
    let (first, last) = (times[0], times[times.len() - 1]);
    println!("\nIt grows with n^{:.2}.", (last.1 / first.1).ln() / (last.0 / first.0).ln());
}

/// Times in ms of listings whose answers are small, at both sizes; without the triggers, for what they index is not listed.
fn lists(folder: &Path) {
    let memories = [10_000, 1_000_000].map(|rows| {
        let memory = open(&folder.join(format!("rows-{rows}.db")));
        let connection = memory.db().connection();
        let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: String = connection.query_row(triggers, [], |row| row.get(0)).unwrap();
        connection.execute_batch(&triggers).unwrap();
        let fill = "
            CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ROWS)
                SELECT n, 'green tea and peanuts for the guest number ' || n || ' at noon' AS words,
                       n * 37 % 1000 / 1100.0 AS number FROM n;
            BEGIN;
            INSERT INTO turns SELECT n, n, words, words, '{}' FROM n;
            INSERT INTO semantic_memories
            SELECT n, n, words, 'c' || n % 50, iif(n % (ROWS / 5) = 7, 0.99, number), '{}' FROM n;
            COMMIT; DROP TABLE n;";
        connection.execute_batch(&fill.replace("ROWS", &rows.to_string())).unwrap();
        (rows as f64, memory)
    });
    println!("\n| | ms at 10^4 | ms at 10^6 |\n|---|---|---|");
    let report = |what: &str, call: &dyn Fn(f64, &Memory)| {
        let [small, large] = [0, 1].map(|at| {
            let (rows, memory) = &memories[at];
            (0..5).map(|_| ms_of(20, || call(*rows, memory))).fold(f64::INFINITY, f64::min)
        });
        println!("| {what} | {small:.3} | {large:.3} |");
    };
    let turns = |filter: TurnFilter, order, descending| Listing { filter, order, descending, ..Listing::default() };
    let since = |since: f64| TurnFilter { since: Some(since), ..TurnFilter::default() };
    report("turns since tomorrow, by id: none", &|rows, memory| {
        assert!(memory.turns().list(turns(since(rows + 1.0), TurnOrder::Id, false)).unwrap().rows.is_empty());
    });
    report("turns since the last 20, by id", &|rows, memory| {
        assert_eq!(memory.turns().list(turns(since(rows - 19.0), TurnOrder::Id, false)).unwrap().rows.len(), 20);
    });
    report("turns since the beginning, by id", &|_, memory| {
        drop(memory.turns().list(turns(since(0.0), TurnOrder::Id, false)))
    });
    report("turns since the middle, by id", &|rows, memory| {
        drop(memory.turns().list(turns(since(rows / 2.0), TurnOrder::Id, false)));
    });
    let facts = |categories: &[&str], least: f64| SemanticMemoryFilter {
        categories: Some(categories.iter().map(|category| (*category).to_owned()).collect()),
        min_importance: Some(least),
        ..SemanticMemoryFilter::default()
    };
    report("a category with a rare importance, by id", &|_, memory| {
        let filter = facts(&["c7"], 0.98);
        drop(memory.semantic().list(Listing { filter, ..Listing::default() }));
    });
    report("the same, counted", &|_, memory| drop(memory.semantic().count(facts(&["c7"], 0.98))));
    report("a category with a common importance, by id", &|_, memory| {
        let filter = facts(&["c7"], 0.1);
        drop(memory.semantic().list(Listing { filter, ..Listing::default() }));
    });
    report("facts by time", &|_, memory| {
        let order = SemanticMemoryOrder::Timestamp;
        drop(memory.semantic().list(Listing { order, ..Listing::default() }));
    });
    let mut cursors = Vec::new();
    for (rows, memory) in &memories {
        let mut cursor = None;
        for _ in 0..*rows as usize / 2000 {
            let listing = Listing { limit: Some(1000), cursor, ..turns(since(0.0), TurnOrder::Timestamp, false) };
            cursor = memory.turns().list(listing).unwrap().cursor;
        }
        cursors.push(cursor);
    }
    report("a page in the middle, since the beginning, by time", &|rows, memory| {
        let cursor = cursors[usize::from(rows > 1e5)].clone();
        drop(memory.turns().list(Listing { cursor, ..turns(since(0.0), TurnOrder::Timestamp, false) }));
    });
}

/// ms for each of so many calls.
fn ms_of(calls: u32, mut call: impl FnMut()) -> f64 {
    let begun = Instant::now();
    (0..calls).for_each(|_| call());
    begun.elapsed().as_secs_f64() * 1000.0 / f64::from(calls)
}

/// What the indexes of 002 cost the adding of rows, the triggers' work counted in: each is left out in turn.
fn writes(folder: &Path) {
    const ROWS: usize = 60_000;
    println!("\n| index | adding a row takes so much longer with it |\n|---|---|");
    let indexes: Vec<(String, String)> = {
        let memory = open(&folder.join("indexes.db"));
        let sql = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND tbl_name IN
                     ('episodes', 'long_term', 'uncertainty_log', 'semantic_memories') AND name GLOB 'idx_*' ORDER BY rowid DESC";
        let mut statement = memory.db().connection().prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    for (index, table) in indexes {
        let memories = ["with", "without"].map(|name| open(&folder.join(format!("{index}-{name}.db"))));
        memories[1].db().connection().execute_batch(&format!("DROP INDEX {index}")).unwrap();
        // In turns, a thousand at a time: what else the machine does then falls on both alike.
        let mut ratios: Vec<f64> = (0..ROWS / 1000)
            .map(|bulk| {
                let mut times = [0.0; 2];
                for at in [bulk % 2, 1 - bulk % 2] {
                    times[at] = ms_of(1, || add(&memories[at], &table, bulk));
                }
                times[0] / times[1]
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!("| `{index}` | {:.1} % |", (ratios[ratios.len() / 2] - 1.0) * 100.0);
    }
}

/// Adds a thousand rows.
fn add(memory: &Memory, table: &str, bulk: usize) {
    let mut random = Random(3 + bulk as u64);
    let times = (0..1000).map(|at| (bulk * 1000 + at) as f64);
    {
        match table {
            "episodes" => drop(
                memory
                    .episodes()
                    .add(
                        times
                            .map(|time| NewEpisode {
                                timestamp: Some(time),
                                event_type: "task".into(),
                                content: Some(format!("\"{}\"", random.text())),
                                valence: Some(f64::from(random.number()) / 2.0),
                                ..NewEpisode::default()
                            })
                            .collect(),
                    )
                    .unwrap(),
            ),
            "long_term" => drop(
                memory
                    .long_term()
                    .add(
                        times
                            .map(|time| NewEntry { key: random.text(), value: "1".into(), updated_at: Some(time) })
                            .collect(),
                    )
                    .unwrap(),
            ),
            "uncertainty_log" => drop(
                memory
                    .uncertainty()
                    .add(
                        times
                            .map(|time| NewUncertainty {
                                timestamp: Some(time),
                                user_message: random.text(),
                                confidence_score: f64::from(random.number()).abs() / 2.0,
                                ..NewUncertainty::default()
                            })
                            .collect(),
                    )
                    .unwrap(),
            ),
            _ => drop(
                memory
                    .semantic()
                    .add(
                        times
                            .map(|time| NewSemanticMemory {
                                timestamp: Some(time),
                                content: random.text(),
                                category: Some(format!("c{}", random.below(50))),
                                importance: Some(f64::from(random.number()).abs() / 2.0),
                                ..NewSemanticMemory::default()
                            })
                            .collect(),
                    )
                    .unwrap(),
            ),
        }
    }
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |word: &str| asked.is_empty() || asked.iter().any(|one| one == word);
    if wants("consolidate") {
        consolidate(folder.path());
    }
    if wants("lists") {
        lists(folder.path());
    }
    if wants("writes") {
        writes(folder.path());
    }
}
