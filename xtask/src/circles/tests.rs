//! What is a circle, and what is none, by small crates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// The circles of a crate made of these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let source = Source::read(Path::new("lib.rs"), &|path: &Path| files.get(path).cloned()).unwrap();
    circles(&source).iter().map(ToString::to_string).collect()
}

#[test]
fn two_files_that_use_each_other_are_told_with_both_places() {
    let found = circles_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "\nuse crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B;\nfn f() {\n    let a = super::a::A::new();\n}"),
        ("c.rs", "use crate::a::A; use crate::b::B;"),
    ]);
    assert_eq!(
        found,
        ["2 files: a.rs b.rs\n  a.rs:2 uses b.rs: `crate::b::B`\n  b.rs:3 uses a.rs: `super::a::A::new`"]
    );
}

#[test]
fn a_path_leads_to_the_file_that_defines_what_it_names() {
    let front = "mod a; mod b; pub use a::A; pub use b::*;";
    // The front page uses neither: it exports them again.
    assert_eq!(
        circles_of(&[("lib.rs", front), ("a.rs", "pub struct A;"), ("b.rs", "use crate::A;")]),
        [""; 0]
    );
    let found = circles_of(&[
        ("lib.rs", front),
        ("a.rs", "pub struct A; fn f() { crate::B::new(); }"),
        ("b.rs", "use super::A as Other; pub struct B(Other);"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("2 files: a.rs b.rs\n"), "{found:?}");
}

#[test]
fn a_front_page_with_something_of_its_own_is_in_a_circle_with_a_child_that_it_calls() {
    let child = ("a/b.rs", "pub fn b() -> super::Own { super::Own }");
    let calls = "mod b; pub struct Own; pub fn f() { b::b(); }";
    let exports = "mod b; pub struct Own; pub use b::b;";
    let found = circles_of(&[("lib.rs", "mod a;"), ("a/mod.rs", calls), child]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("a/mod.rs:1 uses a/b.rs: `b::b`"), "{found:?}");
    assert!(found[0].contains("a/b.rs:1 uses a/mod.rs: `super::Own`"), "{found:?}");
    assert_eq!(circles_of(&[("lib.rs", "mod a;"), ("a/mod.rs", exports), child]), [""; 0]);
}

#[test]
fn of_many_circles_the_shortest_is_shown() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "pub fn c() { crate::a::a(); crate::b::b(); }"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("3 files: a.rs b.rs c.rs\n") && found[0].lines().count() == 3, "{found:?}");
}

#[test]
fn uses_are_found_however_they_are_written() {
    for uses in [
        "use crate::b::B;",
        "use super::{b::{self, B}};",
        "use crate::b as other; fn f(_: other::B) {}",
        "use super::*; fn f(_: b::B) {}",
        "use crate::b; fn f() { println!(\"{}\", b::B::new()) }",
        "fn f() { crate::made!(1) }",
        "fn f() { made!(1) }",
        "#[serde(with = \"crate::b::text\")] struct X;",
        "#[derive(crate::b::B)] struct X;",
        "fn f() { use crate::b::B; }",
        "fn f() -> Vec<crate::b::B> { vec![] }",
        "mod inner { fn f(_: super::super::b::B) {} }",
        "fn f(x: crate::b::Made) {}",
        "use crate::Whole; fn f() { Whole::new() }",
    ] {
        let found = circles_of(&[
            ("lib.rs", "#[macro_use] mod b; mod a; use b::B as Whole;"),
            ("a.rs", &format!("pub struct A; {uses}")),
            ("b.rs", "macro_rules! made { () => {} } id!(Made); pub struct B; mod text {} use crate::a::A;"),
        ]);
        assert_eq!(found.len(), 1, "{uses}");
    }
}

#[test]
fn what_tests_use_and_what_other_crates_are_called_is_no_use() {
    for none in [
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(all(test, unix))] fn f(_: crate::b::B) {}",
        "impl A { #[cfg(test)] fn f(_: crate::b::B) {} }",
        "use ::b::B;",
        "use b::B;",
        "/// [`crate::b::B`]\nstruct X;",
        "pub(in crate::b) fn f() {}",
        "use crate::b;",
        "pub use crate::b::B;",
        "fn f(x: X) { x.b() }",
    ] {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", &format!("pub struct A; {none}")),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ]);
        assert_eq!(found, [""; 0], "{none}");
    }
}

#[test]
fn circles_are_refused() {
    let circle = Circle { files: vec!["a/b.rs".into(), "a/c/d.rs".into()], steps: Vec::new() };
    assert!(refuse(&[]).is_ok());
    assert!(refuse(&[circle]).unwrap_err().to_string().contains("2 files: a/b.rs a/c/d.rs"));
}

#[test]
fn no_files_use_each_other_in_circles() {
    check().unwrap();
}
