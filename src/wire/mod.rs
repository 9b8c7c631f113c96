//! Converts values to JavaScript and back, with serde, as the domain types declare it.
//!
//! tsify makes the TypeScript declarations from the same types. Times cross as seconds and JSON as text; the page
//! converts them to `Date`s and values.

mod explain;

mod failure;

mod options;

mod paging;

mod pending;

mod sql;

mod strict;

pub(crate) use failure::Failure;
pub(crate) use options::{EngineOptions, SchemaRenames};
pub(crate) use paging::{Paging, SortDirection};
pub(crate) use pending::{PendingText, pending_key};
pub(crate) use sql::{parameters, result, statements};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::{Deserializer, Serializer};
use wasm_bindgen::prelude::*;

use crate::error::{Error, ErrorCode, Result};

#[wasm_bindgen(typescript_custom_section)]
const SHARED: &str = r#"
/** Unix seconds, fractions included, as the columns hold them. */
export type Seconds = number & { readonly unit: "seconds" };
/** A JSON value as its text. */
export type JsonText = string & { readonly format: "json" };
/** The result of a call that returns nothing. */
export type Done = null;
/** What a column or a parameter of `query` can hold. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** Values for `?`, in order; or for `:name`, `@name` and `$name`, by name without the sign. */
export type SqlParameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;
/** The result of a query. */
export interface QueryResult {
  /** The columns' names. */
  columns: string[];
  /** The rows, one value per column. */
  rows: SqlValue[][];
  /** The tables that it read, including those behind views. */
  tables: string[];
}
"#;

#[wasm_bindgen(typescript_custom_section)]
const ERROR_CODES: &str = ErrorCode::DECLARATION;

/// Converts a value to JavaScript.
pub(crate) fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue> {
    // A 64-bit integer that is too large for a JavaScript number is an error: only ids are 64-bit, and ids are numbers.
    let serializer = Serializer::new().serialize_missing_as_null(true).serialize_maps_as_objects(true);
    value.serialize(&serializer).map_err(|error| {
        Error::new(ErrorCode::UnexpectedValue, format!("JavaScript cannot hold a value: {}.", words(&error)))
    })
}

/// Converts a value from JavaScript; `name` is its name in the caller's API. Not inlined, because several calls read
/// the same types.
#[inline(never)]
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue, name: &str) -> Result<T> {
    serde_path_to_error::deserialize(Deserializer::from(value.clone())).map_err(|error| rejected(name, &error))
}

/// Converts an object from JavaScript; an unknown field is an error that lists the valid ones.
#[inline(never)]
pub(crate) fn object_from_js<T: DeserializeOwned>(value: &JsValue, name: &str) -> Result<T> {
    let deserializer = strict::Strict(Deserializer::from(value.clone()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| rejected(name, &error))
}

fn rejected(name: &str, error: &serde_path_to_error::Error<serde_wasm_bindgen::Error>) -> Error {
    let path = match error.path().to_string().as_str() {
        "." => String::new(),
        at if at.starts_with('[') => at.to_owned(),
        at => format!(".{at}"),
    };
    Error::invalid_argument(explain::explain(&format!("{name}{path}"), &words(error.inner())))
}

/// The message of an error, without the name that JavaScript puts before it.
fn words(error: &serde_wasm_bindgen::Error) -> String {
    let words = error.to_string();
    words.strip_prefix("Error: ").map(str::to_owned).unwrap_or(words)
}
