//! What Kubernetes, cargo and the file system accept as names.
//!
//! Each function looks at one value and says what is wrong with it, if anything; the caller collects the problems and
//! reports them together. Sources: Kubernetes "Object Names and IDs" (RFC 1123 and RFC 1035 labels), the
//! `CustomResourceDefinition` reference, and the API server's own messages.

use super::{Resource, names};
use crate::Problem;
use crate::path::is_device;
use crate::printable;

/// Longest label in the sense of RFC 1123.
const LABEL: usize = 63;
/// Longest name of an object.
const SUBDOMAIN: usize = 253;
/// Longest file name on the usual file systems.
const FILE_NAME: usize = 255;
/// Longest project name: `<name>-controller-manager-metrics-service` is a Service, whose name is a label.
const PROJECT: usize = LABEL - "-controller-manager-metrics-service".len();
/// Longest controller name: events come from `<name>-controller`, a label.
pub(crate) const CONTROLLER: usize = LABEL - "-controller".len();
/// Longest kind: `<Kind>List` has to be a label too.
const KIND: usize = LABEL - "List".len();

fn problem(what: &str, value: &str, expected: &str, hint: impl Into<String>) -> Problem {
    Problem::new(format!("{what} {} {expected}", printable::value(value))).hint(hint)
}

/// Whether `value` is a label in the sense of RFC 1123, or of RFC 1035 when it must start with a letter.
#[must_use]
pub fn is_label(value: &str, starts_with_letter: bool) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let first = |c: char| {
        if starts_with_letter { c.is_ascii_lowercase() } else { inner(c) }
    };
    value.len() <= LABEL
        && value.starts_with(first)
        && value.ends_with(inner)
        && value.chars().all(|c| inner(c) || c == '-')
}

/// Whether `value` is a name in the sense of RFC 1123: labels with dots between them.
#[must_use]
pub fn is_subdomain(value: &str) -> bool {
    value.len() <= SUBDOMAIN && value.split('.').all(|label| is_label(label, false))
}

const SUBDOMAIN_RULE: &str = "is not a DNS name: lower-case letters, digits, `-` and `.` are allowed, 253 in all, and each \
                              part starts and ends with a letter or digit and has 63 at most";

/// `--domain`.
#[must_use]
pub fn domain(value: &str) -> Option<Problem> {
    (!is_subdomain(value)).then(|| {
        problem("domain", value, SUBDOMAIN_RULE, "name a domain you own, such as `--domain example.com`")
    })
}

/// `--external-api-domain`.
#[must_use]
pub fn external_domain(value: &str) -> Option<Problem> {
    (!is_subdomain(value)).then(|| {
        let hint = "name what follows `--group` in the API's group, such as `io` for `cert-manager.io`";
        problem("external API domain", value, SUBDOMAIN_RULE, hint)
    })
}

/// `--group`.
#[must_use]
pub fn group(value: &str) -> Option<Problem> {
    (!is_subdomain(value)).then(|| {
        let hint = if value.is_empty() {
            "the core group is `core`: `--group core --resource=false` for a controller of one of its kinds"
        } else {
            "the domain is added to it: `--group app` gives `app.example.com` in the domain `example.com`"
        };
        problem("group", value, SUBDOMAIN_RULE, hint)
    })
}

/// `--version`.
#[must_use]
pub fn version(value: &str) -> Option<Problem> {
    (!is_version(value)).then(|| {
        let expected = "is not a version of the form `v1`, `v1beta1` or `v1alpha1`";
        problem("version", value, expected, "the numbers start at 1, for example `--version v1alpha1`")
    })
}

pub(super) fn is_version(value: &str) -> bool {
    let number =
        |text: &str| !text.is_empty() && !text.starts_with('0') && text.chars().all(|c| c.is_ascii_digit());
    let Some(rest) = value.strip_prefix('v').filter(|_| value.len() <= LABEL) else {
        return false;
    };
    match rest.split_once("alpha").or_else(|| rest.split_once("beta")) {
        Some((major, minor)) => number(major) && number(minor),
        None => number(rest),
    }
}

/// `--kind`.
#[must_use]
pub fn kind(value: &str) -> Option<Problem> {
    if value == "Self" {
        return Some(problem(
            "kind",
            value,
            "is the one word that cannot name a Rust type",
            "choose another kind",
        ));
    }
    let letters = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric())
        && value.len() <= KIND;
    if letters && value.starts_with(|c: char| c.is_ascii_lowercase()) {
        let (first, rest) = value.split_at(1);
        let better = format!("{}{rest}", first.to_ascii_uppercase());
        return Some(problem(
            "kind",
            value,
            "does not start with a capital letter",
            format!("try `--kind {better}`"),
        ));
    }
    (!letters).then(|| {
        let expected =
            format!("is not a kind: a capital letter, then letters and digits, at most {KIND} in all");
        problem("kind", value, &expected, "for example `--kind Widget`")
    })
}

/// `--plural`.
#[must_use]
pub fn plural(value: &str) -> Option<Problem> {
    (!is_label(value, true)).then(|| {
        let expected =
            "is not a plural: lower-case letters, digits and `-`, starting with a letter, at most 63 in all";
        problem("plural", value, expected, "for example `--plural widgets`")
    })
}

/// `--project-name`, or the directory's name in its place.
#[must_use]
pub fn project_name(value: &str) -> Option<Problem> {
    (!is_label(value, true) || value.len() > PROJECT).then(|| {
        let expected = format!(
            "is not a project name: lower-case letters, digits and `-`, starting with a letter, at most {PROJECT} in \
             all so that the objects named after it fit"
        );
        let hint = match similar(value) {
            Some(name) => format!("try `--project-name {name}`"),
            None => "choose one with `--project-name NAME`".to_owned(),
        };
        problem("project name", value, &expected, hint)
    })
}

/// The project name that is closest to `value`, if any is close.
fn similar(value: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words: String = value.chars().map(plain).collect();
    let words: Vec<_> = words.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    (value.is_ascii() && name.len() <= PROJECT && is_label(&name, true)).then_some(name)
}

/// `--controller-name`.
#[must_use]
pub fn controller_name(value: &str) -> Option<Problem> {
    let stem = value.strip_suffix("-controller").unwrap_or(value);
    (!is_label(value, true) || stem.len() > CONTROLLER).then(|| {
        let expected = format!(
            "is not a controller name: lower-case letters, digits and `-`, starting with a letter, at most {CONTROLLER} \
             in all"
        );
        problem("controller name", value, &expected, "for example `--controller-name widget-backup`")
    })
}

/// `--image`.
#[must_use]
pub fn image(value: &str) -> Option<Problem> {
    (!super::image::is_reference(value)).then(|| {
        problem("image", value, "is not an image reference", "for example `--image memcached:1.6-alpine`")
    })
}

/// `--image-container-command`: one word of it.
#[must_use]
pub fn command_word(value: &str) -> Option<Problem> {
    let good = !value.is_empty() && value.len() <= 1024 && printable::is_line(value);
    (!good).then(|| {
        let expected = "cannot be a word of a command: it is empty, too long or has control characters";
        problem(
            "command",
            value,
            expected,
            "separate the words by commas: `--image-container-command memcached,-m=64`",
        )
    })
}

/// `--image-container-port`.
///
/// # Errors
/// What is wrong with the value.
pub fn port(value: &str) -> Result<u16, Problem> {
    let parsed =
        value.parse().ok().filter(|port| *port > 0 && value.starts_with(|c: char| c.is_ascii_digit()));
    parsed.ok_or_else(|| {
        problem(
            "port",
            value,
            "is not a number from 1 to 65535",
            "for example `--image-container-port 11211`",
        )
    })
}

/// `--run-as-user`. The root user is refused, because the containers are run as anyone but root.
///
/// # Errors
/// What is wrong with the value.
pub fn user(value: &str) -> Result<i64, Problem> {
    let parsed: Option<i32> = value.parse().ok().filter(|_| value.starts_with(|c: char| c.is_ascii_digit()));
    parsed.filter(|user| *user > 0).map(i64::from).ok_or_else(|| {
        let expected = "is not a user ID from 1 to 2147483647";
        problem("user", value, expected, "for example `--run-as-user 1001`; root is not run")
    })
}

/// `--owner`.
#[must_use]
pub fn owner(value: &str) -> Option<Problem> {
    let good = !value.trim().is_empty() && value.len() <= 200 && printable::is_line(value);
    (!good).then(|| {
        let expected = "cannot stand in a licence header: it is empty, too long or has control characters";
        problem("owner", value, expected, "for example `--owner \"Example Corp\"`")
    })
}

/// A name that several values make, where it is longer than the `limit`.
fn too_long(what: &str, name: &str, limit: usize, hint: impl Into<String>) -> Option<Problem> {
    let length = name.len();
    (length > limit).then(|| {
        let message = format!(
            "{what} {} would be {length} characters long, and may be {limit}",
            printable::value(name)
        );
        Problem::new(message).hint(hint)
    })
}

/// Name of the Lease that replicas of an operator compete for, made of two names that are possible each.
#[must_use]
pub fn lease(name: &str, domain: &str) -> Option<Problem> {
    if project_name(name).is_some() || !is_subdomain(domain) {
        return None;
    }
    let most = SUBDOMAIN - 1 - name.len();
    let hint =
        format!("choose a `--domain` of at most {most} characters, or a shorter `--project-name` with it");
    too_long("the Lease", &format!("{name}.{domain}"), SUBDOMAIN, hint)
}

/// Names made of several values of a kind, which can be impossible though each value is not.
///
/// Those that cannot be too long are not among them: names of RBAC's objects have no limit, and what else is made of a
/// project's or a controller's name fits because that is short (`PROJECT`, `CONTROLLER`).
#[must_use]
pub fn combined(resource: &Resource, multigroup: bool) -> Option<Problem> {
    let first = resource.group.split('.').next().unwrap_or_default();
    if resource.has_api && is_device(first) {
        let expected = "starts with a word that Windows keeps for a device, so the CRD's file could not be written there";
        return Some(problem("group", &resource.group, expected, "choose another `--group`"));
    }
    if resource.core {
        return None;
    }
    let hint = "shorten the group, its domain, the kind or the plural";
    too_long("the CustomResourceDefinition", &resource.crd_name(), SUBDOMAIN, hint)
        .or_else(|| {
            files(resource, multigroup).iter().find_map(|file| too_long("the file", file, FILE_NAME, hint))
        })
        .or_else(|| {
            let hint = "shorten the group or `--controller-name`";
            tests(resource, multigroup).iter().find_map(|file| too_long("the file", file, FILE_NAME, hint))
        })
}

/// Files with the group in their names.
fn files(resource: &Resource, multigroup: bool) -> Vec<String> {
    if resource.has_api {
        let roles = format!("{}_viewer_role.yaml", resource.role_prefix(multigroup));
        vec![resource.crd_file(), resource.sample_file(), roles]
    } else {
        vec![resource.external_crd_file()]
    }
}

/// Files of the tests of its controllers, with the group in their names where there are several.
fn tests(resource: &Resource, multigroup: bool) -> Vec<String> {
    let own = resource.controllers.iter().filter(|_| multigroup && resource.has_api);
    own.map(|name| format!("{}_{}.rs", resource.group_module(), names::module(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_kubernetes_accepts() {
        for value in ["a", "test", "a-b", "a.b", "1a", "cert-manager"] {
            assert_eq!(group(value), None, "{value}");
        }
        for value in ["v1", "v2beta1", "v1alpha10", "v10"] {
            assert_eq!(version(value), None, "{value}");
        }
        for value in ["Iris", "Type", "Box", "DNSRecord", "A", "X509", "IRIS"] {
            assert_eq!(kind(value), None, "{value}");
        }
        for value in ["memcached:1.6.15-alpine", "localhost:5000/a/b", "store/intersystems/iris:1"] {
            assert_eq!(image(value), None, "{value}");
        }
        assert_eq!(project_name(&"a".repeat(28)), None);
        assert_eq!((port("65535"), user("1001")), (Ok(65535), Ok(1001)));
    }

    #[test]
    fn refuses_the_rest_and_names_the_way_out() {
        for value in ["", "A", "a_b", "-a", "a-", ".a", "a..b", "ä", "a b", "$(x)", &"a".repeat(64)] {
            let problem = group(value).unwrap_or_else(|| panic!("{value}"));
            assert!(
                !problem.hints.is_empty() && problem.message.contains("is not a DNS name"),
                "{problem:?}"
            );
        }
        for value in
            ["", "1", "v", "v0", "v01", "1alpha", "v1alpha", "v1alpha0", "v1gamma1", "V1", "v1alpha1beta1"]
        {
            assert!(version(value).is_some(), "{value}");
        }
        for value in ["", "Self", "iris", "1A", "A-b", "Ä", "A b", &"A".repeat(60)] {
            assert!(kind(value).is_some(), "{value}");
        }
        for value in ["0", "-1", "+1", "65536", "x", ""] {
            assert!(port(value).is_err() && user(value).is_err() || value == "65536", "{value}");
        }
        for value in ["", "a b", "a;b", "-a", "a:", "a\n", "$(x)", "https://example.com/a"] {
            assert!(image(value).is_some(), "{value:?}");
        }
        assert!(project_name(&"a".repeat(29)).is_some());
        assert!(project_name("2nd").is_some());
        assert_eq!(controller_name(&"a".repeat(52)), None);
        assert_eq!(controller_name(&format!("{}-controller", "a".repeat(52))), None);
        assert!(controller_name(&"a".repeat(53)).is_some());
        assert_eq!(owner("Müller & Söhne"), None);
        for value in ["", " ", "a\nb", "a\u{202e}b"] {
            assert!(owner(value).is_some(), "{value:?}");
        }
        assert!(
            group("").is_some_and(|problem| problem.hints[0].contains("`--group core --resource=false`"))
        );
        assert_eq!(kind("iris").map(|problem| problem.hints), Some(vec!["try `--kind Iris`".into()]));
    }

    /// A group that makes names long: labels of `length` characters in all.
    fn long(length: usize) -> String {
        let labels = format!("{}.", "a".repeat(49)).repeat(6);
        let text = &labels[..length];
        text.strip_suffix('.').map_or_else(|| text.to_owned(), |text| format!("{text}a"))
    }

    fn message(problem: Option<Problem>) -> String {
        let problem = problem.expect("a problem");
        assert!(!problem.hints.is_empty(), "{problem:?}");
        problem.message
    }

    #[test]
    fn a_lease_has_a_name_of_253_characters_at_most() {
        assert_eq!(lease("iris", &long(248)), None);
        let problem = lease("iris", &long(249));
        let hint = problem.iter().flat_map(|problem| &problem.hints).next();
        assert!(hint.is_some_and(|hint| hint.contains("`--domain` of at most 248 characters")), "{hint:?}");
        let message = message(problem);
        assert!(message.starts_with("the Lease `iris.aaa"), "{message}");
        assert!(message.ends_with("would be 254 characters long, and may be 253"), "{message}");
        // What is impossible by itself is told where it is looked at.
        assert_eq!(lease("Iris", &long(249)), None);
        assert_eq!(lease("iris", &"a".repeat(250)), None);
    }

    #[test]
    fn names_made_of_several_values_fit() {
        let kind = |group: usize, has_api: bool| Resource {
            group: long(group),
            version: "v1".into(),
            kind: "Iris".into(),
            plural: "iris".into(),
            domain: "a.b".into(),
            namespaced: true,
            core: false,
            external: !has_api,
            storage: false,
            has_api,
            controllers: vec!["iris".into()],
        };
        // `iris.<group>.a.b`
        let told = message(combined(&kind(245, true), false));
        assert!(told.starts_with("the CustomResourceDefinition `iris.a"), "{told}");
        assert!(told.ends_with("would be 254 characters long, and may be 253"), "{told}");
        // `<group>.a.b_iris.yaml`
        assert_eq!(combined(&kind(241, true), false), None);
        assert!(message(combined(&kind(242, true), false)).starts_with("the file "));
        // `<group>.a.b_iris_v1.yaml`
        assert_eq!(combined(&kind(238, false), true), None);
        let told = message(combined(&kind(239, false), true));
        assert!(
            told.starts_with("the file ") && told.ends_with("be 256 characters long, and may be 255"),
            "{told}"
        );
        // `<group>_<kind>_viewer_role.yaml`, only where there are several groups
        let kind_of = |length: usize| Resource { kind: "A".repeat(length), ..kind(200, true) };
        assert_eq!(combined(&kind_of(37), true), None);
        assert!(message(combined(&kind_of(38), true)).starts_with("the file "));
        assert_eq!(combined(&kind_of(38), false), None);
        // `<group>_<version>_<kind>.yaml`
        let version = |length: usize| Resource {
            version: format!("v{}", "1".repeat(length)),
            ..Resource { kind: "A".repeat(30), ..kind(180, true) }
        };
        assert_eq!(combined(&version(37), false), None);
        assert!(message(combined(&version(38), false)).starts_with("the file "));
        // `<group>_<controller>.rs`, only where there are several groups
        let controller = |length: usize| Resource {
            controllers: vec!["iris".into(), "a".repeat(length)],
            ..kind(200, true)
        };
        assert_eq!(combined(&controller(51), true), None);
        assert!(message(combined(&controller(52), true)).starts_with("the file "));
        assert_eq!(combined(&controller(52), false), None);
        // A kind of Kubernetes has no files of its own.
        assert_eq!(combined(&Resource { core: true, ..kind(253, false) }, true), None);
    }

    #[test]
    fn names_made_of_one_value_fit_whatever_it_is() {
        let (project, controller, kind) = ("p".repeat(PROJECT), "c".repeat(CONTROLLER), "K".repeat(KIND));
        assert_eq!((project_name(&project), controller_name(&controller)), (None, None));
        assert_eq!(super::kind(&kind), None);
        for (what, name, limit) in [
            ("Service", format!("{project}-controller-manager-metrics-service"), LABEL),
            ("Namespace", format!("{project}-system"), LABEL),
            ("ServiceAccount", format!("{project}-controller-manager"), SUBDOMAIN),
            ("host of kind's cluster", format!("{project}-test-e2e-control-plane"), LABEL),
            (
                "event's reportingInstance, a Pod",
                format!("{project}-controller-manager-0123456789-01234"),
                128,
            ),
            ("event's reportingController, fields' manager", format!("{controller}-controller"), 128),
            ("kind of lists", format!("{kind}List"), LABEL),
            ("container", kind.to_lowercase(), LABEL),
        ] {
            assert!(name.len() <= limit, "{what} {name}");
        }
    }
}
