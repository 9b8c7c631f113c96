//! What crosses into JavaScript: the only tsify types, and how they become the core's own.
//!
//! TypeScript's declarations are made from these, so a field stands in two places only: here and in `memory/`. Times
//! cross as seconds and JSON as text; `www/package/codec.ts` makes `Date`s and values of them, on the page's side.

mod decode;
mod encode;
mod engine;
mod inputs;
mod migrations;
mod options;
mod question;
mod recall;
mod rows;

use tsify::Tsify;
use wasm_bindgen::prelude::*;

pub(crate) use decode::{FromJs, field};
pub(crate) use encode::{Record, ToJs};
pub(crate) use engine::*;
pub(crate) use migrations::*;
pub(crate) use options::*;
pub(crate) use question::*;
pub(crate) use recall::*;

use crate::error::{ErrorCode, Result};
use crate::tables::table::Listing;
use crate::words;
use decode::{Fill, fill, one_of};

#[wasm_bindgen(typescript_custom_section)]
const SHARED: &str = r#"
/** Unix seconds, fractions included, as the columns hold them. */
export type Seconds = number & { readonly unit: "seconds" };
/** A JSON value as its text. */
export type JsonText = string & { readonly format: "json" };
/** The answer of a call that has none. */
export type Done = null;
/** What a column or a parameter of `query` can hold. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** For `?`, in order, or by name without the sign. */
export type SqlParameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;
"#;

#[wasm_bindgen(typescript_custom_section)]
const ERROR_CODES: &str = ErrorCode::DECLARATION;

/// A type that leaves the core: the declaration for TypeScript, and which fields of the core's own cross.
macro_rules! outgoing {
    ($(#[$meta:meta])* $name:ident = $core:path { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Tsify)]
        #[serde(rename_all = "camelCase")]
        #[tsify(missing_as_null)]
        #[allow(dead_code)]
        pub(crate) struct $name { $($(#[$field_meta])* $field: $type,)+ }

        record!($core { $($field),+ });
    };
}

/// The fields that make a type an object.
macro_rules! record {
    ($type:path { $($field:ident),+ }) => {
        impl Record for $type {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];
            fn values(&self) -> Vec<&dyn ToJs> {
                vec![$(&self.$field),+]
            }
        }
    };
}

/// A type that enters the core: the declaration for TypeScript, and how the core's own is read from what came.
macro_rules! incoming {
    ($(#[$meta:meta])* $name:ident = $core:path { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Tsify)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code)]
        pub(crate) struct $name { $($(#[$field_meta])* $field: $type,)+ }

        impl FromJs for $core {
            fn from_js(value: &wasm_bindgen::JsValue, _: &str) -> crate::error::Result<Self> {
                let mut read = Self::default();
                fill(value, &mut [$((stringify!($field), &mut read.$field)),+])?;
                Ok(read)
            }
        }
    };
}

/// An order: its columns by their names in JavaScript; the default where none is named.
macro_rules! order {
    ($(#[$meta:meta])* $name:ident = $core:path { $($variant:ident = $text:literal),+ }) => {
        $(#[$meta])*
        #[derive(Tsify)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code)]
        pub(crate) enum $name { $($variant),+ }

        impl FromJs for $core {
            fn from_js(value: &wasm_bindgen::JsValue, name: &str) -> crate::error::Result<Self> {
                if value.is_undefined() {
                    return Ok(Self::default());
                }
                one_of(value, name, &[$(($text, Self::$variant)),+])
            }
        }
    };
}

/// A page of rows, as TypeScript knows it.
macro_rules! page {
    ($name:ident of $row:ident) => {
        /// One page of a listing.
        #[derive(Tsify)]
        #[tsify(missing_as_null)]
        #[allow(dead_code)]
        pub(crate) struct $name {
            /// The rows, in the order asked for.
            rows: Vec<$row>,
            /// Give it to the same listing to read on; null when there is no more.
            cursor: Option<String>,
        }
    };
}

use {incoming, order, outgoing, page, record};

/// Smallest first, or largest first.
#[derive(Clone, Copy, Tsify, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Asc,
    Desc,
}

/// How to list.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub(crate) struct Paging<Order> {
    /// What to order by; the primary key by default.
    #[tsify(optional)]
    order_by: Option<Order>,
    /// The largest or newest first, `desc`, by default; of `longTerm` the smallest key, `asc`.
    #[tsify(optional)]
    direction: Option<Direction>,
    /// How many rows at most, 1 to 1000; 50 by default.
    #[tsify(optional)]
    limit: Option<u32>,
    /// The cursor of the page before.
    #[tsify(optional, type = "string | null")]
    cursor: Option<String>,
}

/// Whether a search needs every word or any.
#[derive(Tsify)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
pub(crate) enum Match {
    All,
    Any,
}

impl FromJs for words::Match {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_undefined() {
            return Ok(Self::default());
        }
        one_of(value, name, &[("all", Self::All), ("any", Self::Any)])
    }
}

impl FromJs for Option<Direction> {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_undefined() {
            return Ok(None);
        }
        one_of(value, name, &[("asc", Some(Direction::Asc)), ("desc", Some(Direction::Desc))])
    }
}

/// A filter and its paging, which are one object in JavaScript.
pub(crate) fn listing<Filter: FromJs + Default, Order: FromJs + Default>(
    value: &JsValue,
    default: Direction,
) -> Result<Listing<Filter, Order>> {
    let mut listing: Listing<Filter, Order> =
        Listing { filter: Filter::from_js(value, "filter")?, ..Listing::default() };
    let mut direction = None;
    let paging: &mut [(&str, &mut dyn Fill)] = &mut [
        ("direction", &mut direction),
        ("order_by", &mut listing.order),
        ("limit", &mut listing.limit),
        ("cursor", &mut listing.cursor),
    ];
    fill(value, paging)?;
    listing.descending = direction.unwrap_or(default) == Direction::Desc;
    Ok(listing)
}
