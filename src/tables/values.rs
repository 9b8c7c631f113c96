//! Values of columns that TypeScript knows by names of their own.

/// Unix seconds, fractions included, as the columns hold them.
pub type Seconds = f64;

/// A JSON value as its text.
pub type JsonText = String;
