//! Answers in the form that the client accepts: whole objects, or their metadata alone.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;

/// What of an object is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Metadata,
}

impl Form {
    pub(super) fn of(request: &http::Request<Bytes>) -> Self {
        let accept = request.headers().get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let first = accept.unwrap_or_default().split(',').next().unwrap_or_default();
        if first.contains("as=PartialObjectMetadata") { Self::Metadata } else { Self::Whole }
    }
}

/// An object or a list as `call` accepts it.
pub(super) fn shaped(call: &Call<'_>, mut answer: Value) -> Value {
    let form = Form::of(call.request);
    if form == Form::Whole {
        return answer;
    }
    if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
        for item in items.iter_mut() {
            *item = object(form, item.take());
        }
        if items.is_empty() {
            answer["items"] = Value::Null;
        }
        if answer["metadata"]["continue"] == ""
            && let Some(metadata) = answer["metadata"].as_object_mut()
        {
            metadata.remove("continue");
        }
        answer["kind"] = "PartialObjectMetadataList".into();
        answer["apiVersion"] = "meta.k8s.io/v1".into();
        return answer;
    }
    if answer["kind"] == "Status" { answer } else { object(form, answer) }
}

pub(super) fn object(form: Form, mut object: Value) -> Value {
    match form {
        Form::Whole => object,
        Form::Metadata => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": object["metadata"].take(),
        }),
    }
}
