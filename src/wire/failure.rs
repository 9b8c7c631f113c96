//! A failure in the form that crosses into JavaScript, which makes an `Error` of it.

use serde::Serialize;
use tsify::Tsify;

use crate::error::{Error, FailureCause};

/// A failure in the form that crosses into JavaScript, which makes an `Error` of it.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct Failure<'e> {
    /// The kind of failure.
    #[tsify(type = "EngineErrorCode")]
    code: &'static str,
    /// What was wrong.
    message: &'e str,
    /// What to do about it.
    hint: &'e str,
    /// What caused it.
    #[tsify(type = "FailureCause | null")]
    cause: Option<&'e FailureCause>,
}

impl<'e> From<&'e Error> for Failure<'e> {
    fn from(error: &'e Error) -> Self {
        Self { code: error.code().code(), message: error.message(), hint: error.hint(), cause: error.cause() }
    }
}
