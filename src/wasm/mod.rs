//! The engine, as JavaScript calls it: the only `#[wasm_bindgen]`. It converts and calls, and decides nothing.

mod migrations;
mod recall;

mod tables;

use wasm_bindgen::prelude::*;

use crate::Memory;
use crate::db::{Clock, Durability, Location};
use crate::error::{Error, ErrorCode, Result};
use crate::memory::query::{DEFAULT_TIMEOUT, Parameters};
use crate::opfs::Pool;
use crate::wire::{self, FromJs, ToJs};
use migrations::open_in;

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

    fn bytes(&self, bytes: Result<Vec<u8>>) -> Answer {
        bytes.map(|bytes| js_sys::Uint8Array::from(bytes.as_slice()).into()).map_err(|error| self.failure(error))
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

#[wasm_bindgen]
impl Engine {
    /// Opens a memory.
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "EngineOptions")] options: JsValue,
    ) -> std::result::Result<Engine, JsValue> {
        open(&options).await.map_err(failure)
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
    pub fn export(&self) -> Answer {
        self.bytes(self.memory().and_then(Memory::export))
    }

    /// Where the schema is.
    #[wasm_bindgen(js_name = schemaStatus, unchecked_return_type = "SchemaStatus")]
    pub fn schema_status(&self) -> Answer {
        self.answer(self.memory().and_then(wire::SchemaStatus::of))
    }

    /// Lets the changes that follow share one transaction and one flush, until `endBatch`.
    #[wasm_bindgen(js_name = beginBatch, unchecked_return_type = "Done")]
    pub fn begin_batch(&self) -> Answer {
        self.answer(self.memory().map(|memory| memory.db().begin_batch()))
    }

    /// Commits them. Where it fails, none of them was kept.
    #[wasm_bindgen(js_name = endBatch, unchecked_return_type = "Done")]
    pub fn end_batch(&self) -> Answer {
        self.answer(self.memory().and_then(Memory::end_batch))
    }

    /// Closes the database and lets go of its files. Nothing may be called after it.
    #[wasm_bindgen(unchecked_return_type = "Done")]
    pub fn close(&mut self) -> Answer {
        let closed = self.memory.take().map_or(Ok(()), Memory::close);
        let released = self.pool.as_ref().map_or(Ok(()), Pool::release);
        self.answer(closed.and(released))
    }
}

const CLOCK: Clock = Clock::new(|| js_sys::Date::now() / 1000.0);

async fn open(options: &JsValue) -> Result<Engine> {
    let durability: Durability = wire::field(options, "durability")?;
    let pool = match wire::field::<Option<String>>(options, "path")? {
        Some(path) => Some(Pool::acquire(&path).await?),
        None => None,
    };
    let opened = open_in(pool.as_ref(), durability, options).await;
    match opened {
        Ok(memory) => Ok(Engine { memory: Some(memory), pool }),
        // The file is as it was; another tab may try.
        Err(error) => {
            pool.as_ref().map_or(Ok(()), Pool::release)?;
            Err(error)
        }
    }
}

fn location(pool: Option<&Pool>) -> Location<'_> {
    pool.map_or(Location::Memory, |pool| Location::File { path: pool.path(), vfs: Some(pool.vfs()) })
}
