//! What reasons mean.

use crate::plugin;

#[test]
fn the_words_that_are_asked_for_are_explained_in_any_case() {
    let said = plugin("reasons SlotLost insync");
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(
        said.output,
        "SlotLost  The slot was taken back.\n\
         InSync    The GPUs are as the policy says; of a policy: on all its nodes.\n"
    );
}

#[test]
fn all_words_are_listed_and_a_strange_one_is_bad_input() {
    let all = plugin("reasons").output;
    for word in ["PolicyInvalid ", "DrainBlocked ", "ModePending "] {
        assert_eq!(
            all.matches(&format!("\n{word}")).count() + usize::from(all.starts_with(word)),
            1,
            "{word}"
        );
    }
    let strange = plugin("reasons Somehow");
    assert_eq!((strange.code, strange.output.as_str()), (1, ""));
    assert!(strange.errors.contains("lists all"), "{}", strange.errors);
}
