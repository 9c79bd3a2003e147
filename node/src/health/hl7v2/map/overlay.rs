//! What a message says over what was said before.

use serde_json::Value;

/// Elements of which a message may say one part.
const IN_PARTS: [&str; 2] = ["period", "hospitalization"];

/// The new statement with what it leaves out taken from the one before: in HL7 v2 an empty field
/// says nothing. What is null in the new one goes.
pub(super) fn overlay(mut new: Value, before: Option<&Value>) -> Value {
    if let (Some(new), Some(before)) = (new.as_object_mut(), before.and_then(Value::as_object)) {
        for (element, old) in before {
            match new.get_mut(element) {
                None => {
                    new.insert(element.clone(), old.clone());
                }
                Some(said) if IN_PARTS.contains(&element.as_str()) => {
                    let together = overlay(said.take(), Some(old));
                    *said = together;
                }
                Some(_) => {}
            }
        }
    }
    without_nulls(&mut new);
    new
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
            members.retain(|_, member| !member.as_object().is_some_and(serde_json::Map::is_empty));
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overlay;

    #[test]
    fn what_is_left_out_stays_and_what_is_null_goes() {
        let before = json!({"status": "in-progress", "class": {"code": "IMP"}, "period": {"start": "2026", "end": "2027"}, "note": 2.50});
        let new = json!({"status": "finished", "period": {"end": null}, "class": null});
        assert_eq!(
            overlay(new, Some(&before)),
            json!({"status": "finished", "period": {"start": "2026"}, "note": 2.50})
        );
        assert_eq!(overlay(json!({"a": null, "b": 1}), None), json!({"b": 1}));
    }
}
