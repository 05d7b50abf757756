//! Finds a GPU product by what people call it.

use products::Product;

/// No product has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no product {text:?}; the known ones, the nearest first: {}", .known.join(", "))]
pub struct UnknownProduct {
    text: String,
    known: Vec<&'static str>,
}

/// The product with this key, or this name of the driver's, in upper or lower case.
pub fn find(text: &str) -> Result<&'static Product, UnknownProduct> {
    let is_it = |product: &&Product| {
        [product.key, product.name]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(text))
    };
    let found = products::ALL.iter().copied().find(is_it);
    found.ok_or_else(|| UnknownProduct {
        text: text.to_owned(),
        known: nearest_first(text),
    })
}

fn nearest_first(text: &str) -> Vec<&'static str> {
    let text = text.to_uppercase();
    let likeness = |product: &Product| {
        let names = [product.key, product.name].map(str::to_uppercase);
        let each = names.map(|name| strsim::jaro_winkler(&text, &name));
        each.into_iter().fold(0.0, f64::max)
    };
    let mut known = products::ALL.to_vec();
    known.sort_by(|one, other| likeness(other).total_cmp(&likeness(one)));
    known.into_iter().map(|product| product.key).collect()
}

#[cfg(test)]
mod tests;
