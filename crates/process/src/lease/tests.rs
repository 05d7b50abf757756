//! Elections over the wire, under a clock that only the tests move.

mod fake;

use std::time::Duration;

use kube::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::record;
use super::store::{Store, Written};
use super::*;
use crate::Chain;
use crate::shutdown::Shutdown;
use fake::{FakeServer, Mood, SLOW};

const LEASE: Duration = Duration::from_secs(15);
const DEADLINE: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);
/// The longest pause between two renewals.
const SLOWEST: Duration = Duration::from_millis(2400);
/// Longer than anything in these tests takes, so that what never comes fails a test.
const NEVER: Duration = Duration::from_mins(10);

struct Contender {
    leadership: Leadership,
    stop: Shutdown,
    task: JoinHandle<Result<(), ElectionError>>,
}

fn contender(client: &Client, identity: &str) -> Contender {
    let config = ElectionConfig {
        namespace: "here".into(),
        name: "tester".into(),
        identity: identity.into(),
        timing: Timing {
            lease_duration: LEASE,
            renew_deadline: DEADLINE,
            retry_period: PERIOD,
        },
    };
    let (election, leadership) = Election::new(client.clone(), config);
    let stop = Shutdown::new();
    let task = tokio::spawn(election.run(stop.clone()));
    Contender {
        leadership,
        stop,
        task,
    }
}

impl Contender {
    fn leads(&self) -> bool {
        self.leadership.is_leader_for(Duration::ZERO)
    }

    async fn acquired(&self) {
        let acquired = timeout(NEVER, self.leadership.acquired(&self.stop)).await;
        assert!(acquired.expect("never led"));
    }

    /// Why the election ended; fails if it does not.
    async fn end(self) -> Result<(), ElectionError> {
        timeout(NEVER, self.task)
            .await
            .expect("never ended")
            .unwrap()
    }
}

/// A contender that leads and has just renewed.
async fn leader(client: &Client) -> Contender {
    let leader = contender(client, "a");
    leader.acquired().await;
    leader
}

#[tokio::test(start_paused = true)]
async fn of_two_contenders_for_a_new_lease_one_wins() {
    let (server, client) = FakeServer::start();
    let (a, b) = (contender(&client, "a"), contender(&client, "b"));
    tokio::time::sleep(PERIOD / 2).await;
    assert_eq!(
        server.log()[..4],
        ["GET 404", "GET 404", "POST 201", "POST 409"]
    );
    assert_ne!(a.leads(), b.leads());
    assert_eq!(
        server.holder().as_deref(),
        Some(if a.leads() { "a" } else { "b" })
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_contenders_for_a_silent_leaders_lease_one_wins() {
    let (server, client) = FakeServer::start();
    let lost = leader(&client).await;
    lost.task.abort();
    let (a, b) = (contender(&client, "b"), contender(&client, "c"));
    tokio::time::sleep(LEASE + SLOWEST).await;
    assert_ne!(a.leads(), b.leads());
    let conflicts = server
        .log()
        .iter()
        .filter(|line| *line == "PUT 409")
        .count();
    assert_eq!(conflicts, 1, "{:?}", server.log());
    assert_eq!(
        server.lease().unwrap().spec.unwrap().lease_transitions,
        Some(1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_leader_renews_and_a_standby_waits() {
    let (server, client) = FakeServer::start();
    let (a, b) = (leader(&client).await, contender(&client, "b"));
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(a.leadership.is_leader_for(DEADLINE) && !b.leads());
    }
    let renewals = server
        .log()
        .iter()
        .filter(|line| *line == "PUT 200")
        .count();
    assert!((25..=38).contains(&renewals), "{renewals} in 60 s");
}

#[tokio::test(start_paused = true)]
async fn a_silent_leaders_lease_is_taken_when_it_has_run_out_and_not_before() {
    let (_server, client) = FakeServer::start();
    let a = leader(&client).await;
    let b = contender(&client, "b");
    tokio::time::sleep(PERIOD / 2).await;
    // Killed: nobody renews and nobody releases. `b` has seen the record since it started.
    a.task.abort();
    let start = Instant::now();
    b.acquired().await;
    let waited = start.elapsed() + PERIOD / 2;
    assert!(waited >= LEASE && waited <= LEASE + SLOWEST, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_an_api_server_stops_leading_before_its_lease_can_be_taken() {
    for mood in [Mood::Silent, Mood::Forbidding] {
        let (server, client) = FakeServer::start();
        let a = leader(&client).await;
        server.set(mood);
        let renewed = Instant::now();
        timeout(NEVER, a.leadership.lost())
            .await
            .expect("never lost");
        assert!(!a.leads());
        assert_eq!(renewed.elapsed().as_secs(), DEADLINE.as_secs(), "{mood:?}");
        let error = a.end().await.unwrap_err();
        assert!(matches!(error, ElectionError::Expired { .. }), "{error}");
        let message = Chain(&error).to_string();
        assert!(
            message.contains("here/tester") && message.contains("10s"),
            "{message}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn how_long_one_leads_for_sure_is_counted_from_the_last_renewal() {
    let (server, client) = FakeServer::start();
    let a = leader(&client).await;
    server.set(Mood::Silent);
    let seconds = Duration::from_secs;
    assert!(a.leadership.is_leader_for(seconds(15)) && !a.leadership.is_leader_for(seconds(16)));
    tokio::time::sleep(seconds(4)).await;
    assert!(a.leadership.is_leader_for(seconds(11)) && !a.leadership.is_leader_for(seconds(12)));
    assert!(!a.leadership.is_leader_for(Duration::MAX));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_shortens_the_term_by_its_delay() {
    let (server, client) = FakeServer::start();
    server.set(Mood::Slow);
    let a = leader(&client).await;
    let sure = LEASE.saturating_sub(SLOW);
    assert!(a.leadership.is_leader_for(sure));
    assert!(!a.leadership.is_leader_for(sure + Duration::from_millis(10)));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_asked_to_stop_gives_the_lease_back_and_another_leads_within_a_second() {
    let (server, client) = FakeServer::start();
    let (a, b) = (leader(&client).await, contender(&client, "b"));
    // Until the standby has looked.
    tokio::time::sleep(PERIOD / 20).await;
    a.stop.request();
    let view = a.leadership.clone();
    a.end().await.unwrap();
    assert!(!view.is_leader_for(Duration::ZERO));
    timeout(NEVER, view.lost()).await.expect("never lost");
    let spec = server.lease().unwrap().spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some(""));
    assert_eq!(spec.lease_duration_seconds, Some(1));

    let start = Instant::now();
    b.acquired().await;
    assert!(start.elapsed() <= SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_is_asked_to_stop_leaves_the_lease_alone() {
    let (server, client) = FakeServer::start();
    let (_a, b) = (leader(&client).await, contender(&client, "b"));
    tokio::time::sleep(PERIOD / 2).await;
    b.stop.request();
    assert!(!b.leadership.acquired(&b.stop).await);
    b.end().await.unwrap();
    assert_eq!(server.holder().as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_another_holds_stops_leading() {
    let (server, client) = FakeServer::start();
    let a = leader(&client).await;
    let mut lease = server.lease().unwrap();
    lease.spec.as_mut().unwrap().holder_identity = Some("thief".into());
    server.put(Some(lease));
    let error = a.end().await.unwrap_err();
    assert!(
        matches!(&error, ElectionError::Taken { holder, .. } if holder == "thief"),
        "{error}"
    );
    assert_eq!(
        server.holder().as_deref(),
        Some("thief"),
        "must not be overwritten"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_recognised_as_ours() {
    let (server, client) = FakeServer::start();
    let a = leader(&client).await;
    server.set(Mood::Forgetful);
    // One renewal is sent, happens, and is given up after 5 s.
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.set(Mood::Fair);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(a.leads() && !a.task.is_finished());
    assert!(
        server.log().contains(&"PUT 409".to_owned()),
        "{:?}",
        server.log()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_created_again_by_its_leader() {
    let (server, client) = FakeServer::start();
    let a = leader(&client).await;
    server.put(None);
    tokio::time::sleep(SLOWEST).await;
    assert!(a.leads());
    assert_eq!(server.holder().as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_standby_outlasts_trouble_with_the_api_server() {
    for mood in [Mood::Silent, Mood::Forbidding] {
        let (server, client) = FakeServer::start();
        server.set(mood);
        let a = contender(&client, "a");
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(!a.leads() && !a.task.is_finished(), "{mood:?}");
        server.set(Mood::Fair);
        a.acquired().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_election_whose_task_is_gone_is_lost_at_the_deadline_at_the_latest() {
    let (_server, client) = FakeServer::start();
    let a = leader(&client).await;
    let view = a.leadership.clone();
    a.task.abort();
    timeout(DEADLINE, view.lost()).await.expect("never lost");
    tokio::time::sleep(DEADLINE).await;
    assert!(!view.is_leader_for(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_comes_second_is_outdated_and_not_a_failure() {
    let (server, client) = FakeServer::start();
    let store = Store::new(client, "here", "tester", PERIOD);
    let lease = record::first("tester", "a", LEASE, jiff::Timestamp::UNIX_EPOCH);
    assert!(matches!(
        store.create(&lease).await.unwrap(),
        Written::Stands(_)
    ));
    assert_eq!(store.create(&lease).await.unwrap(), Written::Outdated);
    assert_eq!(store.replace(&lease).await.unwrap(), Written::Outdated);
    server.set(Mood::Forbidding);
    let error = store.create(&lease).await.unwrap_err();
    let message = Chain(&error).to_string();
    assert!(
        message.starts_with("cannot create lease here/tester; check"),
        "{message}"
    );
    assert!(message.contains("Forbidden"), "{message}");
}
