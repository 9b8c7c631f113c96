//! What comes from JavaScript: looked at before it is believed. (What goes there is serialised by serde.)

use js_sys::{Array, JsString, Object, Reflect};
use rusqlite::types::Value;
use wasm_bindgen::prelude::*;

use crate::error::{Error, Result};
use crate::memory::query::Parameters;

/// The largest integer a JavaScript number holds exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A type that a JavaScript value may become.
pub(crate) trait FromJs: Sized {
    /// Reads it; `name` is what the caller knows the value by.
    fn from_js(value: &JsValue, name: &str) -> Result<Self>;
}

/// Reads a field of an object; one that is not there is `undefined`.
pub(crate) fn field<T: FromJs>(object: &JsValue, name: &str) -> Result<T> {
    T::from_js(&get(object, name)?, name)
}

fn get(object: &JsValue, name: &str) -> Result<JsValue> {
    if !object.is_object() {
        return Err(Error::invalid_argument("An object was expected."));
    }
    Reflect::get(object, &JsString::from(name))
        .map_err(|_| Error::invalid_argument(format!("{name} could not be read.")))
}

fn expected(name: &str, what: &str) -> Error {
    Error::invalid_argument(format!("{name} must be {what}."))
}

/// One of several names.
pub(crate) fn one_of<T: Copy>(value: &JsValue, name: &str, choices: &[(&str, T)]) -> Result<T> {
    let text = value.as_string();
    let found = choices.iter().find(|(choice, _)| Some(*choice) == text.as_deref());
    found.map(|(_, chosen)| *chosen).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        expected(name, &format!("one of {}", names.join(", ")))
    })
}

impl FromJs for f64 {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        value.as_f64().filter(|number| !number.is_nan()).ok_or_else(|| expected(name, "a number"))
    }
}

impl FromJs for i64 {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        let whole = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER);
        whole.map(|number| number as i64).ok_or_else(|| expected(name, "a whole number"))
    }
}

impl FromJs for u32 {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        u32::try_from(i64::from_js(value, name)?).map_err(|_| expected(name, "a whole number, not negative"))
    }
}

impl FromJs for bool {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        value.as_bool().ok_or_else(|| expected(name, "true or false"))
    }
}

impl FromJs for String {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        value.as_string().ok_or_else(|| expected(name, "a string"))
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        let array = value.dyn_ref::<Array>().ok_or_else(|| expected(name, "an array"))?;
        array.iter().enumerate().map(|(at, item)| T::from_js(&item, &format!("{name}[{at}]"))).collect()
    }
}

/// Types that may be left out or be null, which means the same.
macro_rules! optional {
    ($($type:ty),+) => {
        $(impl FromJs for Option<$type> {
            fn from_js(value: &JsValue, name: &str) -> Result<Self> {
                if value.is_undefined() || value.is_null() { Ok(None) } else { <$type>::from_js(value, name).map(Some) }
            }
        })+
    };
}

optional!(f64, u32, bool, String, Vec<String>);

/// A field of a patch: left out it stays as it is, null it becomes NULL.
impl FromJs for Option<Option<String>> {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_undefined() { Ok(None) } else { Option::<String>::from_js(value, name).map(Some) }
    }
}

impl FromJs for Parameters {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if let Some(array) = value.dyn_ref::<Array>() {
            let values = array.iter().enumerate().map(|(at, value)| Value::from_js(&value, &format!("{name}[{at}]")));
            return Ok(Self::Positional(values.collect::<Result<_>>()?));
        }
        let object = value.dyn_ref::<Object>().ok_or_else(|| expected(name, "an array or an object"))?;
        let entries = Object::entries(object);
        let entries = entries.iter().map(|entry| {
            let entry = Array::from(&entry);
            let key = entry.get(0).as_string().unwrap_or_default();
            let value = Value::from_js(&entry.get(1), &format!("{name}.{key}"))?;
            Ok((key, value))
        });
        Ok(Self::Named(entries.collect::<Result<_>>()?))
    }
}

/// Whole numbers become integers, so that they equal what an INTEGER column holds.
impl FromJs for Value {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_null() {
            Ok(Value::Null)
        } else if let Some(text) = value.as_string() {
            Ok(Value::Text(text))
        } else if let Ok(integer) = i64::from_js(value, name) {
            Ok(Value::Integer(integer))
        } else if let Some(real) = value.as_f64().filter(|number| !number.is_nan()) {
            Ok(Value::Real(real))
        } else if let Some(bytes) = value.dyn_ref::<js_sys::Uint8Array>() {
            Ok(Value::Blob(bytes.to_vec()))
        } else if let Some(integer) = value.is_bigint().then(|| i64::try_from(value.clone()).ok()).flatten() {
            Ok(Value::Integer(integer))
        } else {
            Err(expected(name, "null, a string, a number, a 64-bit BigInt or a Uint8Array"))
        }
    }
}

/// An SQL value as JavaScript has it: integers beyond 2^53 become BigInts, blobs `Uint8Array`s.
pub(crate) fn value_to_js(value: Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(integer) if integer.unsigned_abs() <= MAX_SAFE_INTEGER as u64 => (integer as f64).into(),
        Value::Integer(integer) => integer.into(),
        Value::Real(real) => real.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => js_sys::Uint8Array::from(bytes.as_slice()).into(),
    }
}
