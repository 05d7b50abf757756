//! The end of a profile's name.

/// What a profile has beyond its like, or lacks, with its sign: `+me`, `+me.all`, `+gfx`, `-me`; several of one sign are
/// joined by commas (go-nvlib, `mig_profile.go`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute(String);

impl Attribute {
    /// Reads a sign and lower-case words behind it. None if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<_> = text.strip_prefix(['+', '-'])?.split(',').collect();
        let is_new = |(index, word): (usize, &&str)| !words[..index].contains(word);
        let is_sound =
            words.iter().all(|word| is_word(word)) && words.iter().enumerate().all(is_new);
        is_sound.then(|| Self(text.to_owned()))
    }

    /// As it is written, with its sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case letters, in parts that are joined by dots.
fn is_word(word: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    word.split('.').all(is_part)
}
