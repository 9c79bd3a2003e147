//! From what an expression says to values.

use std::{borrow::Cow, cmp::Ordering};

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use super::{
    DEPTH_MAX, Function, NotUnderstood, STEPS_MAX, Surroundings, Values,
    parse::{Expression, Operator},
    value::{as_decimal, compare},
};

/// One run of an expression, with a bound on its work.
pub(super) struct Evaluation<'a, 'v> {
    around: &'a Surroundings<'v>,
    steps: usize,
}

/// Where in a collection an expression stands.
struct Focus<'f, 'v> {
    values: &'f Values<'v>,
    index: Option<usize>,
}

impl<'v> Evaluation<'_, 'v> {
    pub(super) const fn new<'a>(around: &'a Surroundings<'v>) -> Evaluation<'a, 'v> {
        Evaluation { around, steps: 0 }
    }

    pub(super) fn run(
        mut self,
        expression: &Expression,
        focus: &Values<'v>,
    ) -> Result<Values<'v>, NotUnderstood> {
        let focus = Focus {
            values: focus,
            index: None,
        };
        self.value(expression, &focus, 0)
    }

    fn counted(&mut self, n: usize) -> Result<(), NotUnderstood> {
        self.steps += n + 1;
        if self.steps > STEPS_MAX {
            return Err(NotUnderstood::TooMuch);
        }
        Ok(())
    }

    fn value(
        &mut self,
        expression: &Expression,
        focus: &Focus<'_, 'v>,
        depth: usize,
    ) -> Result<Values<'v>, NotUnderstood> {
        // A path of forty steps within forty brackets.
        if depth > DEPTH_MAX * 3 {
            return Err(NotUnderstood::TooMuch);
        }
        self.counted(1)?;
        let one = |value: Value| Ok(vec![Cow::Owned(value)]);
        match expression {
            Expression::Boolean(is) => one(Value::Bool(*is)),
            Expression::Text(text) | Expression::Moment(text) => one(Value::String(text.clone())),
            Expression::Number(number) => one(as_number(*number)?),
            Expression::Nothing => Ok(Vec::new()),
            Expression::Variable(name) => {
                let known = self.around.variables.get(name);
                known
                    .cloned()
                    .ok_or_else(|| NotUnderstood::NoVariable(name.clone()))
            }
            Expression::This => Ok(focus.values.clone()),
            Expression::Index => match focus.index {
                Some(index) => one(Value::from(index)),
                None => Ok(Vec::new()),
            },
            Expression::Member(of, name) => {
                let of = match of {
                    Some(of) => self.value(of, focus, depth + 1)?,
                    None => focus.values.clone(),
                };
                self.members(&of, name)
            }
            Expression::At(of, index) => {
                let of = self.value(of, focus, depth + 1)?;
                let index = self.value(index, focus, depth + 1)?;
                let index = whole(&index)?;
                Ok(of.into_iter().skip(index).take(1).collect())
            }
            Expression::Call(of, function, arguments) => {
                let of = match of {
                    Some(of) => self.value(of, focus, depth + 1)?,
                    None => focus.values.clone(),
                };
                self.call(*function, of, arguments, focus, depth)
            }
            Expression::Binary(operator, left, right) => {
                let left = self.value(left, focus, depth + 1)?;
                let right = self.value(right, focus, depth + 1)?;
                self.counted(left.len() * right.len())?;
                binary(*operator, left, &right)
            }
            Expression::Minus(of) => {
                let of = self.value(of, focus, depth + 1)?;
                match of.as_slice() {
                    [] => Ok(Vec::new()),
                    [one] => {
                        let number = as_decimal(one)
                            .ok_or(NotUnderstood::DoesNotFit("only a number has an opposite"))?;
                        Ok(vec![Cow::Owned(as_number(-number)?)])
                    }
                    _ => Err(SINGLE),
                }
            }
        }
    }

    /// The members of a name, lists opened; `value` also for any type of `value[x]`.
    fn members(&mut self, of: &Values<'v>, name: &str) -> Result<Values<'v>, NotUnderstood> {
        let mut found = Vec::new();
        for value in of {
            match value {
                Cow::Borrowed(value) => {
                    for member in member(value, name) {
                        if let Value::Array(items) = member {
                            found.extend(items.iter().map(Cow::Borrowed));
                        } else {
                            found.push(Cow::Borrowed(member));
                        }
                    }
                }
                Cow::Owned(value) => {
                    for member in member(value, name) {
                        if let Value::Array(items) = member {
                            found.extend(items.iter().cloned().map(Cow::Owned));
                        } else {
                            found.push(Cow::Owned(member.clone()));
                        }
                    }
                }
            }
        }
        // A resource may be named first: `Patient.name`.
        if found.is_empty() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let of_kind = |value: &&Cow<'v, Value>| {
                value.get("resourceType").and_then(Value::as_str) == Some(name)
            };
            found = of.iter().filter(of_kind).cloned().collect();
        }
        found.retain(|value| !value.is_null());
        self.counted(found.len())?;
        Ok(found)
    }

    fn call(
        &mut self,
        function: Function,
        of: Values<'v>,
        arguments: &[Expression],
        focus: &Focus<'_, 'v>,
        depth: usize,
    ) -> Result<Values<'v>, NotUnderstood> {
        let needed = match function {
            Function::Exists | Function::Join => 0..=1,
            Function::Iif => 2..=3,
            Function::Substring => 1..=2,
            Function::Where
            | Function::Select
            | Function::All
            | Function::Skip
            | Function::Take
            | Function::OfType
            | Function::StartsWith
            | Function::EndsWith
            | Function::Contains
            | Function::Extension => 1..=1,
            Function::Empty
            | Function::Not
            | Function::Count
            | Function::First
            | Function::Last
            | Function::Tail
            | Function::Single
            | Function::Distinct
            | Function::ToString
            | Function::Trim
            | Function::Upper
            | Function::Lower
            | Function::Length
            | Function::HasValue
            | Function::Now
            | Function::Today => 0..=0,
        };
        if !needed.contains(&arguments.len()) {
            return Err(NotUnderstood::DoesNotFit(
                "a function has too many or too few words in its brackets",
            ));
        }
        let truth = |is: bool| Ok(vec![Cow::Owned(Value::Bool(is))]);
        let argument = |this: &mut Self, n: usize| this.value(&arguments[n], focus, depth + 1);
        match function {
            Function::Where | Function::Exists | Function::All if !arguments.is_empty() => {
                let mut kept = Vec::new();
                let all = of.len();
                for (n, value) in of.into_iter().enumerate() {
                    let is = self.for_one(&arguments[0], &value, n, depth)?;
                    if is_true(&is)? {
                        kept.push(value);
                    }
                }
                if function == Function::Where {
                    Ok(kept)
                } else if function == Function::Exists {
                    truth(!kept.is_empty())
                } else {
                    truth(kept.len() == all)
                }
            }
            Function::Exists => truth(!of.is_empty()),
            Function::Where | Function::All => Ok(of),
            Function::Select => {
                let mut made = Vec::new();
                for (n, value) in of.into_iter().enumerate() {
                    made.extend(self.for_one(&arguments[0], &value, n, depth)?);
                }
                self.counted(made.len())?;
                Ok(made)
            }
            Function::Empty => truth(of.is_empty()),
            Function::Not => match truth_of(&of)? {
                Some(is) => truth(!is),
                None => Ok(Vec::new()),
            },
            Function::Count => Ok(vec![Cow::Owned(Value::from(of.len()))]),
            Function::First => Ok(of.into_iter().take(1).collect()),
            Function::Last => Ok(of.into_iter().next_back().into_iter().collect()),
            Function::Tail => Ok(of.into_iter().skip(1).collect()),
            Function::Skip => {
                let n = whole(&argument(self, 0)?)?;
                Ok(of.into_iter().skip(n).collect())
            }
            Function::Take => {
                let n = whole(&argument(self, 0)?)?;
                Ok(of.into_iter().take(n).collect())
            }
            Function::Single => match of.len() {
                0 | 1 => Ok(of),
                _ => Err(SINGLE),
            },
            Function::Distinct => {
                self.counted(of.len() * of.len() / 2)?;
                Ok(union(of, &Vec::new()))
            }
            Function::OfType => of_type(of, &arguments[0]),
            Function::Iif => {
                let is = argument(self, 0)?;
                if is_true(&is)? {
                    argument(self, 1)
                } else if arguments.len() == 3 {
                    argument(self, 2)
                } else {
                    Ok(Vec::new())
                }
            }
            Function::Join => {
                let between = match arguments.len() {
                    0 => String::new(),
                    _ => text_of(&argument(self, 0)?)?.unwrap_or_default(),
                };
                let texts: Option<Vec<String>> = of.iter().map(|value| plain(value)).collect();
                let texts = texts.ok_or(NotUnderstood::DoesNotFit("only texts are joined"))?;
                Ok(vec![Cow::Owned(Value::String(texts.join(&between)))])
            }
            Function::Now => self.moment(usize::MAX),
            Function::Today => self.moment(10),
            Function::HasValue => {
                truth(matches!(of.as_slice(), [one] if !one.is_object() && !one.is_array()))
            }
            Function::Extension => {
                let url = text_of(&argument(self, 0)?)?.unwrap_or_default();
                let mut found = self.members(&of, "extension")?;
                found.retain(|value| value.get("url").and_then(Value::as_str) == Some(&url));
                Ok(found)
            }
            Function::ToString
            | Function::Trim
            | Function::Upper
            | Function::Lower
            | Function::Length
            | Function::StartsWith
            | Function::EndsWith
            | Function::Contains
            | Function::Substring => {
                let Some(text) = text_of(&of)? else {
                    return Ok(Vec::new());
                };
                let with = match arguments.len() {
                    0 => Vec::new(),
                    _ => argument(self, 0)?,
                };
                let other = if function == Function::Substring {
                    String::new()
                } else {
                    text_of(&with)?.unwrap_or_default()
                };
                let made = if function == Function::Substring {
                    let from = whole(&with)?;
                    let len = match arguments.len() {
                        2 => whole(&argument(self, 1)?)?,
                        _ => usize::MAX,
                    };
                    Value::String(text.chars().skip(from).take(len).collect())
                } else {
                    of_text(function, text, &other)
                };
                Ok(vec![Cow::Owned(made)])
            }
        }
    }

    fn for_one(
        &mut self,
        expression: &Expression,
        value: &Cow<'v, Value>,
        index: usize,
        depth: usize,
    ) -> Result<Values<'v>, NotUnderstood> {
        let values = vec![value.clone()];
        let focus = Focus {
            values: &values,
            index: Some(index),
        };
        self.value(expression, &focus, depth + 1)
    }

    fn moment(&self, len: usize) -> Result<Values<'v>, NotUnderstood> {
        let now = self.around.now.as_deref();
        let now = now.ok_or_else(|| NotUnderstood::NotDone("the time now".to_owned()))?;
        let text = now.get(..len.min(now.len())).unwrap_or(now);
        Ok(vec![Cow::Owned(Value::String(text.to_owned()))])
    }
}

/// What a function makes of a text.
fn of_text(function: Function, text: String, other: &str) -> Value {
    if function == Function::Trim {
        Value::String(text.trim().to_owned())
    } else if function == Function::Upper {
        Value::String(text.to_uppercase())
    } else if function == Function::Lower {
        Value::String(text.to_lowercase())
    } else if function == Function::Length {
        Value::from(text.chars().count())
    } else if function == Function::StartsWith {
        Value::Bool(text.starts_with(other))
    } else if function == Function::EndsWith {
        Value::Bool(text.ends_with(other))
    } else if function == Function::Contains {
        Value::Bool(text.contains(other))
    } else {
        Value::String(text)
    }
}

const SINGLE: NotUnderstood =
    NotUnderstood::DoesNotFit("there are several values where one is needed");

/// The members of a name, those of each type of a choice among them.
fn member<'m>(value: &'m Value, name: &str) -> Vec<&'m Value> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    if let Some(member) = members.get(name) {
        return vec![member];
    }
    if !CHOICES.contains(&name) {
        return Vec::new();
    }
    let of_choice = members.iter().filter(|(member, _)| {
        let rest = member.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    });
    of_choice.map(|(_, value)| value).collect()
}

/// Elements that have their type in their name (FHIR R4, 2.6.1.6).
const CHOICES: [&str; 14] = [
    "value",
    "effective",
    "onset",
    "abatement",
    "occurrence",
    "performed",
    "medication",
    "deceased",
    "multipleBirth",
    "asNeeded",
    "dose",
    "rate",
    "answer",
    "defaultValue",
];

fn of_type<'v>(of: Values<'v>, named: &Expression) -> Result<Values<'v>, NotUnderstood> {
    let not_done = || NotUnderstood::NotDone("this use of ofType()".to_owned());
    let Expression::Member(space, name) = named else {
        return Err(not_done());
    };
    if let Some(space) = space {
        let is_known =
            matches!(&**space, Expression::Member(None, of) if of == "FHIR" || of == "System");
        if !is_known {
            return Err(not_done());
        }
    }
    let name = name.as_str();
    let is = |value: &Value| match name {
        "string" | "String" | "code" | "uri" | "date" | "dateTime" => value.is_string(),
        "boolean" | "Boolean" => value.is_boolean(),
        "integer" | "Integer" => value.is_i64() || value.is_u64(),
        "decimal" | "Decimal" => value.is_number(),
        "Quantity" => value.is_object() && value.get("value").is_some(),
        "Coding" => value.is_object() && value.get("code").is_some(),
        "CodeableConcept" => value.get("coding").is_some() || value.get("text").is_some(),
        "Reference" => value.get("reference").is_some(),
        kind => value.get("resourceType").and_then(Value::as_str) == Some(kind),
    };
    Ok(of.into_iter().filter(|value| is(value)).collect())
}

fn binary<'v>(
    operator: Operator,
    left: Values<'v>,
    right: &Values<'v>,
) -> Result<Values<'v>, NotUnderstood> {
    let truth = |is: Option<bool>| {
        let value = is.map(|is| Cow::Owned(Value::Bool(is)));
        Ok(value.into_iter().collect())
    };
    match operator {
        Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
            let (a, b) = (truth_of(&left)?, truth_of(right)?);
            truth(logic(operator, a, b))
        }
        Operator::Union => Ok(union(left, right)),
        Operator::In => match left.as_slice() {
            [] => Ok(Vec::new()),
            [one] => truth(Some(right.iter().any(|other| same(one, other)))),
            _ => Err(SINGLE),
        },
        Operator::Contains => match right.as_slice() {
            [] => Ok(Vec::new()),
            [one] => truth(Some(left.iter().any(|other| same(one, other)))),
            _ => Err(SINGLE),
        },
        Operator::Equal | Operator::NotEqual | Operator::Alike => {
            if operator != Operator::Alike && (left.is_empty() || right.is_empty()) {
                return Ok(Vec::new());
            }
            let equal =
                left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b));
            truth(Some(equal != (operator == Operator::NotEqual)))
        }
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let (Some(a), Some(b)) = (single(&left)?, single(right)?) else {
                return Ok(Vec::new());
            };
            let order = compare(a, b);
            truth(order.map(|order| {
                if operator == Operator::Less {
                    order.is_lt()
                } else if operator == Operator::LessOrEqual {
                    order.is_le()
                } else if operator == Operator::Greater {
                    order.is_gt()
                } else {
                    order.is_ge()
                }
            }))
        }
        Operator::Join => {
            let (a, b) = (text_of(&left)?, text_of(right)?);
            let text = a.unwrap_or_default() + &b.unwrap_or_default();
            Ok(vec![Cow::Owned(Value::String(text))])
        }
        Operator::Plus | Operator::Minus | Operator::Times => {
            let (Some(a), Some(b)) = (single(&left)?, single(right)?) else {
                return Ok(Vec::new());
            };
            if let (Operator::Plus, Value::String(a), Value::String(b)) = (operator, a, b) {
                return Ok(vec![Cow::Owned(Value::String(format!("{a}{b}")))]);
            }
            let numbers = as_decimal(a).zip(as_decimal(b));
            let (a, b) = numbers.ok_or(NotUnderstood::DoesNotFit(
                "this is not counted with: it is not two numbers",
            ))?;
            let made = if operator == Operator::Plus {
                a.checked_add(b)
            } else if operator == Operator::Minus {
                a.checked_sub(b)
            } else {
                a.checked_mul(b)
            };
            let made = made.ok_or(NotUnderstood::DoesNotFit("the number is too large"))?;
            Ok(vec![Cow::Owned(as_number(made)?)])
        }
    }
}

/// Logic of three values: what is not known stays unknown unless the other side decides.
fn logic(operator: Operator, a: Option<bool>, b: Option<bool>) -> Option<bool> {
    if operator == Operator::And {
        match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            (None, _) | (_, None) => None,
        }
    } else if operator == Operator::Or {
        match (a, b) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        }
    } else if operator == Operator::Xor {
        Some(a? != b?)
    } else {
        match (a, b) {
            (Some(false), _) | (_, Some(true)) => Some(true),
            (Some(true), b) => b,
            (None, _) => None,
        }
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match compare(a, b) {
        Some(order) => {
            order == Ordering::Equal && (a == b || !a.is_object() || a.get("value").is_some())
        }
        None => a == b,
    }
}

fn union<'v>(left: Values<'v>, right: &Values<'v>) -> Values<'v> {
    let mut all: Values<'v> = Vec::new();
    for value in left.into_iter().chain(right.iter().cloned()) {
        if !all.iter().any(|known| same(known, &value)) {
            all.push(value);
        }
    }
    all
}

fn single<'s>(values: &'s Values<'_>) -> Result<Option<&'s Value>, NotUnderstood> {
    match values.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(SINGLE),
    }
}

/// Whether something holds: one value that is no boolean does (FHIRPath, 4.5).
fn truth_of(values: &Values<'_>) -> Result<Option<bool>, NotUnderstood> {
    Ok(single(values)?.map(|value| value.as_bool().unwrap_or(true)))
}

fn is_true(values: &Values<'_>) -> Result<bool, NotUnderstood> {
    Ok(truth_of(values)?.unwrap_or(false))
}

fn whole(values: &Values<'_>) -> Result<usize, NotUnderstood> {
    let number = single(values)?.and_then(Value::as_u64);
    number
        .and_then(|number| usize::try_from(number).ok())
        .ok_or(NotUnderstood::DoesNotFit("a whole number is needed"))
}

/// A single value as text.
fn text_of(values: &Values<'_>) -> Result<Option<String>, NotUnderstood> {
    let Some(value) = single(values)? else {
        return Ok(None);
    };
    plain(value)
        .map(Some)
        .ok_or(NotUnderstood::DoesNotFit("a text is needed"))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_number(number: Decimal) -> Result<Value, NotUnderstood> {
    let number: Result<Number, _> = number.to_string().parse();
    number
        .map(Value::Number)
        .map_err(|_| NotUnderstood::DoesNotFit("the number is too large"))
}
