//! serde's messages in the words of JavaScript: what Rust calls `i64` is a whole number.

/// How paths begin that callers did not write, because the client composes these arguments.
const COMPOSED: [&str; 4] = ["question.filter.", "question.", "listing.", "row[0]."];

/// What is wrong with an argument: `path` is where serde stopped, `said` is its message.
pub(super) fn explain(path: &str, said: &str) -> String {
    // The value comes first and may contain anything.
    let (found, expected) = said.rsplit_once(", expected ").unwrap_or((said, ""));
    let expected = expected.replace('`', "");
    let named = |what: &str| found.strip_prefix(what).map(|name| name.trim_matches('`'));
    if let Some(field) = named("missing field ") {
        return format!("{} is missing.", written(&format!("{path}.{field}")));
    }
    let path = written(path);
    if let Some(field) = named("unknown field ") {
        let fields = expected.trim_start_matches("one of ").replace(" or ", ", ");
        return format!("{path} has no field \"{field}\"; its fields are {fields}.");
    }
    if let Some(name) = named("unknown variant ") {
        return format!("{path} is \"{name}\"; it must be {expected}.");
    }
    if said.starts_with("Couldn't deserialize") {
        return format!("{path} is a BigInt that does not fit in 64 bits.");
    }
    match found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: ")) {
        Some(found) => format!("{path} must be {}; it is {}.", type_of(&expected), value_of(found)),
        None => format!("{path}: {said}."),
    }
}

fn written(path: &str) -> &str {
    COMPOSED.iter().find_map(|start| path.strip_prefix(start)).unwrap_or(path)
}

fn type_of(expected: &str) -> &str {
    match expected {
        "i64" | "i32" => "a whole number",
        "u64" | "u32" | "usize" => "a whole number from 0",
        "f64" | "f32" => "a number",
        "a sequence" => "an array",
        _ if expected.starts_with("enum") || expected.ends_with("identifier") => "a string",
        _ if expected.starts_with("struct") || expected == "a map" => "an object",
        _ => expected,
    }
}

fn value_of(found: &str) -> String {
    match found {
        "unit value" => "null or undefined".into(),
        "byte array" => "a Uint8Array".into(),
        "sequence" => "an array".into(),
        _ if found.starts_with("string") => format!("the {found}"),
        _ if found.starts_with("JsValue([") => "an array".into(),
        _ if found.starts_with("JsValue(Object") || found == "map" => "an object".into(),
        // A number or a Boolean, in backticks; or another value of JavaScript, such as `5n`.
        _ => {
            let in_backticks = found.split('`').nth(1).map(|number| number.trim_end_matches(".0"));
            in_backticks.unwrap_or_else(|| found.trim_start_matches("JsValue(").trim_end_matches(')')).into()
        }
    }
}
