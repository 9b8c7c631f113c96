//! Scripts: splitting into tokens and statements loses nothing, and a declared schema is compared or rejected with a
//! known code.

use synth_memory::ErrorCode;
use synth_memory::migrate::Graph;
use synth_memory::migrate::autogenerate::Renames;
use synth_memory::migrate::file::difference;
use synth_memory::migrate::sql::{TokenKind, quote, split, tokens};

use crate::harness::{Target, refused};
use crate::mutate::{self, Op};

const WORDS: [&str; 44] = [
    "CREATE",
    "TABLE",
    "TRIGGER",
    "TEMP",
    "VIEW",
    "INDEX",
    "UNIQUE",
    "BEGIN",
    "END",
    "CASE",
    "WHEN",
    "AFTER",
    "ON",
    "AS",
    "PRIMARY KEY",
    "REFERENCES",
    "DEFAULT",
    "STRICT",
    "WITHOUT ROWID",
    "GENERATED ALWAYS",
    ";",
    ";;",
    "(",
    ")",
    ",",
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "/*",
    "*/",
    "--",
    "\n",
    "\r\n",
    "x'",
    "0x",
    "1e",
    "?1",
    "->>",
    "é",
    "\0",
    "notes",
];

#[test]
fn sql() {
    Target { name: "sql", seeds: Vec::new(), mutate, check: &check_words, seconds: 15.0 }.run();
}

#[test]
fn schema() {
    let graph = Graph::bundled();
    Target { name: "schema", seeds: Vec::new(), mutate, check: &|bytes| check_schema(&graph, bytes), seconds: 15.0 }
        .run();
}

pub(crate) fn mutate(text: &mut Vec<u8>, seeds: &[Vec<u8>], op: Op) {
    mutate::text(text, seeds, &WORDS, op);
}

fn check_words(bytes: &[u8]) -> String {
    let script = &*String::from_utf8_lossy(bytes);
    let mut end = 0;
    let mut kinds = Vec::new();
    for token in tokens(script) {
        assert!(script[end..token.start].chars().all(|letter| letter.is_ascii_whitespace()), "{token:?}");
        assert!(!token.text.is_empty());
        assert_eq!(&script[token.range()], token.text);
        if let Some(name) = token.name().filter(|_| token.kind == TokenKind::Quoted) {
            // The name stays the same if it is quoted and read again.
            assert_eq!(tokens(&quote(&name))[0].name().as_deref(), Some(&*name));
        }
        kinds.push(token.kind as u8);
        end = token.range().end;
    }
    assert!(script[end..].chars().all(|letter| letter.is_ascii_whitespace()));

    let statements = split(script);
    // White space alone is no statement.
    assert_eq!(statements.concat(), if kinds.is_empty() { "" } else { script });
    for statement in &statements {
        // A statement is not split further.
        assert_eq!(split(statement), [*statement]);
    }
    kinds.dedup();
    kinds.truncate(4);
    format!("{kinds:?} {}", statements.len().min(8))
}

fn check_schema(graph: &Graph, bytes: &[u8]) -> String {
    let script = &*String::from_utf8_lossy(bytes);
    // A recursive statement could run forever, which the developer who wrote it would notice.
    if script.to_ascii_lowercase().contains("recursive") {
        return String::new();
    }
    match difference(graph, script, &Renames::default()) {
        Err(error) => refused(&error, &[ErrorCode::InvalidSql]),
        Ok(check) => format!("{} {}", check.operations.len().min(8), check.questions.len().min(4)),
    }
}
