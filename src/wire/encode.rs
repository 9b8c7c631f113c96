//! What goes to JavaScript.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Object};
use rusqlite::types::Value;
use wasm_bindgen::prelude::*;

use super::decode::MAX_SAFE_INTEGER;
use crate::error::{Error, ErrorCode, Result};
use crate::tables::fields::camel_case;
use crate::tables::table::Page;

/// A type that becomes a JavaScript value.
pub(crate) trait ToJs {
    /// Makes that value.
    fn to_js(&self) -> Result<JsValue>;
}

/// A type that becomes an object.
pub(crate) trait Record {
    /// The names of its fields in Rust.
    const NAMES: Names;
    /// Their values, in the same order.
    fn values(&self) -> Vec<&dyn ToJs>;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type Plain;
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Plain, name: &JsValue, value: &JsValue);
}

type Names = &'static [&'static str];

thread_local! {
    static KEYS: RefCell<Vec<(Names, Rc<[JsValue]>)>> = const { RefCell::new(Vec::new()) };
}

/// The names of fields as JavaScript has them, made once.
fn keys(names: Names) -> Rc<[JsValue]> {
    KEYS.with_borrow_mut(|all| {
        if let Some((_, keys)) = all.iter().find(|(known, _)| std::ptr::eq(*known, names)) {
            return keys.clone();
        }
        let keys: Rc<[JsValue]> = names.iter().map(|name| camel_case(name).into()).collect();
        all.push((names, keys.clone()));
        keys
    })
}

fn object(keys: &[JsValue], values: &[&dyn ToJs]) -> Result<JsValue> {
    let object: Plain = Object::new().unchecked_into();
    for (key, value) in keys.iter().zip(values) {
        object.set(key, &value.to_js()?);
    }
    Ok(object.into())
}

impl<T: Record> ToJs for T {
    fn to_js(&self) -> Result<JsValue> {
        object(&keys(T::NAMES), &self.values())
    }
}

impl<T: Record> ToJs for Page<T> {
    fn to_js(&self) -> Result<JsValue> {
        let keys_of_rows = keys(T::NAMES);
        let rows = Array::new();
        for row in &self.rows {
            rows.push(&object(&keys_of_rows, &row.values())?);
        }
        object(&keys(&["rows", "cursor"]), &[&JsValue::from(rows), &self.cursor])
    }
}

impl<T: ToJs> ToJs for Option<T> {
    fn to_js(&self) -> Result<JsValue> {
        self.as_ref().map_or(Ok(JsValue::NULL), T::to_js)
    }
}

impl<T: ToJs> ToJs for Vec<T> {
    fn to_js(&self) -> Result<JsValue> {
        let array = Array::new();
        for item in self {
            array.push(&item.to_js()?);
        }
        Ok(array.into())
    }
}

impl ToJs for JsValue {
    fn to_js(&self) -> Result<JsValue> {
        Ok(self.clone())
    }
}

impl ToJs for () {
    fn to_js(&self) -> Result<JsValue> {
        Ok(JsValue::NULL)
    }
}

impl ToJs for &str {
    fn to_js(&self) -> Result<JsValue> {
        Ok(JsValue::from_str(self))
    }
}

impl ToJs for String {
    fn to_js(&self) -> Result<JsValue> {
        Ok(JsValue::from_str(self))
    }
}

impl ToJs for bool {
    fn to_js(&self) -> Result<JsValue> {
        Ok((*self).into())
    }
}

impl ToJs for u32 {
    fn to_js(&self) -> Result<JsValue> {
        Ok((*self).into())
    }
}

impl ToJs for f64 {
    fn to_js(&self) -> Result<JsValue> {
        Ok((*self).into())
    }
}

/// Ids are numbers, so one that a number does not hold is refused.
impl ToJs for i64 {
    fn to_js(&self) -> Result<JsValue> {
        if self.unsigned_abs() > MAX_SAFE_INTEGER as u64 {
            let message = format!("A row holds what JavaScript cannot: {self} can't be represented as a number.");
            return Err(Error::new(ErrorCode::UnexpectedValue, message));
        }
        Ok((*self as f64).into())
    }
}

/// A count, which no file is large enough to make larger than a number holds.
impl ToJs for u64 {
    fn to_js(&self) -> Result<JsValue> {
        Ok((*self as f64).into())
    }
}

/// Any SQL value: integers beyond 2^53 become BigInts, blobs `Uint8Array`s.
impl ToJs for Value {
    fn to_js(&self) -> Result<JsValue> {
        Ok(match self {
            Value::Null => JsValue::NULL,
            Value::Integer(integer) if integer.unsigned_abs() <= MAX_SAFE_INTEGER as u64 => (*integer as f64).into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Real(real) => (*real).into(),
            Value::Text(text) => JsValue::from_str(text),
            Value::Blob(bytes) => js_sys::Uint8Array::from(bytes.as_slice()).into(),
        })
    }
}
