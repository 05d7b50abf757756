//! What a step asks for, on the wire: in its order, each after what the one before has written.

use super::*;

#[tokio::test]
async fn effects_stop_at_the_first_that_somebody_was_faster_than() {
    let kit = Kit::new();
    kit.api.on(&format!("PATCH {NODE}"), 409, conflict());
    let cordon = Effect::Cordon {
        operation: 17,
        pre_cordoned: false,
    };
    let effects = vec![cordon, Effect::Ask(GpuNodeSpec::default())];
    let acted = kit.nodes.act(&mut seen(), effects).await.unwrap();
    assert_eq!(acted, Acted::Outdated);
    assert_eq!(kit.writes(), [format!("PATCH {NODE}")]);
}

#[tokio::test]
async fn each_effect_goes_on_with_what_the_one_before_has_written() {
    let kit = Kit::new();
    let mut written = node();
    written["metadata"]["resourceVersion"] = json!("8");
    kit.api.on(&format!("PATCH {NODE}"), 200, written);
    let label = |value: &str| {
        let label = (
            names::LABEL_PLUGIN_CONFIG.to_owned(),
            Some(value.to_owned()),
        );
        Effect::Label([label].into())
    };
    let acted = kit
        .nodes
        .act(&mut seen(), vec![label("a"), label("b")])
        .await;
    assert_eq!(acted.unwrap(), Acted::Done);
    let versions: Vec<_> = kit
        .api
        .writes()
        .iter()
        .map(|asked| asked.body["metadata"]["resourceVersion"].clone())
        .collect();
    assert_eq!(versions, ["7", "8"]);
}

#[tokio::test]
async fn what_is_remembered_of_a_label_is_written_in_the_same_patch_as_the_label() {
    let kit = Kit::new();
    kit.api.on(&format!("PATCH {NODE}"), 200, node());
    let one = |key: &str, value: &str| [(key.to_owned(), Some(value.to_owned()))].into();
    let remember = Effect::Remember {
        labels: one(names::LABEL_MIG_MANAGER, "false"),
        annotations: one(names::ANNOTATION_MIG_MANAGER, "true"),
    };
    let acted = kit.nodes.act(&mut seen(), vec![remember]).await;
    assert_eq!(acted.unwrap(), Acted::Done);
    let [write] = &kit.api.writes()[..] else {
        panic!("{:?}", kit.writes())
    };
    let expected = json!({"metadata": {
        "resourceVersion": "7",
        "labels": {names::LABEL_MIG_MANAGER: "false"},
        "annotations": {names::ANNOTATION_MIG_MANAGER: "true"},
    }});
    assert_eq!(write.body, expected);
}

fn publish(key: &str) -> Effect {
    Effect::PublishConfig {
        key: key.to_owned(),
        content: "version: v1".to_owned(),
        since: Timestamp::UNIX_EPOCH,
    }
}

/// What the change needs and what a rollback would need.
#[tokio::test]
async fn two_configs_are_published_in_one_look_the_second_into_what_the_first_was_written_to() {
    let kit = Kit::new();
    let map = |version: &str| json!({"metadata": {"name": "configs", "resourceVersion": version}});
    kit.api.on(&format!("PATCH {CONFIGS}"), 200, map("2"));
    let mut seen = seen();
    seen.configs = Some(Arc::new(read(map("1"))));
    let both = vec![publish("mig-1"), publish("mig-2")];
    let acted = kit.nodes.act(&mut seen, both).await.unwrap();
    assert_eq!(acted, Acted::Done);
    let writes = kit.api.writes();
    let versions: Vec<_> = writes
        .iter()
        .map(|asked| asked.body["metadata"]["resourceVersion"].clone())
        .collect();
    assert_eq!(versions, ["1", "2"]);
}

#[tokio::test]
async fn a_config_is_published_before_anybody_is_asked_to_use_it() {
    let kit = Kit::new();
    let map = json!({"metadata": {"name": "configs", "resourceVersion": "1"}, "data": {}});
    kit.api.on(&format!("PATCH {CONFIGS}"), 200, map.clone());
    kit.api
        .on(&format!("PATCH {GPU_NODE}"), 200, gpu_node(&draining()));
    let mut seen = seen();
    seen.configs = Some(Arc::new(read(map)));
    let effects = vec![publish("mig-1"), Effect::Ask(GpuNodeSpec::default())];
    assert_eq!(
        kit.nodes.act(&mut seen, effects).await.unwrap(),
        Acted::Done
    );
    assert_eq!(
        kit.writes(),
        [format!("PATCH {CONFIGS}"), format!("PATCH {GPU_NODE}")]
    );
}
