use std::time::Duration;

use crate::drain::{Answer, Cause, Reply};

fn answer(code: u16) -> Answer {
    Answer {
        code,
        failure: code >= 300,
        message: "words".to_owned(),
        ..Answer::default()
    }
}

fn caused(code: u16, reason: &str, message: &str) -> Answer {
    Answer {
        causes: vec![Cause {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }],
        ..answer(code)
    }
}

#[test]
fn each_answer_means_what_kubernetes_means_by_it() {
    let several = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    let budget = "The disruption budget web needs 6 healthy pods and has 6 currently";
    let words = || "words".to_owned();
    let rows = [
        ("200", answer(200), Reply::Accepted),
        ("201", answer(201), Reply::Accepted),
        (
            "201 with a failure inside: several budgets",
            Answer {
                failure: true,
                status_code: 500,
                message: several.to_owned(),
                ..answer(201)
            },
            Reply::Budgets(several.to_owned()),
        ),
        (
            "201 with a failure inside that has no code",
            Answer {
                failure: true,
                ..answer(201)
            },
            Reply::Failed(words()),
        ),
        (
            "500, several budgets",
            Answer {
                message: several.to_owned(),
                ..answer(500)
            },
            Reply::Budgets(several.to_owned()),
        ),
        ("404", answer(404), Reply::Gone),
        ("409", answer(409), Reply::Stale),
        (
            "429 of a budget",
            caused(429, "DisruptionBudget", budget),
            Reply::Budget {
                message: budget.to_owned(),
                after: None,
            },
        ),
        (
            "429 of a budget whose status is behind",
            Answer {
                retry_after_seconds: 10,
                ..caused(429, "DisruptionBudget", "")
            },
            Reply::Budget {
                message: words(),
                after: Some(Duration::from_secs(10)),
            },
        ),
        ("429 of a busy server", answer(429), Reply::Throttled(None)),
        (
            "403, namespace ending",
            caused(403, "NamespaceTerminating", ""),
            Reply::NamespaceEnding,
        ),
        ("403", answer(403), Reply::Forbidden(words())),
        (
            "504 of a budget that many write to",
            Answer {
                retry_after_seconds: 10,
                ..answer(504)
            },
            Reply::Failed(words()),
        ),
        ("500", answer(500), Reply::Failed(words())),
        ("503", answer(503), Reply::Failed(words())),
        (
            "nothing at all",
            Answer::default(),
            Reply::Failed("the API server did not answer".to_owned()),
        ),
        (
            "no words",
            Answer {
                message: String::new(),
                ..answer(504)
            },
            Reply::Failed("the API server answered 504".to_owned()),
        ),
    ];
    for (name, answer, expected) in rows {
        assert_eq!(Reply::of(&answer), expected, "{name}");
    }
}

#[test]
fn what_is_forbidden_or_denied_is_told_in_the_words_of_whoever_did_so() {
    let negative =
        "poddisruptionbudget.policy \"web\" is forbidden: pdb disruptions allowed is negative";
    let denied = "admission webhook \"keep.example.com\" denied the request: not today";
    let rows = [
        (
            "403 of a budget whose status is wrong",
            Answer {
                message: negative.to_owned(),
                ..answer(403)
            },
            Reply::BrokenBudget(negative.to_owned()),
        ),
        (
            "403 by a webhook",
            Answer {
                message: denied.to_owned(),
                ..answer(403)
            },
            Reply::Forbidden(denied.to_owned()),
        ),
        (
            "400 by a webhook",
            Answer {
                message: denied.to_owned(),
                ..answer(400)
            },
            Reply::Failed(denied.to_owned()),
        ),
        (
            "500 by a webhook that cannot be reached",
            Answer {
                message: "failed calling webhook".to_owned(),
                ..answer(500)
            },
            Reply::Failed("failed calling webhook".to_owned()),
        ),
    ];
    for (name, answer, expected) in rows {
        assert_eq!(Reply::of(&answer), expected, "{name}");
    }
}

#[test]
fn what_the_server_says_is_one_sentence_even_if_it_says_nothing_or_much() {
    let says = |code: u16, message: &str| {
        let answer = Answer {
            message: message.to_owned(),
            ..caused(code, "DisruptionBudget", message)
        };
        match Reply::of(&answer) {
            Reply::Budget { message, .. } | Reply::Forbidden(message) | Reply::Failed(message) => {
                message
            }
            other => panic!("{code}: {other:?}"),
        }
    };
    for (code, otherwise) in [
        (429, "a disruption budget does not allow it now"),
        (403, "the operator may not evict it"),
        (503, "the API server answered 503"),
        (0, "the API server did not answer"),
    ] {
        assert_eq!(says(code, ""), otherwise);
        assert_eq!(says(code, " \n"), otherwise);
        assert_eq!(says(code, "no:\n  never"), "no: never");
        assert!(says(code, &"x".repeat(100_000)).len() < 1000);
    }
}
