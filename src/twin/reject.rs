//! Why a message, or a value of a city file, was not taken.

use smallvec::SmallVec;

use super::json::{Syntax, Value, cut};

/// The `error-code` of a dead letter, in order of precedence (contract, section 2, rule 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    TooLarge,
    Empty,
    NotUtf8,
    NotJson,
    MissingField,
    WrongType,
    OutOfRange,
    BadTime,
    Future,
    UnknownEntity,
}

impl Code {
    /// All of them, in order of precedence.
    pub const ALL: [Self; 10] = [
        Self::TooLarge,
        Self::Empty,
        Self::NotUtf8,
        Self::NotJson,
        Self::MissingField,
        Self::WrongType,
        Self::OutOfRange,
        Self::BadTime,
        Self::Future,
        Self::UnknownEntity,
    ];

    /// As it stands in the header `error-code` and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Empty => "empty",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::BadTime => "bad_time",
            Self::Future => "future",
            Self::UnknownEntity => "unknown_entity",
        }
    }
}

/// A message that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub code: Code,
    /// Names the field, its value and what is accepted.
    pub message: String,
}

impl Reject {
    #[cold]
    pub(super) fn new(code: Code, message: String) -> Self {
        Self { code, message }
    }

    #[cold]
    pub(super) fn syntax(syntax: &Syntax) -> Self {
        let message = format!("the value is no JSON object: {} at byte {}", syntax.what, syntax.at);
        Self::new(Code::NotJson, message)
    }
}

/// One value that is not what its field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// Where, as in `currentLocation.latitude`.
    pub field: String,
    /// Names the value and what is accepted.
    pub message: String,
}

/// What is wrong with one object; mostly nothing.
#[derive(Debug, Default)]
pub struct Problems(SmallVec<[Problem; 1]>);

impl Problems {
    /// Notes a problem.
    #[cold]
    pub fn push(&mut self, code: Code, field: &str, value: &Value<'_>, accepted: &str) {
        let message = match code {
            Code::MissingField if matches!(value, Value::Absent) => format!("is missing; accepted: {accepted}"),
            _ => format!("is {}; accepted: {accepted}", value.shown()),
        };
        self.0.push(Problem { code, field: field.to_owned(), message });
    }

    /// Notes a problem in other words.
    #[cold]
    pub fn say(&mut self, code: Code, field: &str, message: String) {
        self.0.push(Problem { code, field: field.to_owned(), message });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0.into_vec()
    }

    /// The one whose code comes first, as a rejection.
    pub fn first(self) -> Option<Reject> {
        let first = self.0.into_iter().min_by_key(|problem| problem.code)?;
        Some(Reject::new(first.code, format!("{} {}", cut(&first.field, 300), first.message)))
    }
}
