//! Disruption budgets: read to explain why one does not let a pod go, and never written.

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::ListParams;
use plan::drain::BudgetView;
use process::Chain;
use tracing::warn;

use super::Cluster;
use crate::error::Error;

impl Cluster {
    /// The disruption budgets of these namespaces. What cannot be read is logged and left out: nothing depends on it but
    /// what people are told.
    pub async fn budgets(&self, namespaces: &BTreeSet<&str>) -> Vec<BudgetView> {
        let lists = namespaces
            .iter()
            .map(|namespace| self.budgets_in(namespace));
        join_all(lists).await.concat()
    }

    async fn budgets_in(&self, namespace: &str) -> Vec<BudgetView> {
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), namespace);
        let listed = budgets.list(&ListParams::default()).await;
        let object = format!("the PodDisruptionBudgets in namespace {namespace}");
        match listed.map_err(Error::request("list", object)) {
            Ok(listed) => listed.items.iter().map(BudgetView::of).collect(),
            Err(error) => {
                warn!(error = %Chain(&error), "a budget that blocks a drain is not explained");
                Vec::new()
            }
        }
    }
}
