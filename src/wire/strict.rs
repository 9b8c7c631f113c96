//! Rejects unknown fields of objects.
//!
//! serde-wasm-bindgen only looks up the fields that a struct has. If the object is read as a map instead, serde sees
//! all of its fields, and `deny_unknown_fields` can list the valid ones. That is slower, so it is used for options and
//! not for rows.

use serde::de::{Deserializer, Visitor};

pub(super) struct Strict(pub(super) serde_wasm_bindgen::Deserializer);

impl<'de> Deserializer<'de> for Strict {
    type Error = serde_wasm_bindgen::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
