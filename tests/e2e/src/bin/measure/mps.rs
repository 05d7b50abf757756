//! What the death of an MPS process costs: how soon it is told and clients are served again, and in which compute mode the
//! GPUs are meanwhile.

mod death;
mod served;

use std::path::PathBuf;

use e2e::Mps;

use crate::ground::Result;
use crate::page::{Page, seconds};
use death::{Cost, Victim};
use served::{PODS, Served};

/// How often each.
const TIMES: usize = 3;

/// Kills each again and again, and gives the GPUs back at the end. Where NVIDIA's control program cannot be had, it says so.
pub async fn measure(page: &Page) -> Result<()> {
    let control = match control() {
        Ok(control) => control,
        Err(why) => {
            page.line(&format!("\nDeaths of MPS are not measured: {why}"));
            return Ok(());
        }
    };
    let mut served = Served::start(&control).await?;
    let mut costs = Vec::new();
    // A daemon that dies again waits longer each time, until its agent is another one: that one dies last.
    for _ in 0..TIMES {
        for victim in [Victim::Daemon, Victim::Server, Victim::Agent] {
            costs.push((victim, served.death(victim).await?));
        }
    }
    page.headline(&format!(
        "From the kill of a process of MPS, which serves two A100 to {PODS} pods, {TIMES} times each, to"
    ));
    for victim in [Victim::Daemon, Victim::Server, Victim::Agent] {
        let its = costs.iter().filter(|(of, _)| *of == victim);
        tell(page, victim, &its.map(|(_, cost)| cost).collect::<Vec<_>>());
    }
    let (given_back, modes) = served.give_back().await?;
    let given_back = seconds(given_back);
    page.line(&format!(
        "  pods and policy gone: given back after {given_back} s, compute mode {modes}"
    ));
    Ok(())
}

/// Or why it cannot be had.
fn control() -> std::result::Result<PathBuf, String> {
    let found = Mps::control().map_err(|error| error.to_string())?;
    found.ok_or_else(|| "NVIDIA's control program cannot be had offline".to_owned())
}

fn tell(page: &Page, victim: Victim, costs: &[&Cost]) {
    let who = victim.as_str();
    let spread = |what: &str, times: Vec<_>| page.spread(&format!("{who}: {what}"), &times);
    spread("noticed", costs.iter().map(|cost| cost.noticed).collect());
    spread("the Event", costs.iter().map(|cost| cost.told).collect());
    spread(
        "served again",
        costs.iter().map(|cost| cost.served).collect(),
    );
    let mut modes: Vec<_> = costs.iter().map(|cost| &cost.modes).collect();
    modes.dedup();
    for (killed, served) in modes {
        page.line(&format!(
            "  {who}: compute mode {killed} after the kill, {served} when served again"
        ));
    }
}
