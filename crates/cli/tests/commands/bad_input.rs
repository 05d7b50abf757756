//! Questions that cannot be asked end with 1, and say what is wrong.

use crate::run;

/// Flags after `layout --product A100-SXM4-40GB`, and what is said of them.
const CASES: &[(&[&str], &str)] = &[
    (&["--want", ""], "write PROFILE=NUMBER"),
    (&["--want", ","], "write PROFILE=NUMBER"),
    (&["--want", "1g.5gb"], "write PROFILE=NUMBER"),
    (&["--want", "1g.5gb=1,"], "write PROFILE=NUMBER"),
    (
        &["--want", "1g.5gb="],
        "\"\" is not a number from 1 to 1000",
    ),
    (&["--want", "1g.5gb=0"], "\"0\" is not a number"),
    (&["--want", "1g.5gb=-1"], "\"-1\" is not a number"),
    (&["--want", "1g.5gb=+1"], "\"+1\" is not a number"),
    (&["--want", "1g.5gb=01"], "\"01\" is not a number"),
    (&["--want", "1g.5gb=1.0"], "\"1.0\" is not a number"),
    (&["--want", "1g.5gb=1=1"], "\"1=1\" is not a number"),
    (&["--want", "1g.5gb=two"], "\"two\" is not a number"),
    (&["--want", "1g.5gb=１"], "is not a number"),
    (&["--want", "1g.5gb=1001"], "\"1001\" is not a number"),
    (&["--want", "1g.5gb=4294967297"], "is not a number"),
    (
        &["--want", "1g.5gb=99999999999999999999999"],
        "is not a number",
    ),
    (&["--want", "=1"], "\"\" is not the name of a MIG profile"),
    (
        &["--want", "5gb=1"],
        "\"5gb\" is not the name of a MIG profile",
    ),
    (
        &["--want", "1g.5gb@0=1"],
        "\"1g.5gb@0\" is not the name of a MIG profile",
    ),
    (
        &["--want", "1g.5gb=1, 2g.10gb=1"],
        "\" 2g.10gb\" is not the name",
    ),
    (
        &["--want", "MIG 1g.5gb=1"],
        "is not the name of a MIG profile",
    ),
    (&["--want", "1G.5GB=1"], "is not the name of a MIG profile"),
    (
        &["--want", "3c.3g.20gb=1"],
        "is not the name of a MIG profile",
    ),
    (&["--want", "1g.5gb.me=1"], "the profile is 1g.5gb+me"),
    (
        &["--want", "nvidia.com/mig-1g.5gb=1"],
        "the profile is 1g.5gb",
    ),
    (
        &["--want", "1g.5gb=1,2g.10gb=1,1g.5gb=1"],
        "1g.5gb is more than once in --want",
    ),
    (
        &["--want", "1g.5gb=1", "--want", "1g.5gb=1"],
        "1g.5gb is more than once in --want",
    ),
];

/// The same after `--want 1g.5gb=1`.
const STATES: &[(&[&str], &str)] = &[
    (&["--current", ""], "write PROFILE@START"),
    (&["--current", "1g.5gb"], "write PROFILE@START"),
    (&["--current", "1g.5gb=0"], "write PROFILE@START"),
    (
        &["--current", "1g.5gb@"],
        "\"\" is not a number from 0 to 1000",
    ),
    (&["--current", "1g.5gb@-1"], "\"-1\" is not a number"),
    (&["--current", "1g.5gb@00"], "\"00\" is not a number"),
    (&["--current", "1g.5gb@0=1"], "\"0=1\" is not a number"),
    (
        &["--current", "5gb@0"],
        "\"5gb\" is not the name of a MIG profile",
    ),
    (
        &["--current", "1g.6gb@0"],
        "there can be no 1g.6gb@0 on A100-SXM4-40GB, which offers 1g.5gb, ",
    ),
    (
        &["--current", "1c.3g.20gb@0"],
        "there can be no 1c.3g.20gb@0",
    ),
    (
        &["--current", "1g.5gb@7"],
        "1g.5gb stands at 0, 1, 2, 3, 4, 5 or 6",
    ),
    (&["--current", "2g.10gb@6"], "2g.10gb stands at 0, 2 or 4"),
    (&["--current", "7g.40gb@1"], "7g.40gb stands at 0"),
    (&["--current", "1g.5gb@1000"], "1g.5gb stands at"),
    (
        &["--current", "1g.5gb@3,3g.20gb@0"],
        "3g.20gb@0 and 1g.5gb@3 in --current overlap",
    ),
    (
        &["--current", "7g.40gb@0,1g.10gb@6"],
        "7g.40gb@0 and 1g.10gb@6 in --current overlap",
    ),
    (
        &["--current", "1g.5gb@3,1g.5gb@3"],
        "1g.5gb@3 is more than once in --current",
    ),
    (
        &["--current", "1g.5gb+me@3,1g.5gb+me@0"],
        "no more than 1 1g.5gb+me on A100-SXM4-40GB, and --current has 2",
    ),
    (
        &["--held", "1g.5gb@0"],
        "1g.5gb@0 in --held is not in --current",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb@1"],
        "1g.5gb@1 in --held is not in --current",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb+me@0"],
        "1g.5gb+me@0 in --held is not in --current",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb"],
        "write PROFILE@START",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb@0=0"],
        "\"0\" is not a number from 1 to 1000",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb@0=1001"],
        "\"1001\" is not a number",
    ),
    (
        &["--current", "1g.5gb@0", "--held", "1g.5gb@0,1g.5gb@0=2"],
        "1g.5gb@0 is more than once in --held",
    ),
    (
        &["--pinned", "1g.5gb@0"],
        "1g.5gb@0 in --pinned is not in --current",
    ),
    (
        &["--current", "1g.5gb@0", "--pinned", "1g.5gb@0=2"],
        "\"0=2\" is not a number",
    ),
    (
        &["--current", "1g.5gb@0", "--pinned", "1g.5gb@0,1g.5gb@0"],
        "1g.5gb@0 is more than once in --pinned",
    ),
    (
        &[
            "--current",
            "1g.5gb@0",
            "--pinned",
            "1g.5gb@0",
            "--held",
            "1g.5gb@0",
        ],
        "1g.5gb@0 is in --held and in --pinned",
    ),
];

fn refused(arguments: &[&str], because: &str) {
    let said = run(arguments.iter().copied());
    assert_eq!(said.code, 1, "{arguments:?}: {}", said.errors);
    assert!(
        said.errors.contains(because),
        "{arguments:?}: {}",
        said.errors
    );
    assert!(said.output.is_empty(), "{arguments:?}: {}", said.output);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    for (flags, because) in CASES {
        refused(
            &[&["layout", "--product", "A100-SXM4-40GB"], *flags].concat(),
            because,
        );
    }
}

#[test]
fn a_state_that_no_gpu_can_be_in_is_refused() {
    for (flags, because) in STATES {
        let asked = [
            "layout",
            "--product",
            "A100-SXM4-40GB",
            "--want",
            "1g.5gb=1",
        ];
        refused(&[&asked, *flags].concat(), because);
    }
    let engines = ["--current", "1g.6gb+me@0,2g.12gb+me@2"];
    let asked = ["layout", "--product", "A30", "--want", "1g.6gb=1"];
    refused(
        &[&asked[..], &engines].concat(),
        "they take more media engines than it has",
    );
    let asked = [
        "layout",
        "--product",
        "T4",
        "--want",
        "1g.6gb=1",
        "--current",
        "1g.6gb@0",
    ];
    refused(&asked, "there can be no 1g.6gb@0 on T4, which has no MIG");
}

#[test]
fn an_unknown_product_is_answered_with_all_the_nearest_first() {
    let nearest = "there is no product \"A100-SXM4-4GB\"; the known ones, the nearest first: A100-SXM4-40GB, A100-SXM4-80GB, ";
    refused(
        &["layout", "--product", "A100-SXM4-4GB", "--want", "1g.5gb=1"],
        nearest,
    );
    refused(&["profiles", "--product", "A100-SXM4-4GB"], nearest);
    refused(&["profiles", "--product", ""], "there is no product \"\"");
}
