//! A table's columns, declared once: the row, the row to be added and the patch come from it, what crosses of them, and how
//! they are read and written.
//!
//! ```text
//! table! {
//!     /// What a row is.
//!     Turn;
//!     /// What a row to be added is.
//!     NewTurn;
//!     /// What a patch is.
//!     TurnPatch;
//!
//!     /// What the column holds.
//!     [required] user_input: String = text();
//! }
//! ```
//!
//! Before the name stands what a new row and a patch have of the column, after it how a value is checked and bound: a method
//! of [`Fields`](super::fields::Fields).
//!
//! | | in a row | in a new row | in a patch |
//! |---|---|---|---|
//! | `[id]` | always | not | not |
//! | `[key]` | always | required | not |
//! | `[required]` | or NULL | required | if it changes |
//! | `[default f]` | or NULL | or `f(fields)` | if it changes |
//! | `[touched f]` | or NULL | or `f(fields)` | or `f(fields)` |
//! | `[nullable]` | or NULL | or NULL | if it changes, to NULL too |
//! | `[later]` | or NULL | not | if it changes, to NULL too |
//! | `[flag]` | always, NULL being false | not; false | if it changes |

use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};
use serde::{Deserialize, Deserializer};

/// The columns of a row, read one after the other.
///
/// Another program may have put anything into them. A value that is not of the column's type is read as far as it goes, and
/// the column is noted.
pub(super) struct Reader<'r> {
    row: &'r Row<'r>,
    at: usize,
    unreadable: Vec<String>,
}

impl<'r> Reader<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, at: 0, unreadable: Vec::new() }
    }

    /// Reads the next column, of this name.
    pub(super) fn next<T: Lenient>(&mut self, name: &str) -> rusqlite::Result<T> {
        let value = self.row.get_ref(self.at)?;
        self.at += 1;
        if let Ok(read) = T::column_result(value) {
            return Ok(read);
        }
        self.unreadable.push(camel_case(name));
        Ok(T::as_far_as_it_goes(value))
    }

    /// The fields whose columns hold what they should not.
    pub(super) fn unreadable(self) -> Vec<String> {
        self.unreadable
    }
}

/// A type that a column is read as, whatever it holds.
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

/// A column's name as JavaScript has it.
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

/// A field of a patch: one that is left out stays as it is, null becomes NULL.
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
            // What the functions below call their parameters.
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

    // What a column adds to the row, the new row and the patch, and to what is selected, read, inserted and changed.
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
            /// The fields that another program wrote what they do not hold: a blob, text that is not UTF-8, text for a number.
            /// Of those what can be read is here, and a number is NULL. None in most rows.
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
