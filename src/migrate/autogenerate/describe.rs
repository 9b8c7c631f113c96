//! Describes the differences between two schemas.

use super::reflect::{Object, ObjectKind, Part, Schema};

/// One line for each difference.
pub(super) fn differences(from: &Schema, to: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    for before in &from.objects {
        match to.same(before) {
            None => found.push(format!("remove {} {}", noun(before), before.written)),
            Some(after) if after.equals(before) => {}
            Some(after) if before.kind == ObjectKind::Table => table(from, before, to, after, &mut found),
            Some(_) => found.push(format!("change {} {}", noun(before), before.written)),
        }
    }
    for after in to.objects.iter().filter(|after| from.same(after).is_none()) {
        found.push(format!("add {} {}", noun(after), after.written));
    }
    found
}

fn noun(object: &Object) -> &'static str {
    match object.kind {
        ObjectKind::Table => "table",
        ObjectKind::Virtual => "virtual table",
        ObjectKind::Index => "index",
        ObjectKind::View => "view",
        ObjectKind::Trigger => "trigger",
    }
}

fn table(from: &Schema, before: &Object, to: &Schema, after: &Object, found: &mut Vec<String>) {
    let (old, new) = (from.parts(before), to.parts(after));
    let (table, said) = (&after.written, found.len());
    for column in &old.columns {
        match new.column(&column.name) {
            None => found.push(format!("remove column {table}.{}", column.written)),
            Some(now) if now.words == column.words => {}
            Some(now) => found.push(format!(
                "change column {table}.{}: {} becomes {}",
                column.written,
                or_nothing(&column.definition),
                or_nothing(&now.definition)
            )),
        }
    }
    let is_kept = |column: &&Part| old.column(&column.name).is_some();
    for (at, column) in new.columns.iter().enumerate().filter(|(_, column)| !is_kept(column)) {
        let place = new.columns[at..].iter().find(is_kept).map(|next| format!(" before {}", next.written));
        found.push(format!("add column {table}.{}{}", column.text, place.unwrap_or_default()));
    }
    let mut kept = old.columns.iter().filter(|column| new.column(&column.name).is_some());
    if new.columns.iter().filter(is_kept).any(|column| kept.next().is_none_or(|old| !old.is_called(&column.name))) {
        found.push(format!("reorder the columns of {table}"));
    }
    for (words, of, these, those) in
        [("remove", "from", &old.constraints, &new.constraints), ("add", "to", &new.constraints, &old.constraints)]
    {
        for constraint in these.iter().filter(|one| !those.iter().any(|other| other.words == one.words)) {
            found.push(format!("{words} {} {of} {table}", constraint.text));
        }
    }
    let options = |parts: &[Part]| parts.iter().map(|part| part.text.to_uppercase()).collect::<Vec<_>>().join(", ");
    let (before, after) = (options(&old.options), options(&new.options));
    if before != after {
        found.push(format!("change table {table}: {} becomes {}", or_nothing(&before), or_nothing(&after)));
    }
    if found.len() == said {
        found.push(format!("reorder the constraints of {table}"));
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
