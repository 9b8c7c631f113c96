//! The values that existing rows get in the columns of a table that is rebuilt.

use rusqlite::Connection;

use super::reflect::{Object, Part, Parts, is_constant, tokens};
use crate::error::Result;
use crate::migrate::MigrationDirection;
use crate::migrate::sql::{TokenKind, quote, rowid_name};

/// What SQLite reports about a column.
#[derive(Clone, Debug, Default)]
struct Info {
    name: String,
    declared: String,
    kind: ColumnType,
    /// Whether its table is STRICT, so that it rejects values of another type.
    is_strict: bool,
    not_null: bool,
    /// Its default as an expression, if it is not NULL.
    default: Option<String>,
    is_key: bool,
    /// Whether it is an alias of the rowid, so that it is never NULL.
    is_rowid: bool,
    is_generated: bool,
    is_stored: bool,
    /// Whether a unique index contains it, alone or with other columns.
    is_unique: bool,
    /// The column that it refers to, if it is the only column of a foreign key.
    refers: Option<Reference>,
}

/// The column that a foreign key refers to, in another table or the same one.
#[derive(Clone, Debug)]
struct Reference {
    table: String,
    column: String,
    /// Whether that column exists already when the table is rebuilt.
    is_there: bool,
}

impl Info {
    /// The value that replaces NULL if the column is NOT NULL.
    fn filling(&self) -> &str {
        self.default.as_deref().unwrap_or(self.kind.zero())
    }
}

/// What a declared type means for the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ColumnType {
    Integer,
    Number,
    Text,
    Blob,
    #[default]
    Any,
}

impl ColumnType {
    fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match () {
            () if has(&["INT"]) => Self::Integer,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Self::Text,
            () if declared.is_empty() || declared == "ANY" => Self::Any,
            () if has(&["BLOB"]) => Self::Blob,
            () => Self::Number,
        }
    }

    /// The empty value of the type.
    fn zero(self) -> &'static str {
        match self {
            Self::Integer | Self::Number => "0",
            Self::Text | Self::Any => "''",
            Self::Blob => "x''",
        }
    }
}

/// A column's value, as an expression over the old row.
pub(super) struct Fill {
    pub(super) expression: String,
    /// Whether it is neither the old value nor the column's default.
    pub(super) is_made_up: bool,
}

/// One table before and after.
pub(super) struct Filler {
    before: Vec<Info>,
    after: Vec<Info>,
    /// The name of the rowid before, if there is one. It is the only value that is certain to differ in each row.
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
        let rowid = if without { None } else { rowid_name(&|name| old.column(name).is_some()) };
        let mut infos = read(target, &after.name)?;
        for refers in infos.iter_mut().filter_map(|info| info.refers.as_mut()) {
            let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ? COLLATE NOCASE)";
            refers.is_there = scratch.query_row(sql, [&refers.table, &refers.column], |row| row.get(0))?;
        }
        Ok(Self { before: read(scratch, &before.name)?, after: infos, rowid })
    }

    /// The value of a column; `None` if it is simply the old value or the default.
    pub(super) fn fill(&self, column: &Part, old: Option<&Part>) -> Option<Fill> {
        let after = find(&self.after, &column.name)?;
        let before = old.and_then(|old| find(&self.before, &old.name));
        if after.is_generated {
            return None;
        }
        let unlike = |sign: &str| {
            let number = format!("{sign}{}", self.rowid.unwrap_or("row_number() OVER ()"));
            // A STRICT table accepts a number as a text, but not as a BLOB.
            if after.kind == ColumnType::Blob { format!("CAST({number} AS BLOB)") } else { number }
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
                () if after.not_null && after.default.is_none() => made_up(after.kind.zero().to_owned()),
                () => None,
            };
        };
        let emptied = emptied(before, after, old).map(|(value, _)| value);
        let value = converted(emptied.as_ref().unwrap_or(&old.written), before, after).or(emptied);
        if after.not_null && !before.not_null && !after.is_rowid && !before.is_rowid {
            // On the way down, the values may have to differ again.
            let differs = after.is_unique || before.is_unique;
            let instead = if differs { unlike("-") } else { after.filling().to_owned() };
            return made_up(format!("coalesce({}, {instead})", value.as_ref().unwrap_or(&old.written)));
        }
        let value = value.or_else(|| before.is_generated.then(|| old.written.clone()));
        value.map(|expression| Fill { expression, is_made_up: false })
    }

    /// The comments for a column whose values change with its type.
    pub(super) fn remarks(&self, name: &str, column: &Part, old: &Part, direction: MigrationDirection) -> Vec<String> {
        let found = find(&self.before, &old.name).zip(find(&self.after, &column.name));
        let Some((before, after)) = found.filter(|(_, after)| !after.is_generated) else { return Vec::new() };
        let mut remarks = Vec::new();
        if converted("", before, after).is_some() {
            remarks.push(match after.kind {
                ColumnType::Blob => format!("{name} becomes BLOB: the bytes of its text."),
                _ => format!("The bytes of {name} are read as its text."),
            });
        } else if direction == MigrationDirection::Down
            && before.is_strict
            && before.kind == ColumnType::Blob
            && after.kind == ColumnType::Any
        {
            remarks.push(format!("{name} stays BLOB, whatever it held before."));
        }
        if let Some((_, which)) = emptied(before, after, old) {
            remarks.push(format!("{name} becomes NULL where it is {which}."));
        }
        if may_refuse(before, after) {
            let kind = after.declared.to_ascii_uppercase();
            remarks.push(format!("{name} accepts only {kind}, and this fails on other values: convert them."));
        }
        remarks
    }

    /// Whether ALTER TABLE can add the column to any existing rows.
    pub(super) fn can_be_added(&self, column: &Part) -> bool {
        let Some(after) = find(&self.after, &column.name) else { return false };
        // `DEFAULT (…)` and the current time are evaluated for each row.
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
               pk AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk'), \
               (SELECT strict FROM pragma_table_list(?1) WHERE schema = 'main'), \
               f.\"table\", coalesce(f.\"to\", (SELECT name FROM pragma_table_info(f.\"table\") WHERE pk = 1)) \
               FROM pragma_table_xinfo(?1) AS x LEFT JOIN (SELECT * FROM pragma_foreign_key_list(?1) \
               GROUP BY id HAVING count(*) = 1) AS f ON f.\"from\" = x.name COLLATE NOCASE GROUP BY x.cid";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let mut infos = Vec::new();
    while let Some(row) = rows.next()? {
        let declared: String = row.get(1)?;
        let reference = row.get::<_, Option<String>>(10)?.zip(row.get(11)?);
        infos.push(Info {
            name: row.get(0)?,
            kind: ColumnType::of(&declared),
            declared,
            is_strict: row.get(9)?,
            refers: reference.map(|(table, column)| Reference { table, column, is_there: false }),
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

/// A default as an expression; `None` for NULL. A name in a default is a text.
fn as_expression(default: &str) -> Option<String> {
    match tokens(default)[..] {
        [word] if word.is_word("NULL") => None,
        [word] if word.kind == TokenKind::Quoted || word.kind == TokenKind::Word && !is_constant(word.text) => {
            Some(format!("'{}'", word.name()?.replace('\'', "''")))
        }
        [_] => Some(default.to_owned()),
        _ => Some(format!("({default})")),
    }
}

/// The expression that turns filled-in values back into NULL if they cannot stay, because a STRICT table rejects them
/// or they refer to nothing; and a description of these values. So a script that filled in values for NULL can be
/// taken back.
fn emptied(before: &Info, after: &Info, old: &Part) -> Option<(String, String)> {
    if !before.not_null || after.not_null || before.is_generated {
        return None;
    }
    let (value, filling) = (&old.written, before.filling());
    // The current time or a function: its value differs each time.
    if tokens(filling).iter().any(|token| token.kind == TokenKind::Word) || filling.contains('\n') {
        return None;
    }
    let refused = after.is_strict && {
        let filling = converted(filling, before, after).unwrap_or_else(|| filling.to_owned());
        let sql = format!("CREATE TABLE t (x {}) STRICT; INSERT INTO t VALUES ({filling})", after.declared);
        Connection::open_in_memory().and_then(|scratch| scratch.execute_batch(&sql)).is_err()
    };
    if refused {
        return Some((format!("iif({value} <> {filling}, {value}, NULL)"), filling.to_owned()));
    }
    let refers = after.refers.as_ref().filter(|_| before.refers.is_none())?;
    let is_found = match refers.is_there {
        true => format!(" OR {value} IN (SELECT {} FROM {})", quote(&refers.column), quote(&refers.table)),
        false => String::new(),
    };
    let (stays, which) = match before.is_unique || after.is_unique {
        true => (format!("{value} >= 0"), "negative"),
        false => (format!("{value} <> {filling}"), filling),
    };
    Some((format!("iif({stays}{is_found}, {value}, NULL)"), format!("{which} and refers to nothing")))
}

/// Converts a text to its bytes, or bytes to their text, if the table is or was STRICT and so distinguishes them. If
/// that text is a number, the column converts it itself. Any other value is unchanged: CAST would turn a text that is
/// not a number into 0, but a STRICT table rejects the text, and the author decides what it becomes.
fn converted(value: &str, before: &Info, after: &Info) -> Option<String> {
    match (before.kind, after.kind) {
        (ColumnType::Blob, ColumnType::Blob | ColumnType::Any) => None,
        (ColumnType::Blob, _) if before.is_strict => Some(format!("CAST({value} AS TEXT)")),
        (ColumnType::Blob, _) if after.is_strict => {
            Some(format!("iif(typeof({value}) = 'blob', CAST({value} AS TEXT), {value})"))
        }
        (kind, ColumnType::Blob) if after.is_strict || before.is_strict && kind != ColumnType::Any => {
            Some(format!("CAST({value} AS BLOB)"))
        }
        _ => None,
    }
}

/// Whether a STRICT table may reject values of the old type.
fn may_refuse(before: &Info, after: &Info) -> bool {
    after.is_strict
        && match after.kind {
            ColumnType::Blob | ColumnType::Any => false,
            ColumnType::Text => before.kind == ColumnType::Any,
            ColumnType::Number => !matches!(before.kind, ColumnType::Number | ColumnType::Integer),
            ColumnType::Integer => before.kind != ColumnType::Integer,
        }
}
