//! The errors of the graph of revisions, and the symbols that Alembic does not have.
#![cfg(not(target_arch = "wasm32"))]

use synth_memory::migrate::{Graph, Revision};
use synth_memory::{ErrorCode, Result};

/// A graph from lines such as `c: a b; depends d; labels app`, each of which is the file `<id>.sql`.
fn graph(lines: &[&str]) -> Result<Graph> {
    let file = |line: &&str| {
        let (id, rest) = line.split_once(':').unwrap();
        let mut parts = rest.split(';').map(str::trim);
        let list = |words: &str| words.replace(' ', ", ");
        let revises = list(parts.next().unwrap());
        let mut text = format!("-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n");
        for part in parts {
            let header = if part.starts_with("depends") { "Depends On" } else { "Branch Labels" };
            text += &format!("-- {header}: {}\n", list(part.split_once(' ').unwrap().1));
        }
        (format!("{id}.sql"), text + "-- migrate:up\n-- migrate:down\n")
    };
    let files: Vec<_> = lines.iter().map(file).collect();
    Graph::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Two branches after 1: app (2, 3) and 4. Another base, 5, which depends on 2 and is followed by 6.
const LINES: [&str; 6] = [
    "aaaa1:",
    "aaaa2: aaaa1; labels app",
    "bbbb3: aaaa2",
    "bbbb4: aaaa1",
    "cccc5:; labels own",
    "cccc6: cccc5; depends aaaa2",
];

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn files_that_do_not_fit_together_are_named() {
    let cases: [(&[&str], &[&str]); 11] = [
        (&["a: a"], &["a.sql revises itself"]),
        (&["a:; depends a"], &["a.sql depends on itself"]),
        (&["a:; depends x; labels x"], &["a.sql depends on itself"]),
        (&["a: b", "b: c", "c: a", "d: a"], &["in a ring", "a.sql (a)", "b.sql (b)", "c.sql (c)"]),
        (&["a:", "b: a; depends c", "c: b"], &["in a ring", "b.sql (b)", "c.sql (c)"]),
        (&["a:", "b: nothing"], &["b.sql revises nothing"]),
        (&["a:", "b: a; depends nothing"], &["b.sql depends on nothing"]),
        // As in Alembic, a file names its parents by their full ids.
        (&["a:; labels app", "b: app"], &["b.sql revises app"]),
        (&["abcdef:", "b: abcd"], &["b.sql revises abcd"]),
        (&["a:; labels app", "b: a; labels app"], &["label app of b.sql", "a branch label of a.sql"]),
        (&["a:", "b: a; labels a"], &["label a of b.sql", "the id of a.sql"]),
    ];
    for (lines, words) in cases {
        let error = graph(lines).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidMigration, "{error}");
        assert!(words.iter().all(|word| error.message().contains(word)), "{error}");
        assert!(!error.message().contains("d.sql"), "{error}");
    }
    let twins = [("one.sql", "a"), ("two.sql", "a")].map(|(file, id)| {
        let text = format!("-- It\n-- Revision ID: {id}\n-- Revises:\n-- migrate:up\n-- migrate:down\n");
        Revision::parse(file, &text).unwrap()
    });
    let error = Graph::from_revisions(twins.to_vec()).unwrap_err();
    assert_eq!(error.message(), "one.sql and two.sql have the same id a.");
    assert!(graph(&[]).unwrap().heads().is_empty());
}

#[test]
fn headers_are_read_strictly() {
    let good = "-- It\n-- Revision ID: a\n-- Revises: b, c\n-- Branch Labels: app, net-work\n-- depends on: d\n\
                -- migrate:up\nUP\n-- migrate:down\nDOWN\n";
    let revision = Revision::parse("a.sql", &format!("\u{feff}{}", good.replace('\n', "\r\n"))).unwrap();
    assert_eq!((revision.revises, revision.depends_on), (owned(&["b", "c"]), owned(&["d"])));
    assert_eq!(revision.branch_labels, ["app", "net-work"]);
    assert_eq!((revision.up.as_str(), revision.down.as_str(), revision.text.as_str()), ("UP", "DOWN", good));
    let cases = [
        ("-- Revises: b, c", "-- Revises: b\n-- Revises: c", "several lines `-- Revises:`"),
        ("-- depends on: d", "-- Revision ID: d", "several lines `-- Revision ID:`"),
        ("b, c", "b, b", "`-- Revises: b, b`"),
        ("b, c", "b,", "`-- Revises: b,`"),
        ("b, c", "b c", "`-- Revises: b c`"),
        ("app, ", "head, ", "label head"),
        ("app, ", "a@b, ", "label a@b"),
        ("app, ", "app-1, ", "label app-1"),
        ("ID: a", "ID: a,b", "1 to 32 characters"),
        ("UP", "-- migrate:up", "`-- migrate:up` is one too many"),
        ("DOWN", "-- migrate:down", "`-- migrate:down` is one too many"),
        ("DOWN", "-- migrate:sideways", "`-- migrate:sideways` is one too many"),
    ];
    for (from, to, words) in cases {
        let error = Revision::parse("a.sql", &good.replace(from, to)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidMigration, "{error}");
        assert!(error.message().starts_with("a.sql: ") && error.message().contains(words), "{error}");
    }
}

#[test]
fn an_order_is_refused_with_what_can_be_done() {
    use ErrorCode::{AmbiguousRevision, InvalidArgument, UnknownRevision, UnknownSymbol};
    let graph = graph(&LINES).unwrap();
    let cases: &[(&str, &str, &str, ErrorCode, &str)] = &[
        ("", "upgrade", "head", AmbiguousRevision, "bbbb3 (bbbb3.sql), bbbb4 (bbbb4.sql), cccc6 (cccc6.sql)"),
        ("", "upgrade", "head", AmbiguousRevision, "'label@head', take all with 'heads', or merge them"),
        ("", "upgrade", "bbbb", AmbiguousRevision, "bbbb3 (bbbb3.sql), bbbb4 (bbbb4.sql)"),
        ("", "upgrade", "+1", AmbiguousRevision, "From the base there are several ways up: aaaa1 (aaaa1.sql), cccc5"),
        ("aaaa1", "upgrade", "+1", AmbiguousRevision, "From aaaa1 (aaaa1.sql) there are several ways up"),
        (
            "bbbb3 bbbb4",
            "upgrade",
            "+1",
            AmbiguousRevision,
            "at several revisions that +1 could start from: bbbb3, bbbb4",
        ),
        ("bbbb3 bbbb4", "downgrade", "-1", AmbiguousRevision, "at several revisions that -1 could start from"),
        ("aaaa2", "upgrade", "+2", UnknownSymbol, "+2 leads too far from aaaa2 (aaaa2.sql)"),
        ("aaaa2", "upgrade", "+2", UnknownSymbol, "From there one can go 1 up"),
        ("aaaa2", "upgrade", "+99999999999999999999", UnknownSymbol, "one can go 1 up"),
        ("bbbb3", "downgrade", "-4", UnknownSymbol, "one can go 3 down"),
        ("bbbb3", "downgrade", "aaaa2-3", UnknownSymbol, "aaaa2-3 leads too far from aaaa2"),
        ("", "downgrade", "-1", UnknownSymbol, "nothing is applied"),
        (
            "",
            "upgrade",
            "nowhere",
            UnknownSymbol,
            "Known are head, heads, base, +N, -N, label@head and aaaa1, aaaa2, app",
        ),
        ("", "upgrade", "nowhere@head", UnknownSymbol, "There is no branch \"nowhere\""),
        ("", "upgrade", "own@bbbb4", UnknownSymbol, "no revision bbbb4 (bbbb4.sql) on the branch of cccc5"),
        ("", "upgrade", "", UnknownSymbol, "There is no revision \"\""),
        ("", "upgrade", "+x", UnknownSymbol, "There is no revision \"+x\""),
        ("gone", "upgrade", "heads", UnknownRevision, "The memory is at revision gone, which this app does not know."),
        ("aaaa", "upgrade", "heads", UnknownRevision, "The memory is at revision aaaa"),
        ("bbbb3", "upgrade", "aaaa1", InvalidArgument, "Use downgrade instead."),
        ("bbbb3", "upgrade", "-1", InvalidArgument, "Use downgrade instead."),
        ("bbbb3", "upgrade", "base", InvalidArgument, "Use downgrade instead."),
        ("aaaa1", "downgrade", "bbbb3", InvalidArgument, "Use upgrade instead."),
        ("aaaa1", "downgrade", "+1", InvalidArgument, "Use upgrade instead."),
        ("aaaa1", "stamp", "+1", InvalidArgument, "+1 counts steps"),
        ("aaaa1", "history", "aaaa1", InvalidArgument, "start:end"),
        ("aaaa1", "history", "a:b:c", InvalidArgument, "start:end"),
        ("aaaa1", "history", "bbbb3:aaaa1", InvalidArgument, "aaaa1 does not come after bbbb3"),
    ];
    for &(rows, command, argument, code, words) in cases {
        let rows: Vec<String> = rows.split_whitespace().map(str::to_owned).collect();
        let error = match command {
            "upgrade" => graph.upgrade(&rows, argument).unwrap_err(),
            "downgrade" => graph.downgrade(&rows, argument).unwrap_err(),
            "stamp" => graph.stamp(&rows, &[argument]).unwrap_err(),
            _ => graph.history(Some(argument), &rows).unwrap_err(),
        };
        assert_eq!(error.code(), code, "{command} {argument}: {error}");
        assert!(error.to_string().contains(words), "{command} {argument}: {error}");
    }
}

#[test]
fn what_is_there_already_is_no_step() {
    let graph = graph(&LINES).unwrap();
    let all = owned(&["bbbb3", "bbbb4", "cccc6"]);
    for (rows, target) in [
        (&all[..], "heads"),
        (&all[..1], "app@head"),
        (&all[..1], "bbbb3"),
        (&all[..1], "current"),
        (&all[..], "current"),
        // No later revision of its own branch is applied, although another branch builds on it.
        (&all[2..], "aaaa2"),
        (&[], "base"),
    ] {
        assert!(graph.upgrade(rows, target).unwrap().is_empty(), "{rows:?} up to {target}");
    }
    for (rows, target) in [(&all[..], "bbbb4"), (&all[..1], "current"), (&[], "base")] {
        assert!(graph.downgrade(rows, target).unwrap().is_empty(), "{rows:?} down to {target}");
    }
    assert_eq!(graph.stamp(&all, &["current"]).unwrap(), all);
}

#[test]
fn a_graph_tells_its_shape() {
    let graph = graph(&LINES).unwrap();
    let ids = |found: Vec<&Revision>| found.iter().map(|revision| revision.id.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(ids(graph.heads()), "bbbb3 bbbb4 cccc6");
    assert_eq!(ids(graph.bases()), "aaaa1 cccc5");
    assert_eq!(ids(graph.branch_points()), "aaaa1");
    assert_eq!(ids(graph.children("aaaa2")), "bbbb3");
    assert_eq!(graph.get("aaaa2").unwrap().file, "aaaa2.sql");
    assert!(graph.get("app").is_none() && graph.get("aaaa").is_none() && graph.children("app").is_empty());
    assert_eq!(
        graph.ancestors(&owned(&["cccc6"])).into_iter().collect::<Vec<_>>(),
        ["aaaa1", "aaaa2", "cccc5", "cccc6"]
    );
    assert_eq!((graph.labels("bbbb3"), graph.labels("cccc6")), (&owned(&["app"])[..], &owned(&["own"])[..]));
}
