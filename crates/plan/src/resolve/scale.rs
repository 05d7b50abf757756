//! What choices for a node's GPUs cost, as one number each.

use smallvec::SmallVec;

use super::cost::{Pair, Toll};

/// What something costs: the pods that must not be evicted and are, then all pods that are evicted; the instances destroyed,
/// then those created; less for the room that is left, by profile, the largest first; and the number of the part that is
/// followed, by GPU. What matters more stands in a higher digit, and no digit overflows for all GPUs of the node together: so
/// costs are added and compared as they are.
pub(super) type Cost = i128;

/// Costs are kept below this, so that a sum of a few does not overflow.
const MOST: Cost = 1 << 118;
/// What it costs a GPU to be what it cannot be: more than anything.
pub(super) const NEVER: Cost = 1 << 122;

/// How much each digit is worth on one node.
#[derive(Debug)]
pub(super) struct Scale {
    protected: Cost,
    evicted: Cost,
    destroyed: Cost,
    created: Cost,
    room: SmallVec<[Cost; 12]>,
    /// By GPU.
    part: SmallVec<[Cost; 8]>,
}

impl Scale {
    /// For the candidates of each GPU, what each pod counts that is on several, and so many parts. Where there are so many
    /// profiles and GPUs that the numbers do not suffice, it does not count which parts the last GPUs follow, nor even the
    /// room for the smallest profiles.
    pub(super) fn new(gpus: &[Vec<Toll>], shared: &[Pair], parts: usize) -> Self {
        let most = |of: &dyn Fn(&Toll) -> usize| -> usize {
            let each = gpus.iter().map(|gpu| gpu.iter().map(of).max());
            each.map(Option::unwrap_or_default).sum()
        };
        let profiles = gpus.iter().flatten().map(|it| it.room.len()).max();
        let profiles = profiles.unwrap_or_default();
        let room = (0..profiles).map(|profile| {
            let of = |it: &Toll| it.room.get(profile).copied().unwrap_or_default();
            most(&|it| usize::try_from(of(it)).unwrap_or_default())
        });
        let mut digits: SmallVec<[usize; 24]> = SmallVec::new();
        digits.push(most(&|it| it.evicted.0) + shared.iter().map(|it| it.0).sum::<usize>());
        digits.push(most(&|it| it.evicted.1) + shared.iter().map(|it| it.1).sum::<usize>());
        digits.push(most(&|it| it.destroyed));
        digits.push(most(&|it| it.created));
        digits.extend(room);
        digits.extend(gpus.iter().map(|_| parts));
        Self::of(&digits, profiles)
    }

    /// So wide that each digit may be as much as this; so many are for room.
    fn of(digits: &[usize], profiles: usize) -> Self {
        let radix = |most: &usize| Cost::try_from(*most).unwrap_or(MOST) + 1;
        let mut all: Cost = 1;
        let fits = digits.iter().take_while(|most| {
            all = all.saturating_mul(radix(most));
            all < MOST
        });
        let fits = fits.count();
        let mut worth: SmallVec<[Cost; 24]> = digits.iter().map(|_| 0).collect();
        let mut whole = 1;
        for (worth, most) in worth.iter_mut().zip(digits).take(fits).rev() {
            *worth = whole;
            whole *= radix(most);
        }
        let (room, part) = worth[4..].split_at(profiles);
        Self {
            protected: worth[0],
            evicted: worth[1],
            destroyed: worth[2],
            created: worth[3],
            room: SmallVec::from_slice(room),
            part: SmallVec::from_slice(part),
        }
    }

    /// What it costs that these pods leave.
    pub(super) const fn pods(&self, pods: Pair) -> Cost {
        self.protected * pods.0 as Cost + self.evicted * pods.1 as Cost
    }

    /// What a candidate costs with which the GPU follows the part. Where all else is alike, the first parts take the first
    /// GPUs.
    pub(super) fn cost(&self, toll: &Toll, gpu: usize, part: usize) -> Cost {
        let room = self.room.iter().zip(&toll.room);
        let room: Cost = room.map(|(worth, room)| worth * Cost::from(*room)).sum();
        self.pods(toll.evicted)
            + self.destroyed * toll.destroyed as Cost
            + self.created * toll.created as Cost
            + self.part[gpu] * part as Cost
            - room
    }
}
