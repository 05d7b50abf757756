//! What C passes by pointer, as types that can only be written or read whole.
//!
//! Each is `repr(transparent)` over the pointer that the header declares, so it can stand in a
//! C signature. None can be made in Rust: a value comes from a C caller, who promises by NVML's
//! contract that a pointer is null or valid for what the header says, and stays so for the call.
#![expect(unsafe_code, reason = "C hands its arguments over as pointers")]

use std::ffi::{CStr, c_char, c_uint};

use crate::Code;

/// Where one value is to be written.
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Writes the value.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for null.
    pub fn set(&self, value: T) -> Result<(), Code> {
        self.check()?;
        // SAFETY: not null, so valid for writing a `T` by the contract above.
        unsafe { self.0.write(value) };
        Ok(())
    }

    /// Refuses null before anything is changed that could then not be reported.
    pub fn check(&self) -> Result<(), Code> {
        if self.0.is_null() {
            Err(Code::InvalidArgument)
        } else {
            Ok(())
        }
    }
}

impl Out<c_uint> {
    /// The number that the caller put there: the room that it has.
    pub fn get(&self) -> Result<c_uint, Code> {
        self.check()?;
        // SAFETY: not null; NVML's counts are both read and written.
        Ok(unsafe { self.0.read() })
    }
}

/// One value that the caller wrote.
#[repr(transparent)]
pub struct In<T>(*const T);

impl<T: Copy> In<T> {
    /// The value.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for null.
    pub fn get(&self) -> Result<T, Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        // SAFETY: not null, so valid for reading a `T` by the contract above.
        Ok(unsafe { self.0.read() })
    }
}

/// An array that is to be filled.
#[repr(transparent)]
pub struct Array<T>(*mut T);

impl<T: Copy> Array<T> {
    /// The caller wants only the count.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Writes all `items` into an array that the header demands to be long enough.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for null.
    pub fn fill(&self, items: &[T]) -> Result<(), Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        // SAFETY: not null; the caller provides room for every item that the function can give.
        unsafe { std::ptr::copy_nonoverlapping(items.as_ptr(), self.0, items.len()) };
        Ok(())
    }

    /// Writes all `items` if `count` says that there is room, and their number into `count`.
    ///
    /// # Errors
    /// `INSUFFICIENT_SIZE` with the number needed in `count`.
    pub fn fill_counted(&self, count: &Out<c_uint>, items: &[T]) -> Result<(), Code> {
        let room = count.get()? as usize;
        count.set(number(items.len()))?;
        if items.is_empty() {
            return Ok(());
        }
        if room < items.len() {
            return Err(Code::InsufficientSize);
        }
        self.fill(items)
    }
}

impl<T: Copy> Array<T> {
    /// Lets `change` work on each of the `count` items that the caller wrote.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for null.
    pub fn change_each(&self, count: c_uint, change: impl Fn(&mut T)) -> Result<(), Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        for index in 0..count as usize {
            // SAFETY: not null, and the caller says that it wrote so many.
            let item = unsafe { self.0.add(index) };
            // SAFETY: as above.
            let mut value = unsafe { item.read() };
            change(&mut value);
            // SAFETY: as above.
            unsafe { item.write(value) };
        }
        Ok(())
    }
}

/// A struct whose first word says its version.
#[repr(transparent)]
pub struct Versioned(*mut c_uint);

impl Versioned {
    /// The version that the caller declares.
    pub fn declared(&self) -> Result<c_uint, Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        // SAFETY: not null; every versioned struct begins with its version.
        Ok(unsafe { self.0.read() })
    }

    /// Writes `value`, of version `n`.
    ///
    /// # Errors
    /// `ARGUMENT_VERSION_MISMATCH` if the caller declared another.
    pub fn set<T>(&self, n: u32, value: T) -> Result<(), Code> {
        if self.declared()? != struct_version::<T>(n) {
            return Err(Code::ArgumentVersionMismatch);
        }
        // SAFETY: the declared version contains the size of `T`, so the caller has a `T` there.
        unsafe { self.0.cast::<T>().write(value) };
        Ok(())
    }
}

/// NVML's `NVML_STRUCT_VERSION`: the size, and the number in the highest byte.
pub fn struct_version<T>(n: u32) -> u32 {
    number(size_of::<T>()) | (n << 24)
}

/// Room for a string; its length is an argument of its own.
#[repr(transparent)]
pub struct Text(*mut c_char);

impl Text {
    /// Writes `text` and a NUL.
    ///
    /// # Errors
    /// `INSUFFICIENT_SIZE` if they do not fit into `length` bytes.
    pub fn write(&self, length: c_uint, text: &str) -> Result<(), Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        if length as usize <= text.len() {
            return Err(Code::InsufficientSize);
        }
        // SAFETY: not null, and the caller has `length` bytes there, more than the text is long.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr().cast(), self.0, text.len());
            self.0.add(text.len()).write(0);
        }
        Ok(())
    }
}

/// A string that the caller wrote.
#[repr(transparent)]
pub struct Str(*const c_char);

impl Str {
    /// The string.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for null or what is not UTF-8.
    pub fn get(&self) -> Result<&str, Code> {
        if self.0.is_null() {
            return Err(Code::InvalidArgument);
        }
        // SAFETY: not null, so a NUL-terminated string by the contract above.
        unsafe { CStr::from_ptr(self.0) }
            .to_str()
            .map_err(|_| Code::InvalidArgument)
    }
}

/// `text` in a field of a struct, cut to its size, with a NUL.
pub fn chars<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().take(N - 1).zip(text.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    field
}

/// A length as C counts.
pub fn number(length: usize) -> c_uint {
    c_uint::try_from(length).unwrap_or(c_uint::MAX)
}
