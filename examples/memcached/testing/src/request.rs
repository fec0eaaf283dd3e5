//! A request of the operator.

use std::time::Instant;

use hyper::header::ACCEPT;

/// A request of the operator on its way to the API server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Empty if there is none.
    pub query: String,
    /// The forms in which it wants the answer; empty if it does not say.
    pub accept: String,
    /// When it came.
    pub at: Instant,
}

impl Request {
    pub(crate) fn new<B>(request: &hyper::Request<B>) -> Self {
        let accept = request.headers().get(ACCEPT);
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            accept: accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default().to_owned(),
            at: Instant::now(),
        }
    }

    /// Whether it asks to be told of changes.
    #[must_use]
    pub fn watches(&self) -> bool {
        self.has("watch=true")
    }

    /// Whether it asks for all objects, rather than for how many there are.
    #[must_use]
    pub fn lists(&self, plural: &str) -> bool {
        self.is_of(plural) && !self.watches() && !self.counts()
    }

    /// Whether it asks how many objects there are.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.has("limit=1")
    }

    /// Whether it is about the collection of these objects.
    #[must_use]
    pub fn is_of(&self, plural: &str) -> bool {
        self.method == "GET" && self.path.ends_with(&format!("/{plural}"))
    }

    /// Whether it would change something.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it would change an object of these, or make one.
    #[must_use]
    pub fn writes_to(&self, plural: &str) -> bool {
        self.writes() && self.path.contains(&format!("/{plural}"))
    }

    fn has(&self, parameter: &str) -> bool {
        self.query.split('&').any(|word| word == parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str) -> Request {
        Request::new(&hyper::Request::builder().method(method).uri(uri).body(()).expect("a request"))
    }

    #[test]
    fn lists_watches_and_counts_are_told_apart() {
        let collection = "/apis/apps/v1/namespaces/one/deployments";
        let of = |query: &str| {
            let request = request("GET", &format!("{collection}?{query}"));
            (request.lists("deployments"), request.watches(), request.counts())
        };
        assert_eq!(of("limit=500"), (true, false, false));
        assert_eq!(of("labelSelector=a&watch=true"), (false, true, false));
        assert_eq!(of("limit=1&resourceVersion=0"), (false, false, true));
        assert!(!request("GET", &format!("{collection}/web")).is_of("deployments"));
    }

    #[test]
    fn whatever_does_not_read_writes() {
        let one = "/apis/apps/v1/namespaces/one/deployments/web";
        assert!(!request("GET", one).writes());
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(request(method, one).writes_to("deployments"));
            assert!(!request(method, one).writes_to("services"));
        }
    }
}
