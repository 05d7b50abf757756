//! Whose turn it is: system-critical pods leave last, because the others may need them to end well.

use super::Assessment;
use crate::pod::PodView;

impl<'a> Assessment<'a> {
    /// Victims whose turn it is: those of the first tier of which anybody is still in the way, be it one who leaves
    /// already or may not be made to.
    pub fn due(&self) -> impl Iterator<Item = &'a PodView> {
        let turn = self.turn;
        let victims = self.victims.iter().copied();
        victims.filter(move |pod| Some(pod.tier) == turn)
    }

    /// Victims who wait until the others are gone.
    pub fn held_back(&self) -> impl Iterator<Item = &'a PodView> {
        let turn = self.turn;
        let victims = self.victims.iter().copied();
        victims.filter(move |pod| Some(pod.tier) != turn)
    }
}
