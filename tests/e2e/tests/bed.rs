//! The bed itself: what tests take for granted.

use e2e::{Bed, Query};

#[tokio::test]
async fn the_audit_log_tells_who_wrote_what() {
    let bed = Bed::start().await.unwrap();
    let client = bed.client().await.unwrap();
    let found = bed
        .audit()
        .settled(&client, &Query::writes().by(":default"))
        .await
        .unwrap();
    assert_eq!(found.len(), 0, "{found:?}");
}
