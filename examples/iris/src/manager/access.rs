//! Who may read the metrics: the certificate to serve them with, and the API server's word on the reader.

use super::http::{Answer, answer, text};
use super::{Error, Options, Shared};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode, header};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use std::sync::Arc;
use std::{fs, io};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a request for metrics; with `secure` only to those who may `get` the path.
pub async fn metrics(shared: &Shared, secure: bool, request: Request<Incoming>) -> Answer {
    if request.uri().path() != "/metrics" {
        return text(StatusCode::NOT_FOUND, "not found");
    }
    if request.method() != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed");
    }
    if secure {
        let bearer = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) else {
            return text(StatusCode::UNAUTHORIZED, "a bearer token is needed");
        };
        match may_read(&shared.client, token.trim()).await {
            Ok(Access::Allowed) => {}
            Ok(Access::Unknown) => return text(StatusCode::UNAUTHORIZED, "the token is not valid"),
            Ok(Access::Denied) => {
                return text(StatusCode::FORBIDDEN, "`get` on `/metrics` is not allowed to you");
            }
            Err(error) => {
                tracing::warn!(error = %super::chain(&error), "could not ask who may read the metrics");
                return text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the API server could not be asked",
                );
            }
        }
    }
    answer(StatusCode::OK, OPEN_METRICS, shared.metrics.text())
}

enum Access {
    Allowed,
    Denied,
    Unknown,
}

async fn may_read(client: &Client, token: &str) -> Result<Access, kube::Error> {
    let review = TokenReview {
        spec: TokenReviewSpec {
            token: token.to_owned().into(),
            ..TokenReviewSpec::default()
        },
        ..TokenReview::default()
    };
    let review = Api::all(client.clone())
        .create(&PostParams::default(), &review)
        .await?;
    let Some(status) = review.status.filter(|status| status.authenticated == Some(true)) else {
        return Ok(Access::Unknown);
    };
    let user = status.user.unwrap_or_default();
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            extra: user.extra,
            groups: user.groups,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some("/metrics".to_owned()),
                verb: Some("get".to_owned()),
            }),
            uid: user.uid,
            user: user.username,
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let review = Api::all(client.clone())
        .create(&PostParams::default(), &review)
        .await?;
    let allowed = review.status.is_some_and(|status| status.allowed);
    Ok(if allowed { Access::Allowed } else { Access::Denied })
}

/// TLS for the metrics, with the certificate of the options or one made now.
pub fn tls(options: &Options) -> Result<TlsAcceptor, Error> {
    let (chain, key) = if let Some(dir) = &options.metrics_cert_path {
        let read = |name: &str| {
            let path = dir.join(name);
            let action = format!("read `{}`", path.display());
            fs::read(&path).map_err(|source| Error::Io { action, source })
        };
        let chain =
            CertificateDer::pem_slice_iter(&read(&options.metrics_cert_name)?).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(&read(&options.metrics_cert_key)?);
        (chain.map_err(invalid)?, key.map_err(invalid)?)
    } else {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(invalid)?;
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(invalid)?;
        (vec![own.cert.der().clone()], key)
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(invalid)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn invalid(error: impl std::fmt::Display) -> Error {
    let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    Error::Io {
        action: "use the certificate for metrics".to_owned(),
        source,
    }
}
