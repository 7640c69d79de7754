//! Reads forms in `application/x-www-form-urlencoded`.

use crate::repair;

/// The fields of a form, up to the maximum number.
#[derive(Debug)]
pub(crate) struct Fields {
    fields: Vec<(String, String)>,
    /// The number of further fields, which were ignored.
    pub(crate) left_out: usize,
}

impl Fields {
    /// The maximum number of fields of a form.
    const MAX: usize = 256;

    /// Reads a form. A body that is not a form becomes a form with one meaningless field.
    pub(crate) fn read(body: &[u8]) -> Self {
        let mut given = body.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
        let field = |field: &[u8]| {
            let end = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
            let (name, value) = (&field[..end], field.get(end + 1..).unwrap_or_default());
            (decoded(name), decoded(value))
        };
        let fields = given.by_ref().take(Self::MAX).map(field).collect();
        Self { fields, left_out: given.count() }
    }

    /// The value of the first field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The names of all fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// The fields as a JSON object. Fields with the same name become an array.
    pub(crate) fn into_json(self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        for (name, value) in self.fields {
            let value = serde_json::Value::String(value);
            match object.get_mut(&name) {
                None => _ = object.insert(name, value),
                Some(serde_json::Value::Array(values)) => values.push(value),
                Some(one) => *one = serde_json::Value::Array(vec![one.take(), value]),
            }
        }
        object.into()
    }
}

fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high << 4 | low));
                rest = &after[2..];
            }
            (b'+', _, _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    repair::decode(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_and_curl_write_it() {
        let fields = Fields::read("a=b+c%20d&&%C3%A9=%26%3d&x&y==&p=50%&q=%zz&a=2&l=m%FCller".as_bytes());
        let get = |name: &str| fields.get(name).map(|value| repair::shown(value).into_owned());
        for (name, value) in [
            ("a", "b c d"),
            ("é", "&="),
            ("x", ""),
            ("y", "="),
            ("p", "50%"),
            ("q", "%zz"),
            ("l", "m\u{FFFD}ller"),
        ] {
            assert_eq!(get(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(
            Fields::read("a=1&b=2&a=3".as_bytes()).into_json(),
            serde_json::json!({ "a": ["1", "3"], "b": "2" })
        );
        assert_eq!(Fields::read("a=b&".repeat(300).as_bytes()).left_out, 44);
    }
}
