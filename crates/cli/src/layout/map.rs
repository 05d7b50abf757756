//! A GPU drawn in text: its memory slices as columns, and what stands on them.

use std::fmt;

/// Memory slices, and rows of instances in the same columns.
pub struct Map {
    /// How many memory slices.
    pub slices: usize,
    /// Each with its name.
    pub rows: Vec<(&'static str, Vec<Block>)>,
}

/// An instance as it is drawn.
pub struct Block {
    /// First memory slice.
    pub start: usize,
    /// Memory slices.
    pub size: usize,
    /// What is written into it.
    pub label: String,
}

/// The least characters that a slice takes with its left border: two digits above it, and a space.
const LEAST: usize = 4;

/// Characters before the columns.
const MARGIN: usize = 8;

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width();
        let numbers = (0..self.slices).map(|slice| format!(" {slice:<0$}", width - 1));
        let numbers = numbers.collect::<Vec<_>>().concat();
        writeln!(f, "{:MARGIN$}{}", "slice", numbers.trim_end())?;
        for (name, blocks) in &self.rows {
            write!(f, "{name:MARGIN$}")?;
            self.row(f, width, blocks)?;
        }
        Ok(())
    }
}

impl Map {
    /// Characters of a slice. An instance has a border on its left, and a space behind its label.
    fn width(&self) -> usize {
        let blocks = self.rows.iter().flat_map(|(_, blocks)| blocks);
        let needed = blocks.map(|block| (block.label.len() + 2).div_ceil(block.size.max(1)));
        needed.fold(LEAST, usize::max)
    }

    /// Each instance as wide as its slices, free slices dotted.
    fn row(&self, f: &mut fmt::Formatter<'_>, width: usize, blocks: &[Block]) -> fmt::Result {
        let mut slice = 0;
        while slice < self.slices {
            let here = blocks.iter().find(|block| block.start == slice);
            match here {
                Some(block) => write!(f, "|{:1$}", block.label, width * block.size - 1)?,
                None => write!(f, "|{:.<1$}", "", width - 1)?,
            }
            slice += here.map_or(1, |block| block.size);
        }
        writeln!(f, "|")
    }
}
