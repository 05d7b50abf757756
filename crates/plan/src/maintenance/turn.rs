//! One step under construction.

use crds::gpu_node::{
    AgentOperation, GpuStatus, MaintenanceStatus, Operation, OperationStage, Phase, PhaseDuration,
    PodReference, Target,
};
use jiff::{SignedDuration, Timestamp};

use super::{Effect, Event, EventKind, Limits, Next, Observed, PodEvent, Step};
use crate::change::{self, Change};
use crate::conditions::{self, Verdict};
use crate::guarantees;
use crate::node::NodeView;
use crate::quoted::quoted;
use crate::reason::Reason;

/// One step under construction: what is seen, and what is asked for so far.
pub(super) struct Turn<'a> {
    pub(super) seen: &'a Observed<'a>,
    pub(super) node: &'a NodeView,
    pub(super) now: Timestamp,
    pub(super) limits: &'a Limits,
    pub(super) status: MaintenanceStatus,
    effects: Vec<Effect>,
    events: Vec<Event>,
    pod_events: Vec<PodEvent>,
    next: Next,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        seen: &'a Observed<'a>,
        node: &'a NodeView,
        now: Timestamp,
        limits: &'a Limits,
    ) -> Self {
        Self {
            seen,
            node,
            now,
            limits,
            status: seen.maintenance.clone(),
            effects: Vec::new(),
            events: Vec::new(),
            pod_events: Vec::new(),
            next: Next::Watch,
        }
    }

    pub(super) fn done(mut self) -> Step {
        if let Some(deadline) = &self.status.deadline {
            let deadline = deadline.0;
            self.wake(deadline);
        }
        // Those that this look has not set again stand: it has seen nothing against them.
        conditions::observe(&mut self.status.conditions, self.seen.generation);
        Step {
            status: self.status,
            effects: self.effects,
            events: self.events,
            pod_events: self.pod_events,
            next: self.next,
        }
    }

    /// Enters a phase. `within`: it is given up after so long.
    pub(super) fn enter(&mut self, phase: Phase, within: Option<SignedDuration>) {
        if self.is_operating() {
            self.account();
        }
        self.status.phase = phase;
        self.status.phase_since = Some(conditions::microseconds(self.now));
        self.status.deadline = within.map(|within| conditions::seconds(self.after(within)));
        self.status.waiting_for = None;
    }

    /// Settles in a phase that may last: its clock starts when it is entered, not when it is seen again.
    pub(super) fn settle(&mut self, phase: Phase) {
        if self.status.phase != phase || self.status.phase_since.is_none() {
            self.enter(phase, None);
        }
        self.status.deadline = None;
    }

    /// Adds the time spent in the present phase to the operation's account.
    pub(super) fn account(&mut self) {
        let Some(since) = &self.status.phase_since else {
            return;
        };
        let spent = self.now.duration_since(since.0).as_millis();
        self.status.durations.push(PhaseDuration {
            phase: self.status.phase,
            milliseconds: i64::try_from(spent).unwrap_or(i64::MAX).max(0),
        });
    }

    /// Says what is waited for. Must not change while nothing happens.
    pub(super) fn wait_for(&mut self, sentence: impl Into<String>) {
        self.status.waiting_for = Some(sentence.into());
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Takes back what the node promises to pods, before its GPUs may change.
    pub(super) fn promise_nothing(&mut self) {
        if !self.node.guarantees.is_empty() {
            let withdrawn = guarantees::withdrawn(&self.node.guarantees);
            self.effect(Effect::Label(withdrawn));
        }
    }

    pub(super) fn tell(&mut self, reason: Reason, message: impl Into<String>) {
        self.push_event(reason, EventKind::Normal, message.into());
    }

    pub(super) fn warn(&mut self, reason: Reason, message: impl Into<String>) {
        self.push_event(reason, EventKind::Warning, message.into());
    }

    fn push_event(&mut self, reason: Reason, kind: EventKind, message: String) {
        self.events.push(Event {
            reason,
            kind,
            message,
        });
    }

    /// Tells the owner of a pod what happened to it.
    pub(super) fn tell_owner(
        &mut self,
        pod: &PodReference,
        kind: EventKind,
        reason: Reason,
        message: impl Into<String>,
    ) {
        self.pod_events.push(PodEvent {
            pod: pod.clone(),
            event: Event {
                reason,
                kind,
                message: message.into(),
            },
        });
    }

    pub(super) fn condition(
        &mut self,
        kind: &str,
        verdict: Verdict,
        reason: Reason,
        message: impl Into<String>,
    ) {
        let list = &mut self.status.conditions;
        conditions::set(list, kind, verdict, reason, message, self.now);
    }

    /// Look again at this moment at the latest.
    pub(super) fn wake(&mut self, moment: Timestamp) {
        self.next = match self.next {
            Next::Poll => Next::Poll,
            Next::Watch => Next::At(moment),
            Next::At(other) => Next::At(other.min(moment)),
        };
    }

    pub(super) fn poll(&mut self) {
        self.next = Next::Poll;
    }

    pub(super) fn after(&self, wait: SignedDuration) -> Timestamp {
        self.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Whether the phase's time is over.
    pub(super) fn is_overdue(&self) -> bool {
        let deadline = self.status.deadline.as_ref();
        deadline.is_some_and(|deadline| deadline.0 <= self.now)
    }

    /// The deadline as people read it.
    pub(super) fn deadline(&self) -> String {
        let deadline = self.status.deadline.as_ref();
        deadline.map_or_else(|| "no time".to_owned(), |deadline| deadline.0.to_string())
    }

    /// Whether an operation is under way.
    pub(super) fn is_operating(&self) -> bool {
        self.status.snapshot.is_some()
    }

    /// What the agent is asked for, if that is about the operation under way.
    pub(super) fn asked(&self) -> Option<&'a Operation> {
        let operation = self.seen.spec.operation.as_ref();
        operation.filter(|operation| operation.id == self.status.operation_id)
    }

    /// What the agent says about the operation under way.
    pub(super) fn answer(&self) -> Option<&'a AgentOperation> {
        let operation = self.seen.agent.and_then(|agent| agent.operation.as_ref());
        operation.filter(|operation| operation.id == self.status.operation_id)
    }

    /// Asks the agent for another stage of the operation that it is asked for.
    pub(super) fn ask_for(&mut self, stage: OperationStage) {
        let mut spec = self.seen.spec.clone();
        if let Some(operation) = &mut spec.operation {
            operation.stage = stage;
        }
        self.effect(Effect::Ask(spec));
    }

    /// Asks the agent for no operation any more; the target stays.
    pub(super) fn ask_for_nothing(&mut self) {
        let mut spec = self.seen.spec.clone();
        spec.operation = None;
        self.effect(Effect::Ask(spec));
    }

    /// What the agent says went wrong with the operation under way, as the end of a sentence.
    pub(super) fn error(&self) -> String {
        let error = self.answer().and_then(|answer| answer.error.as_deref());
        let error = error.and_then(quoted);
        error.unwrap_or_else(|| "no reason given".to_owned())
    }

    /// The target that the agent has been given.
    pub(super) fn target(&self) -> Target {
        self.seen.spec.target.clone().unwrap_or_default()
    }

    /// The GPUs as the agent sees them; none without an agent.
    pub(super) fn gpus(&self) -> &'a [GpuStatus] {
        self.seen.agent.map_or(&[], |agent| agent.gpus.as_slice())
    }

    /// What still differs from the target that the agent has been given.
    pub(super) fn change(&self) -> Change {
        change::between(self.gpus(), &self.target())
    }
}
