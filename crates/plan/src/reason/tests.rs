use std::collections::BTreeSet;

use crds::GpuNode;
use kube::CustomResourceExt;
use serde_json::Value;

use super::Reason;

#[test]
fn every_word_is_in_camel_case_and_none_is_there_twice() {
    let mut seen = BTreeSet::new();
    for reason in Reason::ALL {
        let word = reason.as_str();
        let letters: Vec<_> = word.chars().collect();
        let is_upper = |letter: &char| letter.is_ascii_uppercase();
        assert!(is_upper(&letters[0]), "{word}");
        assert!(letters.iter().all(char::is_ascii_alphabetic), "{word}");
        let shouts = letters.windows(2).any(|two| two.iter().all(is_upper));
        assert!(!shouts, "{word}");
        assert!(seen.insert(word.to_ascii_lowercase()), "{word} twice");
    }
}

#[test]
fn every_word_is_explained_in_one_line() {
    for reason in Reason::ALL {
        let meaning = reason.meaning().trim();
        let (word, length) = (reason.as_str(), meaning.len());
        assert!(meaning.ends_with('.') && length < 110, "{word}: {meaning}");
        assert!(!meaning.contains('\n'), "{word}: {meaning}");
    }
}

#[test]
fn a_word_is_found_again_and_a_strange_one_is_an_error() {
    for reason in Reason::ALL {
        assert_eq!(Reason::of(reason.as_str()), *reason);
    }
    for strange in ["", "inSync", "InSync ", "Somehow"] {
        assert_eq!(Reason::of(strange), Reason::Error, "{strange:?}");
    }
}

/// The words in backticks that begin with a capital letter.
fn words(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .collect()
}

#[test]
fn the_words_that_the_api_documents_for_blocked_pods_are_those_of_the_table() {
    let crd = serde_json::to_value(GpuNode::crd()).unwrap();
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/maintenance/properties/drain\
                /properties/blocked/items/properties/reason/description";
    let documented = crd.pointer(path).and_then(Value::as_str).unwrap();
    let of_pods = [
        Reason::DisruptionBudget,
        Reason::HopelessDisruptionBudget,
        Reason::MultipleDisruptionBudgets,
        Reason::StuckTerminating,
        Reason::NoController,
        Reason::EmptyDir,
        Reason::DoNotEvict,
        Reason::NotSelected,
        Reason::DaemonSet,
        Reason::MirrorPod,
        Reason::UnknownProcess,
        Reason::Throttled,
        Reason::Forbidden,
        Reason::Error,
    ];
    let of_pods: BTreeSet<_> = of_pods.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words(documented), of_pods);
}
