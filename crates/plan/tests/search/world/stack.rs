//! What NVIDIA's stack has on a node: labels by which its programs are deployed, and their pods.

use std::collections::BTreeMap;

use crds::names::{ANNOTATION_MIG_MANAGER, GPU_CLIENT_PAUSED, LABEL_MIG_MANAGER};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plan::neighbours::Neighbours;

/// The GPU clients: one that keeps the GPU open, and one that an admin keeps away.
pub const CLIENTS: [&str; 2] = ["nvidia.com/gpu.deploy.dcgm", "nvidia.com/gpu.deploy.nvsm"];

/// Value of a label by which a program is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deploy {
    /// There is no such label.
    Absent,
    /// `true`: the program runs.
    True,
    /// `false`: it does not.
    False,
    /// The operator keeps it away.
    Paused,
}

impl Deploy {
    const fn text(self) -> Option<&'static str> {
        match self {
            Self::Absent => None,
            Self::True => Some("true"),
            Self::False => Some("false"),
            Self::Paused => Some(GPU_CLIENT_PAUSED),
        }
    }

    /// A value that is written; none: the label is removed.
    pub fn of(text: Option<&str>) -> Self {
        match text.filter(|text| !text.is_empty()) {
            None => Self::Absent,
            Some("true") => Self::True,
            Some(GPU_CLIENT_PAUSED) => Self::Paused,
            Some(_) => Self::False,
        }
    }
}

/// What NVIDIA's stack, or somebody about it, has written on a Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The labels of [`CLIENTS`].
    pub clients: [Deploy; 2],
    /// MIG Manager's deploy label.
    pub manager: Deploy,
    /// MIG Manager is installed, and asked for a layout.
    pub has_manager: bool,
    /// The operator's memory of that deploy label, while the node is taken.
    pub before: Option<Deploy>,
    /// MIG Manager says that it is in the middle of a change.
    pub is_busy: bool,
    /// The driver is being upgraded.
    pub upgrades: bool,
}

/// Programs of the stack that come and go with their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The first of [`CLIENTS`].
    Client,
    /// MIG Manager.
    Manager,
}

impl Program {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Client, Self::Manager];

    /// Its index in arrays.
    pub const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Manager => 1,
        }
    }
}

impl Stack {
    /// No program of NVIDIA's is there.
    pub const NONE: Self = Self {
        clients: [Deploy::Absent; 2],
        manager: Deploy::Absent,
        has_manager: false,
        before: None,
        is_busy: false,
        upgrades: false,
    };

    /// A client that keeps the GPU open, and another that an admin keeps away.
    pub const CLIENTS: Self = Self {
        clients: [Deploy::True, Deploy::False],
        ..Self::NONE
    };

    /// MIG Manager, with this deploy label.
    pub const fn manager(deployed: Deploy) -> Self {
        Self {
            manager: deployed,
            has_manager: true,
            ..Self::NONE
        }
    }

    /// Whether a program is to run on the node. Without its label MIG Manager runs where it was installed by other means.
    pub fn deploys(&self, program: Program) -> bool {
        match program {
            Program::Client => self.clients[0] == Deploy::True,
            Program::Manager => {
                self.has_manager && matches!(self.manager, Deploy::True | Deploy::Absent)
            }
        }
    }

    /// The value of a program's deploy label.
    pub const fn label(&mut self, program: Program) -> &mut Deploy {
        match program {
            Program::Client => &mut self.clients[0],
            Program::Manager => &mut self.manager,
        }
    }

    /// Whether the operator keeps a client away.
    pub fn is_paused(&self) -> bool {
        self.clients.contains(&Deploy::Paused)
    }

    /// As the product reads it off the Node.
    pub fn neighbours(&self) -> Neighbours {
        let mut labels = BTreeMap::new();
        let mut set = |key: &str, value: Option<&str>| {
            labels.extend(value.map(|value| (key.to_owned(), value.to_owned())));
        };
        for (key, value) in CLIENTS.into_iter().zip(self.clients) {
            set(key, value.text());
        }
        set(LABEL_MIG_MANAGER, self.manager.text());
        set(
            "nvidia.com/mig.config",
            self.has_manager.then_some("all-disabled"),
        );
        let state = if self.is_busy { "pending" } else { "success" };
        set(
            "nvidia.com/mig.config.state",
            self.has_manager.then_some(state),
        );
        let upgrade = self.upgrades.then_some("drain-required");
        set("nvidia.com/gpu-driver-upgrade-state", upgrade);
        let memory = self.before.map(|before| {
            let text = before.text().unwrap_or_default();
            (ANNOTATION_MIG_MANAGER.to_owned(), text.to_owned())
        });
        Neighbours::of(&Node {
            metadata: ObjectMeta {
                labels: Some(labels),
                annotations: Some(memory.into_iter().collect()),
                ..ObjectMeta::default()
            },
            ..Node::default()
        })
    }
}
