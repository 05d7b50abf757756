use super::find;

#[test]
fn every_product_is_found_by_its_key_and_by_the_drivers_name() {
    for product in products::ALL {
        for name in [product.key, product.name] {
            for spelt in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                assert_eq!(find(&spelt).unwrap().key, product.key, "{spelt}");
            }
        }
    }
}

#[test]
fn an_unknown_product_is_answered_with_all_that_are_known_the_nearest_first() {
    for (text, nearest) in [
        ("A100-SXM4-40", "A100-SXM4-40GB"),
        ("a100-sxm4-80g", "A100-SXM4-80GB"),
        ("H100 80GB HBM3", "H100-SXM5-80GB"),
        ("rtx6000", "RTX-PRO-6000"),
        ("NVIDIA H20", "H200-SXM-141GB"),
        ("T40", "T4"),
    ] {
        let error = find(text).unwrap_err();
        assert_eq!(error.known[0], nearest, "{text}: {error}");
        assert_eq!(error.known.len(), products::ALL.len());
    }
    for text in ["", " A30", "A30\n", "a30x", "🦀"] {
        assert!(find(text).is_err(), "{text:?}");
    }
}
