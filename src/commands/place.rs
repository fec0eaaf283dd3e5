//! Places on the disk: the one a command is to act in, the way there from where it was started, and what is the user's.

use std::path::{Component, Path, PathBuf};

use crate::{Error, Result, printable};

/// `path` without symbolic links and `..`, also when it does not exist yet.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(Error::io("find", path))?;
    // What exists is resolved; the rest is taken literally.
    let mut rest = Vec::new();
    let mut existing = path.as_path();
    loop {
        match existing.canonicalize() {
            Ok(mut found) => {
                found.extend(rest.iter().rev());
                return Ok(found);
            }
            Err(source) => match (existing.parent(), existing.file_name()) {
                (Some(parent), Some(name)) if source.kind() == std::io::ErrorKind::NotFound => {
                    rest.push(name);
                    existing = parent;
                }
                _ => return Err(Error::io("open", existing)(source)),
            },
        }
    }
}

/// The folders for what is kept of this user between commands, the best one first.
pub(super) fn state() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let own = if cfg!(windows) {
        variable("LOCALAPPDATA").or_else(home)
    } else {
        variable("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state")))
    };
    own.map(|folder| folder.join("iris-scaffold")).into_iter().chain(shared()).collect()
}

/// A folder for users without a home, such as those of containers.
#[cfg(unix)]
fn shared() -> Option<PathBuf> {
    let folder = Some(std::env::temp_dir()).filter(|folder| folder.is_absolute())?;
    Some(folder.join(format!("iris-scaffold-{}", rustix::process::geteuid().as_raw())))
}

/// Users have a folder of their own.
#[cfg(not(unix))]
fn shared() -> Option<PathBuf> {
    None
}

/// The shell command that goes to the project at `root`, unless this is the place.
pub(super) fn way(root: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    from(&here, root)
}

fn from(here: &Path, root: &Path) -> Option<String> {
    if here == root {
        return None;
    }
    let way = match (root.strip_prefix(here), here.strip_prefix(root)) {
        (Ok(down), _) => down.to_owned(),
        (_, Ok(up)) => up.components().map(|_| Component::ParentDir).collect(),
        _ => root.to_owned(),
    };
    Some(format!("cd {}", quoted(&way)))
}

/// A path as a word of a shell command.
fn quoted(path: &Path) -> String {
    let path = if path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        Path::new(".").join(path)
    } else {
        path.to_owned()
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match path.to_str() {
        Some(text) if text.chars().all(plain) => text.to_owned(),
        Some(text) if printable::is_line(text) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => dollar_quoted(&path),
    }
}

/// Any path as a word of a shell that knows `$'…'`, as those that people work in do: byte by byte where it is not
/// printable.
fn dollar_quoted(path: &Path) -> String {
    let mut word = String::from("$'");
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<Vec<_>>().concat();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let text = c.encode_utf8(&mut bytes);
            if matches!(c, '\'' | '\\') || !printable::is_line(text) {
                word.push_str(&octal(text.as_bytes()));
            } else {
                word.push(c);
            }
        }
        word.push_str(&octal(chunk.invalid()));
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_the_shortest_word_that_a_shell_takes() {
        let way = |here: &str, root: &str| from(Path::new(here), Path::new(root));
        assert_eq!(way("/work/iris", "/work/iris"), None);
        for (here, root, line) in [
            ("/work", "/work/iris", "cd iris"),
            ("/work", "/work/my iris's/one", "cd 'my iris'\\''s/one'"),
            ("/work", "/work/-iris", "cd ./-iris"),
            ("/work/iris/src/controller", "/work/iris", "cd ../.."),
            ("/home", "/work/iris", "cd /work/iris"),
            ("/work", "/work/é", "cd 'é'"),
            ("/work", "/work/-a\u{1b}[31m'\\", "cd $'./-a\\033[31m\\047\\134'"),
            ("/work", "/work/a\nhint: b\u{202e}é", "cd $'a\\012hint: b\\342\\200\\256é'"),
        ] {
            assert_eq!(way(here, root).as_deref(), Some(line));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_goes_to_any_place() {
        use std::os::unix::ffi::OsStrExt as _;
        let here = tempfile::tempdir().expect("a directory");
        let here = here.path().canonicalize().expect("its path");
        for name in [&b"-a b"[..], b"a'\\b", b"a\n\x1b[31m1", b"\xff\x80", "\u{202e}é\u{9b}".as_bytes()] {
            let place = here.join(std::ffi::OsStr::from_bytes(name));
            std::fs::create_dir(&place).expect("a directory");
            let way = from(&here, &place).expect("a way");
            assert!(printable::is_line(&way), "{way:?}");
            let mut shell = std::process::Command::new("bash");
            let output =
                shell.args(["-c", &format!("{way} && pwd -P && echo .")]).current_dir(&here).output();
            let output = output.expect("a shell");
            assert_eq!(output.stdout, [place.as_os_str().as_bytes(), b"\n.\n"].concat(), "{way}");
        }
    }
}
