//! Pods that are on several GPUs: what it costs that one leaves, and what of that each GPU pays.

use smallvec::SmallVec;

use super::cost::{Pair, Weighed};
use super::scale::{Cost, Scale};

/// The shared pods of a node, by bit.
#[derive(Debug)]
pub(super) struct Shared {
    pods: Vec<Pod>,
    /// By pod and GPU what the GPU pays if it drives the pod away. All that may drive it away pay together what that costs.
    shares: Vec<Cost>,
    gpus: usize,
}

#[derive(Debug)]
struct Pod {
    /// What it costs that it leaves.
    cost: Cost,
    /// The GPUs that may drive it away.
    drivers: SmallVec<[usize; 8]>,
}

impl Shared {
    /// For the candidates of each GPU, and what each pod counts.
    pub(super) fn new(gpus: &[Vec<Weighed>], weights: &[Pair], scale: &Scale) -> Self {
        let all = |gpu: &Vec<Weighed>| gpu.iter().fold(0, |all, it| all | it.gone);
        let driven: Vec<u128> = gpus.iter().map(all).collect();
        let pod = |(bit, weight): (usize, &Pair)| {
            let every = driven.iter().enumerate();
            let drivers = every.filter(|(_, driven)| *driven & 1 << bit != 0);
            Pod {
                cost: scale.pods(*weight),
                drivers: drivers.map(|(gpu, _)| gpu).collect(),
            }
        };
        let pods: Vec<_> = weights.iter().enumerate().map(pod).collect();
        let mut shares = vec![0; pods.len() * gpus.len()];
        for (pod, shares) in pods.iter().zip(shares.chunks_mut(gpus.len().max(1))) {
            let mut left = pod.cost;
            for (&gpu, others) in pod.drivers.iter().zip((1..=pod.drivers.len()).rev()) {
                shares[gpu] = left / others as Cost;
                left -= shares[gpu];
            }
        }
        Self {
            pods,
            shares,
            gpus: gpus.len(),
        }
    }

    /// What it costs that these leave.
    pub(super) fn cost(&self, pods: u128) -> Cost {
        bits(pods).map(|pod| self.pods[pod].cost).sum()
    }

    /// What the GPU pays if it drives these away.
    pub(super) fn share(&self, gpu: usize, pods: u128) -> Cost {
        bits(pods).map(|pod| self.share_of(gpu, pod)).sum()
    }

    /// What it pays if it drives this one away.
    pub(super) fn share_of(&self, gpu: usize, pod: usize) -> Cost {
        self.shares[pod * self.gpus + gpu]
    }

    /// The GPUs that may drive the pod away.
    pub(super) fn drivers(&self, pod: usize) -> &[usize] {
        &self.pods[pod].drivers
    }

    /// Of the pods that not all GPUs drive away that may, the one for which the most is not paid, seen from each that does.
    /// `gone`: what each GPU drives away, without those that are decided upon.
    pub(super) fn undecided(&self, gone: &[u128]) -> Option<usize> {
        let unpaid = |pod: usize| {
            let drivers = self.pods[pod].drivers.iter();
            let (mut number, mut unpaid) = (0, 0);
            for &gpu in drivers {
                if gone[gpu] & 1 << pod == 0 {
                    unpaid += self.share_of(gpu, pod);
                } else {
                    number += 1;
                }
            }
            (number * unpaid, pod)
        };
        let all = gone.iter().fold(0, |all, gone| all | gone);
        let most = bits(all).map(unpaid).max_by_key(|(unpaid, _)| *unpaid);
        most.filter(|(unpaid, _)| *unpaid > 0).map(|(_, pod)| pod)
    }
}

/// The numbers of these pods.
fn bits(mut pods: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (pods != 0).then(|| pods.trailing_zeros() as usize);
        pods &= pods.wrapping_sub(1);
        first
    })
}
