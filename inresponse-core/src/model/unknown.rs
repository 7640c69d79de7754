//! Stored fields that this version does not know.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The fields of a part of a stored record that this version does not know.
///
/// The fields are kept unchanged, so that a commit by an older server loses nothing that a newer one wrote. A new field
/// needs nothing else. A new value of a field that decides who is alerted when must raise [`FORMAT`](super::FORMAT).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Unknown(Option<Box<Map<String, Value>>>);

impl Unknown {
    /// The fields of a map that are not `known`.
    pub(super) fn besides(known: &[&str], mut fields: Map<String, Value>) -> Self {
        fields.retain(|name, _| !known.contains(&name.as_str()));
        Self((!fields.is_empty()).then(|| Box::new(fields)))
    }

    /// The approximate number of bytes of the fields in a stored record.
    pub(super) fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |fields| size(fields))
    }
}

/// The number of bytes of a map in a stored record.
pub(super) fn size(fields: &Map<String, Value>) -> usize {
    serde_json::to_vec(fields).map_or(0, |bytes| bytes.len())
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter().flat_map(|fields| fields.iter()) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Unknown;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unknown, A::Error> {
                let mut fields: Option<Box<Map<String, Value>>> = None;
                while let Some((name, value)) = map.next_entry()? {
                    fields.get_or_insert_default().insert(name, value);
                }
                Ok(Unknown(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
