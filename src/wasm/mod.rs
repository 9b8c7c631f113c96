//! The engine as JavaScript calls it: the only `#[wasm_bindgen]`. It converts values and calls the memory, and holds no
//! logic.

mod ledger;
mod migrations;
mod recall;

mod tables;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::Memory;
use crate::db::{Clock, Location};
use crate::error::{Error, ErrorCode, Result};
use crate::memory::query::DEFAULT_TIMEOUT;
use crate::opfs::Pool;
use crate::wire;
use migrations::open_in;

/// A panic ends the engine. Its message is logged, because it would be lost otherwise.
#[wasm_bindgen(start)]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
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

    /// Converts a result to JavaScript.
    fn answer<T: Serialize>(&self, result: Result<T>) -> Answer {
        self.raw(result.and_then(|value| wire::to_js(&value)))
    }

    fn bytes(&self, bytes: Result<Vec<u8>>) -> Answer {
        self.raw(bytes.map(|bytes| js_sys::Uint8Array::from(bytes.as_slice()).into()))
    }

    /// A call on the memory.
    fn call<T: Serialize>(&self, call: impl FnOnce(&Memory) -> Result<T>) -> Answer {
        self.answer(self.memory().and_then(call))
    }

    fn call_mut<T: Serialize>(&mut self, call: impl FnOnce(&mut Memory) -> Result<T>) -> Answer {
        let result = self.memory_mut().and_then(call);
        self.answer(result)
    }

    /// Passes on a result that is a JavaScript value already. If the storage failed, the browser's error becomes the
    /// cause.
    fn raw(&self, result: Result<JsValue>) -> Answer {
        result.map_err(|error| {
            let of_storage = matches!(error.code(), ErrorCode::QuotaExceeded | ErrorCode::IoFailed);
            let said = self.pool.as_ref().filter(|_| of_storage).and_then(Pool::last_failure);
            failure(match said {
                Some(cause) => error.caused_by(cause),
                None => error,
            })
        })
    }
}

type Answer = std::result::Result<JsValue, JsValue>;

fn closed() -> Error {
    Error::new(ErrorCode::Internal, "The engine was called after it was closed.")
}

fn failure(error: Error) -> JsValue {
    wire::to_js(&wire::Failure::from(&error)).unwrap_or(JsValue::UNDEFINED)
}

#[wasm_bindgen]
impl Engine {
    /// Opens a memory.
    ///
    /// A memory without a path starts with the contents of `file`, if passed. `onProgress` is called while the memory
    /// is migrated.
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "EngineOptions")] options: JsValue,
        file: Option<Vec<u8>>,
        #[wasm_bindgen(js_name = onProgress, unchecked_param_type = "((progress: MigrationProgress) => void) | undefined")]
        on_progress: JsValue,
    ) -> std::result::Result<Engine, JsValue> {
        open(&options, file, on_progress.dyn_into().ok()).await.map_err(failure)
    }

    /// Runs one statement that only reads. `timeout` is in seconds, 10 by default.
    #[wasm_bindgen(unchecked_return_type = "QueryResult")]
    pub fn query(
        &mut self,
        sql: &str,
        #[wasm_bindgen(unchecked_param_type = "SqlParameters")] parameters: &JsValue,
        timeout: Option<f64>,
    ) -> Answer {
        let result = wire::parameters(parameters).and_then(|parameters| {
            let found = self.memory_mut()?.query(sql, &parameters, timeout.unwrap_or(DEFAULT_TIMEOUT))?;
            Ok(wire::result(&found))
        });
        self.raw(result)
    }

    /// Carries out statements that write to the app's own tables, all or none. `timeout` is in seconds, 10 by default.
    #[wasm_bindgen(unchecked_return_type = "Executed[]")]
    pub fn execute(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "readonly (readonly [sql: string, parameters: SqlParameters])[]")]
        statements: &JsValue,
        timeout: Option<f64>,
    ) -> Answer {
        self.call_mut(|memory| memory.execute(&wire::statements(statements)?, timeout.unwrap_or(DEFAULT_TIMEOUT)))
    }

    /// The database as the bytes of a file.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer>")]
    pub fn export(&self) -> Answer {
        self.bytes(self.memory().and_then(Memory::export))
    }

    /// Removes all traces of what was deleted, and rebuilds the file without free pages.
    #[wasm_bindgen(unchecked_return_type = "Compacted")]
    pub fn compact(&mut self) -> Answer {
        self.call_mut(Memory::compact)
    }

    /// Removes some of what was deleted, for a few milliseconds; returns whether there is more.
    #[wasm_bindgen(js_name = tidySlice, unchecked_return_type = "boolean")]
    pub fn tidy_slice(&self) -> Answer {
        self.call(Memory::tidy_slice)
    }

    /// The rows that hold values of a wrong type.
    #[wasm_bindgen(unchecked_return_type = "UnreadableRow[]")]
    pub fn unreadable(&self) -> Answer {
        self.call(Memory::unreadable)
    }

    /// The state of the schema.
    #[wasm_bindgen(js_name = schemaStatus, unchecked_return_type = "SchemaStatus")]
    pub fn schema_status(&self) -> Answer {
        self.call(Memory::schema_status)
    }

    /// Lets the changes that follow share one transaction and one flush, until `endBatch`.
    #[wasm_bindgen(js_name = beginBatch, unchecked_return_type = "Done")]
    pub fn begin_batch(&self) -> Answer {
        self.call(|memory| {
            memory.db().begin_batch();
            Ok(())
        })
    }

    /// Commits the changes of the batch. If it fails, none of them was kept.
    #[wasm_bindgen(js_name = endBatch, unchecked_return_type = "Done")]
    pub fn end_batch(&self) -> Answer {
        self.call(Memory::end_batch)
    }

    /// What was changed and committed since the last call; null if nothing was.
    #[wasm_bindgen(unchecked_return_type = "Changes | null")]
    pub fn changes(&self) -> Answer {
        self.call(|memory| Ok(memory.take_changes()))
    }

    /// Closes the database and releases its files. No method must be called after it.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn close(&mut self) -> Answer {
        let closed = self.memory.take().map_or(Ok(()), Memory::close);
        let released = self.pool.as_ref().map_or(Ok(()), Pool::release);
        self.answer(closed.and(released))
    }
}

const CLOCK: Clock = Clock::new(|| js_sys::Date::now() / 1000.0);

async fn open(options: &JsValue, file: Option<Vec<u8>>, on_progress: Option<Function>) -> Result<Engine> {
    let options: wire::EngineOptions = wire::object_from_js(options, "options")?;
    let pool = match &options.path {
        Some(path) => Some(Pool::acquire(path).await?),
        None => None,
    };
    match open_in(pool.as_ref(), options, file, on_progress).await {
        Ok(memory) => Ok(Engine { memory: Some(memory), pool }),
        // The file is unchanged; another tab can try.
        Err(error) => {
            pool.as_ref().map_or(Ok(()), Pool::release)?;
            Err(error)
        }
    }
}

fn location(pool: Option<&Pool>) -> Location<'_> {
    pool.map_or(Location::Memory, |pool| Location::File { path: pool.path(), vfs: Some(pool.vfs()) })
}
