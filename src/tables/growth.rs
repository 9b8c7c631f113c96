//! Tests that the cost of a listing or a count does not grow with its table if few rows match one of its filters,
//! whatever the other filters and the order are. The cost is counted in steps of SQLite's virtual machine, which are
//! the same on every computer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::episodes::{Episode, EpisodeFilter, EpisodeOrder};
use super::long_term::{Entry, EntryFilter, EntryOrder};
use super::semantic::{SemanticMemory, SemanticMemoryFilter, SemanticMemoryOrder};
use super::turns::{Turn, TurnFilter, TurnOrder};
use super::uncertainty::{Uncertainty, UncertaintyFilter, UncertaintyOrder};
use super::{Listing, Rows, Table};
use crate::db::{Clock, Db, Durability, Location};
use crate::migrate::Graph;
use crate::migrate::runner::{self, Run};

const SMALL: usize = 2_000;
const LARGE: usize = 64_000;
/// How many more steps than in the small table are not counted as growth: a tree one level higher, one more page.
const MORE: u64 = 2_000;
/// The most steps that such a listing can take.
const MOST: u64 = 60_000;

/// The tables, and how many steps SQLite's virtual machine has taken.
struct Memory {
    db: Db,
    steps: Arc<AtomicU64>,
}

/// Fills each table with this many rows. Times are 1, 2, 3 and so on. Five rows have a rare kind, five others the
/// highest number and five others the lowest.
fn filled(rows: usize) -> Memory {
    let clock = Clock::new(|| 1e6);
    let mut db = Db::open(Location::Memory, Durability::Strict, clock).unwrap();
    let (graph, connection) = (Graph::bundled(), db.connection_mut());
    let path = graph.upgrade(&runner::current(connection).unwrap(), "head").unwrap();
    let heads = path.last().unwrap().heads.clone();
    runner::run(connection, &path, &heads, &mut Run { clock, progress: &mut |_| {} }).unwrap();
    // The triggers only mark rows for indexing, which no listing reads.
    let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
    let drop: String = connection.query_row(triggers, [], |row| row.get(0)).unwrap();
    connection.execute_batch(&drop).unwrap();
    let fill = "
        CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ROWS)
            SELECT n, iif(n % FIFTH = 1, 'rare', 'common') AS kind, n * 37 % 1000 / 1250.0 + 0.1 AS middle FROM n;
        CREATE TEMP TABLE m AS SELECT *, CASE n % FIFTH WHEN 2 THEN 0.95 WHEN 3 THEN 0.05 ELSE middle END AS number FROM n;
        INSERT INTO turns SELECT n, n, 'said', 'answered', '{}' FROM m;
        INSERT INTO episodes SELECT n, n, kind, '1', number * 2 - 1, '{}' FROM m;
        INSERT INTO long_term SELECT kind || '/' || n, '1', n FROM m;
        INSERT INTO uncertainty_log SELECT n, n, 'said', 'meant', number, NULL, '{}', iif(kind = 'rare', 1, iif(n % 2, 0, NULL)), NULL FROM m;
        INSERT INTO semantic_memories SELECT n, n, 'fact', kind, number, '{}' FROM m;
        DROP TABLE n; DROP TABLE m;";
    let fill = fill.replace("ROWS", &rows.to_string()).replace("FIFTH", &(rows / 5).to_string());
    connection.execute_batch(&fill).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&steps);
    let each_hundred = move || {
        count.fetch_add(100, Ordering::Relaxed);
        false
    };
    connection.progress_handler(100, Some(each_hundred)).unwrap();
    Memory { db, steps }
}

/// The steps of SQLite's virtual machine that a call takes, counted in hundreds.
fn steps(memory: &Memory, call: &mut dyn FnMut()) -> u64 {
    let before = memory.steps.load(Ordering::Relaxed);
    call();
    memory.steps.load(Ordering::Relaxed) - before
}

/// A filter's name, a function that sets it so that few rows match, and one that sets it so that all or nearly all
/// match. Both receive the number of rows of the table.
type Filters<'a, F> = &'a [(&'a str, fn(&mut F, f64), fn(&mut F, f64))];

/// Checks each set of filters in which few rows match one of them, in each order and direction.
fn check<T: Table>(memories: &[Memory; 2], filters: Filters<'_, T::Filter>, orders: &[(&str, T::Order)]) {
    let mut problems = Vec::new();
    for rare in 0..filters.len() {
        for set in (0..1_usize << filters.len()).filter(|set| set >> rare & 1 == 1) {
            let filter = |many: usize| {
                let mut filter = T::Filter::default();
                for (at, (_, few, most)) in filters.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1) {
                    (if at == rare { few } else { most })(&mut filter, many as f64);
                }
                filter
            };
            let name: Vec<&str> =
                filters.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, (name, ..))| *name).collect();
            let mut compare = |what: String, call: &dyn Fn(&Memory, usize)| {
                let [small, large] = [(&memories[0], SMALL), (&memories[1], LARGE)]
                    .map(|(memory, many)| steps(memory, &mut || call(memory, many)));
                if large > small + MORE || large > MOST {
                    problems.push(format!(
                        "{} {name:?} with a rare {}, {what}: {small} steps, then {large}",
                        T::NAME,
                        filters[rare].0
                    ));
                }
            };
            compare("counted".into(), &|memory, many| {
                let count = Rows::<T>::new(&memory.db).count(filter(many)).unwrap();
                assert!(count <= 5, "{name:?}: {count}");
            });
            for (order_name, order) in orders {
                for descending in [false, true] {
                    compare(format!("by {order_name}, descending {descending}"), &|memory, many| {
                        let listing = Listing {
                            filter: filter(many),
                            order: *order,
                            descending,
                            limit: Some(10),
                            ..Listing::default()
                        };
                        let page = Rows::<T>::new(&memory.db).list(listing).unwrap();
                        assert!(page.rows.len() <= 5 && page.cursor.is_none());
                    });
                }
            }
        }
    }
    // Without a filter, and with a filter that all rows match: the first page and one far behind.
    for set in 0..=filters.len() {
        let filter = |many: usize| {
            let mut filter = T::Filter::default();
            if let Some((.., most)) = filters.get(set) {
                most(&mut filter, many as f64);
            }
            filter
        };
        for (order_name, order) in orders {
            for descending in [false, true] {
                let page = |memory: &Memory, many: usize, limit, cursor: Option<String>| {
                    let listing = Listing {
                        filter: filter(many),
                        order: *order,
                        descending,
                        limit: Some(limit),
                        cursor,
                        total: false,
                    };
                    Rows::<T>::new(&memory.db).list(listing).unwrap()
                };
                let measured = [(&memories[0], SMALL), (&memories[1], LARGE)].map(|(memory, many)| {
                    let first = steps(memory, &mut || assert_eq!(page(memory, many, 10, None).rows.len(), 10));
                    let mut cursor = None;
                    for _ in 0..many / 2_000 {
                        cursor = page(memory, many, 1000, cursor).cursor;
                    }
                    (first, steps(memory, &mut || assert_eq!(page(memory, many, 10, cursor.clone()).rows.len(), 10)))
                });
                let [small, large] = measured;
                if large.0 > small.0 + MORE || large.1 > small.1 + MORE {
                    let name = filters.get(set).map_or("nothing", |(name, ..)| name);
                    problems.push(format!(
                        "{} with {name} by {order_name}, descending {descending}: {small:?} steps, then {large:?}",
                        T::NAME
                    ));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} grow:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn no_listing_grows_with_its_table_where_few_rows_match() {
    let memories = [filled(SMALL), filled(LARGE)];
    check::<Turn>(
        &memories,
        &[
            (
                "since",
                |filter: &mut TurnFilter, many| filter.since = Some(many - 3.0),
                |filter, _| filter.since = Some(0.0),
            ),
            ("until", |filter, _| filter.until = Some(4.0), |filter, many| filter.until = Some(many + 1.0)),
        ],
        &[("id", TurnOrder::Id), ("timestamp", TurnOrder::Timestamp)],
    );
    check::<Episode>(
        &memories,
        &[
            (
                "since",
                |filter: &mut EpisodeFilter, many| filter.since = Some(many - 3.0),
                |filter, _| filter.since = Some(0.0),
            ),
            ("until", |filter, _| filter.until = Some(4.0), |filter, many| filter.until = Some(many + 1.0)),
            (
                "event types",
                |filter, _| filter.event_types = Some(vec!["rare".into()]),
                |filter, _| filter.event_types = Some(vec!["common".into()]),
            ),
            ("least valence", |filter, _| filter.min_valence = Some(0.85), |filter, _| filter.min_valence = Some(-1.0)),
            ("most valence", |filter, _| filter.max_valence = Some(-0.85), |filter, _| filter.max_valence = Some(1.0)),
        ],
        &[("id", EpisodeOrder::Id), ("timestamp", EpisodeOrder::Timestamp), ("valence", EpisodeOrder::Valence)],
    );
    check::<Entry>(
        &memories,
        &[
            (
                "since",
                |filter: &mut EntryFilter, many| filter.since = Some(many - 3.0),
                |filter, _| filter.since = Some(0.0),
            ),
            ("until", |filter, _| filter.until = Some(4.0), |filter, many| filter.until = Some(many + 1.0)),
            (
                "prefix",
                |filter, _| filter.prefix = Some("rare".into()),
                |filter, _| filter.prefix = Some("common".into()),
            ),
        ],
        &[("key", EntryOrder::Key), ("time", EntryOrder::UpdatedAt)],
    );
    check::<Uncertainty>(
        &memories,
        &[
            (
                "since",
                |filter: &mut UncertaintyFilter, many| filter.since = Some(many - 3.0),
                |filter, _| filter.since = Some(0.0),
            ),
            ("until", |filter, _| filter.until = Some(4.0), |filter, many| filter.until = Some(many + 1.0)),
            ("resolved", |filter, _| filter.resolved = Some(true), |filter, _| filter.resolved = Some(false)),
            (
                "least confidence",
                |filter, _| filter.min_confidence = Some(0.92),
                |filter, _| filter.min_confidence = Some(0.0),
            ),
            (
                "most confidence",
                |filter, _| filter.max_confidence = Some(0.08),
                |filter, _| filter.max_confidence = Some(1.0),
            ),
        ],
        &[
            ("id", UncertaintyOrder::Id),
            ("timestamp", UncertaintyOrder::Timestamp),
            ("confidence", UncertaintyOrder::ConfidenceScore),
        ],
    );
    check::<SemanticMemory>(
        &memories,
        &[
            (
                "since",
                |filter: &mut SemanticMemoryFilter, many| filter.since = Some(many - 3.0),
                |filter, _| filter.since = Some(0.0),
            ),
            ("until", |filter, _| filter.until = Some(4.0), |filter, many| filter.until = Some(many + 1.0)),
            (
                "categories",
                |filter, _| filter.categories = Some(vec!["rare".into(), "none".into()]),
                |filter, _| filter.categories = Some(vec!["common".into(), "none".into()]),
            ),
            (
                "least importance",
                |filter, _| filter.min_importance = Some(0.92),
                |filter, _| filter.min_importance = Some(0.0),
            ),
            (
                "most importance",
                |filter, _| filter.max_importance = Some(0.08),
                |filter, _| filter.max_importance = Some(1.0),
            ),
        ],
        &[
            ("id", SemanticMemoryOrder::Id),
            ("timestamp", SemanticMemoryOrder::Timestamp),
            ("importance", SemanticMemoryOrder::Importance),
        ],
    );
}
