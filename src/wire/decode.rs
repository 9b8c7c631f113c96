//! What comes from JavaScript: looked at before it is believed.

use js_sys::{Array, JsString, Object, Reflect};
use rusqlite::types::Value;
use wasm_bindgen::prelude::*;

use crate::error::{Error, Result};
use crate::memory::query::Parameters;
use crate::tables::fields::camel_case;

/// The largest integer a JavaScript number holds exactly.
pub(crate) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A type that a JavaScript value may become.
pub(crate) trait FromJs: Sized {
    /// Reads it; `name` is what the caller knows the value by.
    fn from_js(value: &JsValue, name: &str) -> Result<Self>;
}

/// A place for a value from JavaScript, whatever its type: so that the code which fills places exists once.
pub(crate) trait Fill {
    /// Puts the value there.
    fn fill(&mut self, value: &JsValue, name: &str) -> Result<()>;
}

impl<T: FromJs> Fill for T {
    fn fill(&mut self, value: &JsValue, name: &str) -> Result<()> {
        *self = T::from_js(value, name)?;
        Ok(())
    }
}

/// Reads fields of an object, known by their names in Rust, each into its place.
pub(crate) fn fill(object: &JsValue, places: &mut [(&str, &mut dyn Fill)]) -> Result<()> {
    for (name, place) in places {
        let name = camel_case(name);
        place.fill(&get(object, &name)?, &name)?;
    }
    Ok(())
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

pub(crate) fn expected(name: &str, what: &str) -> Error {
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
        let mut items = Vec::with_capacity(array.length() as usize);
        for item in array.iter() {
            items.push(T::from_js(&item, &format!("{name}[{}]", items.len()))?);
        }
        Ok(items)
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
optional!(Vec<f32>, Vec<crate::recall::Source>);

/// A field of a patch: left out it stays as it is, null it becomes NULL.
impl FromJs for Option<Option<String>> {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_undefined() { Ok(None) } else { Option::<String>::from_js(value, name).map(Some) }
    }
}

impl FromJs for Parameters {
    fn from_js(value: &JsValue, name: &str) -> Result<Self> {
        if value.is_instance_of::<Array>() {
            return Ok(Self::Positional(Vec::from_js(value, name)?));
        }
        let object = value.dyn_ref::<Object>().ok_or_else(|| expected(name, "an array or an object"))?;
        let mut named = Vec::new();
        for entry in Object::entries(object).iter() {
            let entry = Array::from(&entry);
            let key = entry.get(0).as_string().unwrap_or_default();
            let value = Value::from_js(&entry.get(1), &format!("{name}.{key}"))?;
            named.push((key, value));
        }
        Ok(Self::Named(named))
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
