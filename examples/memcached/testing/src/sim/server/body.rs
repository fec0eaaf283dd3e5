//! Reads the objects that requests carry, and stored ones in the version in which somebody asks for them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::status::{Refusal, Result};
use super::{decode, defaults, event, rules, types};

/// What a server does with fields that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Drop,
    Refuse,
}

impl Unknown {
    pub(super) fn of(field_validation: &str) -> Self {
        if field_validation == "Strict" { Self::Refuse } else { Self::Drop }
    }
}

pub(super) fn json_of(body: &Bytes) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(format!("invalid JSON: {error}")))
}

/// The object in a body: of the kind, complete, and with nothing that the kind does not know.
pub(super) fn object(kind: &Kind, body: &Bytes, unknown: Unknown) -> Result<Value> {
    let mut value = json_of(body)?;
    if !value.is_object() {
        return Err(Refusal::bad_request("the body is no object"));
    }
    let api_version = kind.api_version();
    let given = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let (version, name) = (given("apiVersion"), given("kind"));
    if !version.is_empty() && version != api_version || !name.is_empty() && name != kind.kind {
        let message = format!(
            "the object provided is unrecognized (must be of type {}): {name} in {version}",
            kind.kind
        );
        return Err(Refusal::bad_request(message));
    }
    value["apiVersion"] = api_version.into();
    value["kind"] = kind.kind.as_str().into();
    complete(kind, value, unknown).map_err(|message| {
        Refusal::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {message}",
            kind.kind, kind.version, kind.kind
        ))
    })
}

/// Decodes an object that somebody sent, and fills in its defaults.
pub(super) fn complete(kind: &Kind, value: Value, unknown: Unknown) -> std::result::Result<Value, String> {
    let mut value = filled(kind, value, unknown)?;
    if kind.custom {
        rules::drop_nulls(&kind.schema, &mut value);
    }
    Ok(value)
}

/// Fills in the defaults of an object. A null stays, also where none may be: an apply leaves one in the place of a list whose
/// last item it takes out, should somebody else own something in it.
pub(super) fn filled(kind: &Kind, mut value: Value, unknown: Unknown) -> std::result::Result<Value, String> {
    let mut strange = Vec::new();
    if kind.custom {
        let metadata = types::named("meta.v1.ObjectMeta");
        let given =
            value.get("metadata").filter(|given| !given.is_null()).cloned().unwrap_or_else(|| json!({}));
        let mut metadata = decode::decode(&metadata, &given, &mut strange)?;
        if metadata["managedFields"] == json!([])
            && let Value::Object(metadata) = &mut metadata
        {
            metadata.remove("managedFields");
        }
        value["metadata"] = metadata;
        rules::prune(&kind.schema, &mut value, "", &mut strange);
        rules::default(&kind.schema, &mut value);
    } else {
        value = decode::decode(&kind.schema, &value, &mut strange)?;
        defaults::fill(&kind.kind, &mut value);
        if kind.is("", "Secret") {
            secret(&mut value);
        }
    }
    if unknown == Unknown::Refuse && !strange.is_empty() {
        return Err(format!("strict decoding error: {}", strange.join(", ")));
    }
    Ok(value)
}

/// `stringData` is written to `data`.
fn secret(object: &mut Value) {
    let Some(Value::Object(texts)) = object.as_object_mut().and_then(|object| object.remove("stringData"))
    else {
        return;
    };
    for (name, text) in texts {
        object["data"][name] = base64(text.as_str().unwrap_or_default().as_bytes()).into();
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (word >> (18 - 6 * place) & 0x3f) as usize;
            text.push(if place <= chunk.len() { char::from(LETTERS[index]) } else { '=' });
        }
    }
    text
}

pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        word = word << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).unwrap_or_default());
        }
    }
    Some(bytes)
}

/// A stored object in the version of `kind`.
pub(super) fn as_of(kind: &Kind, object: &Value) -> Value {
    let api_version = kind.api_version();
    if object["apiVersion"] == api_version.as_str() {
        return object.clone();
    }
    let mut object = object.clone();
    if kind.kind == "Event" && !kind.custom {
        let converted = event::converted(&object, &kind.group);
        object = decode::decode(&kind.schema, &converted, &mut Vec::new()).unwrap_or(converted);
    }
    object["apiVersion"] = api_version.into();
    if kind.custom {
        rules::prune(&kind.schema, &mut object, "", &mut Vec::new());
        rules::default(&kind.schema, &mut object);
    }
    object
}
