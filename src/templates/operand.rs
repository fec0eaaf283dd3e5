//! What the replicas template runs.

/// The container of a kind made from the replicas template, as `o` in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Image reference.
    pub image: String,
    /// Command in place of the image's own; empty to leave it.
    pub command: Vec<String>,
    /// Port that the container listens on; 0 for none.
    pub port: u16,
    /// User ID; -1 to leave it to the image.
    pub run_as_user: i64,
    /// Whether the container gets a restricted security context.
    pub hardened: bool,
}

/// The image of the walk-through for `InterSystems` IRIS.
const IRIS_IMAGE: &str = "store/intersystems/iris-community:2020.4.0.524.0";
/// An image that needs nothing, runs as any user and stays up: it works on every cluster until a better one is named.
const ANY_IMAGE: &str = "registry.k8s.io/pause:3.10";
const NOBODY: i64 = 65532;

impl Operand {
    /// What a kind runs when the user says no more: the walk-through's image for `Iris`, else an image that just stays
    /// up.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        let iris = kind == "Iris";
        Self {
            image: if iris { IRIS_IMAGE } else { ANY_IMAGE }.into(),
            command: Vec::new(),
            port: 0,
            run_as_user: if iris { -1 } else { NOBODY },
            hardened: !iris,
        }
    }

    /// What a kind runs when the user names an image.
    #[must_use]
    pub fn of_image(image: String) -> Self {
        Self { image, command: Vec::new(), port: 0, run_as_user: -1, hardened: true }
    }

    /// Whether the image's own command is replaced.
    #[must_use]
    pub fn has_command(&self) -> bool {
        !self.command.is_empty()
    }

    /// Whether the container says anything about security.
    #[must_use]
    pub fn has_security(&self) -> bool {
        self.hardened || self.run_as_user > 0
    }

    /// Whether the container has a name and an image, and that is all.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.has_command() && self.port == 0 && !self.has_security()
    }

    /// What the generated code imports from `k8s_openapi::api::core::v1`.
    #[must_use]
    pub fn core_imports(&self) -> String {
        let names = [
            ("Capabilities", self.hardened),
            ("Container", true),
            ("ContainerPort", self.port > 0),
            ("PodSpec", true),
            ("PodTemplateSpec", true),
            ("SeccompProfile", self.hardened),
            ("SecurityContext", self.has_security()),
        ];
        let used: Vec<_> = names.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect();
        format!("{{{}}}", used.join(", "))
    }

    /// The command as a Rust literal.
    #[must_use]
    pub fn command_literal(&self) -> String {
        format!("{:?}", self.command)
    }

    /// The user as a Rust literal.
    #[must_use]
    pub fn user_literal(&self) -> String {
        literal(self.run_as_user)
    }

    /// The port as a Rust literal.
    #[must_use]
    pub fn port_literal(&self) -> String {
        literal(self.port.into())
    }
}

/// A positive number with `_` between its thousands, where it has five digits or more.
fn literal(number: i64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}
