//! Reads lists that the server answers page by page.

/// All pages of a list.
macro_rules! pages {
    ($field:ident, $call:expr) => {{
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = $call(cursor.as_deref()).await?;
            all.extend(page.$field);
            cursor = page.cursor;
            if cursor.is_none() {
                break all;
            }
        }
    }};
}

pub(super) use pages;
