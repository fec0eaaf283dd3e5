//! What the API server answers when it does not do as asked.

use bytes::Bytes;
use serde_json::{Value, json};

/// A refusal, as a `Status` has it.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) details: Value,
}

pub(super) type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let details = json!({ "causes": [{ "message": message }] });
        Self { details, ..Self::new(500, "InternalError", format!("Internal error occurred: {message}")) }
    }

    /// An error without a reason of its own, as a failed apply gets.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(super) fn gone(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(super) fn path_not_found() -> Self {
        Self {
            details: json!({}),
            ..Self::new(404, "NotFound", "the server could not find the requested resource")
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self { details: json!({}), ..Self::new(405, "MethodNotAllowed", message) }
    }

    pub(super) fn about(code: u16, reason: &'static str, resource: &Named<'_>, message: &str) -> Self {
        let mut details = json!({ "name": resource.name, "kind": resource.resource });
        if !resource.group.is_empty() {
            details["group"] = resource.group.into();
        }
        Self { details, ..Self::new(code, reason, message) }
    }

    pub(super) fn not_found(resource: &Named<'_>) -> Self {
        Self::about(
            404,
            "NotFound",
            resource,
            &format!("{} \"{}\" not found", resource.qualified(), resource.name),
        )
    }

    pub(super) fn exists(resource: &Named<'_>) -> Self {
        let message = format!("{} \"{}\" already exists", resource.qualified(), resource.name);
        Self::about(409, "AlreadyExists", resource, &message)
    }

    pub(super) fn conflict(resource: &Named<'_>, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} \"{}\": {why}", resource.qualified(), resource.name);
        Self::about(409, "Conflict", resource, &message)
    }

    pub(super) fn invalid(resource: &Named<'_>, errors: &[Invalid]) -> Self {
        let causes: Vec<_> = errors.iter().map(Invalid::cause).collect();
        let said: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        let said = if said.len() == 1 { said.concat() } else { format!("[{}]", said.join(", ")) };
        let message = format!("{} \"{}\" is invalid: {said}", resource.qualified(), resource.name);
        let mut refusal = Self::about(422, "Invalid", resource, &message);
        refusal.details["causes"] = json!(causes);
        refusal
    }

    pub(super) fn body(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }

    pub(super) fn response(&self) -> http::Response<Bytes> {
        respond(self.code, &self.body())
    }
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) group: &'a str,
    /// A resource, or a kind in refusals of what is invalid.
    pub(super) resource: &'a str,
    pub(super) name: &'a str,
}

impl Named<'_> {
    fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }
}

/// One thing that is wrong with an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Invalid {
    pub(super) field: String,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Invalid {
    pub(super) fn value(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self {
            field: field.into(),
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {why}"),
        }
    }

    pub(super) fn required(field: impl Into<String>, why: &str) -> Self {
        let message =
            if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        Self { field: field.into(), reason: "FieldValueRequired", message }
    }

    pub(super) fn new(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), reason, message: message.into() }
    }

    fn cause(&self) -> Value {
        json!({ "reason": self.reason, "message": self.message, "field": self.field })
    }
}

/// A response with a body of JSON.
pub(super) fn respond(code: u16, body: &Value) -> http::Response<Bytes> {
    let mut text = body.to_string();
    text.push('\n');
    let mut response = http::Response::new(Bytes::from(text));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
