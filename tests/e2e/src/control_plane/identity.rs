//! Who may talk to the API server: tokens, kubeconfigs, and the key that signs service account tokens.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::{Error, Result};

/// A person or a program of the bed, known by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The administrator: the tests.
    Admin,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// KWOK.
    Kwok,
    /// The kubelets and device plugins of the fleet.
    Fleet,
}

impl Identity {
    const ALL: [Self; 5] = [
        Self::Admin,
        Self::ControllerManager,
        Self::Scheduler,
        Self::Kwok,
        Self::Fleet,
    ];

    /// The file name of its kubeconfig.
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ControllerManager => "controller-manager",
            Self::Scheduler => "scheduler",
            Self::Kwok => "kwok",
            Self::Fleet => "fleet",
        }
    }

    /// The user name and the groups. The built-in roles bind the two `system:` users by name.
    fn user(self) -> (&'static str, &'static str) {
        match self {
            Self::Admin => ("admin", "system:masters"),
            Self::ControllerManager => ("system:kube-controller-manager", ""),
            Self::Scheduler => ("system:kube-scheduler", ""),
            Self::Kwok => ("kwok", "system:masters"),
            Self::Fleet => ("fleet", "system:masters"),
        }
    }

    /// Its kubeconfig in the bed at `folder`.
    pub fn kubeconfig(self, folder: &Path) -> PathBuf {
        folder.join("kube").join(self.name())
    }

    /// A client of the API server for it.
    pub async fn client(self, folder: &Path) -> Result<Client> {
        client_of(&self.kubeconfig(folder)).await
    }
}

/// A client with what a kubeconfig says. It does not repeat what was refused: 429 is an answer that
/// tests want to see.
pub async fn client_of(kubeconfig: &Path) -> Result<Client> {
    let failed = |wrong: kube::config::KubeconfigError| Error::Malformed {
        what: kubeconfig.display().to_string(),
        wrong: wrong.to_string(),
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(failed)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    let mut config = config.map_err(failed)?;
    config.default_retry = false;
    Client::try_from(config).map_err(Error::api("make a client"))
}

/// Writes `tokens.csv`, a kubeconfig for each identity and the signing key.
pub fn write(folder: &Path, server: &str) -> Result<()> {
    let mut tokens = String::new();
    for identity in Identity::ALL {
        let (token, (user, groups)) = (random(), identity.user());
        tokens.extend([&token, ",", user, ",", user, ",\"", groups, "\"\n"]);
        let config = kubeconfig(folder, server, json!({"token": token}));
        write_file(&identity.kubeconfig(folder), &config)?;
    }
    write_file(&folder.join("tokens.csv"), &tokens)?;
    write_signing_key(folder)
}

/// A kubeconfig of the bed at `folder` for a user with these credentials. The certificate that it
/// names is made by the API server as it starts.
pub fn kubeconfig(folder: &Path, server: &str, user: Value) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bed", "cluster": {
            "server": server,
            "certificate-authority": folder.join("pki/apiserver.crt"),
        }}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "user"}}],
        "current-context": "bed",
    });
    format!("{config:#}\n")
}

/// The one key that the API server does not make itself: EC P-256, PKCS#8.
fn write_signing_key(folder: &Path) -> Result<()> {
    let key = rcgen::KeyPair::generate().map_err(|wrong| Error::Malformed {
        what: "the key for service account tokens".to_owned(),
        wrong: wrong.to_string(),
    })?;
    write_file(&folder.join("pki/sa.key"), &key.serialize_pem())?;
    write_file(&folder.join("pki/sa.pub"), &key.public_key_pem())
}

fn write_file(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).map_err(Error::file("write", path))
}

/// Not a secret worth more than the bed: seeded by the system, as the maps of the standard library.
fn random() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
