//! A text made from a template, before it is said whose it is.

use std::borrow::Cow;
use std::path::Path;

use super::wrap;
use crate::Result;
use crate::path::RelPath;
use crate::scaffold::{Certainty, File, Ownership};

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
    pub fn new(path: impl Into<String>, text: askama::Result<String>) -> Self {
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
    pub fn fixed(path: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), text: text.into(), executable: false, certainty: Certainty::Fixed }
    }

    /// Says that the template is made of lists, which could be anything.
    pub fn unsure(self) -> Self {
        Self { certainty: Certainty::Unsure, ..self }
    }

    /// The file, which belongs to somebody.
    ///
    /// # Errors
    /// When the path cannot be a path.
    pub fn into_file(self, ownership: Ownership) -> Result<File> {
        let Self { path, text, executable, certainty } = self;
        Ok(File { path: RelPath::new(path)?, ownership, text, executable, certainty })
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
pub(super) use render;
