//! The author's answers to what happened to missing tables and columns: a rename or a drop.

use super::reflect::{ObjectKind, Schema, tokens};
use crate::error::{Error, Result};
use crate::migrate::sql::quote;

/// A table, or a column of one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    table: String,
    column: Option<String>,
}

impl Name {
    /// Parses `table` or `table.column`, with each name in double quotes if necessary.
    fn parse(text: &str) -> Option<Self> {
        let found = tokens(text);
        let part = |at: usize| found.get(at).and_then(|token| token.name()).map(|name| name.into_owned());
        match found.len() {
            1 => Some(Self { table: part(0)?, column: None }),
            3 if found[1].is_sign(".") => Some(Self { table: part(0)?, column: Some(part(2)?) }),
            _ => None,
        }
    }

    fn is(&self, table: &str, column: Option<&str>) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        same(&self.table, table)
            && match (&self.column, column) {
                (Some(one), Some(other)) => same(one, other),
                (one, other) => one.is_none() && other.is_none(),
            }
    }
}

/// Which tables and columns were renamed, and which were dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    pairs: Vec<(Name, Name)>,
    drops: Vec<Name>,
}

impl Renames {
    /// Parses renames written as `old_table:new_table` or `table.old:table.new`, and drops written as `table` or
    /// `table.column`. Names that are not plain words are in double quotes. If a column's table is renamed too, the
    /// left side has the table's old name and the right side its new one.
    ///
    /// # Errors
    ///
    /// `invalid_argument`, naming the rename or drop that cannot be parsed.
    pub fn parse(pairs: &[&str], drops: &[&str]) -> Result<Self> {
        let mut renames = Self::default();
        for pair in pairs {
            renames.pairs.push(parse_pair(pair).ok_or_else(|| {
                Error::invalid_argument(format!("The rename {pair} cannot be parsed."))
                    .with_hint("Write turns.mood:turns.feeling, or old_table:new_table.")
            })?);
        }
        for drop in drops {
            renames.drops.push(Name::parse(drop).ok_or_else(|| {
                Error::invalid_argument(format!("The dropped name {drop} cannot be parsed."))
                    .with_hint("Write turns.mood, or old_table.")
            })?);
        }
        Ok(renames)
    }

    /// The inverse renames, for the downgrade.
    pub(super) fn inverse(&self) -> Self {
        let pairs = self.pairs.iter().map(|(old, new)| (new.clone(), old.clone())).collect();
        Self { pairs, drops: Vec::new() }
    }

    /// The name of a table after the renames.
    fn table_after<'n>(&'n self, table: &'n str) -> &'n str {
        self.pairs.iter().find(|(old, _)| old.is(table, None)).map_or(table, |(_, new)| &new.table)
    }

    /// Rejects renames and drops that do not fit the two schemas: an old name must be gone, and a new name must be new.
    pub(super) fn check(&self, from: &Schema, to: &Schema) -> Result<()> {
        for (at, (old, new)) in self.pairs.iter().enumerate() {
            let fits = match (&old.column, &new.column) {
                (None, None) => {
                    let pair = from.table(&old.table).zip(to.table(&new.table));
                    pair.is_some_and(|(before, after)| before.kind == after.kind)
                        && to.table(&old.table).is_none()
                        && from.table(&new.table).is_none()
                }
                (Some(before), Some(after)) => {
                    self.table_after(&old.table).eq_ignore_ascii_case(&new.table)
                        && has(from, &old.table, before)
                        && !has(to, &new.table, before)
                        && !has(from, &old.table, after)
                        && has(to, &new.table, after)
                }
                _ => false,
            };
            let again = self.pairs[..at].iter().any(|(first, second)| first == old || second == new);
            if !fits || again {
                let what = format!("The rename {}:{} does not fit the two schemas.", shown(old), shown(new));
                return Err(Error::invalid_argument(what)
                    .with_hint("The old name must exist only in the first schema, the new name only in the second."));
            }
        }
        for drop in &self.drops {
            let table = self.table_after(&drop.table);
            let fits = match &drop.column {
                None => from.table(&drop.table).is_some() && to.table(table).is_none(),
                Some(column) => has(from, &drop.table, column) && to.table(table).is_some() && !has(to, table, column),
            };
            if !fits || self.pairs.iter().any(|(old, _)| old == drop) {
                return Err(Error::invalid_argument(format!("{} is not dropped.", shown(drop))));
            }
        }
        Ok(())
    }

    /// Whether a rename or a drop is known for this table or column.
    fn answers(&self, table: &str, column: Option<&str>) -> bool {
        self.drops.iter().chain(self.pairs.iter().map(|(old, _)| old)).any(|name| name.is(table, column))
    }

    fn is_a_new_name(&self, table: &str, column: Option<&str>) -> bool {
        self.pairs.iter().any(|(_, new)| new.is(table, column))
    }

    /// The statements of the renames, which must have been checked.
    pub(super) fn statements(&self, from: &Schema, to: &Schema) -> Vec<String> {
        let table = |(old, new): &(Name, Name)| {
            let (before, after) = (from.table(&old.table)?, to.table(&new.table)?);
            old.column.is_none().then(|| format!("ALTER TABLE {} RENAME TO {};", before.written, after.written))
        };
        let column = |(old, new): &(Name, Name)| {
            let (before, after) = (from.table(&old.table)?, to.table(&new.table)?);
            let (old_parts, new_parts) = (from.parts(before), to.parts(after));
            let (old, new) = (old_parts.column(old.column.as_ref()?)?, new_parts.column(new.column.as_ref()?)?);
            Some(format!("ALTER TABLE {} RENAME COLUMN {} TO {};", after.written, old.written, new.written))
        };
        self.pairs.iter().filter_map(table).chain(self.pairs.iter().filter_map(column)).collect()
    }

    /// A description of each rename.
    pub(super) fn descriptions(&self) -> Vec<String> {
        let kind = |name: &Name| if name.column.is_some() { "column" } else { "table" };
        self.pairs.iter().map(|(old, new)| format!("rename {} {} to {}", kind(old), shown(old), shown(new))).collect()
    }

    /// A question for each possible rename that is not answered: a column that is gone from a table that has new
    /// columns, or a table that is gone and has most of its columns in common with a new table.
    pub(super) fn questions(&self, from: &Schema, to: &Schema) -> Vec<String> {
        let mut questions = Vec::new();
        for before in from.of(ObjectKind::Table) {
            let (name, old) = (&before.name, from.parts(before));
            let Some(after) = to.get(ObjectKind::Table, self.table_after(name)) else {
                let alike = to.of(ObjectKind::Table).filter(|after| {
                    let new = to.parts(after);
                    let shared = old.columns.iter().filter(|column| new.column(&column.name).is_some()).count();
                    from.table(&after.name).is_none()
                        && !self.is_a_new_name(&after.name, None)
                        && 2 * shared > old.columns.len().max(new.columns.len())
                });
                let alike: Vec<String> = alike.map(|after| written(&after.name)).collect();
                if !self.answers(name, None) {
                    questions.extend(question(&written(name), &alike));
                }
                continue;
            };
            let new = to.parts(after);
            let fresh = new.columns.iter().filter(|column| {
                column.holds()
                    && old.column(&column.name).is_none()
                    && !self.is_a_new_name(&after.name, Some(&column.name))
            });
            let fresh: Vec<String> =
                fresh.map(|column| format!("{}.{}", written(&after.name), written(&column.name))).collect();
            for column in old.columns.iter().filter(|column| column.holds() && new.column(&column.name).is_none()) {
                if !self.answers(name, Some(&column.name)) {
                    questions.extend(question(&format!("{}.{}", written(name), written(&column.name)), &fresh));
                }
            }
        }
        questions
    }
}

fn has(schema: &Schema, table: &str, column: &str) -> bool {
    schema.table(table).is_some_and(|table| schema.parts(table).column(column).is_some())
}

fn question(gone: &str, fresh: &[String]) -> Option<String> {
    let first = fresh.first()?;
    let fresh = fresh.join(", ");
    Some(format!(
        "{gone} is gone, {fresh} is new: was it renamed (--rename {gone}:{first}) or dropped (--drop {gone})?"
    ))
}

fn parse_pair(pair: &str) -> Option<(Name, Name)> {
    // To SQLite a colon begins a parameter, so the pair is split before the names are parsed.
    let mut quoted = false;
    let at = pair.find(|letter| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    })?;
    let (old, new) = (Name::parse(&pair[..at])?, Name::parse(&pair[at + 1..])?);
    (old.column.is_some() == new.column.is_some()).then_some((old, new))
}

fn shown(name: &Name) -> String {
    let column = name.column.iter().map(|column| format!(".{}", written(column)));
    std::iter::once(written(&name.table)).chain(column).collect()
}

/// A name as it can be written in an argument.
fn written(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_plain = name.bytes().all(plain) && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_plain && !name.is_empty() { name.to_owned() } else { quote(name) }
}
