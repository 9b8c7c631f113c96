//! Types of column values that have their own names in TypeScript.

/// Unix seconds, fractions included, as the columns hold them.
pub type Seconds = f64;

/// A JSON value as its text.
pub type JsonText = String;
