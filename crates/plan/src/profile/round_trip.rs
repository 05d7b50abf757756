//! What is true of every text, whoever thinks it up: the property tests, or the fuzz target in `fuzz/`, which takes
//! this file into itself.

use super::{ProfileName, resource};

/// A text is no name, or it is the one spelling of one name, and its resource is that of no other profile.
pub fn holds(text: &str) {
    let Ok(name) = text.parse::<ProfileName>() else {
        return;
    };
    assert_eq!(name.to_string(), text, "written as it was read");
    let advertised = resource(text);
    let tail = advertised.strip_prefix("nvidia.com/mig-");
    let back = tail.and_then(profile_of);
    assert_eq!(back.as_deref(), Some(text), "told by its resource");
}

/// The profile by the end of its resource's name: the first `gb` ends its figures, and a plus has become a dot.
fn profile_of(tail: &str) -> Option<String> {
    let (figures, attribute) = tail.split_once("gb")?;
    Some(match attribute.strip_prefix('.') {
        Some(words) => format!("{figures}gb+{words}"),
        None => tail.to_owned(),
    })
}
