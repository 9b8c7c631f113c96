//! The engine in real OPFS, in a dedicated worker of a real browser. Run by `wasm-pack test --headless`.
#![cfg(target_arch = "wasm32")]

use js_sys::{Array, Object, Reflect, Uint8Array};
use synth_memory::Engine;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_else(|| panic!("{name} of {object:?} is no text"))
}

async fn try_open(path: &str, durability: &str) -> Result<Engine, JsValue> {
    let options = object(&[("path", path.into()), ("durability", durability.into())]);
    Engine::open(options, None, JsValue::UNDEFINED).await
}

async fn open(path: &str) -> Engine {
    try_open(path, "strict").await.unwrap_or_else(|failure| panic!("{}", text(&failure, "message")))
}

fn turn(words: &str) -> JsValue {
    Array::of1(&object(&[("userInput", words.into())])).into()
}

fn count(engine: &Engine) -> f64 {
    engine.turns_count(&object(&[])).unwrap().as_f64().unwrap()
}

fn fixture() -> Vec<u8> {
    include_bytes!("fixtures/synth-mind-alembic.db").to_vec()
}

#[wasm_bindgen_test]
async fn a_memory_is_created_migrated_and_found_again() {
    for durability in ["strict", "relaxed"] {
        let path = format!("/created-{durability}.db");
        let mut engine = try_open(&path, durability).await.unwrap();
        let status = engine.schema_status().unwrap();
        let ids = |name: &str| Array::from(&get(&status, name)).join(",");
        assert_eq!((ids("revisions"), ids("heads")), ("002".into(), "002".into()));
        assert_eq!(Array::from(&get(&status, "migrated")).length(), 2);
        let ids = Array::from(&engine.turns_add(&turn("日本語 😀")).unwrap());
        engine.close().unwrap();

        let mut engine = try_open(&path, durability).await.unwrap();
        assert_eq!(Array::from(&get(&engine.schema_status().unwrap(), "migrated")).length(), 0);
        let row = engine.turns_get(&ids.get(0)).unwrap();
        assert_eq!(text(&row, "userInput"), "日本語 😀");
        assert!(get(&row, "assistantResponse").is_null());
        engine.close().unwrap();
    }
}

#[wasm_bindgen_test]
async fn the_log_is_written_ahead_and_each_commit_flushed() {
    let mut engine = open("/pragmas.db").await;
    for (sql, expected) in [
        ("PRAGMA page_size", "4096"),
        ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
        ("SELECT synchronous FROM pragma_synchronous", "2"),
        ("SELECT locking_mode FROM pragma_locking_mode", "exclusive"),
        ("SELECT foreign_keys FROM pragma_foreign_keys", "1"),
    ] {
        let result = engine.query(sql, &Array::new(), None);
        let result = result.unwrap_or_else(|failure| panic!("{sql}: {}", text(&failure, "message")));
        let value = Array::from(&Array::from(&get(&result, "rows")).get(0)).get(0);
        let value = value.as_string().unwrap_or_else(|| value.as_f64().unwrap().to_string());
        assert_eq!(value, expected, "{sql}");
    }
    engine.close().unwrap();
}

#[wasm_bindgen_test]
async fn a_file_held_elsewhere_is_told_with_the_browsers_cause() {
    let mut engine = open("/held.db").await;
    // Something else holds the pool's files, as another tab would.
    let failure = hold_and_open("/taken.db").await;
    assert_eq!(text(&failure, "code"), "locked");
    assert_eq!(text(&get(&failure, "cause"), "name"), "NoModificationAllowedError");
    engine.turns_add(&turn("goes on")).unwrap();
    engine.close().unwrap();
}

/// Holds the lock file of a pool while a memory is opened there.
async fn hold_and_open(path: &str) -> JsValue {
    let code = format!(
        "let folder = await navigator.storage.getDirectory();
         for (const part of ['synth-memory', '{}']) folder = await folder.getDirectoryHandle(part, {{ create: true }});
         const file = await folder.getFileHandle('.lock', {{ create: true }});
         return file.createSyncAccessHandle();",
        &path[1..]
    );
    let handle = run(&code).await.unwrap();
    let failure = try_open(path, "strict").await.err().expect("the file was held");
    let close: js_sys::Function = get(&handle, "close").unchecked_into();
    close.call0(&handle).unwrap();
    failure
}

async fn run(code: &str) -> Result<JsValue, JsValue> {
    let function = js_sys::Function::new_no_args(&format!("return (async () => {{ {code} }})()"));
    let promise: js_sys::Promise = function.call0(&JsValue::NULL)?.unchecked_into();
    wasm_bindgen_futures::JsFuture::from(promise).await
}

#[wasm_bindgen_test]
async fn two_memories_are_open_side_by_side() {
    let (mut first, mut second) = (open("/first.db").await, open("/folder/second.db").await);
    first.turns_add(&turn("only here")).unwrap();
    assert_eq!((count(&first), count(&second)), (1.0, 0.0));
    second.close().unwrap();
    first.close().unwrap();
}

#[wasm_bindgen_test]
async fn a_synth_mind_file_comes_in_and_goes_out() {
    let mut engine = open("/imported.db").await;
    engine.turns_add(&turn("replaced")).unwrap();
    engine.reserve().await.unwrap();
    let imported = engine.import(fixture(), false).unwrap();
    let applied = Array::from(&Reflect::get(&imported, &"applied".into()).unwrap());
    assert_eq!(applied.join(","), "002");
    assert_eq!(count(&engine), 64.0);

    let bytes = Uint8Array::new(&engine.export_at("001").unwrap()).to_vec();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    // A memory without a path starts from the given file, and brings it to head.
    let scratch =
        Engine::open(object(&[("durability", "strict".into())]), Some(bytes), JsValue::UNDEFINED).await.unwrap();
    assert_eq!(Array::from(&get(&scratch.schema_status().unwrap(), "migrated")).join(","), "002");
    assert_eq!(count(&scratch), 64.0);

    let backups = Array::from(&engine.backups().unwrap());
    assert_eq!(backups.length(), 1);
    engine.close().unwrap();
    let mut engine = open("/imported.db").await;
    assert_eq!(count(&engine), 64.0);
    engine.restore(&text(&backups.get(0), "id")).unwrap();
    assert_eq!(count(&engine), 1.0);
    engine.close().unwrap();
}

#[wasm_bindgen_test]
async fn backups_never_run_out_of_files() {
    let mut engine = open("/backups.db").await;
    engine.reserve().await.unwrap();
    for _ in 0..6 {
        engine.turns_add(&turn("again")).unwrap();
        engine.downgrade("001").unwrap();
        engine.upgrade("head").unwrap();
    }
    assert_eq!(Array::from(&engine.backups().unwrap()).length(), 3);
    assert_eq!(count(&engine), 6.0);
    engine.close().unwrap();
}

#[wasm_bindgen_test]
async fn pages_of_another_size_are_taken() {
    let mut engine = open("/pages.db").await;
    engine.turns_add(&turn("replaced")).unwrap();
    engine.reserve().await.unwrap();
    let file = include_bytes!("fixtures/page-size-1024.db").to_vec();
    engine.import(file, false).unwrap_or_else(|failure| panic!("{}", text(&failure, "message")));
    engine.turns_add(&turn("goes on")).unwrap();
    assert_eq!(count(&engine), 65.0);
    engine.close().unwrap();
    let mut engine = open("/pages.db").await;
    assert_eq!(count(&engine), 65.0);
    engine.close().unwrap();
}

#[wasm_bindgen_test]
async fn arguments_that_are_not_what_they_should_be_are_told() {
    let mut engine = open("/arguments.db").await;
    let list = |field: &str, value: JsValue| engine.turns_list(&object(&[]), &object(&[(field, value)]));
    let cases = [
        engine.turns_add(&JsValue::NULL),
        engine.turns_add(&Array::of1(&JsValue::from_f64(5.0)).into()),
        engine.turns_add(&Array::of1(&object(&[])).into()),
        engine.turns_get(&"1".into()),
        engine.turns_get(&1.5.into()),
        engine.turns_update(&1.into(), &JsValue::UNDEFINED),
        engine.turns_delete(&1.into()),
        list("limit", (-1).into()),
        list("limit", 1e300.into()),
        list("orderBy", "importance".into()),
        list("direction", "up".into()),
        engine.turns_list(&object(&[("matching", "some".into())]), &object(&[])),
        engine.long_term_get(&JsValue::NULL),
        engine.uncertainty_resolve(&f64::NAN.into(), "x".into()),
    ];
    for (at, result) in cases.into_iter().enumerate() {
        let failure = result.expect_err(&format!("case {at}"));
        assert_eq!(text(&failure, "code"), "invalid_argument", "case {at}");
    }
    engine.close().unwrap();
}
