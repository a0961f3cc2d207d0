//! Values as they come in JSON, kept in order and without loss.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

/// A JSON value; whole numbers that fit stay whole.
///
/// In a human-readable format it is plain JSON; in a binary one it carries a tag.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// JSON `true` or `false`.
    Bool(bool),
    /// A whole number in the range of `i64`.
    Int(i64),
    /// Any other number; never NaN or infinite.
    Float(f64),
    /// A text.
    String(Box<str>),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

/// Named values in the order in which they came; a repeated name keeps the last value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object(pub Vec<(Box<str>, Value)>);

impl Value {
    /// The number in it, whole or not; none for other kinds.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The text in it; none for other kinds.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Whether it is JSON `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<f64> for Value {
    /// NaN and infinities, which JSON cannot carry, become null.
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Float(number) } else { Self::Null }
    }
}

impl Object {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// The value at a path of names through nested objects.
    pub fn path<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Value> {
        let mut names = path.into_iter();
        let mut value = self.get(names.next()?)?;
        for name in names {
            let Value::Object(object) = value else { return None };
            value = object.get(name)?;
        }
        Some(value)
    }

    /// Sets `name`, replacing an earlier value.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(key, _)| &**key == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl FromIterator<(Box<str>, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// The tagged form of [`Value`] for binary formats.
#[derive(Deserialize)]
enum Tagged {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Box<str>),
    List(Vec<Value>),
    Object(Vec<(Box<str>, Value)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAME: &str = "Value";
        let tagged = !serializer.is_human_readable();
        match self {
            Self::Null if tagged => serializer.serialize_unit_variant(NAME, 0, "Null"),
            Self::Bool(value) if tagged => serializer.serialize_newtype_variant(NAME, 1, "Bool", value),
            Self::Int(value) if tagged => serializer.serialize_newtype_variant(NAME, 2, "Int", value),
            Self::Float(value) if tagged => serializer.serialize_newtype_variant(NAME, 3, "Float", value),
            Self::String(value) if tagged => serializer.serialize_newtype_variant(NAME, 4, "String", value),
            Self::List(value) if tagged => serializer.serialize_newtype_variant(NAME, 5, "List", value),
            Self::Object(value) if tagged => serializer.serialize_newtype_variant(NAME, 6, "Object", &value.0),
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(value) => value.serialize(serializer),
            Self::Object(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(ValueVisitor);
        }
        Ok(match Tagged::deserialize(deserializer)? {
            Tagged::Null => Self::Null,
            Tagged::Bool(value) => Self::Bool(value),
            Tagged::Int(value) => Self::Int(value),
            Tagged::Float(value) => Self::Float(value),
            Tagged::String(value) => Self::String(value),
            Tagged::List(value) => Self::List(value),
            Tagged::Object(value) => Self::Object(Object(value)),
        })
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(ObjectVisitor)
        } else {
            Vec::deserialize(deserializer).map(Self)
        }
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8).min(64));
        while let Some((name, value)) = map.next_entry::<Box<str>, Value>()? {
            pairs.push((name, value));
        }
        Ok(Object(pairs))
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(4).min(64));
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        ObjectVisitor.visit_map(map).map(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"b":1,"a":[null,true,-2.5,"x",{"n":9007199254740993}]}"#;

    #[test]
    fn json_keeps_order_and_whole_numbers() {
        let value: Value = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), SAMPLE);
    }

    #[test]
    fn binary_form_is_lossless() {
        let value: Value = serde_json::from_str(SAMPLE).unwrap();
        let bytes = postcard::to_allocvec(&value).unwrap();
        assert_eq!(postcard::from_bytes::<Value>(&bytes).unwrap(), value);
    }

    #[test]
    fn a_path_goes_through_objects_only() {
        let object: Object = serde_json::from_str(r#"{"page":{"url":"u"},"x":1,"x":2}"#).unwrap();
        assert_eq!(object.path(["page", "url"]), Some(&Value::from("u")));
        assert_eq!(object.path(["x", "url"]), None);
        assert_eq!(object.get("x"), Some(&Value::Int(2)));
    }
}
