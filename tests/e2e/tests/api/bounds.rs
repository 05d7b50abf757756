//! What the definitions bound, rule by rule, and how the API server says that a bound is broken.

use serde_json::Value;

/// The keyword of rules in CEL.
const RULES: &str = "x-kubernetes-validations";

/// Keywords of a schema that bound nothing by themselves.
const NO_BOUNDS: [&str; 11] = [
    "additionalProperties",
    "default",
    "description",
    "items",
    "properties",
    "title",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// Fields of the same type as others, which are what the examples are about.
const SHOWN_ELSEWHERE: [(&str, &str); 3] = [
    ("spec.overrides[].strategy", "spec.strategy"),
    ("spec.maintenance.drain.podSelector", "spec.nodeSelector"),
    (
        "spec.maintenance.drain.waitForCompletion.podSelector",
        "spec.nodeSelector",
    ),
];

/// Something that a definition asks of a field.
#[derive(Debug)]
pub struct Bound {
    /// Of this kind.
    pub kind: String,
    /// Of this field: `spec.overrides[].gpus`, with `{}` for the key of a map.
    pub path: String,
    /// Under which field the refusal is: the path, or what the rule says.
    reported: String,
    /// What a refusal says.
    pub says: String,
    /// What an accepted example must show.
    pub edges: Vec<Edge>,
}

/// A value that is just accepted.
#[derive(Debug)]
pub enum Edge {
    /// This number.
    Number(f64),
    /// A text, a list or a map of this length.
    Length(u64),
    /// This word.
    Word(Value),
}

impl Edge {
    /// Whether a value is this edge.
    pub fn is_met_by(&self, value: &Value) -> bool {
        match self {
            Self::Number(number) => value.as_f64() == Some(*number),
            Self::Length(length) => length_of(value) == Some(*length),
            Self::Word(word) => value == word,
        }
    }
}

fn length_of(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    u64::try_from(length).ok()
}

impl Bound {
    /// Whether a refusal's field is the bound's: `spec.overrides[3].gpus` is `spec.overrides[].gpus`.
    pub fn is_at(&self, field: &str) -> bool {
        let field = without_indices(field);
        match self.reported.split_once("{}") {
            Some((map, _)) => field.starts_with(&format!("{map}.")),
            None => field == self.reported,
        }
    }
}

fn without_indices(field: &str) -> String {
    let mut inside = false;
    let kept = field.chars().filter(|char| {
        inside = *char == '[' || (inside && *char != ']');
        !inside || *char == '['
    });
    kept.collect()
}

/// All bounds of both kinds' specs and names.
pub fn bounds() -> Vec<Bound> {
    let mut found = Vec::new();
    for definition in crds::definitions().unwrap() {
        let json = serde_json::to_value(&definition).unwrap();
        let kind = json["spec"]["names"]["kind"].as_str().unwrap();
        let schema = &json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        own(kind, "", schema, &mut found);
        let spec = &schema["properties"]["spec"];
        walk(kind, "spec", spec, spec, &mut found);
    }
    found
}

fn walk(kind: &str, path: &str, schema: &Value, spec: &Value, found: &mut Vec<Bound>) {
    if let Some((_, other)) = SHOWN_ELSEWHERE.iter().find(|(same, _)| *same == path) {
        let other = other.trim_start_matches("spec.");
        let shown = &spec["properties"][other];
        for part in ["properties", RULES] {
            assert_eq!(schema[part], shown[part], "{path} is not like {other}");
        }
        return;
    }
    own(kind, path, schema, found);
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        walk(kind, &format!("{path}.{name}"), member, spec, found);
    }
    for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(keyword) {
            walk(kind, &format!("{path}{suffix}"), inner, spec, found);
        }
    }
}

/// The bounds of a field itself.
fn own(kind: &str, path: &str, schema: &Value, found: &mut Vec<Bound>) {
    for (keyword, value) in schema.as_object().unwrap() {
        let told = match keyword.as_str() {
            RULES => rules(path, value),
            "required" => required(path, value),
            keyword if NO_BOUNDS.contains(&keyword) => Vec::new(),
            keyword => bounded(path, keyword, value, schema.get(RULES).is_some()),
        };
        found.extend(told.into_iter().map(|(path, reported, says, edges)| Bound {
            kind: kind.to_owned(),
            path,
            reported,
            says,
            edges,
        }));
    }
}

type Told = (String, String, String, Vec<Edge>);

fn rules(path: &str, rules: &Value) -> Vec<Told> {
    let told = rules.as_array().unwrap().iter().map(|rule| {
        let field = rule["fieldPath"].as_str().unwrap_or_default();
        let reported = if path.is_empty() { "<nil>" } else { path };
        let says = rule["message"].as_str().unwrap().to_owned();
        (
            path.to_owned(),
            format!("{reported}{field}"),
            says,
            Vec::new(),
        )
    });
    told.collect()
}

fn required(path: &str, names: &Value) -> Vec<Told> {
    let names = names.as_array().unwrap().iter();
    let fields = names
        .map(|name| format!("{path}.{}", name.as_str().unwrap()))
        // A definition without a spec is no example of anything.
        .filter(|field| field != ".spec");
    fields
        .map(|field| {
            (
                field.clone(),
                field,
                "Required value".to_owned(),
                Vec::new(),
            )
        })
        .collect()
}

fn bounded(path: &str, keyword: &str, value: &Value, has_form: bool) -> Vec<Told> {
    let length = || vec![Edge::Length(value.as_u64().unwrap())];
    let number = || value.as_f64().unwrap();
    let (says, edges) = match keyword {
        "minimum" => (
            format!("should be greater than or equal to {}", number()),
            vec![Edge::Number(number())],
        ),
        "maximum" => (
            format!("should be less than or equal to {}", number()),
            vec![Edge::Number(number())],
        ),
        "minLength" => (format!("should be at least {value} chars long"), length()),
        // Texts of a form of their own leave room, so that a text that is a little too long is told the form.
        "maxLength" if has_form => (format!("may not be more than {value} bytes"), Vec::new()),
        "maxLength" => (format!("may not be more than {value} bytes"), length()),
        "minItems" => (format!("should have at least {value} items"), length()),
        "maxItems" | "maxProperties" => (format!("must have at most {value} items"), length()),
        "minProperties" => (format!("should have at least {value} properties"), length()),
        "enum" => {
            let words = value.as_array().unwrap().iter().cloned().map(Edge::Word);
            ("supported values: ".to_owned(), words.collect())
        }
        "format" if value == "date-time" => ("must be of type date-time".to_owned(), Vec::new()),
        // Looser than the bounds beside it, which both kinds give every number that people write.
        "format" if value == "int32" || value == "int64" => return Vec::new(),
        _ => panic!("say how the API server refuses {keyword}: {value}, which {path} asks for"),
    };
    vec![(path.to_owned(), path.to_owned(), says, edges)]
}

/// The values that an object has at a path.
pub fn values_at<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut values = vec![object];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        values = values.into_iter().filter_map(|it| it.get(name)).collect();
        for _ in step[name.len()..].chars().step_by(2) {
            values = values.into_iter().flat_map(inside).collect();
        }
    }
    values
}

fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
