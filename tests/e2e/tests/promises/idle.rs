//! Nothing to do writes nothing.

use std::time::Duration;

use crate::record::told;
use crate::scene::{SEVEN, Scene, a100, spec, t4};

/// Three times as long as an agent takes between two looks at its GPUs.
const IDLE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_idle_fleet_writes_nothing_but_the_leaders_lease() {
    let scene = Scene::start([a100("cut"), t4("shared"), t4("unmanaged")]).await;
    let cut = scene.policy("cut", &spec("cut", SEVEN, "")).await;
    let sharing = "{type: TimeSlicing, timeSlicing: {replicas: 4}}";
    let shared = scene.policy("shared", &spec("shared", sharing, "")).await;
    scene.in_sync("cut", &cut).await;
    scene.in_sync("shared", &shared).await;
    scene.reported("unmanaged").await;

    let mark = scene.quiet().await;
    tokio::time::sleep(IDLE).await;
    let writes = scene.product_writes(mark).await;
    assert!(writes.is_empty(), "{}", told(&writes));
}
