//! One HTTP GET, for health checks and metrics.

use std::time::Duration;

use crate::{Error, Result};

/// The body that a GET of `url` answers with status 2xx. Certificates are not checked: these are
/// programs of the bed, on 127.0.0.1.
pub async fn http_get(url: &str) -> Result<String> {
    let failed = || format!("GET {url}");
    let wrong = |wrong: String| Error::Malformed {
        what: failed(),
        wrong,
    };
    let uri: http::Uri = url.parse().map_err(|e| wrong(format!("{e}")))?;
    let server = url.strip_suffix(uri.path()).unwrap_or(url);
    let server = server.parse().map_err(|e| wrong(format!("{e}")))?;
    // kube's client, because it is there and speaks TLS.
    let mut config = kube::Config::new(server);
    config.accept_invalid_certs = true;
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(2));
    config.read_timeout = Some(Duration::from_secs(10));
    let client = kube::Client::try_from(config).map_err(Error::api(failed()))?;
    let request = http::Request::get(uri.path()).body(Vec::new());
    let request = request.map_err(|e| wrong(e.to_string()))?;
    let answer = client.request_text(request).await;
    answer.map_err(Error::api(failed()))
}
