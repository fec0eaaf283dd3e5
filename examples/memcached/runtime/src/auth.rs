//! Who may read the metrics.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::Response;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

/// Passes a request on if the API server knows who sends it and that they may `get` its path.
pub(crate) async fn check(
    State(client): State<Client>,
    request: Request,
    next: Next,
) -> Result<Response, (StatusCode, String)> {
    let unknown = || (StatusCode::UNAUTHORIZED, "a valid bearer token is needed\n".to_owned());
    let unclear = |error: kube::Error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"));
    let header = request.headers().get(AUTHORIZATION);
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).ok_or_else(unknown)?;
    let spec = TokenReviewSpec { token: token.trim().to_owned().into(), ..TokenReviewSpec::default() };
    let review = TokenReview { spec, ..TokenReview::default() };
    let reviewed = Api::all(client.clone()).create(&PostParams::default(), &review).await.map_err(unclear)?;
    let status = reviewed.status.filter(|status| status.authenticated == Some(true));
    let user = status.and_then(|status| status.user).ok_or_else(unknown)?;
    let (path, verb) = (Some(request.uri().path().to_owned()), Some("get".to_owned()));
    let spec = SubjectAccessReviewSpec {
        user: user.username,
        uid: user.uid,
        groups: user.groups,
        extra: user.extra,
        non_resource_attributes: Some(NonResourceAttributes { path, verb }),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let reviewed = Api::all(client).create(&PostParams::default(), &review).await.map_err(unclear)?;
    if reviewed.status.is_some_and(|status| status.allowed) {
        return Ok(next.run(request).await);
    }
    Err((StatusCode::FORBIDDEN, "not allowed to get the metrics\n".to_owned()))
}
