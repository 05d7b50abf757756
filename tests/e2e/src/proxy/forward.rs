//! One request: passed on, or not, or twice, or late.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use kube::Client;

use super::answer::Refusal;
use super::fault::{Ask, Fault};
use super::{Body, State, stream};

/// The longest that a request is held back, in milliseconds.
const LONGEST_DELAY: u64 = 1500;

/// The answer to a request.
///
/// # Errors
/// The connection is to end without one.
pub async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
    upstream: Client,
) -> io::Result<Response<Body>> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    // They are about this connection, not the next.
    head.headers.remove(CONNECTION);
    head.headers.remove(HOST);
    if is_watch(&head) {
        let answer = send(&upstream, &head, &body).await?;
        return Ok(answer.map(|events| stream::watch(events, state)));
    }
    let ask = if head.method == Method::GET {
        Ask::Read
    } else {
        Ask::Write
    };
    match state.draw(ask) {
        None => whole(&upstream, &head, &body).await,
        Some(fault) => go_wrong(fault, &state, &upstream, &head, &body).await,
    }
}

async fn go_wrong(
    fault: Fault,
    state: &State,
    upstream: &Client,
    head: &Parts,
    body: &Bytes,
) -> io::Result<Response<Body>> {
    let ends = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
    match fault {
        Fault::Conflict => Ok(Refusal::CONFLICT.answer()),
        Fault::Throttled => Ok(Refusal::THROTTLED.answer()),
        Fault::ThrottledFor => Ok(Refusal::THROTTLED.retry_after(1).answer()),
        Fault::InternalError => Ok(Refusal::INTERNAL.answer()),
        Fault::Unavailable => Ok(Refusal::UNAVAILABLE.answer()),
        // The last two are not drawn for a request: they happen to a watch that is open.
        Fault::RequestLost | Fault::WatchReset | Fault::WatchGone => ends(),
        Fault::ReplyLost => {
            whole(upstream, head, body).await?;
            ends()
        }
        Fault::Duplicated => {
            let first = whole(upstream, head, body).await?;
            whole(upstream, head, body).await?;
            Ok(first)
        }
        Fault::Delayed => {
            let millis = state.number_below(LONGEST_DELAY);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            whole(upstream, head, body).await
        }
    }
}

fn is_watch(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    query
        .split('&')
        .any(|part| part == "watch=true" || part == "watch=1")
}

/// What the API server says, once it has said all of it.
async fn whole(upstream: &Client, head: &Parts, body: &Bytes) -> io::Result<Response<Body>> {
    let (head, body) = send(upstream, head, body).await?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = Full::new(body).map_err(|never| match never {});
    Ok(Response::from_parts(head, body.boxed_unsync()))
}

async fn send(
    upstream: &Client,
    head: &Parts,
    body: &Bytes,
) -> io::Result<Response<kube::client::Body>> {
    let request = Request::from_parts(head.clone(), body.to_vec().into());
    upstream.send(request).await.map_err(io::Error::other)
}
