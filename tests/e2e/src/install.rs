//! Installing manifests as `kubectl apply --server-side` would.

use std::fs;
use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::Condition;
use kube::{Api, Client, ResourceExt};

use crate::eventually::wait_for;
use crate::{Error, Result};

/// Where users install the product, and so do we.
pub const NAMESPACE: &str = "gpu-sharing-system";

/// Installs the product from the repository's `manifests/*.yaml`: what users install.
///
/// # Errors
/// A manifest that the API server does not accept, by name.
pub async fn install_product(client: &Client) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
    let listed = fs::read_dir(&folder).map_err(Error::file("list", &folder))?;
    let mut files: Vec<_> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    let mut objects = vec![namespace()?];
    for file in files {
        let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
        objects.extend(parse(&file.display().to_string(), &text)?);
    }
    apply(client, objects).await
}

fn namespace() -> Result<DynamicObject> {
    let text = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}");
    let mut parsed = parse("the namespace", &text)?;
    parsed.pop().ok_or_else(|| Error::Malformed {
        what: "the namespace".to_owned(),
        wrong: "no document".to_owned(),
    })
}

/// The objects of a YAML file with any number of documents; `name` is for the error.
pub fn parse(name: &str, yaml: &str) -> Result<Vec<DynamicObject>> {
    let wrong = |wrong: String| Error::Malformed {
        what: name.to_owned(),
        wrong,
    };
    let documents: Vec<Option<DynamicObject>> =
        serde_saphyr::from_multiple(yaml).map_err(|error| wrong(error.to_string()))?;
    Ok(documents.into_iter().flatten().collect())
}

/// Applies objects: namespaces first, then definitions, which are waited for, then the rest in its
/// order. What has no namespace and needs one goes into [`NAMESPACE`].
pub async fn apply(client: &Client, mut objects: Vec<DynamicObject>) -> Result<()> {
    objects.sort_by_key(|object| match kind(object) {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        _ => 2,
    });
    for object in objects {
        let is_definition = kind(&object) == "CustomResourceDefinition";
        let name = object.name_any();
        apply_one(client, object).await?;
        if is_definition {
            let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
            let established = |found: &_| is_crd_established().matches_object(Some(found));
            wait_for(&definitions, &name, "Established", established).await?;
        }
    }
    Ok(())
}

async fn apply_one(client: &Client, object: DynamicObject) -> Result<()> {
    let name = format!("{} {}", kind(&object), object.name_any());
    let types = object.types.clone().unwrap_or_default();
    let wrong = |error: &dyn std::fmt::Display| Error::Malformed {
        what: name.clone(),
        wrong: error.to_string(),
    };
    let gvk = GroupVersionKind::try_from(&types).map_err(|error| wrong(&error))?;
    let found = pinned_kind(client, &gvk).await;
    let (resource, capabilities) = found.map_err(Error::api(format!("find out about {name}")))?;
    let api = api_of(client, &resource, &capabilities.scope, &object);
    let params = PatchParams::apply("bed").force();
    let patch = Patch::Apply(&object);
    let applied = api.patch(&object.name_any(), &params, &patch).await;
    applied
        .map(drop)
        .map_err(Error::api(format!("apply {name}")))
}

fn api_of(
    client: &Client,
    resource: &ApiResource,
    scope: &Scope,
    object: &DynamicObject,
) -> Api<DynamicObject> {
    match scope {
        Scope::Cluster => Api::all_with(client.clone(), resource),
        Scope::Namespaced => {
            let namespace = object.namespace().unwrap_or_else(|| NAMESPACE.to_owned());
            Api::namespaced_with(client.clone(), &namespace, resource)
        }
    }
}

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| &types.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_say_nothing_are_left_out() {
        let yaml = "# Source: a\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n# none\n---\n\
                    apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n";
        let kinds: Vec<_> = parse("test", yaml)
            .unwrap()
            .iter()
            .map(|o| kind(o).to_owned())
            .collect();
        assert_eq!(kinds, ["Namespace", "Secret"]);
    }
}
