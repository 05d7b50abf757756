//! `kubectl explain` is the documentation that everybody has at hand.

use crate::installed;
use crate::kubectl::explained;

#[tokio::test]
async fn kubectl_explains_how_to_choose_and_what_to_write() {
    let (bed, _) = installed().await;
    for (field, sentences) in [
        (
            "gpusharingpolicy",
            &[
                "GpuSharingPolicy says how the GPUs of a group of nodes are shared, and when they may be changed.",
            ][..],
        ),
        (
            "gpusharingpolicy.spec.strategy",
            &[
                "How the GPUs of these nodes are shared: `type`, and the member of the same name with its settings.",
                "type <string> -required-",
                "`Exclusive`: one pod per GPU. `TimeSlicing`: pods take turns, nothing isolates them. `MPS`: pods run at \
                 once, limited at the CUDA API. `MIG`: hardware slices. `Auto`: chosen from `spec.workload`.",
                "Settings of `type: MIG`: which slices each GPU is cut into. Exactly one of `layout` and `preset`.",
            ],
        ),
        (
            "gsp.spec.strategy.mig",
            &[
                "such as `{3g.20gb: 1, 1g.5gb: 2}`. Counts 1 to 8.",
                "Default false: they are reported and left.",
            ],
        ),
        (
            "gsp.spec.strategy.mps",
            &[
                "Limits of one tenant among others cannot be enforced",
                "A tenant that needs limits of its own needs nodes and a policy of its own, or MIG.",
            ],
        ),
        (
            "gsp.spec.maintenance",
            &[
                "such as `2`, or a percentage such as `25%`",
                "Default 1; 0 admits nobody.",
                "Unset: no canary.",
            ],
        ),
        (
            "gsp.spec.maintenance.windows",
            &[
                "A recurring window, in one of two forms: `start` with `end` or `duration` (and `days`), or `cron` with \
                 `duration`.",
                "Default `UTC`.",
            ],
        ),
        (
            "gsp.spec.maintenance.drain",
            &[
                "Default `10m`.",
                "their content is lost. Default false: such pods block.",
            ],
        ),
        (
            "gsp.spec.workload",
            &["GPU memory of one workload, such as `8Gi`."],
        ),
        (
            "gpunode.spec.operation",
            &["Grows from one operation of a node to the next."],
        ),
        (
            "gn.status.maintenance",
            &["What is waited for, until when, and what happens then: a sentence."],
        ),
    ] {
        let text = explained(&bed, field).await;
        for sentence in sentences {
            assert!(
                text.contains(sentence),
                "{field} lacks {sentence:?}: {text}"
            );
        }
    }
}
