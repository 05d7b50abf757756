//! Words of others in sentences of ours: an agent's, the API server's, whoever wrote an annotation.
//!
//! Our sentences go into conditions, whose messages the API server takes up to 32,768 characters, into events (1024 bytes)
//! and into a column of `kubectl get`. What others say may be empty, of any length and in many lines.

/// So much of what others say, in characters: an error with the errors that it comes from.
const MOST: usize = 500;

/// What somebody else has said, in one line and, if it is long, its beginning. None: it says nothing.
pub(crate) fn quoted(text: &str) -> Option<String> {
    let is_between = |it: char| it.is_whitespace() || it.is_control();
    let words = text.split(is_between).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        None => Some(line).filter(|line| !line.is_empty()),
        Some((end, _)) => Some(format!("{}…", &line[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_one_line_that_ends_some_time() {
        let lines = " cannot create:\r\n\tno room\u{0}\n";
        assert_eq!(quoted(lines).as_deref(), Some("cannot create: no room"));
        for nothing in ["", " ", "\n\t"] {
            assert_eq!(quoted(nothing), None, "{nothing:?}");
        }
        let just = "ä".repeat(MOST);
        assert_eq!(quoted(&just), Some(just.clone()));
        assert_eq!(quoted(&format!("{just}ä")), Some(format!("{just}…")));
    }
}
