//! Bodies of verified requests, into types; what cannot be read is refused by name.

use constella_shared::wire::rpc::{Request, RpcCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::Refusal;

/// A document.
///
/// # Errors
/// [`RpcCode::BadRequest`] with the place.
pub fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    object(body)?;
    serde_json::from_slice(body).map_err(|error| bad(&error))
}

/// Every document is an object. serde would take an array of the fields' values as well, and an empty one for all defaults.
fn object(body: &[u8]) -> Result<(), Refusal> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') { Ok(()) } else { Err(Refusal::new(RpcCode::BadRequest, "the body is no JSON object")) }
}

/// A request of `POST /rpc`.
///
/// # Errors
/// [`RpcCode::UnknownMethod`] where the method is a text that no method has; otherwise as [`document`].
pub fn request(body: &[u8]) -> Result<Request, Refusal> {
    #[derive(Deserialize)]
    struct Named {
        method: String,
    }
    object(body)?;
    serde_json::from_slice(body).map_err(|error| match serde_json::from_slice(body) {
        Ok(Named { method }) if !is_known(&method) => {
            let name: String = method.chars().filter(|c| !c.is_control()).take(NAME_SHOWN).collect();
            Refusal::new(RpcCode::UnknownMethod, format!("there is no method {name}"))
        }
        Ok(_) | Err(_) => bad(&error),
    })
}

/// A request that a person typed: as [`request`], and strict, so that a misspelt parameter is not taken for one that was left out (S7).
///
/// # Errors
/// As [`request`]; [`RpcCode::BadRequest`] too where a field is not known.
pub fn typed(text: &str) -> Result<Request, Refusal> {
    let parsed = request(text.as_bytes())?;
    let document: Value = serde_json::from_str(text).map_err(|error| bad(&error))?;
    let mut fields = Vec::new();
    fields_of(&document, "", &mut fields);
    match fields.into_iter().find(|field| !is_read(&document, field)) {
        Some(field) => Err(Refusal::new(RpcCode::BadRequest, format!("{field} is no field of this request"))),
        None => Ok(parsed),
    }
}

/// The fields of all objects in a document, as JSON pointers.
fn fields_of(document: &Value, at: &str, found: &mut Vec<String>) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                let field = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                fields_of(value, &field, found);
                found.push(field);
            }
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| fields_of(value, &format!("{at}/{index}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A field that is read does not take every type; one that is not known does. The request type itself is asked, so that there is no second list.
fn is_read(document: &Value, field: &str) -> bool {
    [json!(true), json!("\u{0}"), json!([[[]]])].into_iter().any(|wrong| {
        let mut other = document.clone();
        if let Some(value) = other.pointer_mut(field) {
            *value = wrong;
        }
        Request::deserialize(other).is_err()
    })
}

/// Asks the request type itself, so that there is no second list of names. Without parameters a known method fails at most on those.
fn is_known(method: &str) -> bool {
    let empty = json!({ "method": method, "params": {} });
    Request::deserialize(empty).err().is_none_or(|error| !error.to_string().starts_with("unknown variant"))
}

/// Characters of an unknown method's name that are repeated to its sender.
const NAME_SHOWN: usize = 40;

/// serde's own words are for the sender alone, and what they quote came from the sender.
fn bad(error: &serde_json::Error) -> Refusal {
    let text: String = error.to_string().chars().filter(|c| !c.is_control()).take(MESSAGE_SHOWN).collect();
    Refusal::new(RpcCode::BadRequest, text)
}

/// Characters of a parser's message: enough for the field and the place.
const MESSAGE_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_or_refused_by_name() {
        let cases: [(&str, Option<RpcCode>); 15] = [
            (r#"{"method":"GetStats","params":{}}"#, None),
            (r#"{"params":{},"method":"GetStats"}"#, None),
            (r#"{"method":"GetTS","params":{"kind":"cpu","hours":6}}"#, None),
            (r#"{"method":"GetTS","params":{"kind":"nonsense","hours":6}}"#, Some(RpcCode::BadRequest)),
            (r#"{"method":"GetTS","params":{"kind":"cpu","hours":-1}}"#, Some(RpcCode::BadRequest)),
            (r#"{"method":"GetTS","params":{"kind":"cpu","hours":"6"}}"#, Some(RpcCode::BadRequest)),
            (r#"{"method":"GetTS","params":{"kind":"cpu","hours":6,"more":1}}"#, None),
            (r#"{"method":"GetStats","params":{},"more":1}"#, None),
            (r#"{"method":"Exec","params":{"command":"id"}}"#, Some(RpcCode::UnknownMethod)),
            (r#"{"method":"getstats","params":{}}"#, Some(RpcCode::UnknownMethod)),
            (r#"{"method":7,"params":{}}"#, Some(RpcCode::BadRequest)),
            (r#"{"params":{}}"#, Some(RpcCode::BadRequest)),
            ("[]", Some(RpcCode::BadRequest)),
            ("", Some(RpcCode::BadRequest)),
            ("\u{0}{{{", Some(RpcCode::BadRequest)),
        ];
        for (text, wanted) in cases {
            assert_eq!(request(text.as_bytes()).err().map(|refusal| refusal.error.code), wanted, "{text}");
        }
    }

    #[test]
    fn what_a_person_typed_has_no_unknown_field_at_any_level() {
        // S7: every recorded request, which has every method
        let recorded = include_str!("../../shared/fixtures/v1/request.json");
        let recorded: std::collections::BTreeMap<String, Value> = serde_json::from_str(recorded).unwrap();
        let mut tried = 0;
        for (case, document) in recorded {
            assert!(typed(&document.to_string()).is_ok(), "{case}");
            let mut fields = Vec::new();
            fields_of(&document, "", &mut fields);
            for field in fields {
                let (object, _) = field.rsplit_once('/').unwrap();
                let mut document = document.clone();
                let Some(Value::Object(fields)) = document.pointer_mut(object) else { continue };
                fields.insert("not_known".into(), json!({ "of": 1 }));
                let text = document.to_string();
                assert!(request(text.as_bytes()).is_ok(), "a member's is read: {case} {object}");
                let refusal = typed(&text).expect_err(&format!("{case} {object}"));
                assert!(refusal.error.message.contains("not_known"), "{}", refusal.error.message);
                tried += 1;
            }
        }
        assert!(tried > 100, "{tried}");
    }

    #[test]
    fn depth_does_not_take_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(request(deep.as_bytes()).err().map(|refusal| refusal.error.code), Some(RpcCode::BadRequest));
    }
}
