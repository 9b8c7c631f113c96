//! A model as SQL, its rows, and the part of the rows that another model has too.

use rusqlite::Connection;

use super::model::{Choices, Column, Id, Model, Other, TYPES, Table, name, quoted};
use super::random::Held;

impl Model {
    pub(crate) fn sql(&self) -> String {
        let mut sql = String::new();
        for table in &self.tables {
            let mut parts: Vec<String> = table.columns.iter().map(|column| self.column_sql(table, column)).collect();
            let key =
                ["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER NOT NULL", "INTEGER UNIQUE"];
            parts.insert(table.key_at.min(parts.len()), format!("{} {}", name(table.key_name), key[table.key]));
            if table.key == 2 {
                parts.push(format!("PRIMARY KEY ({})", name(table.key_name)));
            }
            let column = |id: &Id| name(table.column(*id).unwrap().name);
            parts.extend(table.checks.iter().map(|id| format!("CHECK ({} IS NOT 'Never')", column(id))));
            parts.extend(
                table.uniques.iter().map(|(one, other)| format!("UNIQUE ({}, {})", column(one), column(other))),
            );
            let options = [(table.strict, "STRICT"), (table.without_rowid, "WITHOUT ROWID")];
            let options: Vec<&str> = options.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
            sql +=
                &format!("CREATE TABLE {} (\n  {}\n) {};\n", name(table.name), parts.join(",\n  "), options.join(", "));
        }
        for object in &self.objects {
            let table = self.table(object.table).unwrap();
            let column = name(table.column(object.column).unwrap().name);
            let (object_name, table_name) = (name(object.id), name(table.name));
            sql += &match &object.other {
                Other::Index { unique, partial, descending, expression } => {
                    let unique = if *unique && !expression { "UNIQUE " } else { "" };
                    let what = if *expression { format!("{column} || 'x'") } else { column.clone() };
                    let order = if *descending { " DESC" } else { "" };
                    let partial = if *partial { format!(" WHERE {column} <> 'none'") } else { String::new() };
                    format!("CREATE {unique}INDEX {object_name} ON {table_name} ({what}{order}){partial};\n")
                }
                Other::View { over: None } => {
                    format!("CREATE VIEW {object_name} AS SELECT {column} AS it FROM {table_name};\n")
                }
                Other::View { over: Some(over) } => format!(
                    "CREATE VIEW {object_name} AS SELECT v.it FROM {} AS v, {table_name} AS t WHERE t.{column} = v.it;\n",
                    name(*over)
                ),
                Other::Trigger { on } => {
                    let other = self.tables.last().unwrap();
                    let on = match on {
                        0 => "INSERT".to_owned(),
                        1 => format!("UPDATE OF {column}"),
                        2 => "UPDATE".to_owned(),
                        _ => "DELETE".to_owned(),
                    };
                    format!(
                        "CREATE TRIGGER {object_name} AFTER {on} ON {table_name} BEGIN \
                         DELETE FROM {} WHERE {} IS 'Never'; SELECT {column} FROM {table_name}; END;\n",
                        name(other.name),
                        name(other.columns[0].name)
                    )
                }
                Other::Words { own: true } => {
                    format!(
                        "CREATE VIRTUAL TABLE {object_name} USING fts5({}, other);\n",
                        quoted(table.column(object.column).unwrap().name)
                    )
                }
                Other::Words { own: false } => format!(
                    "CREATE VIRTUAL TABLE {object_name} USING fts5({}, content = {});\n",
                    quoted(table.column(object.column).unwrap().name),
                    quoted(table.name)
                ),
            };
        }
        sql
    }

    pub(crate) fn column_sql(&self, table: &Table, column: &Column) -> String {
        let mut sql = format!("{} {}", name(column.name), TYPES[column.kind]);
        let default = ["0", "'It''s'", "1.5", "x'00ff'", "'any'", "\"Text\"", "Word", "(2 + 3)"];
        if column.default {
            sql += &format!(" DEFAULT {}", default[column.kind]);
        }
        for (on, words) in
            [(column.not_null, " NOT NULL"), (column.no_case, " COLLATE NOCASE"), (column.unique, " UNIQUE")]
        {
            sql += if on { words } else { "" };
        }
        if column.check {
            sql += &format!(" CHECK (length({}) >= 0)", name(column.name));
        }
        if let Some((of, stored)) = column.generated {
            let of = name(table.column(of).unwrap().name);
            sql += &format!(" GENERATED ALWAYS AS ({of} || 'y') {}", if stored { "STORED" } else { "VIRTUAL" });
        }
        if let Some(action) = column.refers {
            let first = &self.tables[0];
            let action = ["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE"][action];
            sql += &format!(" REFERENCES {} ({}){action}", name(first.name), name(first.key_name));
        }
        sql
    }

    /// Rows in all tables. Each has a unique key and, except for NULL, a unique value in each column.
    pub(crate) fn rows(&self, choices: &mut Choices) -> String {
        let mut sql = String::new();
        for table in &self.tables {
            for row in 1..=4 {
                let plain = table.columns.iter().filter(|column| column.generated.is_none());
                let values: Vec<(String, String)> =
                    plain.map(|column| (name(column.name), self.value(column, row, choices))).collect();
                let (names, values): (Vec<_>, Vec<_>) =
                    values.into_iter().chain([(name(table.key_name), (row * 10).to_string())]).unzip();
                sql += &format!(
                    "INSERT INTO {} ({}) VALUES ({});\n",
                    name(table.name),
                    names.join(", "),
                    values.join(", ")
                );
            }
        }
        sql
    }

    pub(crate) fn value(&self, column: &Column, row: usize, choices: &mut Choices) -> String {
        match column.kind {
            _ if !column.not_null && choices.once_in(3) => "NULL".to_owned(),
            _ if column.refers.is_some() => (row * 10).to_string(),
            0 => (row * 7).to_string(),
            2 | 7 => format!("{row}.25"),
            3 => format!("x'0{row}'"),
            // A text that is a number.
            1 if column.id.is_multiple_of(3) => format!("'{row}.5'"),
            _ => format!("'Row {row}'"),
        }
    }

    /// What became of the tables and columns of another model: renames and drops.
    pub(crate) fn answers(&self, from: &Model) -> (Vec<String>, Vec<String>) {
        let (mut renames, mut drops) = (vec![], vec![]);
        for before in &from.tables {
            let Some(after) = self.table(before.id) else {
                drops.push(quoted(before.name));
                continue;
            };
            if after.name != before.name {
                renames.push(format!("{}:{}", quoted(before.name), quoted(after.name)));
            }
            let mut rename = |one: Id, other: Id| {
                if one != other {
                    let (one, other) = (quoted(one), quoted(other));
                    renames.push(format!("{}.{one}:{}.{other}", quoted(before.name), quoted(after.name)));
                }
            };
            rename(before.key_name, after.key_name);
            for column in &before.columns {
                match after.column(column.id) {
                    Some(now) => rename(column.name, now.name),
                    None => drops.push(format!("{}.{}", quoted(before.name), quoted(column.name))),
                }
            }
        }
        (renames, drops)
    }

    /// Whether a STRICT table of another model rejects values that the same table holds here: the type of the column
    /// differs, and neither the value nor its text is of that type. A text and its bytes can be converted.
    pub(crate) fn holds_what_is_refused(&self, connection: &Connection, other: &Model) -> bool {
        let tables = self.tables.iter().filter_map(|table| Some((table, other.table(table.id)?)));
        let columns = tables.filter(|(_, twin)| twin.strict).flat_map(|(table, twin)| {
            table.columns.iter().filter_map(move |column| Some((table, column, twin.column(column.id)?)))
        });
        columns.filter(|(.., twin)| twin.generated.is_none()).any(|(table, column, twin)| {
            let numbers = match TYPES[twin.kind] {
                "INTEGER" => |number: f64| number.fract() == 0.0,
                "REAL" => |_| true,
                _ => return false,
            };
            let sql = format!("SELECT CAST({} AS TEXT) FROM {}", name(column.name), name(table.name));
            let mut statement = connection.prepare(&sql).unwrap();
            let values = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            values.filter_map(Result::unwrap).any(|text| !text.parse().is_ok_and(numbers))
        })
    }

    /// The values of the columns that another model has too, in the order of the keys.
    pub(crate) fn held(&self, connection: &Connection, other: &Model, types_matter: bool) -> Vec<Held> {
        let mut held = vec![];
        let mut ids: Vec<Id> = self.tables.iter().map(|table| table.id).collect();
        ids.sort_unstable();
        for (table, twins) in ids.iter().filter_map(|&id| self.table(id).zip(other.table(id))) {
            let mut ids: Vec<Id> = table.columns.iter().map(|column| column.id).collect();
            ids.sort_unstable();
            for (column, twin) in ids.iter().filter_map(|&id| table.column(id).zip(twins.column(id))) {
                let generated = column.generated.is_some() || twin.generated.is_some();
                if generated || types_matter && column.kind != twin.kind {
                    continue;
                }
                let (key, mut value) = (name(table.key_name), name(column.name));
                // After a value was converted to bytes, a column of any type no longer shows its original type.
                let bytes = |table: &Table, column: &Column| table.strict && TYPES[column.kind] == "BLOB";
                let any = |column: &Column| ["ANY", ""].contains(&TYPES[column.kind]);
                if any(column) && bytes(twins, twin) || any(twin) && bytes(table, column) {
                    value = format!("CAST({value} AS BLOB)");
                }
                let sql = format!("SELECT quote({value}) FROM {} ORDER BY {key}", name(table.name));
                let mut statement = connection.prepare(&sql).unwrap();
                let values = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
                held.push(Held { becomes_filled: column.not_null != twin.not_null, values });
            }
        }
        held
    }
}
