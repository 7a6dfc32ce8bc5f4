//! What each path of the metrics listener answers. No sockets, no waiting.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use prometheus::{Registry, TextEncoder};

use super::Ready;

pub(super) type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers one request; a path is judged before its method.
pub(super) fn answer(request: &Request<()>, registry: &Registry, ready: &Ready) -> Answer {
    let page: &dyn Fn() -> Answer = match request.uri().path() {
        "/metrics" => &|| metrics(registry),
        "/healthz" => &|| text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => &|| readiness(ready()),
        _ => return text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
    };
    match *request.method() {
        Method::GET | Method::HEAD => page(),
        _ => with_header(text(StatusCode::METHOD_NOT_ALLOWED, String::new()), ALLOW, "GET, HEAD"),
    }
}

/// The answer where a request did not get its turn in time, or its work failed.
pub(super) fn overloaded(error: &tower::BoxError) -> Answer {
    text(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
}

fn metrics(registry: &Registry) -> Answer {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(body) => with_header(text(StatusCode::OK, body), CONTENT_TYPE, prometheus::TEXT_FORMAT),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn readiness(ready: Result<(), String>) -> Answer {
    match ready {
        Ok(()) => text(StatusCode::OK, "ready\n".to_owned()),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    with_header(answer, CONTENT_TYPE, TEXT)
}

fn with_header(mut answer: Answer, name: hyper::header::HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}
