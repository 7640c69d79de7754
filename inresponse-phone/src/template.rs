//! Texts with placeholders: the URL, the headers and the body of a request to a gateway.

use std::fmt::Write as _;

/// What is put in the place of placeholders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    /// The number with its plus.
    pub(crate) number: &'a str,
    pub(crate) text: &'a str,
    pub(crate) delivery: &'a str,
}

/// How values are written so that they stay values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// In a URL: everything but letters, digits and `-._*` is percent-encoded.
    Url,
    /// In a form: the same, with `+` for blanks.
    Form,
    /// In a string of JSON.
    Json,
    /// In XML.
    Xml,
    /// In a header, or in a plain text.
    Plain,
}

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number,
    Digits,
    Words,
    Delivery,
}

/// A text with placeholders: `{number}`, `{digits}` (the number without its plus), `{text}`, `{delivery}`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

impl Template {
    /// Reads a template. All other braces stand for themselves, unless they look like a placeholder.
    ///
    /// # Errors
    /// The first unknown placeholder.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut plain = String::new();
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find('}').unwrap_or(0);
            let name = rest.get(1..end).unwrap_or_default();
            let is_name =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_');
            if !is_name {
                plain.push('{');
                rest = &rest[1..];
                continue;
            }
            let piece = match name {
                "number" => Piece::Number,
                "digits" => Piece::Digits,
                "text" => Piece::Words,
                "delivery" => Piece::Delivery,
                other => return Err(other.to_owned()),
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(piece);
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// Whether the text of the message is part of it.
    pub(crate) fn has_words(&self) -> bool {
        self.0.contains(&Piece::Words)
    }

    /// The text before the first placeholder.
    pub(crate) fn beginning(&self) -> &str {
        match self.0.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The text with the values in their places.
    pub(crate) fn fill(&self, values: Values<'_>, escape: Escape) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Number => filled.push_str(&escaped(values.number, escape)),
                Piece::Digits => filled.push_str(values.number.trim_start_matches('+')),
                Piece::Words => filled.push_str(&escaped(values.text, escape)),
                Piece::Delivery => filled.push_str(&escaped(values.delivery, escape)),
            }
        }
        filled
    }
}

fn escaped(value: &str, escape: Escape) -> String {
    match escape {
        Escape::Form => form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        Escape::Url => {
            form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
        }
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Escape::Xml => {
            let mut xml = String::new();
            for c in value.chars() {
                match c {
                    '&' | '<' | '>' | '"' | '\'' => _ = write!(xml, "&#{};", u32::from(c)),
                    '\n' => xml.push(c),
                    c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => xml.push(' '),
                    c => xml.push(c),
                }
            }
            xml
        }
        Escape::Plain => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> =
        Values { number: "+302101234567", text: "a \"b\" & <c>\n{number} ü+%", delivery: "10001-1-1-0-x" };

    #[test]
    fn values_stay_values_wherever_they_are_put() {
        for (text, escape, expected) in [
            (
                "https://a.example/{digits}?to={number}&t={text}",
                Escape::Url,
                "https://a.example/302101234567?to=%2B302101234567&t=a%20%22b%22%20%26%20%3Cc%3E%0A%7Bnumber%7D%20%C3%BC%2B%25",
            ),
            (
                "to={number}&text={text}",
                Escape::Form,
                "to=%2B302101234567&text=a+%22b%22+%26+%3Cc%3E%0A%7Bnumber%7D+%C3%BC%2B%25",
            ),
            (
                r#"{"to":["{number}"],"text":"{text}","id":"{delivery}","n":{"x":{}}}"#,
                Escape::Json,
                r#"{"to":["+302101234567"],"text":"a \"b\" & <c>\n{number} ü+%","id":"10001-1-1-0-x","n":{"x":{}}}"#,
            ),
            (
                "<sms to='{number}'>{text}</sms>",
                Escape::Xml,
                "<sms to='+302101234567'>a &#34;b&#34; &#38; &#60;c&#62;\n{number} ü+%</sms>",
            ),
            ("{delivery}", Escape::Plain, "10001-1-1-0-x"),
            ("no placeholder } { {}", Escape::Plain, "no placeholder } { {}"),
        ] {
            assert_eq!(Template::read(text).unwrap().fill(VALUES, escape), expected);
        }
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        for (text, name) in
            [("{to}", "to"), ("a{number}{message}", "message"), ("{from-number}", "from-number")]
        {
            assert_eq!(Template::read(text).err().as_deref(), Some(name));
        }
        assert!(Template::read("{text}").unwrap().has_words());
        assert_eq!(Template::read("https://a.b/{text}").unwrap().beginning(), "https://a.b/");
    }
}
