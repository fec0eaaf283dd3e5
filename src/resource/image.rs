//! References to container images, in the grammar of container runtimes.

use super::validate::{self, is_label};

/// Longest name without tag and digest, in bytes.
const NAME: usize = 255;

/// Whether `value` is a reference as container runtimes read it: `registry:port/path:tag@digest`.
pub(super) fn is_reference(value: &str) -> bool {
    let (value, digest) = value.split_once('@').map_or((value, None), |(name, digest)| (name, Some(digest)));
    let file = value.rfind('/').map_or(0, |slash| slash + 1);
    let colon = value[file..].find(':').map(|colon| file + colon);
    let (name, tag) = colon.map_or((value, None), |colon| (&value[..colon], Some(&value[colon + 1..])));
    let registry =
        |first: &str| first.contains(['.', ':']) || first == "localhost" || first.chars().any(upper);
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if registry(first) => (Some(first), path),
        _ => (None, name),
    };
    registry.is_none_or(is_registry)
        && path.len() <= NAME
        && path.split('/').all(is_path_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

fn upper(c: char) -> bool {
    c.is_ascii_uppercase()
}

fn is_registry(value: &str) -> bool {
    let (host, port) = value.split_once(':').map_or((value, None), |(host, port)| (host, Some(port)));
    host.len() <= NAME
        && host.split('.').all(|label| is_label(&label.to_ascii_lowercase(), false))
        && port.is_none_or(|port| validate::port(port).is_ok())
}

fn is_path_component(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = value.split(inner).filter(|between| !between.is_empty());
    value.starts_with(inner)
        && value.ends_with(inner)
        && separators
            .into_iter()
            .all(|between| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-'))
}

fn is_tag(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    value.len() <= 128 && value.starts_with(inner) && value.chars().all(|c| inner(c) || ".-".contains(c))
}

fn is_digest(value: &str) -> bool {
    value.split_once(':').is_some_and(|(algorithm, hash)| {
        is_label(algorithm, true)
            && (32..=128).contains(&hash.len())
            && (algorithm != "sha256" || hash.len() == 64)
            && hash.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    })
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn takes_what_runtimes_take() {
        let digest = format!("@sha256:{}", "0123abcd".repeat(8));
        for value in [
            "memcached",
            "memcached:1.6.15-alpine",
            "localhost:5000/a/b:V1_",
            "localhost/a",
            "store/intersystems/iris-community:2020.4.0.524.0",
            "registry.k8s.io/pause:3.10",
            "MyRegistry/a",
            "a__b/c---d/e.f_g",
            "10.0.0.1:80/a",
            &format!("a{digest}"),
            &format!("quay.io/a:1{digest}"),
        ] {
            assert!(is_reference(value), "{value}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        let long = "a".repeat(256);
        for value in [
            "",
            "a b",
            "$(id)",
            "-x",
            "x:",
            ":1",
            "/x",
            "x/",
            "a//b",
            "http://x/y",
            "ü",
            "a\"b",
            "Image",
            "x/Y",
            "a:b:c",
            "a@b",
            "a@sha256:abc",
            "a:-1",
            "a..b",
            "a___b",
            "a-/b",
            "x.io:0/a",
            "x.io:/a",
            "-x.io/a",
            "a@",
            "a\n",
            &long,
        ] {
            assert!(!is_reference(value), "{value}");
        }
    }
}
