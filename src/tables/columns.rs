//! Declares a table's columns once. The macro derives the row, the new row, the patch, their TypeScript types, and how
//! they are read and written.
//!
//! ```text
//! table! {
//!     /// Documents the row.
//!     Turn;
//!     /// Documents the new row.
//!     NewTurn;
//!     /// Documents the patch.
//!     TurnPatch;
//!
//!     /// Documents the column.
//!     [required] user_input: String = text();
//! }
//! ```
//!
//! The attribute before the name says how the column appears in a new row and in a patch. The call after the type
//! checks and binds a value; it is a method of [`Fields`](super::fields::Fields).
//!
//! | | in a row | in a new row | in a patch |
//! |---|---|---|---|
//! | `[id]` | a value | absent | absent |
//! | `[key]` | a value | required | absent |
//! | `[required]` | a value or NULL | required | optional |
//! | `[default f]` | a value or NULL | optional, default `f(fields)` | optional |
//! | `[touched f]` | a value or NULL | optional, default `f(fields)` | optional, default `f(fields)` |
//! | `[nullable]` | a value or NULL | optional, default NULL | optional, can be NULL |
//! | `[later]` | a value or NULL | absent, NULL | optional, can be NULL |
//! | `[flag]` | true or false; NULL is false | absent, false | optional |

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};
use serde::{Deserialize, Deserializer};

/// Reads the columns of a row one after the other.
///
/// Another program may have written anything into them. A value of a wrong type is read as far as possible, and the
/// column is recorded.
pub(super) struct Reader<'r> {
    row: &'r Row<'r>,
    at: usize,
    unreadable: Vec<String>,
}

impl<'r> Reader<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, at: 0, unreadable: Vec::new() }
    }

    /// Reads the next column, which has this name.
    pub(super) fn next<T: Lenient>(&mut self, name: &str) -> rusqlite::Result<T> {
        let value = self.row.get_ref(self.at)?;
        self.at += 1;
        if let Ok(read) = T::column_result(value) {
            return Ok(read);
        }
        self.unreadable.push(camel_case(name));
        Ok(T::as_far_as_it_goes(value))
    }

    /// The fields whose columns hold values of a wrong type.
    pub(super) fn unreadable(self) -> Vec<String> {
        self.unreadable
    }
}

/// A type as which any value can be read.
pub(super) trait Lenient: FromSql {
    fn as_far_as_it_goes(value: ValueRef<'_>) -> Self;
}

impl Lenient for String {
    fn as_far_as_it_goes(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Self::from_utf8_lossy(bytes).into_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Null => Self::new(),
        }
    }
}

impl Lenient for Option<String> {
    fn as_far_as_it_goes(value: ValueRef<'_>) -> Self {
        Some(String::as_far_as_it_goes(value))
    }
}

impl Lenient for Option<f64> {
    fn as_far_as_it_goes(_: ValueRef<'_>) -> Self {
        None
    }
}

impl Lenient for i64 {
    fn as_far_as_it_goes(_: ValueRef<'_>) -> Self {
        0
    }
}

impl Lenient for bool {
    fn as_far_as_it_goes(_: ValueRef<'_>) -> Self {
        false
    }
}

/// A column's name in JavaScript.
fn camel_case(column: &str) -> String {
    let mut parts = column.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(part.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

/// A nullable field of a patch: an absent field stays unchanged, null becomes NULL.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

macro_rules! table {
    (
        $(#[$row_doc:meta])* $row:ident;
        $(#[$new_doc:meta])* $new:ident;
        $(#[$patch_doc:meta])* $patch:ident;
        $($columns:tt)*
    ) => {
        table! {
            @columns ([$(#[$row_doc])*] $row [$(#[$new_doc])*] $new [$(#[$patch_doc])*] $patch)
            {{} {} {} {} {} {} {}}
            // The names of the parameters of the functions below.
            [new fields patch row at]
            $($columns)*
        }
    };

    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [id] $name:ident: $type:ident; $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: $type,}
            {}
            {}
            {}
            {}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [key] $name:ident: $type:ident = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: $type,}
            {$(#[$doc])* pub $name: $type,}
            {}
            {$f.$check(stringify!($name), Some($n.$name) $(, $arg)*);}
            {}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [required] $name:ident: $type:ident = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: Option<$type>,}
            {$(#[$doc])* pub $name: $type,}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<$type>,}
            {$f.$check(stringify!($name), Some($n.$name) $(, $arg)*);}
            {$f.$check(stringify!($name), $p.$name $(, $arg)*);}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [default $default:expr] $name:ident: $type:ident = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: Option<$type>,}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<$type>,}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<$type>,}
            {$f.$check(stringify!($name), Some($n.$name.unwrap_or_else(|| ($default)(&*$f))) $(, $arg)*);}
            {$f.$check(stringify!($name), $p.$name $(, $arg)*);}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [touched $default:expr] $name:ident: $type:ident = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: Option<$type>,}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<$type>,}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<$type>,}
            {$f.$check(stringify!($name), Some($n.$name.unwrap_or_else(|| ($default)(&*$f))) $(, $arg)*);}
            {$f.$check(stringify!($name), Some($p.$name.unwrap_or_else(|| ($default)(&*$f))) $(, $arg)*);}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [nullable] $name:ident: String = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: Option<String>,}
            {$(#[$doc])* #[tsify(optional, type = "string | null")] pub $name: Option<String>,}
            {$(#[$doc])* #[serde(default, deserialize_with = "crate::tables::columns::nullable")]
             #[tsify(optional, type = "string | null")] pub $name: Option<Option<String>>,}
            {$f.$check(stringify!($name), Some($n.$name) $(, $arg)*);}
            {$f.$check(stringify!($name), $p.$name $(, $arg)*);}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [later] $name:ident: String = $check:ident($($arg:expr),*); $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [stringify!($name)];
            {$(#[$doc])* pub $name: Option<String>,}
            {}
            {$(#[$doc])* #[serde(default, deserialize_with = "crate::tables::columns::nullable")]
             #[tsify(optional, type = "string | null")] pub $name: Option<Option<String>>,}
            {}
            {$f.$check(stringify!($name), $p.$name $(, $arg)*);}
            $($rest)*
        }
    };
    (@columns $head:tt $parts:tt [$n:ident $f:ident $p:ident $r:ident $a:ident]
     $(#[$doc:meta])* [flag] $name:ident: bool; $($rest:tt)*) => {
        table! {
            @add $head $parts [$n $f $p $r $a] $name [concat!("coalesce(", stringify!($name), ", 0) <> 0")];
            {$(#[$doc])* pub $name: bool,}
            {}
            {$(#[$doc])* #[tsify(optional)] pub $name: Option<bool>,}
            {$f.flag(stringify!($name), Some(false));}
            {$f.flag(stringify!($name), $p.$name);}
            $($rest)*
        }
    };

    // Adds a column to the row, the new row, the patch, the selected columns, and the code that reads, inserts and
    // updates.
    (@add $head:tt
     {{$($rows:tt)*} {$($news:tt)*} {$($patches:tt)*} {$($selected:tt)*} {$($reads:tt)*} {$($inserts:tt)*} {$($changes:tt)*}}
     [$n:ident $f:ident $p:ident $r:ident $a:ident] $name:ident $select:tt;
     {$($row:tt)*} {$($new:tt)*} {$($patch:tt)*} {$($insert:tt)*} {$($change:tt)*} $($rest:tt)*) => {
        table! {
            @columns $head
            {{$($rows)* $($row)*} {$($news)* $($new)*} {$($patches)* $($patch)*} {$($selected)* $select}
             {$($reads)* $name: $a.next(stringify!($name))?,}
             {$($inserts)* $($insert)*} {$($changes)* $($change)*}}
            [$n $f $p $r $a]
            $($rest)*
        }
    };

    (@columns ([$($row_doc:tt)*] $row:ident [$($new_doc:tt)*] $new:ident [$($patch_doc:tt)*] $patch:ident)
     {{$($rows:tt)*} {$($news:tt)*} {$($patches:tt)*} {[$($first:tt)*] $([$($more:tt)*])*} {$($reads:tt)*} {$($inserts:tt)*}
      {$($changes:tt)*}}
     [$n:ident $f:ident $p:ident $r:ident $a:ident]) => {
        $($row_doc)*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, tsify::Tsify)]
        #[serde(rename_all = "camelCase")]
        #[tsify(missing_as_null)]
        pub struct $row {
            $($rows)*
            /// The fields into which another program wrote a value of a wrong type: a blob, text that is not UTF-8, or
            /// text instead of a number. Such a text is read as far as possible; such a number is null. Absent from
            /// other rows.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[tsify(optional)]
            pub unreadable: Vec<String>,
        }

        $($new_doc)*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, tsify::Tsify)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $new { $($news)* }

        $($patch_doc)*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, tsify::Tsify)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $patch { $($patches)* }

        impl $crate::tables::table::Columns for $row {
            type New = $new;
            type Patch = $patch;

            const COLUMNS: &'static str = concat!($($first)* $(, ", ", $($more)*)*);

            fn read($r: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut $a = $crate::tables::columns::Reader::of($r);
                Ok(Self { $($reads)* unreadable: $a.unreadable() })
            }

            fn unreadable(&self) -> &[String] {
                &self.unreadable
            }

            fn insert($n: $new, $f: &mut $crate::tables::fields::Fields<'_>) {
                $($inserts)*
            }

            fn change($p: $patch, $f: &mut $crate::tables::fields::Fields<'_>) {
                $($changes)*
            }
        }
    };
}

pub(super) use table;
