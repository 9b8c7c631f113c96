//! A failure, as it crosses to where an `Error` is made of it.

use serde::Serialize;
use tsify::Tsify;

use crate::error::{Error, FailureCause};

/// A failure, as it crosses to where an `Error` is made of it.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub(crate) struct Failure<'e> {
    /// Which kind.
    #[tsify(type = "EngineErrorCode")]
    code: &'static str,
    /// What was wrong.
    message: &'e str,
    /// What to do.
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
