//! What a kind's containers run.

use super::Options;

/// Key of the image among the options of a template that runs one.
pub const IMAGE: &str = "image";
const COMMAND: &str = "containerCommand";
const PORT: &str = "containerPort";
const USER: &str = "runAsUser";

/// The container of a kind, as `o` in a template.
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

    /// What a kind runs as the options say. Whether the containers are hardened is not an option of its own; it goes
    /// with the image.
    #[must_use]
    pub fn read(kind: &str, options: &Options) -> Self {
        let text = |key: &str| options.get(key).map(String::as_str);
        let default = Self::of_kind(kind);
        let image = text(IMAGE).unwrap_or(&default.image);
        Self {
            hardened: default.image != image || default.hardened,
            image: image.to_owned(),
            command: text(COMMAND)
                .map(|command| command.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            port: text(PORT).and_then(|port| port.parse().ok()).unwrap_or(0),
            run_as_user: text(USER).and_then(|user| user.parse().ok()).unwrap_or(-1),
        }
    }

    /// What [`Operand::read`] reads.
    #[must_use]
    pub fn options(&self) -> Options {
        let some = |key: &str, value: String| (!value.is_empty()).then(|| (key.to_owned(), value));
        let port = if self.port == 0 { String::new() } else { self.port.to_string() };
        let user = if self.run_as_user < 0 { String::new() } else { self.run_as_user.to_string() };
        [
            some(COMMAND, self.command.join(",")),
            some(PORT, port),
            some(IMAGE, self.image.clone()),
            some(USER, user),
        ]
        .into_iter()
        .flatten()
        .collect()
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
