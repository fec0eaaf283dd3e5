//! By what the schema of a type is known.

use serde_json::{Map, Value};

/// The names and descriptions of all properties in one number, without regard to line breaks; of a schema without
/// properties, its own description. `None` when nothing is described. `generate/rust.go` computes the same.
///
/// The description of a type that has properties does not count, as that of the field where it stands replaces it.
pub fn fingerprint(schema: &Map<String, Value>) -> Option<u64> {
    let mut hash = Fnv::default();
    match schema.get("properties") {
        Some(Value::Object(properties)) => {
            let mut properties: Vec<_> = properties.iter().collect();
            properties.sort_by(|a, b| a.0.cmp(b.0));
            for (name, property) in properties {
                hash.write(name);
                hash.write(":");
                hash.words(property.get("description"));
            }
        }
        _ => hash.words(schema.get("description")),
    }
    hash.described.then_some(hash.state)
}

/// FNV-1a, which is the same in Go's library.
struct Fnv {
    state: u64,
    described: bool,
}

impl Default for Fnv {
    fn default() -> Self {
        Self { state: 0xcbf2_9ce4_8422_2325, described: false }
    }
}

impl Fnv {
    fn write(&mut self, text: &str) {
        for byte in text.bytes() {
            self.state = (self.state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn words(&mut self, description: Option<&Value>) {
        for word in description.and_then(Value::as_str).unwrap_or_default().split_whitespace() {
            self.described = true;
            self.write(word);
            self.write(" ");
        }
    }
}
