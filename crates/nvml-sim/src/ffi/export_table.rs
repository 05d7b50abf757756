//! The table of functions without names that nvidia-smi asks for before anything else.
//!
//! It is in no header. What nvidia-smi 535 was seen to do with it: it wants it under one id, with
//! the size in bytes in the first word and functions after it. Without the table it ends with
//! "Mismatch in versions between nvidia-smi and NVML"; where the table is too short for a function
//! it prints `Uninitialized`, where the function answers `NOT_SUPPORTED` N/A.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::nvmlReturn_t;

use super::arg::{Array, In, Out};
use super::call;
use super::handle::Handle;
use super::process::{self, NamedProcess};
use crate::Code;

/// Room for the last one that was seen to be called, which is 242.
const SLOTS: usize = 256;

/// The id that nvidia-smi asks for.
const ID: [u8; 16] = [
    0xC4, 0xFE, 0x3E, 0x6C, 0xC9, 0x8F, 0x6C, 0x4E, 0xA3, 0x27, 0xEE, 0x69, 0x6E, 0x12, 0xF7, 0xC4,
];

/// What the id stands for.
#[repr(C)]
pub struct Table {
    size: usize,
    slots: [Slot; SLOTS],
}

/// All are declared like those that are simulated. A caller in C does not mind, whatever it passes:
/// the others look at no argument.
type Slot = extern "C" fn(Handle, Out<c_uint>, Array<NamedProcess>) -> nvmlReturn_t;

macro_rules! not_simulated {
    ($($number:literal)*) => {
        [$({
            extern "C" fn slot(_: Handle, _: Out<c_uint>, _: Array<NamedProcess>) -> nvmlReturn_t {
                call::not_simulated(concat!("nvmlInternalGetExportTable[", $number, "]"))
            }
            slot
        }),*]
    };
}

static TABLE: Table = {
    let mut slots: [Slot; SLOTS] = not_simulated! {
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
        16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
        48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
        64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79
        80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95
        96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111
        112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127
        128 129 130 131 132 133 134 135 136 137 138 139 140 141 142 143
        144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159
        160 161 162 163 164 165 166 167 168 169 170 171 172 173 174 175
        176 177 178 179 180 181 182 183 184 185 186 187 188 189 190 191
        192 193 194 195 196 197 198 199 200 201 202 203 204 205 206 207
        208 209 210 211 212 213 214 215 216 217 218 219 220 221 222 223
        224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239
        240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255
    };
    slots[212] = process::named_compute;
    slots[213] = process::named_graphics;
    slots[214] = process::named_mps;
    Table {
        size: size_of::<Table>(),
        slots,
    }
};

export! {
    fn nvmlInternalGetExportTable(_, table: Out<&'static Table>, id: In<[u8; 16]>) {
        if id.get()? != ID {
            return Err(Code::NotSupported);
        }
        table.set(&TABLE)
    }
}
