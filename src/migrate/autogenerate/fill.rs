//! What the rows that there are hold in the columns of a table that is made anew.

use rusqlite::Connection;

use super::reflect::{Object, Part, Parts, is_constant, tokens};
use crate::error::Result;
use crate::migrate::sql::Kind as Word;

/// What SQLite knows of a column.
#[derive(Clone, Debug, Default)]
struct Info {
    name: String,
    kind: String,
    not_null: bool,
    /// Its default as an expression, if that is not NULL.
    default: Option<String>,
    is_key: bool,
    /// Whether it is another name of the rowid, and so never NULL.
    is_rowid: bool,
    is_generated: bool,
    is_stored: bool,
    /// Whether no two rows may have the same there, be it with other columns.
    is_unique: bool,
}

/// A column's value, as an expression over the row before.
pub(super) struct Fill {
    pub(super) expression: String,
    /// Whether it is neither what stood there nor the column's default.
    pub(super) is_made_up: bool,
}

/// One table before and after.
pub(super) struct Filler {
    before: Vec<Info>,
    after: Vec<Info>,
    /// What the rowid is called before, where there is one; of all values it alone is another in each row.
    rowid: Option<&'static str>,
}

impl Filler {
    pub(super) fn new(
        scratch: &Connection,
        target: &Connection,
        before: &Object,
        after: &Object,
        old: &Parts,
    ) -> Result<Self> {
        let without = old.options.iter().any(|option| option.words == ["without", "rowid"]);
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !without && old.column(name).is_none());
        Ok(Self { before: read(scratch, &before.name)?, after: read(target, &after.name)?, rowid })
    }

    /// The value of a column, if it is not simply what stood there or the default.
    pub(super) fn fill(&self, column: &Part, old: Option<&Part>) -> Option<Fill> {
        let after = find(&self.after, &column.name)?;
        let before = old.and_then(|old| find(&self.before, &old.name));
        if after.is_generated {
            return None;
        }
        let unlike = |sign: &str| {
            let number = format!("{sign}{}", self.rowid.unwrap_or("row_number() OVER ()"));
            // A STRICT table takes a number for a text, but for no BLOB.
            if zero(&after.kind) == "x''" { format!("CAST({number} AS BLOB)") } else { number }
        };
        let made_up = |expression: String| Some(Fill { expression, is_made_up: true });
        let Some((before, old)) = before.zip(old) else {
            return match () {
                () if after.is_rowid => {
                    self.rowid.map(|rowid| Fill { expression: rowid.to_owned(), is_made_up: false })
                }
                () if after.is_unique && after.not_null => made_up(unlike("")),
                () if after.is_unique && after.default.is_some() => {
                    Some(Fill { expression: "NULL".to_owned(), is_made_up: false })
                }
                () if after.not_null && after.default.is_none() => made_up(zero(&after.kind).to_owned()),
                () => None,
            };
        };
        if after.not_null && !before.not_null && !after.is_rowid && !before.is_rowid {
            let instead = match &after.default {
                // On the way back they may have to differ again.
                _ if after.is_unique || before.is_unique => unlike("-"),
                Some(default) => default.clone(),
                None => zero(&after.kind).to_owned(),
            };
            return made_up(format!("coalesce({}, {instead})", old.written));
        }
        before.is_generated.then(|| Fill { expression: old.written.clone(), is_made_up: false })
    }

    /// Whether ALTER TABLE can add the column whatever rows there are.
    pub(super) fn can_be_added(&self, column: &Part) -> bool {
        let Some(after) = find(&self.after, &column.name) else { return false };
        // `DEFAULT (…)` and the current time are worked out for each row.
        let after_default = column.words.iter().skip_while(|word| *word != "default").nth(1);
        let varies = after_default.is_some_and(|word| word == "(" || word.starts_with("current_"));
        let refers = column.says("references") && after.default.is_some();
        let never = after.is_key || after.is_stored || after.is_generated && after.not_null || column.says("unique");
        !(never || refers || varies) && self.fill(column, None).is_none()
    }
}

fn find<'i>(infos: &'i [Info], name: &str) -> Option<&'i Info> {
    infos.iter().find(|info| info.name.eq_ignore_ascii_case(name))
}

fn read(connection: &Connection, table: &str) -> Result<Vec<Info>> {
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk > 0, hidden > 1, hidden = 3, EXISTS (SELECT 1 \
               FROM pragma_index_list(?1) AS i, pragma_index_info(i.name) AS c WHERE i.\"unique\" AND c.cid = x.cid), \
               pk AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk') \
               FROM pragma_table_xinfo(?1) AS x";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let mut infos = Vec::new();
    while let Some(row) = rows.next()? {
        infos.push(Info {
            name: row.get(0)?,
            kind: row.get(1)?,
            not_null: row.get(2)?,
            default: row.get::<_, Option<String>>(3)?.and_then(|default| as_expression(&default)),
            is_key: row.get(4)?,
            is_generated: row.get(5)?,
            is_stored: row.get(6)?,
            is_unique: row.get(7)?,
            is_rowid: row.get(8)?,
        });
    }
    Ok(infos)
}

/// A default where a value is due; none for NULL. A name is a text there.
fn as_expression(default: &str) -> Option<String> {
    match tokens(default)[..] {
        [word] if word.is_word("NULL") => None,
        [word] if word.kind == Word::Quoted || word.kind == Word::Word && !is_constant(word.text) => {
            Some(format!("'{}'", word.name()?.replace('\'', "''")))
        }
        [_] => Some(default.to_owned()),
        _ => Some(format!("({default})")),
    }
}

/// The value of a type that says nothing.
fn zero(kind: &str) -> &'static str {
    let kind = kind.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    match () {
        () if has(&["INT"]) => "0",
        () if has(&["CHAR", "CLOB", "TEXT"]) || kind.is_empty() || kind == "ANY" => "''",
        () if has(&["BLOB"]) => "x''",
        () => "0",
    }
}
