//! The calls on the five tables.

use js_sys::Array;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use super::{Answer, Engine};
use crate::Memory;
use crate::error::Result;
use crate::tables::{Rows, Table};
use crate::wire::{Paging, SortDirection, from_js, object_from_js, to_js};

/// The calls that every table has, from JavaScript values to JavaScript values.
trait Calls {
    fn add(&self, rows: &JsValue) -> Result<JsValue>;
    fn get(&self, key: &JsValue) -> Result<JsValue>;
    fn list(&self, filter: &JsValue, paging: &JsValue, direction: SortDirection) -> Result<JsValue>;
    fn update(&self, key: &JsValue, patch: &JsValue) -> Result<JsValue>;
    fn delete(&self, keys: &JsValue) -> Result<JsValue>;
    fn count(&self, filter: &JsValue) -> Result<JsValue>;
    fn clear(&self, filter: &JsValue) -> Result<JsValue>;
}

impl<T> Calls for Rows<'_, T>
where
    T: Table<
            Key: DeserializeOwned,
            New: DeserializeOwned,
            Patch: DeserializeOwned,
            Filter: DeserializeOwned,
            Order: DeserializeOwned,
        > + Serialize,
{
    fn add(&self, rows: &JsValue) -> Result<JsValue> {
        // A path into a single row is that of a field, because most callers add one row.
        let is_single = rows.dyn_ref::<Array>().is_some_and(|rows| rows.length() == 1);
        to_js(&self.add(from_js(rows, if is_single { "row" } else { "rows" })?)?)
    }

    fn get(&self, key: &JsValue) -> Result<JsValue> {
        to_js(&self.get(&from_js(key, "key")?)?)
    }

    fn list(&self, filter: &JsValue, paging: &JsValue, direction: SortDirection) -> Result<JsValue> {
        let paging: Paging<T::Order> = object_from_js(paging, "listing")?;
        to_js(&self.list(paging.of(object_from_js(filter, "listing")?, direction))?)
    }

    fn update(&self, key: &JsValue, patch: &JsValue) -> Result<JsValue> {
        to_js(&self.update(&from_js(key, "key")?, object_from_js(patch, "patch")?)?)
    }

    fn delete(&self, keys: &JsValue) -> Result<JsValue> {
        to_js(&self.delete(&from_js::<Vec<T::Key>>(keys, "keys")?)?)
    }

    fn count(&self, filter: &JsValue) -> Result<JsValue> {
        to_js(&self.count(object_from_js(filter, "filter")?)?)
    }

    fn clear(&self, filter: &JsValue) -> Result<JsValue> {
        to_js(&self.clear(object_from_js(filter, "filter")?)?)
    }
}

/// The seven calls that every table has.
macro_rules! table_calls {
    ($rows:ident, $direction:ident;
     $add:ident $add_name:ident($new_type:literal), $get:ident $get_name:ident($key_type:literal) -> $row_type:literal,
     $list:ident $list_name:ident($paging_type:literal) -> $page_type:literal,
     $update:ident $update_name:ident($patch_type:literal), $delete:ident $delete_name:ident($keys_type:literal),
     $count:ident $count_name:ident($filter_type:literal), $clear:ident $clear_name:ident) => {
        #[wasm_bindgen]
        impl Engine {
            /// Adds rows, all or none; returns their ids in order.
            #[wasm_bindgen(js_name = $add_name, unchecked_return_type = "number[]")]
            pub fn $add(&self, #[wasm_bindgen(unchecked_param_type = $new_type)] rows: &JsValue) -> Answer {
                self.table(|memory| Calls::add(&memory.$rows(), rows))
            }

            /// The row with this key.
            #[wasm_bindgen(js_name = $get_name, unchecked_return_type = $row_type)]
            pub fn $get(&self, #[wasm_bindgen(unchecked_param_type = $key_type)] key: &JsValue) -> Answer {
                self.table(|memory| Calls::get(&memory.$rows(), key))
            }

            /// A page of rows.
            #[wasm_bindgen(js_name = $list_name, unchecked_return_type = $page_type)]
            pub fn $list(
                &self,
                #[wasm_bindgen(unchecked_param_type = $filter_type)] filter: &JsValue,
                #[wasm_bindgen(unchecked_param_type = $paging_type)] paging: &JsValue,
            ) -> Answer {
                self.table(|memory| Calls::list(&memory.$rows(), filter, paging, SortDirection::$direction))
            }

            /// Changes one row.
            #[wasm_bindgen(js_name = $update_name, unchecked_return_type = "Done")]
            pub fn $update(
                &self,
                #[wasm_bindgen(unchecked_param_type = $key_type)] key: &JsValue,
                #[wasm_bindgen(unchecked_param_type = $patch_type)] patch: &JsValue,
            ) -> Answer {
                self.table(|memory| Calls::update(&memory.$rows(), key, patch))
            }

            /// Deletes the rows with these keys, all or none; returns how many were deleted.
            #[wasm_bindgen(js_name = $delete_name, unchecked_return_type = "number")]
            pub fn $delete(&self, #[wasm_bindgen(unchecked_param_type = $keys_type)] keys: &JsValue) -> Answer {
                self.table(|memory| Calls::delete(&memory.$rows(), keys))
            }

            /// How many rows match the filter.
            #[wasm_bindgen(js_name = $count_name, unchecked_return_type = "number")]
            pub fn $count(&self, #[wasm_bindgen(unchecked_param_type = $filter_type)] filter: &JsValue) -> Answer {
                self.table(|memory| Calls::count(&memory.$rows(), filter))
            }

            /// Deletes every row that matches the filter; returns how many were deleted.
            #[wasm_bindgen(js_name = $clear_name, unchecked_return_type = "number")]
            pub fn $clear(&self, #[wasm_bindgen(unchecked_param_type = $filter_type)] filter: &JsValue) -> Answer {
                self.table(|memory| Calls::clear(&memory.$rows(), filter))
            }
        }
    };
}

table_calls!(turns, Desc;
    turns_add turnsAdd("readonly NewTurn[]"), turns_get turnsGet("number") -> "Turn | null",
    turns_list turnsList("Paging<TurnOrder>") -> "Page<Turn>",
    turns_update turnsUpdate("TurnPatch"), turns_delete turnsDelete("readonly number[]"),
    turns_count turnsCount("TurnFilter"), turns_clear turnsClear);

table_calls!(episodes, Desc;
    episodes_add episodesAdd("readonly NewEpisode[]"), episodes_get episodesGet("number") -> "Episode | null",
    episodes_list episodesList("Paging<EpisodeOrder>") -> "Page<Episode>",
    episodes_update episodesUpdate("EpisodePatch"), episodes_delete episodesDelete("readonly number[]"),
    episodes_count episodesCount("EpisodeFilter"), episodes_clear episodesClear);

table_calls!(long_term, Asc;
    long_term_add longTermAdd("readonly NewEntry[]"), long_term_get longTermGet("string") -> "Entry | null",
    long_term_list longTermList("Paging<EntryOrder>") -> "Page<Entry>",
    long_term_update longTermUpdate("EntryPatch"), long_term_delete longTermDelete("readonly string[]"),
    long_term_count longTermCount("EntryFilter"), long_term_clear longTermClear);

table_calls!(uncertainty, Desc;
    uncertainty_add uncertaintyAdd("readonly NewUncertainty[]"), uncertainty_get uncertaintyGet("number") -> "Uncertainty | null",
    uncertainty_list uncertaintyList("Paging<UncertaintyOrder>") -> "Page<Uncertainty>",
    uncertainty_update uncertaintyUpdate("UncertaintyPatch"), uncertainty_delete uncertaintyDelete("readonly number[]"),
    uncertainty_count uncertaintyCount("UncertaintyFilter"), uncertainty_clear uncertaintyClear);

table_calls!(semantic, Desc;
    semantic_add semanticAdd("readonly NewSemanticMemory[]"), semantic_get semanticGet("number") -> "SemanticMemory | null",
    semantic_list semanticList("Paging<SemanticMemoryOrder>") -> "Page<SemanticMemory>",
    semantic_update semanticUpdate("SemanticMemoryPatch"), semantic_delete semanticDelete("readonly number[]"),
    semantic_count semanticCount("SemanticMemoryFilter"), semantic_clear semanticClear);

#[wasm_bindgen]
impl Engine {
    /// Marks an open question as resolved, and records how.
    #[wasm_bindgen(js_name = uncertaintyResolve, unchecked_return_type = "Done")]
    pub fn uncertainty_resolve(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] id: &JsValue,
        pattern: String,
    ) -> Answer {
        self.call(|memory| memory.uncertainty().resolve(from_js(id, "id")?, pattern))
    }

    /// Statistics of the log.
    #[wasm_bindgen(js_name = uncertaintyStatistics, unchecked_return_type = "UncertaintyStatistics")]
    pub fn uncertainty_statistics(&self) -> Answer {
        self.call(|memory| memory.uncertainty().statistics())
    }
}

impl Engine {
    /// A call on a table, whose result is a JavaScript value already.
    fn table(&self, call: impl FnOnce(&Memory) -> Result<JsValue>) -> Answer {
        self.raw(self.memory().and_then(call))
    }
}
