//! Keys, certificates and tokens of a control plane.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;

/// The token of a user who may do everything.
pub(crate) const TOKEN: &str = "test-admin";

/// Writes the keys, certificates and tokens of an API server at `port`, and the kubeconfig of its administrator.
pub(crate) fn write(dir: &Path, port: u16) {
    let key = || KeyPair::generate().expect("key");
    let save = |name: &str, text: String| fs::write(dir.join(name), text).expect("write");
    let params = |subject: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, subject);
        params
    };
    let (ca_key, serving_key, account_key) = (key(), key(), key());
    let mut ca = params("test-ca", &[]);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    save("ca.crt", ca.self_signed(&ca_key).expect("CA").pem());
    let serving = params("kube-apiserver", &["127.0.0.1", "localhost", "kubernetes.default.svc", "10.0.0.1"]);
    let certificate = serving.signed_by(&serving_key, &Issuer::from_params(&ca, &ca_key));
    save("tls.crt", certificate.expect("certificate").pem());
    save("tls.key", serving_key.serialize_pem());
    save("sa.key", account_key.serialize_pem());
    save("sa.pub", account_key.public_key_pem());
    save("tokens.csv", format!("{TOKEN},admin,1,\"system:masters\"\n"));
    let cluster =
        json!({ "server": format!("https://127.0.0.1:{port}"), "certificate-authority": dir.join("ca.crt") });
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "test", "cluster": cluster }],
        "users": [{ "name": "test", "user": { "token": TOKEN } }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "current-context": "test",
    });
    save("kubeconfig", kubeconfig.to_string());
}
