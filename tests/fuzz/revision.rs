//! Files of revisions: they are rejected with `invalid_migration`, or form a graph that answers questions and whose
//! scripts run entirely or not at all.

use rusqlite::Connection;
use synth_memory::ErrorCode;
use synth_memory::migrate::{Graph, Revision};

use crate::harness::{Target, refused};
use crate::mutate::{self, Op};
use crate::support;

/// Separates two files of one input.
const NEXT: &str = "%%%\n";

const WORDS: [&str; 36] = [
    "-- Revision ID:",
    "-- Revises:",
    "-- Branch Labels:",
    "-- Depends On:",
    "-- Squashes:",
    "-- Create Date:",
    "-- migrate:up\n",
    "-- migrate:down\n",
    "-- batch: notes\n",
    "-- column: text =",
    NEXT,
    "001",
    "002",
    "a",
    "b",
    "c",
    "app",
    "head",
    "heads",
    "base",
    "current",
    "@",
    "+1",
    "-1",
    ",",
    ":",
    "--",
    ";",
    "\n",
    "\r\n",
    "\u{feff}",
    "\0",
    "é",
    "'",
    "/*",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n",
];

#[test]
fn revision() {
    let bundled = Graph::bundled().revisions().iter().map(|revision| revision.text.clone().into_bytes()).collect();
    Target { name: "revision", seeds: bundled, mutate, check: &check, seconds: 15.0 }.run();
}

fn mutate(text: &mut Vec<u8>, seeds: &[Vec<u8>], op: Op) {
    mutate::text(text, seeds, &WORDS, op);
}

fn check(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let files: Vec<(String, String)> =
        text.split(NEXT).enumerate().map(|(at, text)| (format!("{at:03}.sql"), text.to_owned())).collect();
    for (name, text) in &files {
        // What remains of `\r\r\n`, or of two byte order marks, would be normalised again.
        if let Ok(revision) = Revision::parse(name, text)
            && !revision.text.contains(['\r', '\u{feff}'])
        {
            assert_eq!(Revision::parse(name, &revision.text).as_ref(), Ok(&revision), "its text is another revision");
        }
    }
    let beside = Graph::with_bundled(&files).map_or_else(
        |error| refused(&error, &[ErrorCode::InvalidMigration]),
        |graph| {
            ask(&graph);
            format!("{} heads", graph.heads().len())
        },
    );
    let alone = Graph::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).map_or_else(
        |error| refused(&error, &[ErrorCode::InvalidMigration]),
        |graph| {
            ask(&graph);
            run(&graph)
        },
    );
    format!("{beside}, {alone}")
}

/// Resolves symbols of every kind in a graph.
fn ask(graph: &Graph) {
    let codes = [
        ErrorCode::UnknownSymbol,
        ErrorCode::AmbiguousRevision,
        ErrorCode::UnknownRevision,
        ErrorCode::InvalidArgument,
        ErrorCode::InvalidMigration,
    ];
    let all = graph.last_rows();
    let names =
        graph.revisions().iter().flat_map(|revision| [&revision.id].into_iter().chain(graph.labels(&revision.id)));
    for name in names.map(String::as_str).chain(["head", "base", "current", ""]) {
        for symbol in [name.to_owned(), format!("{name}@head"), format!("{name}-1"), format!("{name}+1")] {
            for current in [&[][..], &all] {
                let results = [graph.upgrade(current, &symbol), graph.downgrade(current, &symbol)];
                results
                    .iter()
                    .filter_map(|result| result.as_ref().err())
                    .for_each(|error| drop(refused(error, &codes)));
                let _ = graph.resolve(&symbol, current).map_err(|error| refused(&error, &codes));
            }
        }
    }
    let up = graph.upgrade(&[], "heads").unwrap();
    assert_eq!(up.len(), graph.revisions().len(), "not every revision is on the way to the heads");
    assert_eq!(graph.downgrade(&all, "base").unwrap().len(), up.len(), "not every revision is on the way back");
}

/// Upgrades and downgrades an empty file.
fn run(graph: &Graph) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    let codes = [ErrorCode::MigrationFailed, ErrorCode::InvalidMigration];
    let result = support::upgrade(&mut connection, graph, "heads")
        .and_then(|_| support::downgrade(&mut connection, graph, "base"))
        .map_or_else(|error| refused(&error, &codes), |taken| format!("{} back", taken.len().min(4)));
    assert!(connection.is_autocommit(), "a transaction is still open");
    result
}
