//! From the model to texts: what templates see ([`ProjectView`] and its like) and which files each command renders.
//!
//! Every file below `templates/` has the suffix `.j2` and is compiled in. A template's path is the path of its output
//! below `project/` or `api/`, with `_kind_`, `_version_` and the like standing for names.

mod api;
mod embedded;
mod filters;
mod license;
mod lists;
mod lockfile;
mod natural;
mod operand;
mod project;
mod view;
mod wrap;

use std::borrow::Cow;
use std::path::Path;

use crate::scaffold::Certainty;

pub use api::{controller, env_entry, external, faults, insertions, roles, test, types};
pub use license::Licensing;
pub use lists::files as lists;
pub use operand::Operand;
pub use project::{locked_packages, owned, seeded};
pub use view::{ControllerView, ProjectView, ResourceView};

/// One rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Path below the project's root.
    pub path: String,
    /// The text, ending with one line end.
    pub text: Cow<'static, str>,
    /// Whether it is a program.
    pub executable: bool,
    /// Whether the text has to be checked before it is written.
    pub certainty: Certainty,
}

impl Rendered {
    /// A template whose placeholders are for names, for what a filter or a literal makes harmless, and for the licence's
    /// header, which is nothing but comments.
    fn new(path: impl Into<String>, text: askama::Result<String>) -> Self {
        let path = path.into();
        // Our filters cannot fail, and writing to a string cannot either.
        let mut text = text.expect("a template renders");
        text.truncate(text.trim_end().len());
        text.push('\n');
        let extension = Path::new(&path).extension();
        if extension.is_some_and(|extension| extension == "rs") {
            text = wrap::rust(&text);
        }
        let executable = extension.is_some_and(|extension| extension == "sh");
        Self { executable, path, text: text.into(), certainty: Certainty::Tested }
    }

    /// A text without placeholders.
    fn fixed(path: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), text: text.into(), executable: false, certainty: Certainty::Fixed }
    }

    /// Says that the template is made of lists, which could be anything.
    fn unsure(self) -> Self {
        Self { certainty: Certainty::Unsure, ..self }
    }
}

/// Renders the template `$template` with the named contexts to the output path `$path`.
macro_rules! render {
    ($template:literal => $path:expr; $($context:ident: $view:ty),+) => {{
        #[derive(askama::Template)]
        #[allow(dead_code, reason = "not every template uses all that it is given")]
        #[template(path = $template, escape = "none")]
        struct Text<'a> { $($context: &'a $view),+ }
        $crate::templates::Rendered::new($path, askama::Template::render(&Text { $($context),+ }))
    }};
}
use render;
