//! Failures on demand.

use serde::{Deserialize, Serialize};

use super::State;
use crate::Code;

/// Calls of one function that answer a code instead of doing their work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The symbol, such as `nvmlGpuInstanceDestroy`.
    pub function: String,
    /// NVML's number of the code that is answered.
    pub code: u32,
    /// Which calls.
    pub when: When,
}

/// Which calls of a function fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Each, until it is healed.
    Every,
    /// One: the n-th from now, 1 = the next. Then the fault is spent and gone.
    Nth(u32),
}

impl State {
    /// A call of `function` would meet or count down a fault.
    pub fn has_fault(&self, function: &str) -> bool {
        self.faults.iter().any(|fault| fault.function == function)
    }

    /// Counts one call of `function` and says how it is to fail, if it is.
    pub fn count_call(&mut self, function: &str) -> Result<(), Code> {
        let mut answer = Ok(());
        self.faults.retain_mut(|fault| {
            if fault.function != function {
                return true;
            }
            let fails = Err(Code::from_number(fault.code).unwrap_or(Code::Unknown));
            match &mut fault.when {
                When::Every => answer = fails,
                When::Nth(0 | 1) => {
                    answer = fails;
                    return false;
                }
                When::Nth(left) => *left -= 1,
            }
            true
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, When};
    use crate::Code;
    use crate::state::State;

    fn calls(when: When) -> Vec<Result<(), Code>> {
        let mut state = State::new(1, &[]);
        let function = "nvmlGpuInstanceDestroy".to_owned();
        state.faults.push(Fault {
            function,
            code: 19,
            when,
        });
        (0..4)
            .map(|_| state.count_call("nvmlGpuInstanceDestroy"))
            .collect()
    }

    #[test]
    fn the_nth_call_fails_once_and_no_other() {
        assert_eq!(
            calls(When::Nth(1)),
            [Err(Code::InUse), Ok(()), Ok(()), Ok(())]
        );
        assert_eq!(
            calls(When::Nth(3)),
            [Ok(()), Ok(()), Err(Code::InUse), Ok(())]
        );
    }

    #[test]
    fn every_call_fails_until_healed() {
        assert_eq!(calls(When::Every), [Err(Code::InUse); 4]);
    }

    #[test]
    fn other_functions_are_not_counted() {
        let mut state = State::new(1, &[]);
        let function = "nvmlGpuInstanceDestroy".to_owned();
        state.faults.push(Fault {
            function,
            code: 19,
            when: When::Nth(1),
        });
        assert_eq!(state.count_call("nvmlComputeInstanceDestroy"), Ok(()));
        assert!(state.has_fault("nvmlGpuInstanceDestroy"));
    }
}
