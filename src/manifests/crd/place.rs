//! Where in a definition something is, as the user thinks of it.

use std::fmt::{self, Display, Formatter};

/// A place in a definition; a chain up to the kind, so that walking a schema allocates nothing.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Kind(&'a str),
    Version(&'a str),
    Field(&'a str),
    Item,
    Entry,
    /// One of the schemas below `allOf` and its like.
    Junctor(&'static str, Option<usize>),
}

impl<'a> Place<'a> {
    pub(super) fn kind(kind: &'a str) -> Self {
        Self { parent: None, step: Step::Kind(kind) }
    }

    pub(super) fn version(&'a self, version: &'a str) -> Self {
        self.child(Step::Version(version))
    }

    /// A field of the object here.
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        self.child(Step::Field(name))
    }

    /// Any item of the list here.
    pub(super) fn item(&'a self) -> Self {
        self.child(Step::Item)
    }

    /// Any value of the map here.
    pub(super) fn entry(&'a self) -> Self {
        self.child(Step::Entry)
    }

    /// A schema below a keyword that joins schemas.
    pub(super) fn junctor(&'a self, keyword: &'static str, index: Option<usize>) -> Self {
        self.child(Step::Junctor(keyword, index))
    }

    fn child(&'a self, step: Step<'a>) -> Self {
        Self { parent: Some(self), step }
    }

    fn chain(&self) -> Vec<Step<'a>> {
        let mut steps = vec![self.step];
        let mut place = self.parent;
        while let Some(parent) = place {
            steps.push(parent.step);
            place = parent.parent;
        }
        steps.reverse();
        steps
    }
}

/// Such as ``Iris v1alpha1 .spec.items[].name``, with the quotes.
impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let steps = self.chain();
        f.write_str("`")?;
        let mut first_field = true;
        for step in &steps {
            match step {
                Step::Kind(name) => write!(f, "{name}")?,
                Step::Version(name) => write!(f, " {name}")?,
                Step::Field(name) => {
                    let space = if std::mem::take(&mut first_field) { " " } else { "" };
                    write!(f, "{space}.{name}")?;
                }
                Step::Item => f.write_str("[]")?,
                Step::Entry => f.write_str("[*]")?,
                Step::Junctor(..) => {}
            }
        }
        f.write_str("`")?;
        for step in steps {
            match step {
                Step::Junctor(keyword, Some(index)) => write!(f, " in `{keyword}[{index}]`")?,
                Step::Junctor(keyword, None) => write!(f, " in `{keyword}`")?,
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_path() {
        let kind = Place::kind("Iris");
        let version = kind.version("v1");
        let (spec, one_of) = (version.field("spec"), version.junctor("oneOf", Some(1)));
        let (labels, item) = (spec.field("labels"), one_of.field("ports"));
        assert_eq!(kind.to_string(), "`Iris`");
        assert_eq!(labels.entry().to_string(), "`Iris v1 .spec.labels[*]`");
        assert_eq!(item.item().junctor("not", None).to_string(), "`Iris v1 .ports[]` in `oneOf[1]` in `not`");
    }
}
