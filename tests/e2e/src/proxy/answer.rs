//! The answers that the proxy gives instead of the API server: `Status` objects, as the API server's own.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::json;

use super::Body;

/// A refusal.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    code: StatusCode,
    reason: &'static str,
    retry_after: Option<u32>,
}

impl Refusal {
    /// 409.
    pub const CONFLICT: Self = Self::new(StatusCode::CONFLICT, "Conflict");
    /// 429.
    pub const THROTTLED: Self = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
    /// 500.
    pub const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    /// 503.
    pub const UNAVAILABLE: Self = Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
    /// 410, of a watch.
    const EXPIRED: Self = Self::new(StatusCode::GONE, "Expired");

    const fn new(code: StatusCode, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            retry_after: None,
        }
    }

    /// With when to come back, in seconds.
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn status(self) -> serde_json::Value {
        let details = json!({"retryAfterSeconds": self.retry_after});
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "injected by the test's proxy", "reason": self.reason, "code": self.code.as_u16(),
            "details": self.retry_after.map(|_| details),
        })
    }

    /// As the answer to a request.
    pub fn answer(self) -> Response<Body> {
        let body = Bytes::from(self.status().to_string());
        let mut answer = Response::new(
            Full::new(body)
                .map_err(|never| match never {})
                .boxed_unsync(),
        );
        *answer.status_mut() = self.code;
        let headers = answer.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        answer
    }
}

/// The event by which the API server ends a watch whose version it does not know any more.
pub fn gone() -> Bytes {
    let event = json!({"type": "ERROR", "object": Refusal::EXPIRED.status()});
    Bytes::from(format!("{event}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_status_with_its_code_and_says_when_to_come_back() {
        let answer = Refusal::THROTTLED.retry_after(1).answer();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()[RETRY_AFTER], "1");
        let status = Refusal::THROTTLED.retry_after(1).status();
        let status: kube::core::Status = serde_json::from_value(status).unwrap();
        assert_eq!(
            (status.code, status.reason.as_str()),
            (429, "TooManyRequests")
        );
        assert_eq!(status.details.unwrap().retry_after_seconds, 1);
        assert!(
            !Refusal::CONFLICT
                .answer()
                .headers()
                .contains_key(RETRY_AFTER)
        );
    }

    #[test]
    fn the_end_of_a_watch_is_an_event_with_410() {
        let event: serde_json::Value = serde_json::from_slice(&gone()).unwrap();
        assert_eq!(
            (&event["type"], &event["object"]["code"]),
            (&json!("ERROR"), &json!(410))
        );
    }
}
