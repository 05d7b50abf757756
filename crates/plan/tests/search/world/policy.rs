//! The policy, as far as it changes.

use crds::GpuSharingPolicy;
use serde_json::{Value, json};

use super::slices::Slices;

/// The policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// It has not been deleted.
    pub exists: bool,
    /// Of its spec.
    pub generation: u8,
    /// The policy controller has looked at this generation.
    pub judged: bool,
    /// The layout that it asks for.
    pub want: Slices,
    /// How it is with its maintenance window.
    pub window: Window,
    /// What a person has put on it.
    pub brake: Brake,
    /// `spec.takeOver`.
    pub takes_over: bool,
    /// `status.slots`, by node.
    pub slots: [Option<Slot>; 2],
}

/// What keeps a policy from beginning anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Brake {
    /// Nothing.
    Off,
    /// `spec.paused`.
    Paused,
    /// `spec.dryRun`.
    DryRun,
}

/// How it is with the maintenance window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Open for long.
    Open,
    /// Open, and too little of it is left.
    Ends,
    /// Closed.
    Closed,
}

/// The right of a node to be out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The node's UID.
    pub uid: u8,
    /// The operation.
    pub operation: u8,
}

/// Its name.
pub const NAME: &str = "inference";

impl Policy {
    /// The policy in its first generation, which asks for this.
    pub const fn new(want: Slices) -> Self {
        Self {
            exists: true,
            generation: 1,
            judged: false,
            want,
            window: Window::Open,
            brake: Brake::Off,
            takes_over: false,
            slots: [None; 2],
        }
    }

    /// The object, with these rules for maintenance; its slots are left out.
    pub fn object(&self, rules: &str, has_window: bool) -> GpuSharingPolicy {
        let mut maintenance: Value = serde_json::from_str(rules).expect("rules in JSON");
        if has_window {
            maintenance["windows"] = json!([self.window.rule()]);
        }
        let object = json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
            "metadata": {"name": NAME, "uid": "policy-uid", "generation": self.generation},
            "spec": {
                "strategy": {"type": "Exclusive"},
                "maintenance": maintenance,
                "paused": self.brake == Brake::Paused,
                "dryRun": self.brake == Brake::DryRun,
                "takeOver": self.takes_over,
            },
        });
        serde_json::from_value(object).expect("a policy")
    }
}

impl Window {
    /// A window that is so at 02:00.
    fn rule(self) -> Value {
        match self {
            Self::Open => json!({"start": "01:00", "duration": "4h"}),
            Self::Ends => json!({"start": "01:00", "end": "02:10"}),
            Self::Closed => json!({"start": "10:00", "duration": "4h"}),
        }
    }
}
