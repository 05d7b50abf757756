//! The list of products.

use serde_json::{Value, json};

use crate::plugin;

fn listed(flags: &str) -> Value {
    let said = plugin(&format!("profiles {flags} -o json"));
    assert_eq!(said.code, 0, "{}", said.errors);
    serde_json::from_str(&said.output).unwrap()
}

#[test]
fn a_product_is_listed_with_what_can_be_made_of_it() {
    let all = listed("--product a30");
    let profile = |name, id, slices, mib, max, placements: &[i32]| {
        json!({
            "name": name, "id": id, "slices": slices, "memorySlices": slices,
            "memoryMiB": mib, "max": max, "placements": placements,
        })
    };
    let profiles = [
        profile("1g.6gb", 14, 1, 5952, 4, &[0, 1, 2, 3]),
        profile("2g.12gb", 5, 2, 11968, 2, &[0, 2]),
        profile("4g.24gb", 0, 4, 24000, 1, &[0]),
        profile("1g.6gb+me", 21, 1, 5952, 1, &[0, 1, 2, 3]),
        profile("2g.12gb+me", 6, 2, 11968, 1, &[0, 2]),
    ];
    assert_eq!(
        all,
        json!([{
            "product": "A30", "name": "NVIDIA A30", "mig": true,
            "computeSlices": 4, "memorySlices": 4, "profiles": profiles,
        }])
    );
}

#[test]
fn a_product_without_mig_says_so() {
    let without = json!([{
        "product": "T4", "name": "Tesla T4", "mig": false,
        "computeSlices": 0, "memorySlices": 0, "profiles": [],
    }]);
    assert_eq!(listed("--product T4"), without);
    assert_eq!(
        plugin("profiles --product T4").output,
        "T4 (Tesla T4): no MIG\n"
    );
}

#[test]
fn every_product_is_listed_and_each_name_leads_to_itself() {
    let all = listed("");
    let all = all.as_array().unwrap();
    assert!(all.len() >= 12, "{} products", all.len());
    for product in all {
        let said = crate::run([
            "profiles",
            "--product",
            product["name"].as_str().unwrap(),
            "-o",
            "json",
        ]);
        let one: Value = serde_json::from_str(&said.output).unwrap();
        assert_eq!(one, json!([product]));
    }
}

#[test]
fn people_get_a_table() {
    let said = plugin("profiles --product A30");
    let expected = "\
A30 (NVIDIA A30): 4 compute slices, 4 memory slices
  PROFILE           ID  COMPUTE  MEMORY      MIB  MAX  STARTS
  1g.6gb            14        1       1     5952    4  0,1,2,3
  2g.12gb            5        2       2    11968    2  0,2
  4g.24gb            0        4       4    24000    1  0
  1g.6gb+me         21        1       1     5952    1  0,1,2,3
  2g.12gb+me         6        2       2    11968    1  0,2
";
    assert_eq!(said.output, expected);
    assert_eq!(said.code, 0);
}
