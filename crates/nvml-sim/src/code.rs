//! NVML's return codes, as the names of `nvml.h`.

use std::ffi::CStr;
use std::fmt;

macro_rules! codes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// A failure as NVML reports it; the numbers are those of `nvmlReturn_t`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $text] $name = $number,)*
        }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The sentence that `nvmlErrorString` gives.
            pub const fn text(self) -> &'static CStr {
                match self {
                    $(Self::$name => const {
                        match CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                            Ok(text) => text,
                            Err(_) => c"",
                        }
                    },)*
                }
            }

            /// The name without `NVML_ERROR_`, as the command line takes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    Uninitialized = 1, "Uninitialized";
    InvalidArgument = 2, "Invalid Argument";
    NotSupported = 3, "Not Supported";
    NoPermission = 4, "Insufficient Permissions";
    AlreadyInitialized = 5, "Already Initialized";
    NotFound = 6, "Not Found";
    InsufficientSize = 7, "Insufficient Size";
    InsufficientPower = 8, "Insufficient External Power";
    DriverNotLoaded = 9, "Driver Not Loaded";
    Timeout = 10, "Timeout";
    IrqIssue = 11, "Interrupt Request Issue";
    LibraryNotFound = 12, "NVML Shared Library Not Found";
    FunctionNotFound = 13, "Function Not Found";
    CorruptedInforom = 14, "Corrupted infoROM";
    GpuIsLost = 15, "GPU is lost";
    ResetRequired = 16, "GPU requires reset";
    OperatingSystem = 17, "GPU access blocked by the operating system";
    LibRmVersionMismatch = 18, "Driver/library version mismatch";
    InUse = 19, "In use by another client";
    Memory = 20, "Insufficient Memory";
    NoData = 21, "No data";
    VgpuEccNotSupported = 22, "VGPU ECC not supported";
    InsufficientResources = 23, "Insufficient Resources";
    FreqNotSupported = 24, "Requested frequency not supported";
    ArgumentVersionMismatch = 25, "Argument version mismatch";
    Deprecated = 26, "Function deprecated";
    NotReady = 27, "System not ready";
    GpuNotFound = 28, "GPU not found";
    InvalidState = 29, "Invalid state";
    ResetTypeNotSupported = 30, "Reset type not supported";
    Unknown = 999, "Unknown Error";
}

impl Code {
    /// The number that C sees.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code with this number, if NVML knows it.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (NVML code {})",
            self.text().to_string_lossy(),
            self.number()
        )
    }
}
