//! The tables of `nvidia-smi mig`: rows between bars, words between spaces.

use std::str::FromStr;

use crate::{Output, Result};

/// The words of one row, read from left to right.
pub struct Cells<'a> {
    command: &'a str,
    row: &'a str,
    words: std::str::SplitWhitespace<'a>,
}

/// The rows that hold the name of a MIG profile; heads and second lines do not.
pub fn rows<'a>(command: &'a str, text: &'a str) -> impl Iterator<Item = Cells<'a>> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with('|') && line.contains(" MIG "));
    rows.map(move |row| Cells {
        command,
        row,
        words: row.trim_matches('|').split_whitespace(),
    })
}

impl<'a> Cells<'a> {
    /// The next word.
    pub fn word(&mut self) -> Result<&'a str> {
        let (command, row) = (self.command, self.row);
        self.words
            .next()
            .ok_or_else(|| Output::unreadable(command, format!("{row:?} ends too early")))
    }

    /// The next word, as a number.
    pub fn number<T: FromStr>(&mut self) -> Result<T> {
        let word = self.word()?;
        // A compute profile that fills its instance has a star behind its id.
        let digits = word.trim_end_matches('*');
        let number = digits.parse();
        number.map_err(|_| Output::unreadable(self.command, format!("{word:?} in {:?}", self.row)))
    }

    /// Two numbers with a sign between them in the next word: `4:4`, `7/7`.
    pub fn pair<T: FromStr>(&mut self, sign: char) -> Result<(T, T)> {
        let word = self.word()?;
        let (left, right) = word.split_once(sign).unwrap_or((word, ""));
        match (left.parse(), right.parse()) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (Err(_), _) | (_, Err(_)) => Err(Output::unreadable(
                self.command,
                format!("{word:?} in {:?}", self.row),
            )),
        }
    }

    /// A profile's name, which follows the word MIG.
    pub fn profile(&mut self) -> Result<String> {
        match self.word()? {
            "MIG" => Ok(self.word()?.to_owned()),
            other => Err(Output::unreadable(
                self.command,
                format!("{other:?} where a profile should be in {:?}", self.row),
            )),
        }
    }
}
