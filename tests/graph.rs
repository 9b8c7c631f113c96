//! Compares the graph of revisions with the real Alembic: the same questions about the same random graphs.
//!
//! `tests/alembic/graph.py` recorded Alembic's answers; it describes how to record them again, and what
//! `fixtures/graphs.json` holds.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use synth_memory::migrate::{Graph, MigrationDirection, Revision, Step};
use synth_memory::{ErrorCode, Result};

/// A migration file that does nothing.
fn text(id: &str, revises: &str, more: &str) -> String {
    format!("-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {revises}\n{more}-- migrate:up\n-- migrate:down\n")
}

fn graph(files: &[(String, String)]) -> Result<Graph> {
    Graph::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// How many answers differ from Alembic's, by reason, in the present fixture. If several reasons apply, the first one
/// counts.
const DIFFERENCES: &[(&str, usize)] = &[
    ("-N from several rows", 57),
    ("-N in show and history", 50),
    ("a label at the start of a range", 46),
    ("a label is looked up even where it is not needed", 79),
    ("a prefix of one revision's id and label", 12),
    ("a stamp keeps the rows that are neither above nor below", 5),
    ("a stamp of several", 66),
    ("a stamp that counts steps", 266),
    ("an assertion of Python's, where there is an answer", 17),
    ("an order that hangs on Python's hashes", 37),
    ("an upgrade to what was passed", 580),
    ("below the base there are no heads", 121),
    ("current at the base", 47),
    ("heads that depend on each other", 7),
    ("label@head+N counts from that head", 9),
    ("label@name in a downgrade is looked up on the branch", 126),
    ("refused for another of two reasons", 7),
    ("rows that another row stands upon, or no rows at all", 24),
    ("show and history take the steps that upgrade takes", 259),
];

/// One question of the fixture: the graph, the command, and Alembic's answer.
#[derive(Clone, Copy)]
struct Case<'c> {
    graph: &'c Graph,
    /// The ids, in the order of the fixture's numbers.
    ids: &'c [&'c str],
    rows: &'c [String],
    command: &'c str,
    argument: &'c str,
    theirs: &'c str,
}

/// A symbol's label, its name without steps, and the sign of its steps.
type Parts<'s> = (Option<&'s str>, &'s str, Option<char>);

fn parts(symbol: &str) -> Parts<'_> {
    let (label, rest) = symbol.split_once('@').map_or((None, symbol), |(label, rest)| (Some(label), rest));
    match rest.rfind(['+', '-']).filter(|&at| rest[at + 1..].parse::<u32>().is_ok()) {
        Some(at) => (label, &rest[..at], rest[at..].chars().next()),
        None => (label, rest, None),
    }
}

impl Case<'_> {
    fn list<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> String {
        let place = |id: &str| self.ids.iter().position(|known| *known == id).unwrap().to_string();
        ids.into_iter().map(place).collect::<Vec<_>>().join(" ")
    }

    fn listed(&self, rows: &[String]) -> String {
        self.list(self.ids.iter().copied().filter(|id| rows.iter().any(|row| row == id)))
    }

    fn ids_of(&self, list: &str) -> Vec<String> {
        list.split_whitespace().map(|place| self.ids[place.parse::<usize>().unwrap()].to_owned()).collect()
    }

    fn ours(&self) -> Result<String> {
        let (graph, rows) = (self.graph, self.rows);
        let steps = match self.command {
            "upgrade" => graph.upgrade(rows, self.argument)?,
            "downgrade" => graph.downgrade(rows, self.argument)?,
            "stamp" => {
                let targets: Vec<&str> = self.argument.split(' ').collect();
                return Ok(self.listed(&graph.stamp(rows, &targets)?));
            }
            "show" => return Ok(self.list(graph.resolve(self.argument, rows)?.iter().map(String::as_str))),
            _ => {
                let found = graph.history(Some(self.argument), rows)?;
                let mut shown = BTreeSet::new();
                for Revision { id, .. } in found.iter().copied() {
                    assert!(
                        self.graph.ancestors(std::slice::from_ref(id)).is_disjoint(&shown),
                        "{id} is shown too late"
                    );
                    shown.insert(id.clone());
                }
                return Ok(self.list(found.iter().map(|revision| revision.id.as_str())));
            }
        };
        self.check(&steps);
        let left = steps.last().map_or(rows, |step| &step.heads);
        Ok(format!("{} | {}", self.list(steps.iter().map(|step| step.revision.id.as_str())), self.listed(left)))
    }

    /// Checks steps without regard to Alembic: none comes before a revision that it needs or is taken back under one
    /// that needs it, and the rows match what is applied.
    fn check(&self, steps: &[Step<'_>]) {
        let mut applied = self.graph.ancestors(self.rows);
        for step in steps {
            let id = &step.revision.id;
            if step.direction == MigrationDirection::Up {
                assert!(applied.insert(id.clone()), "{id} is applied twice");
            }
            assert!(self.graph.ancestors(std::slice::from_ref(id)).is_subset(&applied), "{id} comes too early");
            if step.direction == MigrationDirection::Down {
                assert!(applied.remove(id), "{id} was not applied");
            }
            assert_eq!(self.graph.ancestors(&step.heads), applied, "after {id}");
            for row in &step.heads {
                let others: Vec<String> = step.heads.iter().filter(|other| *other != row).cloned().collect();
                assert!(!self.graph.ancestors(&others).contains(row), "{row} is a row too many after {id}");
            }
        }
    }

    fn agrees(&self, ours: &Result<String>) -> bool {
        use ErrorCode::{AmbiguousRevision, InvalidArgument, UnknownSymbol};
        let code = match ours {
            Ok(found) => return found == self.theirs,
            Err(error) => error.code(),
        };
        match self.theirs {
            "!heads" | "!prefix" | "!walk" => code == AmbiguousRevision,
            "!unknown" | "!branch" => code == UnknownSymbol,
            "!far" | "!too-far" => code == UnknownSymbol || code == InvalidArgument,
            "!range" | "!filtered" => code == InvalidArgument,
            // A failed assertion in Python.
            "!crash" => true,
            _ => false,
        }
    }

    /// The reason why our answer may differ; none if it must not.
    fn difference(&self, ours: &Result<String>) -> Option<&'static str> {
        use ErrorCode::{AmbiguousRevision, InvalidArgument};
        let code = ours.as_ref().err().map(synth_memory::Error::code);
        let refused = self.theirs.starts_with('!');
        let symbols: Vec<&str> = self.argument.split([' ', ':']).collect();
        let start = parts(symbols[0]);
        let any = |has: &dyn Fn(Parts<'_>) -> bool| symbols.iter().any(|symbol| has(parts(symbol)));
        let not_found = |symbol: &str| self.graph.resolve(symbol, self.rows).err().map(|error| error.code());
        let reads = self.command == "show" || self.command == "history";

        let hangs_on_hashes = || {
            let (theirs, ours) = (self.theirs.strip_prefix('~')?, ours.as_ref().ok()?);
            let set = |list: &str| list.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
            let (theirs, ours) =
                (theirs.split_once(" | ").unwrap_or((theirs, "")), ours.split_once(" | ").unwrap_or((ours, "")));
            Some(set(theirs.0) == set(ours.0) && (theirs.1 == ours.1 || theirs.1 == "!crash"))
        };
        let several = symbols.len() > 1 || self.graph.resolve(self.argument, self.rows).is_ok_and(|ids| ids.len() > 1);
        let keeps_more = || {
            if refused {
                return None;
            }
            let (theirs, ours) = (self.ids_of(self.theirs), self.ids_of(ours.as_ref().ok()?));
            Some(theirs.iter().all(|row| ours.contains(row) || self.graph.ancestors(&ours).contains(row)))
        };
        let has_rows_too_many = || {
            let (their_order, their_rows) = self.theirs.split_once(" | ")?;
            let (our_order, our_rows) = ours.as_ref().ok()?.split_once(" | ")?;
            let same_rows =
                || self.graph.ancestors(&self.ids_of(their_rows)) == self.graph.ancestors(&self.ids_of(our_rows));
            Some(their_order == our_order && (their_rows == "!crash" || same_rows()))
        };
        let rules: [(&'static str, bool); 18] = [
            ("an order that hangs on Python's hashes", hangs_on_hashes() == Some(true)),
            ("rows that another row stands upon, or no rows at all", has_rows_too_many() == Some(true)),
            (
                "a label is looked up even where it is not needed",
                any(&|(label, ..)| label.is_some_and(|label| code.is_some() && not_found(label) == code)),
            ),
            (
                "an upgrade to what was passed",
                self.command == "upgrade" && code == Some(InvalidArgument) && self.theirs.starts_with(" | "),
            ),
            (
                "a stamp that counts steps",
                self.command == "stamp" && code == Some(InvalidArgument) && any(&|(_, _, steps)| steps.is_some()),
            ),
            (
                "-N from several rows",
                self.command == "downgrade"
                    && start.0.is_none()
                    && start.1.is_empty()
                    && self.rows.len() > 1
                    && code == Some(AmbiguousRevision),
            ),
            ("below the base there are no heads", any(&|(_, name, steps)| name == "base" && steps == Some('-'))),
            (
                "a prefix of one revision's id and label",
                self.theirs == "!prefix"
                    && (any(&|(_, name, _)| not_found(name).is_none()) || not_found(self.argument).is_none()),
            ),
            (
                "label@name in a downgrade is looked up on the branch",
                self.command == "downgrade" && start.0.is_some() && !start.1.is_empty(),
            ),
            (
                "label@head+N counts from that head",
                self.theirs == "!heads"
                    && any(&|(label, name, steps)| label.is_some() && name.starts_with("head") && steps.is_some()),
            ),
            ("heads that depend on each other", self.theirs == "!overlap" && ours.is_ok()),
            (
                "show and history take the steps that upgrade takes",
                reads && self.theirs == "!unknown" && start.2.is_some(),
            ),
            ("-N in show and history", reads && start.1.is_empty() && start.2 == Some('-')),
            (
                "current at the base",
                self.command == "history" && self.rows.is_empty() && self.argument.contains("current"),
            ),
            ("a label at the start of a range", self.command == "history" && start.0.is_some() && ours.is_ok()),
            ("a stamp of several", self.command == "stamp" && several),
            (
                "a stamp keeps the rows that are neither above nor below",
                self.command == "stamp" && keeps_more() == Some(true),
            ),
            ("an assertion of Python's, where there is an answer", self.theirs == "!crash" && ours.is_ok()),
        ];
        let both_refuse = || (refused && code.is_some()).then_some("refused for another of two reasons");
        rules.into_iter().find(|(_, holds)| *holds).map(|(name, _)| name).or_else(both_refuse)
    }
}

#[test]
fn random_graphs_are_what_alembic_makes_of_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/graphs.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let words = |value: &Value| list(value).iter().map(word).collect::<Vec<_>>();
    let (mut same, mut differences, mut wrong) = (0, BTreeMap::new(), Vec::new());
    for (number, entry) in list(&fixture).iter().enumerate() {
        let revisions = list(&entry[0]);
        let ids: Vec<&str> = revisions.iter().map(|revision| revision[0].as_str().unwrap()).collect();
        let mut files = Vec::new();
        for (at, revision) in revisions.iter().enumerate() {
            let [revises, depends_on, labels] = [1, 2, 3].map(|part| words(&revision[part]).join(", "));
            let more = format!("-- Depends On: {depends_on}\n-- Branch Labels: {labels}\n");
            files.push((format!("{at:02}_{}.sql", ids[at]), text(ids[at], &revises, &more)));
        }
        let known = graph(&files).unwrap();
        files.reverse();
        assert_eq!(graph(&files).unwrap(), known, "the order in which files are given matters in {number}");
        let blank = Case { graph: &known, ids: &ids, rows: &[], command: "", argument: "", theirs: "" };

        for (id, expected) in ids.iter().zip(list(&entry[1])) {
            let labels: BTreeSet<String> = known.labels(id).iter().cloned().collect();
            assert_eq!(labels.into_iter().collect::<Vec<_>>(), words(&expected), "the labels of {id} in {number}");
        }
        let ends =
            [known.heads(), known.bases()].map(|found| blank.list(found.iter().map(|revision| revision.id.as_str())));
        assert_eq!(ends.join(" | "), word(&entry[2]), "heads and bases of {number}");

        for state in list(&entry[3]) {
            let rows = blank.ids_of(&word(&state[0]));
            for question in list(&state[1]) {
                let [command, argument, theirs] = [0, 1, 2].map(|part| word(&question[part]));
                let case = Case { rows: &rows, command: &command, argument: &argument, theirs: &theirs, ..blank };
                let ours = case.ours();
                if case.agrees(&ours) {
                    same += 1;
                } else if let Some(reason) = case.difference(&ours) {
                    *differences.entry(reason).or_insert(0) += 1;
                } else {
                    let ours = ours.map_err(|error| error.to_string());
                    wrong.push(format!("{number} at {rows:?}: {command} {argument}: {theirs} there, {ours:?} here"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are not Alembic's:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(differences, DIFFERENCES.iter().copied().collect());
    assert_eq!(same, 9002);
}
