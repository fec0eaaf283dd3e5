//! The bearer token of a file, such as that of a pod's service account, which is renewed now and then.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::{Request, StatusCode};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};
use tower::service_fn;

/// How often the file is read anew: client-go's.
const PERIOD: Duration = Duration::from_secs(60);

/// The token as it was last read, without the line end that people's editors add.
pub(crate) struct TokenFile {
    path: PathBuf,
    read: Mutex<(Option<HeaderValue>, Instant)>,
}

impl TokenFile {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        let file = Self { path: path.into(), read: Mutex::new((None, Instant::now())) };
        file.read_anew();
        file
    }

    /// What is sent; nothing as long as there is no token.
    fn header(&self) -> Option<HeaderValue> {
        let (header, at) = self.read.lock().clone();
        if at.elapsed() < PERIOD { header } else { self.read_anew() }
    }

    /// Keeps the token that is known while the file is empty, or missing.
    fn read_anew(&self) -> Option<HeaderValue> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let token = Some(text.trim()).filter(|token| !token.is_empty());
        let header = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        let mut read = self.read.lock();
        if let Some(mut header) = header {
            header.set_sensitive(true);
            read.0 = Some(header);
        }
        read.1 = Instant::now();
        read.0.clone()
    }
}

/// `client`, whose requests have the token of the file. One that the API server does not accept is read anew, and the
/// request repeated once if that is another one.
pub(crate) fn authorized(client: Client, file: Arc<TokenFile>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let send = move |request: Request<Body>| {
        let (client, file) = (client.clone(), file.clone());
        async move {
            let (head, body) = request.into_parts();
            let again = body.try_clone().map(|body| Request::from_parts(head.clone(), body));
            let sent = file.header();
            let answer = client.send(with(Request::from_parts(head, body), sent.as_ref())).await?;
            if answer.status() == StatusCode::UNAUTHORIZED
                && let Some(again) = again
                && let Some(token) = file.read_anew().filter(|token| sent.as_ref() != Some(token))
            {
                return client.send(with(again, Some(&token))).await;
            }
            Ok(answer)
        }
    };
    Client::new(service_fn(send), namespace)
}

fn with(mut request: Request<Body>, token: Option<&HeaderValue>) -> Request<Body> {
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Response;

    #[tokio::test(start_paused = true)]
    async fn the_token_is_that_of_the_file_as_it_becomes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        // Accepts `good` only, and remembers what it was sent.
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asked = seen.clone();
        let server = service_fn(move |request: Request<Body>| {
            let token =
                request.headers().get(AUTHORIZATION).map(|token| token.to_str().expect("text").to_owned());
            let code = if token.as_deref() == Some("Bearer good") { 200 } else { 401 };
            asked.lock().push(token.unwrap_or_default());
            let answer = Response::builder().status(code).body(Body::empty()).expect("an answer");
            std::future::ready(Ok::<_, kube::Error>(answer))
        });
        let client = authorized(Client::new(server, "test"), TokenFile::new(&path).into());
        let send = async |expected: &[&str]| {
            let request = Request::post("/").body(Body::from(b"text".to_vec())).expect("a request");
            let code = client.send(request).await.expect("an answer").status().as_u16();
            assert_eq!(std::mem::take(&mut *seen.lock()), expected);
            code
        };
        assert_eq!(send(&[""]).await, 401, "there is no file yet");
        fs::write(&path, "good\n").expect("write");
        assert_eq!(send(&["", "Bearer good"]).await, 200, "it is read at once");
        fs::write(&path, "\n").expect("write");
        tokio::time::sleep(2 * PERIOD).await;
        assert_eq!(send(&["Bearer good"]).await, 200, "the file is being written");
        fs::write(&path, "bad").expect("write");
        tokio::time::sleep(2 * PERIOD).await;
        assert_eq!(send(&["Bearer bad"]).await, 401, "it is repeated only with another token");
        fs::write(&path, "worse").expect("write");
        assert_eq!(send(&["Bearer bad", "Bearer worse"]).await, 401, "it is repeated only once");
    }
}
