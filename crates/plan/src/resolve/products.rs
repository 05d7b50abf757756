//! Product names with `*` for any text.

/// Whether a product's name matches one of the patterns: `*` stands for any text, also none; case counts.
pub(super) fn any_matches(patterns: &[String], product: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, product))
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, product, expected) in [
            ("*A100*", "NVIDIA A100-SXM4-40GB", true),
            ("*H100*80GB*", "NVIDIA H100 80GB HBM3", true),
            ("*H100*80GB*", "NVIDIA H100 NVL", false),
            ("*H100*80GB*", "NVIDIA 80GB H100", false),
            ("NVIDIA*", "NVIDIA T4", true),
            ("*T4", "NVIDIA T4", true),
            ("*T4", "NVIDIA T4G", false),
            ("T4", "T4", true),
            ("T4", "NVIDIA T4", false),
            ("*", "", true),
            ("**", "x", true),
            ("a*a", "a", false),
            ("a*b*b", "ab", false),
            ("*a100*", "NVIDIA A100", false),
        ] {
            assert_eq!(matches(pattern, product), expected, "{pattern} {product}");
        }
    }
}
