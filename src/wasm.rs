//! The engine, as JavaScript calls it: the only `#[wasm_bindgen]`. It converts and calls, and decides nothing.

use wasm_bindgen::prelude::*;

use crate::Memory;
use crate::db::{Clock, Durability, Location};
use crate::error::{Error, ErrorCode, Result};
use crate::memory::query::{DEFAULT_TIMEOUT, Parameters};
use crate::memory::table::{Rows, Table};
use crate::migrate::Graph;
use crate::migrate::backup::Backups;
use crate::storage::Pool;
use crate::wire::{self, FromJs, Record, ToJs};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(message: &str);
}

/// A panic ends the engine; what it says would be lost with it.
#[wasm_bindgen(start)]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| console_error(&panic.to_string())));
}

/// An open memory and the storage it is in.
#[wasm_bindgen]
pub struct Engine {
    memory: Option<Memory>,
    pool: Option<Pool>,
}

impl Engine {
    fn memory(&self) -> Result<&Memory> {
        self.memory.as_ref().ok_or_else(closed)
    }

    fn memory_mut(&mut self) -> Result<&mut Memory> {
        self.memory.as_mut().ok_or_else(closed)
    }

    /// A result for JavaScript; a failure of the storage with the browser's words for it.
    fn answer(&self, result: Result<impl ToJs>) -> Answer {
        result.and_then(|value| value.to_js()).map_err(|error| self.failure(error))
    }

    fn call(&self, call: impl Fn(&Memory) -> Result<JsValue>) -> Answer {
        self.answer(self.memory().and_then(call))
    }

    fn failure(&self, error: Error) -> JsValue {
        let of_storage = matches!(error.code(), ErrorCode::QuotaExceeded | ErrorCode::IoFailed);
        let said = self.pool.as_ref().filter(|_| of_storage).and_then(Pool::last_failure);
        failure(match said {
            Some(cause) => error.caused_by(cause),
            None => error,
        })
    }
}

type Answer = std::result::Result<JsValue, JsValue>;

fn closed() -> Error {
    Error::new(ErrorCode::Internal, "The engine was called after its close.")
}

fn failure(error: Error) -> JsValue {
    wire::Failure::from(error).to_js().unwrap_or(JsValue::UNDEFINED)
}

/// What every table can be asked, from JavaScript's values to JavaScript's values.
trait Calls {
    fn add(&self, rows: &JsValue) -> Result<JsValue>;
    fn get(&self, key: &JsValue) -> Result<JsValue>;
    fn list(&self, listing: &JsValue, direction: wire::Direction) -> Result<JsValue>;
    fn update(&self, key: &JsValue, patch: &JsValue) -> Result<JsValue>;
    fn delete(&self, keys: &JsValue) -> Result<JsValue>;
    fn count(&self, filter: &JsValue) -> Result<JsValue>;
    fn clear(&self, filter: &JsValue) -> Result<JsValue>;
}

impl<T> Calls for Rows<'_, T>
where
    T: Table<Key: FromJs, New: FromJs, Patch: FromJs, Filter: FromJs, Order: FromJs> + Record,
{
    fn add(&self, rows: &JsValue) -> Result<JsValue> {
        self.add(FromJs::from_js(rows, "rows")?)?.to_js()
    }

    fn get(&self, key: &JsValue) -> Result<JsValue> {
        self.get(&T::Key::from_js(key, "key")?)?.to_js()
    }

    fn list(&self, listing: &JsValue, direction: wire::Direction) -> Result<JsValue> {
        self.list(wire::listing(listing, direction)?)?.to_js()
    }

    fn update(&self, key: &JsValue, patch: &JsValue) -> Result<JsValue> {
        self.update(&T::Key::from_js(key, "key")?, FromJs::from_js(patch, "patch")?)?.to_js()
    }

    fn delete(&self, keys: &JsValue) -> Result<JsValue> {
        self.delete(&Vec::from_js(keys, "keys")?)?.to_js()
    }

    fn count(&self, filter: &JsValue) -> Result<JsValue> {
        self.count(FromJs::from_js(filter, "filter")?)?.to_js()
    }

    fn clear(&self, filter: &JsValue) -> Result<JsValue> {
        self.clear(FromJs::from_js(filter, "filter")?)?.to_js()
    }
}

/// The seven calls that every table has.
macro_rules! table_calls {
    ($rows:ident, $direction:ident;
     $add:ident $add_name:ident($new_type:literal), $get:ident $get_name:ident($key_type:literal) -> $row_type:literal,
     $list:ident $list_name:ident($listing_type:literal) -> $page_type:literal,
     $update:ident $update_name:ident($patch_type:literal), $delete:ident $delete_name:ident($keys_type:literal),
     $count:ident $count_name:ident($filter_type:literal), $clear:ident $clear_name:ident) => {
        #[wasm_bindgen]
        impl Engine {
            /// Adds rows, all or none, and gives their ids in order.
            #[wasm_bindgen(js_name = $add_name, unchecked_return_type = "number[]")]
            pub fn $add(&self, #[wasm_bindgen(unchecked_param_type = $new_type)] rows: &JsValue) -> Answer {
                self.call(|memory| Calls::add(&memory.$rows(), rows))
            }

            /// The row with this key.
            #[wasm_bindgen(js_name = $get_name, unchecked_return_type = $row_type)]
            pub fn $get(&self, #[wasm_bindgen(unchecked_param_type = $key_type)] key: &JsValue) -> Answer {
                self.call(|memory| Calls::get(&memory.$rows(), key))
            }

            /// A page of rows.
            #[wasm_bindgen(js_name = $list_name, unchecked_return_type = $page_type)]
            pub fn $list(&self, #[wasm_bindgen(unchecked_param_type = $listing_type)] listing: &JsValue) -> Answer {
                self.call(|memory| Calls::list(&memory.$rows(), listing, wire::Direction::$direction))
            }

            /// Changes one row.
            #[wasm_bindgen(js_name = $update_name, unchecked_return_type = "Done")]
            pub fn $update(
                &self,
                #[wasm_bindgen(unchecked_param_type = $key_type)] key: &JsValue,
                #[wasm_bindgen(unchecked_param_type = $patch_type)] patch: &JsValue,
            ) -> Answer {
                self.call(|memory| Calls::update(&memory.$rows(), key, patch))
            }

            /// Deletes the rows with these keys, all or none, and tells how many there were.
            #[wasm_bindgen(js_name = $delete_name, unchecked_return_type = "number")]
            pub fn $delete(&self, #[wasm_bindgen(unchecked_param_type = $keys_type)] keys: &JsValue) -> Answer {
                self.call(|memory| Calls::delete(&memory.$rows(), keys))
            }

            /// How many rows the filter finds.
            #[wasm_bindgen(js_name = $count_name, unchecked_return_type = "number")]
            pub fn $count(&self, #[wasm_bindgen(unchecked_param_type = $filter_type)] filter: &JsValue) -> Answer {
                self.call(|memory| Calls::count(&memory.$rows(), filter))
            }

            /// Deletes every row that the filter finds, and tells how many there were.
            #[wasm_bindgen(js_name = $clear_name, unchecked_return_type = "number")]
            pub fn $clear(&self, #[wasm_bindgen(unchecked_param_type = $filter_type)] filter: &JsValue) -> Answer {
                self.call(|memory| Calls::clear(&memory.$rows(), filter))
            }
        }
    };
}

table_calls!(turns, Desc;
    turns_add turnsAdd("readonly NewTurn[]"), turns_get turnsGet("number") -> "Turn | null",
    turns_list turnsList("TurnFilter & Paging<TurnOrder>") -> "TurnPage",
    turns_update turnsUpdate("TurnPatch"), turns_delete turnsDelete("readonly number[]"),
    turns_count turnsCount("TurnFilter"), turns_clear turnsClear);

table_calls!(episodes, Desc;
    episodes_add episodesAdd("readonly NewEpisode[]"), episodes_get episodesGet("number") -> "Episode | null",
    episodes_list episodesList("EpisodeFilter & Paging<EpisodeOrder>") -> "EpisodePage",
    episodes_update episodesUpdate("EpisodePatch"), episodes_delete episodesDelete("readonly number[]"),
    episodes_count episodesCount("EpisodeFilter"), episodes_clear episodesClear);

table_calls!(long_term, Asc;
    long_term_add longTermAdd("readonly NewEntry[]"), long_term_get longTermGet("string") -> "Entry | null",
    long_term_list longTermList("EntryFilter & Paging<EntryOrder>") -> "EntryPage",
    long_term_update longTermUpdate("EntryPatch"), long_term_delete longTermDelete("readonly string[]"),
    long_term_count longTermCount("EntryFilter"), long_term_clear longTermClear);

table_calls!(uncertainty, Desc;
    uncertainty_add uncertaintyAdd("readonly NewUncertainty[]"), uncertainty_get uncertaintyGet("number") -> "Uncertainty | null",
    uncertainty_list uncertaintyList("UncertaintyFilter & Paging<UncertaintyOrder>") -> "UncertaintyPage",
    uncertainty_update uncertaintyUpdate("UncertaintyPatch"), uncertainty_delete uncertaintyDelete("readonly number[]"),
    uncertainty_count uncertaintyCount("UncertaintyFilter"), uncertainty_clear uncertaintyClear);

table_calls!(semantic, Desc;
    semantic_add semanticAdd("readonly NewSemanticMemory[]"), semantic_get semanticGet("number") -> "SemanticMemory | null",
    semantic_list semanticList("SemanticMemoryFilter & Paging<SemanticMemoryOrder>") -> "SemanticMemoryPage",
    semantic_update semanticUpdate("SemanticMemoryPatch"), semantic_delete semanticDelete("readonly number[]"),
    semantic_count semanticCount("SemanticMemoryFilter"), semantic_clear semanticClear);

#[wasm_bindgen]
impl Engine {
    /// Opens a memory; the only call that waits for anything.
    #[wasm_bindgen(unchecked_return_type = "Engine")]
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "EngineOptions")] options: JsValue,
    ) -> std::result::Result<Engine, JsValue> {
        open(&options).await.map_err(failure)
    }

    /// Marks a doubt as settled, and how.
    #[wasm_bindgen(js_name = uncertaintyResolve, unchecked_return_type = "Done")]
    pub fn uncertainty_resolve(&self, id: f64, pattern: String) -> Answer {
        self.answer(i64::from_js(&id.into(), "id").and_then(|id| self.memory()?.uncertainty().resolve(id, pattern)))
    }

    /// The log in figures.
    #[wasm_bindgen(js_name = uncertaintyStatistics, unchecked_return_type = "UncertaintyStatistics")]
    pub fn uncertainty_statistics(&self) -> Answer {
        let statistics = self.memory().and_then(|memory| memory.uncertainty().statistics());
        self.answer(statistics)
    }

    /// Runs one statement that reads. `timeout` is in seconds, 10 by default.
    #[wasm_bindgen(unchecked_return_type = "QueryResult")]
    pub fn query(
        &mut self,
        sql: &str,
        #[wasm_bindgen(unchecked_param_type = "SqlParameters")] parameters: &JsValue,
        timeout: Option<f64>,
    ) -> Answer {
        let result = Parameters::from_js(parameters, "parameters").and_then(|parameters| {
            let found = self.memory_mut()?.query(sql, &parameters, timeout.unwrap_or(DEFAULT_TIMEOUT))?;
            Ok(wire::QueryResult { columns: found.columns, rows: found.rows })
        });
        self.answer(result)
    }

    /// The database as the bytes of a file.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn export(&mut self, revision: Option<String>) -> Answer {
        let bytes = self.memory_mut().and_then(|memory| memory.export(revision.as_deref()));
        bytes.map(|bytes| js_sys::Uint8Array::from(bytes.as_slice()).into()).map_err(|error| self.failure(error))
    }

    /// Replaces the database by a file's, and gives the revisions that were applied to it.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn import(&mut self, file: Vec<u8>) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.import(file));
        self.answer(applied)
    }

    /// Makes room for a backup. To be waited for before a call that may keep one: `import`, `restore`, `upgrade`,
    /// `downgrade`.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub async fn reserve(&self) -> Answer {
        let reserved = match &self.pool {
            Some(pool) => pool.reserve().await,
            None => Ok(()),
        };
        self.answer(reserved)
    }

    /// The backups that are kept, newest first.
    #[wasm_bindgen(unchecked_return_type = "Backup[]")]
    pub fn backups(&self) -> Answer {
        let backups = self.memory().and_then(Memory::backups);
        self.answer(backups.map(|found| found.into_iter().map(wire::Backup::from).collect::<Vec<_>>()))
    }

    /// Replaces the database by a backup's, and gives the revisions that were applied to it.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn restore(&mut self, id: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.restore(id));
        self.answer(applied)
    }

    /// Where the schema is.
    #[wasm_bindgen(js_name = schemaStatus, unchecked_return_type = "SchemaStatus")]
    pub fn schema_status(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            Ok(wire::SchemaStatus {
                revision: memory.revision()?,
                head: memory.graph().head().map(str::to_owned),
                migrated: memory.migrated().to_vec(),
                backup: memory.last_backup().cloned().map(wire::Backup::from),
            })
        }))
    }

    /// Every revision, newest first.
    #[wasm_bindgen(unchecked_return_type = "RevisionInfo[]")]
    pub fn history(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| {
            let (current, head) = (memory.revision()?, memory.graph().head());
            let tell = |revision: &crate::migrate::Revision| wire::RevisionInfo {
                id: revision.id.clone(),
                revises: revision.revises.clone(),
                title: revision.title.clone(),
                create_date: revision.create_date.clone(),
                is_current: current.as_deref() == Some(&revision.id),
                is_head: head == Some(&revision.id),
            };
            Ok(memory.graph().revisions().iter().rev().map(tell).collect::<Vec<_>>())
        }))
    }

    /// Takes the schema up, and gives the revisions applied.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn upgrade(&mut self, target: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.upgrade(target));
        self.answer(applied)
    }

    /// Takes the schema down, and gives the revisions taken back.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn downgrade(&mut self, target: &str) -> Answer {
        let applied = self.memory_mut().and_then(|memory| memory.downgrade(target));
        self.answer(applied)
    }

    /// Writes down a revision and changes nothing else.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn stamp(&mut self, target: &str) -> Answer {
        let stamped = self.memory_mut().and_then(|memory| memory.stamp(target));
        self.answer(stamped)
    }

    /// Lets the changes that follow share one transaction and one flush, until `endBatch`.
    #[wasm_bindgen(js_name = beginBatch, unchecked_return_type = "Done")]
    pub fn begin_batch(&self) -> Answer {
        self.answer(self.memory().map(|memory| memory.db().begin_batch()))
    }

    /// Commits them. Where it fails, none of them was kept.
    #[wasm_bindgen(js_name = endBatch, unchecked_return_type = "Done")]
    pub fn end_batch(&self) -> Answer {
        self.answer(self.memory().and_then(|memory| memory.db().end_batch()))
    }

    /// Closes the database and lets go of its files. Nothing may be called after it.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn close(&mut self) -> Answer {
        let closed = self.memory.take().map_or(Ok(()), Memory::close);
        let released = self.pool.as_ref().map_or(Ok(()), Pool::release);
        self.answer(closed.and(released))
    }
}

async fn open(options: &JsValue) -> Result<Engine> {
    const CLOCK: Clock = Clock::new(|| js_sys::Date::now() / 1000.0);
    let durability: Durability = wire::field(options, "durability")?;
    let Some(path) = wire::field::<Option<String>>(options, "path")? else {
        let memory = Memory::open(Location::Memory, durability, CLOCK, Graph::bundled(), None)?;
        return Ok(Engine { memory: Some(memory), pool: None });
    };
    let pool = Pool::acquire(&path).await?;
    match open_in(&pool, &path, durability, CLOCK).await {
        Ok(memory) => Ok(Engine { memory: Some(memory), pool: Some(pool) }),
        Err(error) => {
            // The file is as it was; another tab may try.
            pool.release()?;
            Err(error)
        }
    }
}

async fn open_in(pool: &Pool, path: &str, durability: Durability, clock: Clock) -> Result<Memory> {
    let location = Location::File { path, vfs: Some(pool.vfs()) };
    let backups = Backups::new(Box::new(pool.clone()), path);
    let mut memory = Memory::open_as_is(location, durability, clock, Graph::bundled(), Some(backups))?;
    if memory.is_behind()? {
        pool.reserve().await?;
    }
    memory.bring_to_head()?;
    Ok(memory)
}
