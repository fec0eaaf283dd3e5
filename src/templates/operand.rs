//! What the replicas template runs.

/// The container of a kind made from the replicas template.
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

/// The image that the InterSystems IRIS walk-through runs.
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
}
