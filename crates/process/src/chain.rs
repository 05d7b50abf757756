//! An error and its causes on one line, each said once.

use std::error::Error;
use std::fmt;

/// Prints an error followed by its causes, as `what failed: why: why that`.
///
/// Many libraries repeat the cause in their own text; a cause that the line already contains is
/// left out, so that a person reads each fact once.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !line.contains(&text) {
                line = format!("{line}: {text}");
            }
            cause = error.source();
        }
        f.write_str(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn causes_follow_the_error_and_none_is_said_twice() {
        let bottom = Link("refused", None);
        let repeated = Link("connect: refused", Some(Box::new(bottom)));
        let top = Link("cannot list nodes", Some(Box::new(repeated)));
        assert_eq!(
            Chain(&top).to_string(),
            "cannot list nodes: connect: refused"
        );
    }
}
