//! The ways to name a revision, such as `001`, `head`, `-1` or `app@head`.

/// Reserved words, which must not be an id or a label.
pub(super) const WORDS: [&str; 4] = ["head", "heads", "base", "current"];

/// These revisions as text, or `base` if there are none.
pub(crate) fn place(revisions: &[String]) -> String {
    if revisions.is_empty() { "base".to_owned() } else { revisions.join(", ") }
}

/// A parsed symbol: `label@name+steps`, each part of which may be missing.
#[derive(Clone, Copy)]
pub(super) struct Symbol<'s> {
    pub(super) whole: &'s str,
    pub(super) label: Option<&'s str>,
    pub(super) name: &'s str,
    pub(super) steps: Option<isize>,
}

/// Whether a word ends in a number of steps, such as `-1` or `001+2`.
pub(super) fn is_relative(word: &str) -> bool {
    Symbol::parse(word).steps.is_some()
}

impl<'s> Symbol<'s> {
    pub(super) fn parse(whole: &'s str) -> Self {
        let (label, rest) = match whole.split_once('@') {
            Some((label, rest)) if !label.is_empty() => (Some(label), rest),
            _ => (None, whole),
        };
        let sign = rest.rfind(['+', '-']).filter(|&sign| {
            let digits = &rest[sign + 1..];
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        let Some(sign) = sign else { return Self { whole, label, name: rest, steps: None } };
        // A number that does not fit becomes the largest one, which leads out of any graph.
        let number = rest[sign + 1..].parse().unwrap_or(isize::MAX);
        let steps = if rest.as_bytes()[sign] == b'-' { -number } else { number };
        Self { whole, label, name: &rest[..sign], steps: Some(steps) }
    }

    /// The same with `current+N` and `current-N` read as `+N` and `-N`.
    pub(super) fn without_current(self) -> Self {
        if self.name == "current" && self.steps.is_some() { Self { name: "", ..self } } else { self }
    }
}
