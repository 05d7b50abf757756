//! What is answered about layouts, as people read it.

use crate::plugin;

const MAPS: &[(&str, &str)] = &[
    (
        "--product A100-SXM4-40GB --want 3g.20gb=1,1g.5gb=2 --current 2g.10gb@0,1g.5gb@5 --held 2g.10gb@0=2",
        "\
A100-SXM4-40GB  3g.20gb+2x1g.5gb: feasible; 2 pods have to leave
slice    0        1        2        3        4        5        6        7
before  |-2g.10gb         |........|........|........|=1g.5gb |........|........|
after   |+3g.20gb                           |+1g.5gb |=1g.5gb |........|........|
        = stays, - is destroyed, + is created
step 1: destroy 2g.10gb@0 (2 pods have to leave)
step 2: create 3g.20gb@0
step 3: create 1g.5gb@4
",
    ),
    (
        "--product A30 --want 2g.12gb=1 --current 2g.12gb@2",
        "\
A30  2g.12gb: feasible; no pod has to leave
slice    0    1    2    3
before  |....|....|=2g.12gb |
after   |....|....|=2g.12gb |
        = stays, - is destroyed, + is created
nothing to do
",
    ),
    (
        "--product RTX-PRO-6000 --want 1g.24gb-me=1 --current 1g.24gb+me.all@3,1g.24gb-me@9 --pinned 1g.24gb+me.all@3 --held 1g.24gb-me@9",
        "\
RTX-PRO-6000  1g.24gb-me: feasible; no pod has to leave
slice    0     1     2     3     4     5     6     7     8     9     10    11
before  |.....|.....|.....|=1g.24gb+me.all  |.....|.....|.....|=1g.24gb-me      |
after   |.....|.....|.....|=1g.24gb+me.all  |.....|.....|.....|=1g.24gb-me      |
        = stays, - is destroyed, + is created
nothing to do
",
    ),
    (
        "--product A30 --want 4g.24gb=1 --current 1g.6gb@0,1g.6gb@1 --pinned 1g.6gb@1",
        "\
A30  4g.24gb: NOT feasible
4g.24gb cannot be placed beside 1g.6gb at slice 1 (pinned)
slice    0        1        2        3
now     |-1g.6gb |=1g.6gb |........|........|
        = must stay, - may be destroyed
4g.24gb@0 is blocked by 1g.6gb@1
try --want 2g.12gb=1
try --want 2g.12gb+me=1
try --want 1g.6gb=1
",
    ),
    (
        "--product L4 --want 1g.6gb=1",
        "L4  1g.6gb: NOT feasible\nNVIDIA L4 has no MIG\n",
    ),
];

#[test]
fn a_map_shows_before_and_after_and_the_way_between() {
    for (flags, map) in MAPS {
        let said = plugin(&format!("layout {flags}"));
        assert_eq!(said.output, *map, "{flags}: {}", said.errors);
        let feasible = !map.contains("NOT feasible");
        assert_eq!(said.code, if feasible { 0 } else { 2 }, "{flags}");
    }
}
