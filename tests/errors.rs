//! Every code, its text and its hint. Renaming a code breaks the programs that branch on it, so the names are listed
//! here again.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::HashSet;

use synth_memory::{Error, ErrorCode};

const CODES: &str = "invalid_argument invalid_json text_too_long invalid_embedding embedder_missing not_found opfs_unavailable \
                     storage_denied locked quota_exceeded io_failed corrupt_database not_a_database \
                     unversioned_database newer_schema read_only_memory edited_revision unknown_revision unknown_symbol ambiguous_revision not_a_head invalid_migration migration_failed \
                     constraint_failed schema_mismatch unexpected_value read_only_query invalid_sql query_timeout result_too_large out_of_memory internal";

#[test]
fn codes_are_stable() {
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes, CODES.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn every_code_is_told_apart_and_says_what_to_do() {
    let mut seen = HashSet::new();
    for &code in ErrorCode::ALL {
        let name = code.code();
        assert!(seen.insert(name), "{name} stands twice");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name} is not snake_case");
        assert!(code.hint().ends_with('.') && code.hint().len() > 20, "{name} has no whole sentence for a hint");
        assert!(ErrorCode::DECLARATION.contains(&format!("\"{name}\"")), "TypeScript does not know {name}");
        let error = Error::new(code, "Something was wrong.");
        assert_eq!(error.to_string(), format!("{name}: Something was wrong. {}", code.hint()));
    }
}

#[test]
fn a_recast_error_keeps_its_cause() {
    let error: Error = rusqlite::Connection::open_in_memory().unwrap().execute("SELEC 1", []).unwrap_err().into();
    let cause = error.cause().cloned().unwrap();
    assert_eq!(cause.sql.as_deref(), Some("SELEC 1"));
    assert!(cause.message.contains("syntax error"), "{cause:?}");
    let recast = error.recast(ErrorCode::InvalidSql, "That is no SQL.");
    assert_eq!((recast.code(), recast.cause()), (ErrorCode::InvalidSql, Some(&cause)));
}
