//! A schema, and random changes to it.

/// Random choices, which proptest shrinks; after the last one, all are 0.
pub(crate) struct Choices(pub(crate) std::vec::IntoIter<u32>);

impl Choices {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % end.max(1)
    }

    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub(crate) fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// The identity of a thing: it stays the same if the name or the position changes.
pub(crate) type Id = usize;

pub(crate) const TYPES: [&str; 8] = ["INTEGER", "TEXT", "REAL", "BLOB", "ANY", "VARCHAR(10)", "", "DECIMAL(5, 2)"];
pub(crate) const STRICT: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) id: Id,
    pub(crate) name: Id,
    pub(crate) kind: usize,
    pub(crate) not_null: bool,
    pub(crate) default: bool,
    pub(crate) no_case: bool,
    pub(crate) check: bool,
    pub(crate) unique: bool,
    /// The column that it is generated from, and whether it is stored.
    pub(crate) generated: Option<(Id, bool)>,
    /// Whether it refers to the first table.
    pub(crate) refers: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) id: Id,
    pub(crate) name: Id,
    pub(crate) columns: Vec<Column>,
    /// How its key is declared.
    pub(crate) key: usize,
    /// The name of the key, and its position.
    pub(crate) key_name: Id,
    pub(crate) key_at: usize,
    pub(crate) strict: bool,
    pub(crate) without_rowid: bool,
    pub(crate) checks: Vec<Id>,
    pub(crate) uniques: Vec<(Id, Id)>,
}

impl Table {
    pub(crate) fn column(&self, id: Id) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Other {
    Index { unique: bool, partial: bool, descending: bool, expression: bool },
    View { over: Option<Id> },
    Trigger { on: usize },
    Words { own: bool },
}

/// An index, view, trigger or FTS5 table over a column of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) id: Id,
    pub(crate) table: Id,
    pub(crate) column: Id,
    pub(crate) other: Other,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) tables: Vec<Table>,
    pub(crate) objects: Vec<Object>,
    pub(crate) next: Id,
    /// Whether a column no longer refers to the first table and kept its values. If the rows of that table are gone
    /// too, the downgrade has nothing to refer to and is expected to fail.
    pub(crate) freed: bool,
}

pub(crate) fn name(id: Id) -> String {
    match id % 4 {
        0 => format!("\"name {id}\""),
        1 => format!("[Name{id}]"),
        _ => format!("n{id}"),
    }
}

pub(crate) fn plain(id: Id) -> String {
    match id % 4 {
        0 => format!("name {id}"),
        1 => format!("Name{id}"),
        _ => format!("n{id}"),
    }
}

pub(crate) fn quoted(id: Id) -> String {
    format!("\"{}\"", plain(id))
}

impl Model {
    pub(crate) fn id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    pub(crate) fn table(&self, id: Id) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    pub(crate) fn random(choices: &mut Choices) -> Self {
        let mut model = Self::default();
        for _ in 0..=choices.below(4) {
            model.add_table(choices);
        }
        for _ in 0..choices.below(6) {
            model.add_object(choices);
        }
        model
    }

    pub(crate) fn add_table(&mut self, choices: &mut Choices) {
        let (id, key_name) = (self.id(), self.id());
        let key = choices.below(4);
        let mut table = Table {
            id,
            name: id,
            columns: vec![],
            key,
            key_name,
            key_at: 0,
            strict: choices.once_in(4),
            without_rowid: key == 2 && choices.once_in(2),
            checks: vec![],
            uniques: vec![],
        };
        for _ in 0..=choices.below(4) {
            let column = self.column(&table, choices);
            table.columns.push(column);
        }
        self.tables.push(table);
    }

    pub(crate) fn column(&mut self, table: &Table, choices: &mut Choices) -> Column {
        let id = self.id();
        let kind = choices.below(if table.strict { STRICT } else { TYPES.len() });
        let refers = (kind == 0 && !self.tables.is_empty() && choices.once_in(2)).then(|| choices.below(4));
        let plain: Vec<Id> =
            table.columns.iter().filter(|other| other.generated.is_none()).map(|other| other.id).collect();
        let generated = (!plain.is_empty() && refers.is_none() && choices.once_in(6))
            .then(|| (*choices.of(&plain), choices.once_in(2)));
        let free = refers.is_none() && generated.is_none();
        let kind = if generated.is_some() { 1 } else { kind };
        Column {
            id,
            name: id,
            kind,
            not_null: free && choices.once_in(3),
            default: free && choices.once_in(3),
            no_case: choices.once_in(5),
            check: choices.once_in(5),
            unique: free && choices.once_in(6),
            generated,
            refers,
        }
    }

    pub(crate) fn add_object(&mut self, choices: &mut Choices) {
        let table = choices.of(&self.tables).clone();
        let column = choices.of(&table.columns).clone();
        let views: Vec<Id> = self
            .objects
            .iter()
            .filter(|object| matches!(object.other, Other::View { .. }))
            .map(|object| object.id)
            .collect();
        let other = match choices.below(8) {
            0..3 => Other::Index {
                unique: column.generated.is_none() && column.refers.is_none() && choices.once_in(3),
                partial: choices.once_in(3),
                descending: choices.once_in(3),
                expression: choices.once_in(4),
            },
            3 | 4 => Other::View { over: (!views.is_empty() && choices.once_in(2)).then(|| *choices.of(&views)) },
            5 | 6 => Other::Trigger { on: choices.below(4) },
            _ if table.without_rowid => return,
            _ => Other::Words { own: choices.once_in(2) },
        };
        let id = self.id();
        self.objects.push(Object { id, table: table.id, column: column.id, other });
    }

    /// Changes one thing.
    pub(crate) fn change(&mut self, choices: &mut Choices) {
        if self.tables.is_empty() {
            return self.add_table(choices);
        }
        let first = self.tables[0].id;
        let at = choices.below(self.tables.len());
        let new_name = self.id();
        let table = &mut self.tables[at];
        let column = choices.below(table.columns.len());
        match choices.below(20) {
            0 => self.add_table(choices),
            1 if at > 0 || !self.freed => {
                self.tables.remove(at);
            }
            2 => table.name = new_name,
            3 => table.key = choices.below(4),
            4 => table.key_at = choices.below(3),
            5 => table.key_name = new_name,
            6 if table.columns.iter().all(|column| column.kind < STRICT) => table.strict = !table.strict,
            7 => table.without_rowid = !table.without_rowid,
            8 => {
                let id = table.columns[column].id;
                if !table.checks.contains(&id) {
                    table.checks.push(id);
                } else {
                    table.checks.clear();
                }
            }
            9 | 10 => {
                let table = self.tables[at].clone();
                let added = self.column(&table, choices);
                let place = if choices.once_in(3) { choices.below(table.columns.len()) } else { table.columns.len() };
                self.tables[at].columns.insert(place, added);
            }
            11 | 12 if at > 0 || !self.freed => {
                table.columns.remove(column);
                if table.columns.is_empty() {
                    self.tables.remove(at);
                }
            }
            13 => table.columns[column].name = new_name,
            14 => {
                let to = choices.below(table.columns.len());
                table.columns.swap(column, to);
            }
            15 => {
                let column = &mut table.columns[column];
                if column.generated.is_some() {
                    column.generated = None;
                } else if column.refers.is_none() {
                    match choices.below(5) {
                        0 if !column.unique => column.not_null = !column.not_null,
                        1 => column.default = !column.default,
                        2 => column.kind = choices.below(if table.strict { STRICT } else { TYPES.len() }),
                        3 => column.unique = !column.unique && !column.not_null,
                        _ => column.check = !column.check,
                    }
                } else {
                    column.refers = choices.once_in(2).then(|| choices.below(4));
                    self.freed |= column.refers.is_none();
                }
                column.no_case ^= choices.once_in(4);
            }
            16 if table.columns.len() > 1 => {
                let pair = (table.columns[0].id, table.columns[1].id);
                table.uniques = if table.uniques.is_empty() { vec![pair] } else { vec![] };
            }
            17 if !self.objects.is_empty() => {
                let gone = choices.below(self.objects.len());
                self.objects.remove(gone);
            }
            18 if !self.objects.is_empty() => {
                let at = choices.below(self.objects.len());
                match &mut self.objects[at].other {
                    Other::Index { unique, partial, descending, .. } => {
                        (*unique, *partial, *descending) = (false, !*partial, *partial)
                    }
                    Other::View { over } => *over = None,
                    Other::Trigger { on } => *on = choices.below(4),
                    Other::Words { own } => *own = !*own,
                }
            }
            _ => self.add_object(choices),
        }
        self.clean(first);
    }

    /// Removes what names something that is gone. If the first table is another one now, also removes the columns that
    /// referred to it.
    pub(crate) fn clean(&mut self, first: Id) {
        for table in &mut self.tables {
            table.without_rowid &= table.key == 2;
            let is_plain = |column: &Column| column.generated.is_none();
            let plain: Vec<Id> =
                table.columns.iter().filter(|column| is_plain(column)).map(|column| column.id).collect();
            table.columns.retain(|column| column.generated.is_none_or(|(of, _)| plain.contains(&of)));
            let ids: Vec<Id> = table.columns.iter().map(|column| column.id).collect();
            table.checks.retain(|id| ids.contains(id));
            table.uniques.retain(|(one, other)| ids.contains(one) && ids.contains(other));
        }
        self.tables.retain(|table| !table.columns.is_empty());
        if let Some(now) = self.tables.first().map(|table| table.id).filter(|&now| now != first) {
            self.tables.iter_mut().for_each(|table| table.columns.retain(|column| column.refers.is_none()));
            return self.clean(now);
        }
        let tables = self.tables.clone();
        let has = |object: &Object| {
            tables.iter().any(|table| {
                table.id == object.table
                    && table.column(object.column).is_some()
                    && !(table.without_rowid && matches!(object.other, Other::Words { .. }))
            })
        };
        self.objects.retain(has);
        loop {
            let views: Vec<Id> = self.objects.iter().map(|object| object.id).collect();
            let before = self.objects.len();
            let stands =
                |object: &Object| !matches!(object.other, Other::View { over: Some(over) } if !views.contains(&over));
            self.objects.retain(stands);
            if self.objects.len() == before {
                break;
            }
        }
    }
}
