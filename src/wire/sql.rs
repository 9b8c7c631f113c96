//! Converts SQL values, which serde cannot: integers beyond 2^53 are BigInts, blobs are `Uint8Array`s.

use std::fmt;

use js_sys::{Array, Object, Uint8Array};
use rusqlite::types::Value;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use wasm_bindgen::prelude::*;

use super::from_js;
use crate::error::{Error, Result};
use crate::memory::query::{Parameters, QueryResult};

/// The parameters of a statement.
pub(crate) fn parameters(value: &JsValue) -> Result<Parameters> {
    let parameter = |value: &JsValue, name: &str| from_js::<SqlValue>(value, name).map(|value| value.0);
    if let Some(array) = value.dyn_ref::<Array>() {
        let values = array.iter().enumerate().map(|(at, value)| parameter(&value, &format!("parameters[{at}]")));
        return Ok(Parameters::Positional(values.collect::<Result<_>>()?));
    }
    let Some(object) = value.dyn_ref::<Object>() else {
        return Err(Error::invalid_argument("parameters must be an array or an object."));
    };
    let mut named = Vec::new();
    for entry in Object::entries(object).iter() {
        let entry = Array::from(&entry);
        let name = entry.get(0).as_string().unwrap_or_default();
        let value = parameter(&entry.get(1), &format!("parameters.{name}"))?;
        named.push((name, value));
    }
    Ok(Parameters::Named(named))
}

/// Statements with their parameters, from an array of pairs.
pub(crate) fn statements(value: &JsValue) -> Result<Vec<(String, Parameters)>> {
    let Some(array) = value.dyn_ref::<Array>() else {
        return Err(Error::invalid_argument("statements must be an array."));
    };
    let statement = |pair: JsValue| {
        let pair = Array::from(&pair);
        Ok((from_js(&pair.get(0), "sql")?, parameters(&pair.get(1))?))
    };
    array.iter().map(statement).collect()
}

/// The result of a query, for JavaScript.
pub(crate) fn result(found: &QueryResult) -> JsValue {
    let columns: Array = found.columns.iter().map(|name| JsValue::from_str(name)).collect();
    let rows: Array = found.rows.iter().map(|row| row.iter().map(to_js).collect::<Array>()).collect();
    let tables: Array = found.tables.iter().map(|name| JsValue::from_str(name)).collect();
    let result = Object::new();
    for (name, value) in [("columns", columns), ("rows", rows), ("tables", tables)] {
        // A property of a plain object can always be set.
        let _ = js_sys::Reflect::set(&result, &name.into(), &value);
    }
    result.into()
}

fn to_js(value: &Value) -> JsValue {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(integer) if integer.unsigned_abs() <= MAX_SAFE_INTEGER => (*integer as f64).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Real(real) => (*real).into(),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}

/// A parameter. Whole numbers become integers, so that they compare equal to the values of an INTEGER column.
struct SqlValue(Value);

impl<'de> Deserialize<'de> for SqlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl Visitor<'_> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a string, a number, a 64-bit BigInt or a Uint8Array")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::Integer(integer))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Value, E> {
        i64::try_from(integer).map(Value::Integer).map_err(|_| E::custom("an integer does not fit in 64 bits"))
    }

    fn visit_f64<E: de::Error>(self, real: f64) -> Result<Value, E> {
        if real.is_nan() { Err(E::custom("NaN is not an SQL value")) } else { Ok(Value::Real(real)) }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Blob(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Blob(bytes))
    }
}
