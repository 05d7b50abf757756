//! What every call does around its own work: the gate, the count of inits, faults, latency and the log.

use std::env;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nvml_wrapper_sys::bindings::nvmlReturn_t;

use super::gate;
use crate::Code;
use crate::state::State;
use crate::store::{Store, StoreError};

/// Defines exported functions: each logs, obeys the faults for its name and answers a code.
macro_rules! export {
    ($(fn $name:ident($driver:pat $(, $arg:ident: $kind:ty)* $(,)?) $body:block)*) => {
        /// The functions that this file exports.
        pub(super) const SYMBOLS: &[&str] = &[$(stringify!($name)),*];

        $(
            // SAFETY: the symbol is NVML's, and nothing else in the process defines it.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($($arg: $kind),*) -> nvml_wrapper_sys::bindings::nvmlReturn_t {
                crate::ffi::call::answer(stringify!($name), |$driver| $body)
            }
        )*
    };
}

/// `nvmlInit` calls less `nvmlShutdown` calls.
static INITS: AtomicU32 = AtomicU32::new(0);

/// The node during one call.
pub struct Driver {
    store: Store,
    /// As it was when the call began.
    pub state: State,
}

impl Driver {
    /// Changes the state under the lock, by a rule.
    pub fn update<T>(&self, rule: impl FnOnce(&mut State) -> Result<T, Code>) -> Result<T, Code> {
        if self.state.require_root && !rustix::process::geteuid().is_root() {
            return Err(Code::NoPermission);
        }
        self.store.update(rule).map_err(|error| refused(&error))?
    }

    fn begin(symbol: &str) -> Result<Self, StoreFailure> {
        let path = env::var_os("NVML_SIM_STATE").ok_or(StoreFailure::NoPath)?;
        let store = Store::new(path);
        let state = store.read()?;
        if let Some(millis) = state.latency_ms.get(symbol) {
            std::thread::sleep(Duration::from_millis(*millis));
        }
        if state.has_fault(symbol) {
            store.update(|state| state.count_call(symbol))??;
        }
        Ok(Self { store, state })
    }
}

/// Why a call did not get to its work.
enum StoreFailure {
    NoPath,
    Store(StoreError),
    Fault(Code),
}

impl From<StoreError> for StoreFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Code> for StoreFailure {
    fn from(code: Code) -> Self {
        Self::Fault(code)
    }
}

impl StoreFailure {
    fn code(&self) -> Code {
        match self {
            Self::NoPath | Self::Store(StoreError::Missing(_)) => Code::DriverNotLoaded,
            Self::Store(_) => Code::Unknown,
            Self::Fault(code) => *code,
        }
    }

    fn sentence(&self) -> Option<String> {
        match self {
            Self::NoPath => Some("NVML_SIM_STATE is not set: name a state file in it".to_owned()),
            Self::Store(error) => Some(chain(error)),
            Self::Fault(_) => None,
        }
    }
}

/// Runs the work of one function and gives C its code.
pub fn answer(
    symbol: &'static str,
    work: impl FnOnce(&Driver) -> Result<(), Code>,
) -> nvmlReturn_t {
    let work = || begun(symbol).and_then(|driver| work(&driver));
    answered(symbol, gate::pass(symbol, work))
}

/// The same for a function that the simulation has not.
pub fn not_simulated(symbol: &'static str) -> nvmlReturn_t {
    match gate::pass(symbol, || begun(symbol).map(drop)) {
        Ok(()) => {
            let code = Code::NotSupported.number();
            log(&format!("{symbol} {code} NOT_SUPPORTED (not simulated)\n"));
            code
        }
        Err(code) => answered(symbol, Err(code)),
    }
}

/// The node for a call that may go on.
fn begun(symbol: &str) -> Result<Driver, Code> {
    if INITS.load(Ordering::Acquire) == 0 {
        return Err(Code::Uninitialized);
    }
    Driver::begin(symbol).map_err(|failure| {
        failure.sentence().iter().for_each(|why| note(why));
        failure.code()
    })
}

/// The same for `nvmlInit` and its kin: says on stderr why there is no driver.
pub fn init(symbol: &'static str) -> nvmlReturn_t {
    let work = || match Driver::begin(symbol) {
        Ok(_) => {
            INITS.fetch_add(1, Ordering::AcqRel);
            Ok(())
        }
        Err(failure) => {
            if let Some(why) = failure.sentence() {
                note(&why);
                // A lost message is not a reason to fail differently.
                let _ = writeln!(std::io::stderr(), "nvml-sim: {why}");
            }
            Err(failure.code())
        }
    };
    answered(symbol, gate::pass(symbol, work))
}

/// The same for `nvmlShutdown`, which works without a node.
pub fn shutdown(symbol: &'static str) -> nvmlReturn_t {
    let less = |inits: u32| inits.checked_sub(1);
    let work = || {
        let left = INITS.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        left.map(drop).map_err(|_| Code::Uninitialized)
    };
    answered(symbol, gate::pass(symbol, work))
}

fn answered(symbol: &str, result: Result<(), Code>) -> nvmlReturn_t {
    let code = result.map_or_else(Code::number, |()| 0);
    log(&format!("{symbol} {code}\n"));
    code
}

fn refused(error: &StoreError) -> Code {
    note(&chain(error));
    Code::Unknown
}

fn note(why: &str) {
    log(&format!("# {why}\n"));
}

/// One write to a file opened for appending, so that lines of several processes do not mix.
fn log(line: &str) {
    let Some(path) = env::var_os("NVML_SIM_LOG") else {
        return;
    };
    let open = OpenOptions::new().create(true).append(true).open(path);
    // The log is a help; the call goes on without it.
    let _ = open.and_then(|mut file| file.write_all(line.as_bytes()));
}

fn chain(error: &StoreError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
