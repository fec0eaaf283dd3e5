//! The certificate that metrics are served with.

use std::io::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use tokio::time::sleep;
use tracing::warn;

use crate::Options;

/// How often the files are read anew.
const PERIOD: Duration = Duration::from_secs(10);

/// TLS with the certificate that the flags name, as its files are now and become, or with one made for this process.
pub(crate) async fn config(options: &Options) -> Result<RustlsConfig> {
    let config = read(options).await?;
    if options.metrics_cert_path.is_some() {
        tokio::spawn(renew(config.clone(), options.clone()));
    }
    Ok(config)
}

async fn read(options: &Options) -> Result<RustlsConfig> {
    let config = if let Some(folder) = &options.metrics_cert_path {
        let (certificate, key) =
            (folder.join(&options.metrics_cert_name), folder.join(&options.metrics_cert_key));
        RustlsConfig::from_pem_file(&certificate, &key).await.map_err(|error| {
            Error::other(format!("{} with {}: {error}", certificate.display(), key.display()))
        })?
    } else {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(Error::other)?;
        RustlsConfig::from_pem(made.cert.pem().into(), made.signing_key.serialize_pem().into()).await?
    };
    // Clients are not offered HTTP/2 unless it was asked for.
    let mut server = (*config.get_inner()).clone();
    server.alpn_protocols.retain(|protocol| options.enable_http2 || protocol != b"h2");
    config.reload_from_config(Arc::new(server));
    Ok(config)
}

/// Takes over what the files hold, however often they change; while they cannot be used, `config` stays as it was.
async fn renew(config: RustlsConfig, options: Options) {
    loop {
        sleep(PERIOD).await;
        match read(&options).await {
            Ok(renewed) => config.reload_from_config(renewed.get_inner()),
            Err(error) => warn!(%error, "keeping the metrics' certificate as it was"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use tokio::io::duplex;
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
    use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    fn write(folder: &Path, name: &str) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
        fs::write(folder.join("tls.crt"), made.cert.pem()).expect("write");
        fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).expect("write");
    }

    async fn served(config: &RustlsConfig, folder: &Path) -> Result<Option<Vec<u8>>> {
        let mut roots = RootCertStore::empty();
        let expected = CertificateDer::from_pem_file(folder.join("tls.crt")).expect("certificate");
        roots.add(expected).expect("root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (near, far) = duplex(1 << 16);
        let (connector, acceptor) =
            (TlsConnector::from(Arc::new(client)), TlsAcceptor::from(config.get_inner()));
        let name = "localhost".try_into().expect("name");
        let (client, _) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        client.map(|stream| stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_certificate_is_taken_over_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let folder = folder.path();
        write(folder, "localhost");
        let options = Options::for_tests(["--metrics-cert-path", folder.to_str().expect("path")]);
        let config = config(&options).await.expect("certificate");
        served(&config, folder).await.expect("the first certificate");
        write(folder, "localhost");
        sleep(2 * PERIOD).await;
        served(&config, folder).await.expect("the renewed certificate");
        let good = fs::read(folder.join("tls.key")).expect("key");
        fs::write(folder.join("tls.key"), "broken").expect("write");
        sleep(2 * PERIOD).await;
        served(&config, folder).await.expect("still the renewed certificate");
        let error = super::config(&options).await.expect_err("a broken key").to_string();
        assert!(error.contains("/tls.crt") && error.contains("/tls.key"), "{error}");
        fs::write(folder.join("tls.key"), good).expect("write");
        sleep(2 * PERIOD).await;
        served(&config, folder).await.expect("the renewed certificate again");
    }

    #[tokio::test]
    async fn http2_is_offered_when_asked_for() {
        let folder = tempfile::tempdir().expect("folder");
        write(folder.path(), "localhost");
        let path = folder.path().to_str().expect("path");
        for (flag, protocol) in [("--enable-http2=false", "http/1.1"), ("--enable-http2", "h2")] {
            let config = config(&Options::for_tests(["--metrics-cert-path", path, flag])).await;
            let spoken = served(&config.expect("certificate"), folder.path()).await.expect("served");
            assert_eq!(spoken.as_deref(), Some(protocol.as_bytes()));
        }
    }
}
