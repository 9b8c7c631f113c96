//! Reads the schema of a database into a form that can be compared.
//!
//! Two objects are the same if their SQL is the same, token by token. Comments, white space, the case of words and the
//! quotes of names do not count; text literals do.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::error::Result;
use crate::migrate::history::TABLES;
use crate::migrate::sql::{self, Token, TokenKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Table,
    Virtual,
    Index,
    View,
    Trigger,
}

impl ObjectKind {
    /// The word after CREATE and DROP.
    pub(super) fn word(self) -> &'static str {
        match self {
            ObjectKind::Table | ObjectKind::Virtual => "TABLE",
            ObjectKind::Index => "INDEX",
            ObjectKind::View => "VIEW",
            ObjectKind::Trigger => "TRIGGER",
        }
    }
}

/// One object of a schema.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    /// Its name as SQLite reports it.
    pub(super) name: String,
    /// Its name as its SQL writes it, with quotes if it has them.
    pub(super) written: String,
    /// The table that it belongs to; for a table, its own name.
    pub(super) owner: String,
    pub(super) sql: String,
    /// The normalised tokens of its SQL.
    pub(super) words: Vec<String>,
}

impl Object {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The statement that creates it. A view's SQL may end in a comment, which must not include the semicolon.
    pub(super) fn statement(&self) -> String {
        let comment = sql::tokens(&self.sql).last().is_some_and(|word| word.text.starts_with("--"));
        format!("{}{};", self.sql, if comment { "\n" } else { "" })
    }

    /// Whether it is a table with a reference to `table`.
    pub(super) fn refers_to(&self, table: &str) -> bool {
        let is_it = |word: &str| word.trim_matches('"').eq_ignore_ascii_case(table);
        self.words.windows(2).any(|pair| pair[0] == "references" && is_it(&pair[1]))
    }

    /// Whether the objects are the same, as defined above.
    pub(super) fn equals(&self, other: &Object) -> bool {
        self.kind == other.kind && self.words == other.words
    }
}

/// The objects of a schema, in the order in which they were created.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(super) objects: Vec<Object>,
    names: BTreeSet<String>,
}

impl Schema {
    /// Reads the schema of a database, without the tables that SQLite, FTS5, Alembic and this crate keep for
    /// themselves.
    pub(crate) fn read(connection: &Connection) -> Result<Self> {
        let names = "SELECT lower(name) FROM sqlite_schema UNION SELECT lower(x.name) FROM sqlite_schema AS s, \
                     pragma_table_xinfo(s.name) AS x WHERE s.type = 'table'";
        let names: BTreeSet<String> =
            connection.prepare(names)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let objects = format!(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND lower(tbl_name) NOT IN {TABLES} AND tbl_name NOT IN \
             (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow') ORDER BY rowid"
        );
        let mut statement = connection.prepare(&objects)?;
        let mut rows = statement.query([])?;
        let mut objects = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, sql): (String, String) = (row.get(0)?, row.get(3)?);
            let found = tokens(&sql);
            let second = |word: &str| found.get(1).is_some_and(|token| token.is_word(word));
            let is_virtual = second("VIRTUAL");
            // The name comes third in CREATE TABLE, fourth in CREATE VIRTUAL TABLE and CREATE UNIQUE INDEX.
            let at = if is_virtual || second("UNIQUE") { 3 } else { 2 };
            objects.push(Object {
                kind: match kind.as_str() {
                    "table" if is_virtual => ObjectKind::Virtual,
                    "table" => ObjectKind::Table,
                    "index" => ObjectKind::Index,
                    "view" => ObjectKind::View,
                    _ => ObjectKind::Trigger,
                },
                name: row.get(1)?,
                written: found.get(at).map_or_else(String::new, |token| token.text.to_owned()),
                owner: row.get(2)?,
                words: normal(&found, &names),
                sql,
            });
        }
        Ok(Self { objects, names })
    }

    /// The object of this name. Triggers have a namespace of their own; all other objects share one.
    pub(super) fn get(&self, kind: ObjectKind, name: &str) -> Option<&Object> {
        let trigger = kind == ObjectKind::Trigger;
        self.objects.iter().find(|object| (object.kind == ObjectKind::Trigger) == trigger && object.is_called(name))
    }

    /// The table of this name, plain or virtual.
    pub(super) fn table(&self, name: &str) -> Option<&Object> {
        self.of(ObjectKind::Table).chain(self.of(ObjectKind::Virtual)).find(|object| object.is_called(name))
    }

    /// The object with the kind and name of another schema's object.
    pub(super) fn same(&self, other: &Object) -> Option<&Object> {
        self.get(other.kind, &other.name).filter(|object| object.kind == other.kind)
    }

    pub(super) fn of(&self, kind: ObjectKind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    /// The parts of the SQL of a table or an FTS5 table.
    pub(super) fn parts(&self, table: &Object) -> Parts {
        Parts::read(&table.sql, &self.names)
    }

    /// Whether both schemas have the same objects.
    pub(super) fn equals(&self, other: &Schema) -> bool {
        self.objects.len() == other.objects.len()
            && self.objects.iter().all(|object| other.same(object).is_some_and(|found| found.equals(object)))
    }
}

/// A column, a constraint, an option after the parentheses, or an argument of a virtual table.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// A column's name without quotes; empty for the rest.
    pub(super) name: String,
    /// A column's name as it is written; empty for the rest.
    pub(super) written: String,
    /// The whole part on one line, without comments.
    pub(super) text: String,
    /// The same text, without the name of a column.
    pub(super) definition: String,
    /// The normalised tokens of the definition.
    pub(super) words: Vec<String>,
}

impl Part {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it is a column that holds its own values, not a generated one.
    pub(super) fn holds(&self) -> bool {
        !self.says("as")
    }

    /// Whether it contains a word outside all parentheses.
    pub(super) fn says(&self, word: &str) -> bool {
        let mut depth = 0;
        self.words.iter().any(|found| {
            depth += i32::from(found == "(") - i32::from(found == ")");
            depth == 0 && found == word
        })
    }
}

/// The parts between and after the parentheses of a CREATE TABLE.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) columns: Vec<Part>,
    pub(super) constraints: Vec<Part>,
    pub(super) options: Vec<Part>,
}

impl Parts {
    fn read(sql: &str, names: &BTreeSet<String>) -> Self {
        let found = tokens(sql);
        let mut parts = Self::default();
        let Some(open) = found.iter().position(|token| token.text == "(") else { return parts };
        let (mut depth, mut start) = (1, open + 1);
        for (at, token) in found.iter().enumerate().skip(open + 1) {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if token.text == "," && depth == 1 || token.text == ")" && depth == 0 {
                parts.push(&found[start..at], names);
                start = at + 1;
            } else if token.text == "," && depth == 0 {
                parts.options.extend(option(&found[start..at], names));
                start = at + 1;
            }
        }
        parts.options.extend(option(found.get(start..).unwrap_or_default(), names));
        parts
    }

    fn push(&mut self, found: &[Token<'_>], names: &BTreeSet<String>) {
        let Some(first) = found.first() else { return };
        if ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| first.is_word(word)) {
            self.constraints.push(part(found, names));
        } else {
            let name = first.name().unwrap_or_default().into_owned();
            // SQLite reads a text in single quotes as a name only where nothing but a name is allowed.
            let written = if first.kind == TokenKind::Text { sql::quote(&name) } else { first.text.to_owned() };
            let rest = part(&found[1..], names);
            self.columns.push(Part { name, written, text: one_line(found), ..rest });
        }
    }

    pub(super) fn column(&self, name: &str) -> Option<&Part> {
        self.columns.iter().find(|column| column.is_called(name))
    }
}

fn part(found: &[Token<'_>], names: &BTreeSet<String>) -> Part {
    let text = one_line(found);
    let (name, written) = (String::new(), String::new());
    Part { name, written, definition: text.clone(), text, words: normal(found, names) }
}

fn option(found: &[Token<'_>], names: &BTreeSet<String>) -> Option<Part> {
    (!found.is_empty()).then(|| part(found, names))
}

/// The tokens as they are written, with one space for the white space and comments between them.
fn one_line(found: &[Token<'_>]) -> String {
    let mut line = String::new();
    let mut end = None;
    for token in found {
        if end.is_some_and(|end| end < token.start) {
            line.push(' ');
        }
        line.push_str(token.text);
        end = Some(token.range().end);
    }
    line
}

/// The normalised tokens of a statement, independent of its style. To SQLite, a name as a default and a name in double
/// quotes that nothing has are texts, whose case counts.
fn normal(found: &[Token<'_>], names: &BTreeSet<String>) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(found.len());
    for token in found {
        // No value follows ON DELETE SET DEFAULT.
        let after_default = words.last().is_some_and(|last| last == "default")
            && words.iter().rev().nth(1).is_none_or(|word| word != "set");
        words.push(match token.kind {
            TokenKind::Text => token.text.to_owned(),
            TokenKind::Quoted => {
                let folded = token.name().unwrap_or_default().to_ascii_lowercase();
                if token.text.starts_with('"') && (after_default || !names.contains(&folded)) {
                    token.text.to_owned()
                } else if folded.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    folded
                } else {
                    format!("\"{folded}\"")
                }
            }
            TokenKind::Word if after_default && !is_constant(token.text) => token.text.to_owned(),
            _ => token.text.to_ascii_lowercase(),
        });
    }
    words
}

/// Whether a word is a constant. As a default, any other word is a text.
pub(super) fn is_constant(word: &str) -> bool {
    let constants = ["NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"];
    constants.iter().any(|constant| word.eq_ignore_ascii_case(constant))
}

/// The tokens of a statement, without comments.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    sql::tokens(sql).into_iter().filter(|token| token.kind != TokenKind::Comment).collect()
}
