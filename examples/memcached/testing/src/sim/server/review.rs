//! Reviews: who a token is of, and what somebody may do. Everybody may do everything here; a token is the name of its user.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::body;
use super::status::{Result, respond};

/// The answer if `request` is a review.
pub(super) fn answer(user: &str, request: &http::Request<Bytes>) -> Option<Result<http::Response<Bytes>>> {
    let path = request.uri().path();
    let kind = path
        .strip_prefix("/apis/authentication.k8s.io/v1/")
        .or_else(|| path.strip_prefix("/apis/authorization.k8s.io/v1/"))?;
    if request.method() != Method::POST {
        return None;
    }
    Some(body::json_of(request.body()).map(|review| respond(201, &reviewed(user, kind, review))))
}

fn reviewed(user: &str, kind: &str, mut review: Value) -> Value {
    let status = match kind {
        "tokenreviews" => {
            let token = review["spec"]["token"].as_str().unwrap_or_default();
            if token.is_empty() {
                json!({ "user": {}, "error": "no token" })
            } else {
                json!({ "authenticated": true, "user": { "username": token, "groups": ["system:authenticated"] } })
            }
        }
        "selfsubjectreviews" => {
            json!({ "userInfo": { "username": user, "groups": ["system:authenticated"] } })
        }
        _ => json!({ "allowed": true }),
    };
    review["status"] = status;
    if review["metadata"].is_null() {
        review["metadata"] = json!({});
    }
    review
}
