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
use rusqlite::types::FromSql;
use serde::{Deserialize, Deserializer};

/// Reads the column at this place, and goes on to the next.
pub(super) fn next<T: FromSql>(row: &Row<'_>, at: &mut usize) -> rusqlite::Result<T> {
    let value = row.get(*at)?;
    *at += 1;
    Ok(value)
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
             {$($reads)* $name: $crate::tables::columns::next($r, &mut $a)?,}
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
        pub struct $row { $($rows)* }

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
                let mut $a = 0;
                Ok(Self { $($reads)* })
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
