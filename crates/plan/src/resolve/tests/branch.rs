//! Choices of which something is decided.

use smallvec::SmallVec;

use crate::resolve::assignment::Rules;
use crate::resolve::branch::{Branch, Question};
use crate::resolve::cost::{Kind, Pair, Toll, Weighed};
use crate::resolve::given::Given;
use crate::resolve::scale::Scale;

fn driving(gone: u128) -> Weighed {
    Weighed {
        part: 0,
        gone,
        cost: 0,
    }
}

fn nothing() -> Vec<Toll> {
    vec![Toll {
        evicted: Pair(0, 0),
        destroyed: 0,
        created: 0,
        room: SmallVec::new(),
    }]
}

/// The first has the lowest starts. With its share of its pod, which fewer GPUs drive away, it costs more at first.
#[test]
fn of_two_candidates_whose_pods_leave_anyway_the_first_is_taken() {
    let weights = [Pair(0, 1); 2];
    let scale = Scale::new(&[nothing(), nothing(), nothing()], &weights, 1);
    let gpus = [
        vec![driving(0b01), driving(0b10)],
        vec![driving(0b11)],
        vec![driving(0b10)],
    ];
    let rules = Rules {
        counts: &[None],
        kinds: &[Kind::default()],
        weights: &weights,
        scale: &scale,
    };
    let given = Given::new(&gpus, &rules).unwrap();
    let mut branch = Branch::root(&given);
    assert_eq!(branch.solve(&given).unwrap().as_slice(), [1, 0, 0]);
    for pod in [1, 0] {
        branch.question = Some(Question::Pod(pod));
        branch = branch.split(&given).swap_remove(0);
        branch.solve(&given).unwrap();
    }
    assert_eq!(branch.solve(&given).unwrap().as_slice(), [0, 0, 0]);
}
