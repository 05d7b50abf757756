//! The main job in front of your eyes: a policy changes, and nodes are cordoned, drained, repartitioned and uncordoned
//! one by one, on a real Kubernetes control plane with simulated GPUs.
//!
//! Everything that is said at the end is read from the API server and from the simulated driver. The exit code is 0
//! only if each promise was kept. `KEEP=1` leaves the cluster up until Ctrl-C.

mod acts;
mod figures;
mod promises;
mod screen;
mod stage;
mod watching;

use std::error::Error;
use std::process::ExitCode;

use screen::Screen;
use stage::Stage;

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::new();
    match play(&screen).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen.say(&format!("\nThe demo could not go on: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// All acts; whether every promise was kept.
async fn play(screen: &Screen) -> Result<bool, Box<dyn Error>> {
    let stage = acts::set_up(screen).await?;
    acts::share(screen, &stage).await?;
    let before = acts::load(screen, &stage).await?;
    let opens = acts::change(screen, &stage).await?;
    acts::wait_for_window(screen, &stage, opens).await?;
    let victims = acts::watch_nodes(screen, &stage).await?;
    let plan = acts::Plan { opens, victims };
    let kept = acts::account(screen, &stage, &before, &plan).await?;
    leave(screen, stage).await?;
    Ok(kept)
}

/// Ends the cluster, or leaves it to whoever asked to keep it.
async fn leave(screen: &Screen, stage: Stage) -> Result<(), Box<dyn Error>> {
    if std::env::var_os("KEEP").is_some_and(|keep| keep == "1") {
        screen.say(&format!(
            "\nThe cluster stays up until Ctrl-C. In another terminal:\n  export KUBECONFIG={}\n  \
             kubectl get gpusharingpolicies,gpunodes,nodes,pods",
            stage.cluster.bed.kubeconfig().display()
        ));
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}
