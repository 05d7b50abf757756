//! What a call of NVML answered, and the error that a person reads.

use nvml_wrapper::error::NvmlError;

use crate::{Code, Error};

/// A call, and what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub call: &'static str,
    pub code: Code,
}

pub type Answer<T> = Result<T, Failure>;

/// A result of nvml-wrapper's own, with the function that it called.
pub fn wrapped<T>(call: &'static str, result: Result<T, NvmlError>) -> Answer<T> {
    result.map_err(|error| failure(call, error))
}

/// Codes that the wrapper does not know (23 and above) pass unchanged; a missing symbol is a missing function.
fn failure(call: &'static str, error: NvmlError) -> Failure {
    let code = match error {
        NvmlError::FailedToLoadSymbol(_) => Code::FUNCTION_NOT_FOUND,
        other => Code(other.into()),
    };
    Failure { call, code }
}

impl Failure {
    /// The failure of a call that concerns no GPU.
    pub fn of_library(self) -> Error {
        Error::Call {
            call: self.call,
            gpu: None,
            code: self.code,
        }
    }

    /// The failure of a call on a GPU.
    pub fn on_gpu(self, gpu: &str) -> Error {
        match self.code {
            Code::GPU_IS_LOST => Error::Lost {
                gpu: format!("GPU {gpu}"),
            },
            code => Error::Call {
                call: self.call,
                gpu: Some(gpu.to_owned()),
                code,
            },
        }
    }

    /// The failure of a change; `doing` is its verb and object.
    pub fn doing(self, doing: &str, gpu: &str) -> Error {
        let (doing, on) = (doing.to_owned(), gpu.to_owned());
        match self.code {
            Code::IN_USE => Error::Busy { doing, gpu: on },
            Code::INSUFFICIENT_RESOURCES => Error::NoRoom { doing, gpu: on },
            _ => self.on_gpu(gpu),
        }
    }
}

/// None where the GPU does not have it.
pub fn if_supported<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Failure {
            code: Code::NOT_SUPPORTED,
            ..
        }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Some libraries answer `NOT_SUPPORTED` to every number; real ones know a few tens.
const MOST_NUMBERS: u32 = 64;

/// What NVML enumerates: from 0 until `INVALID_ARGUMENT`, without what this GPU does not have. The header's own counts
/// are no limit, as a driver may be newer than the header.
pub fn enumerate<T>(read: impl Fn(u32) -> Answer<T>) -> Answer<Vec<T>> {
    let mut found = Vec::new();
    for number in 0..MOST_NUMBERS {
        match if_supported(read(number)) {
            Ok(entry) => found.extend(entry),
            Err(Failure {
                code: Code::INVALID_ARGUMENT,
                ..
            }) => break,
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Failure, enumerate};
    use crate::Code;

    fn fails<T>(code: Code) -> Answer<T> {
        Err(Failure {
            call: "nvmlTest",
            code,
        })
    }

    #[test]
    fn an_enumeration_has_holes_and_ends_at_an_invalid_argument() {
        let found = enumerate(|number| match number {
            0 | 3 => Ok(number),
            1 | 2 => fails(Code::NOT_SUPPORTED),
            _ => fails(Code::INVALID_ARGUMENT),
        });
        assert_eq!(found, Ok(vec![0, 3]));
    }

    #[test]
    fn an_enumeration_ends_though_the_library_never_says_so() {
        assert_eq!(enumerate::<u32>(|_| fails(Code::NOT_SUPPORTED)), Ok(vec![]));
    }

    #[test]
    fn an_enumeration_that_fails_is_not_one_that_ends() {
        let found = enumerate(|number| {
            if number == 0 {
                Ok(0)
            } else {
                fails(Code::NO_PERMISSION)
            }
        });
        assert_eq!(found, fails(Code::NO_PERMISSION));
    }
}
