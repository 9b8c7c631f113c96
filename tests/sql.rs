//! The tokens of SQL, and where statements end.
#![cfg(not(target_arch = "wasm32"))]

use std::borrow::Cow;

use proptest::prelude::*;
use synth_memory::migrate::sql::{Token, TokenKind, split, tokens};

#[test]
fn the_kinds() {
    let sql = "x X'00' 'it''s' \"a\"\"b\" `c` [d e] -- f\n/* ; */ 1.5e-3+.5 0x1e+2 ?1 :n a->>b;é";
    let kinds: Vec<_> = tokens(sql).iter().map(|token| (token.kind, token.text)).collect();
    use TokenKind::*;
    let expected = [
        (Word, "x"),
        (Blob, "X'00'"),
        (Text, "'it''s'"),
        (Quoted, "\"a\"\"b\""),
        (Quoted, "`c`"),
        (Quoted, "[d e]"),
        (Comment, "-- f"),
        (Comment, "/* ; */"),
        (Number, "1.5e-3"),
        (Sign, "+"),
        (Number, ".5"),
        (Number, "0x1e"),
        (Sign, "+"),
        (Number, "2"),
        (Variable, "?1"),
        (Variable, ":n"),
        (Word, "a"),
        (Sign, "->>"),
        (Word, "b"),
        (Sign, ";"),
        (Word, "é"),
    ];
    assert_eq!(kinds, expected);
    let names: Vec<_> = tokens("a \"b\"\"c\" `d``e` [f\"g] 'h''i' 1").iter().map(Token::name).collect();
    let expected = ["a", "b\"c", "d`e", "f\"g", "h'i"].map(|name| Some(Cow::Borrowed(name)));
    assert_eq!(names[..5], expected);
    assert_eq!(names[5], None);
}

#[test]
fn statements_end_where_sqlite_ends_them() {
    let statements = [
        "CREATE TABLE a (b DEFAULT ';', \"c;\" TEXT); ",
        "-- one; two\n/* three; */ INSERT INTO a VALUES (';', `;`);",
        "\ncreate temp trigger t after insert on a begin\n update a set b = case when 1 then 2 else 3 end;\n \
         select case 1 when 2 then 3 end; -- end;\n end ;",
        "CREATE TRIGGER \"end\" DELETE ON a WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT 1; END;",
        "CREATE TABLE trigger_of (x);",
        ";",
        " SELECT 1 -- the last has none",
    ];
    // White space between two statements belongs to the later one.
    let script: String = statements.concat();
    let found: Vec<_> = split(&script).iter().map(|statement| statement.trim()).collect();
    assert_eq!(found, statements.map(str::trim));
    assert_eq!(split(&script).concat(), script);
    assert_eq!(split(" \n"), Vec::<&str>::new());
    assert_eq!(split("SELECT 1;\n"), ["SELECT 1;\n"]);
}

proptest! {
    #[test]
    fn whatever_it_is_nothing_is_lost(script in "([a-z]|[ \n;'\"`\\[\\]()/*.-]|end|create trigger|é|1e){0,40}") {
        let mut rest = script.as_str();
        for token in tokens(&script).iter().rev() {
            prop_assert!(rest[token.range().end..].chars().all(char::is_whitespace));
            rest = &rest[..token.start];
        }
        let whole = split(&script).concat();
        prop_assert!(whole == script || script.trim().is_empty());
    }
}
