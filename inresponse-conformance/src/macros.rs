//! How the lists of laws become tests.
//!
//! Each suite keeps one list of its laws, in groups, as a macro that hands it on: `__tests` makes tests of it,
//! `__names` an array of names. So a law cannot be in one and missing in the other.

/// The tests that every [`Store`](inresponse_core::store::Store) must pass; see the [crate](crate)'s page.
///
/// `store_laws!(harness)`, or `store_laws!(harness, except: durable, shared)` with what does not apply. One
/// suite to a module. A word after `except:` that means nothing does not compile:
///
/// ```compile_fail
/// inresponse_conformance::store_laws!(
///     || async { inresponse_core::memory::MemoryStore::new() },
///     except: durability, shared
/// );
/// ```
#[macro_export]
macro_rules! store_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ store $except } )+ )?
        $crate::__store_laws!{ [$crate::__tests] [store, $harness, [$($($except)+)?]] }
    };
}

/// The tests that every [`Roster`](inresponse_core::roster::Roster) must pass; see the [crate](crate)'s page.
///
/// `roster_laws!(harness)`, or `roster_laws!(harness, except: durable, shared)` with what does not apply. One
/// suite to a module.
#[macro_export]
macro_rules! roster_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ roster $except } )+ )?
        $crate::__roster_laws!{ [$crate::__tests] [roster, $harness, [$($($except)+)?]] }
    };
}

/// The tests that every [`Settings`](inresponse_core::settings::Settings) must pass; see the [crate](crate)'s page.
///
/// `settings_laws!(harness)`, or `settings_laws!(harness, except: durable, shared)` with what does not apply. One
/// suite to a module.
#[macro_export]
macro_rules! settings_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ settings $except } )+ )?
        $crate::__settings_laws!{ [$crate::__tests] [settings, $harness, [$($($except)+)?]] }
    };
}

/// The tests that every [`Notifier`](inresponse_core::notify::Notifier) must pass; see the [crate](crate)'s
/// page.
///
/// `notifier_laws!(harness)`, or with what the recipients of this harness cannot be made to do, as in
/// `notifier_laws!(harness, except: throttle, hang)`: `reject`, `refuse_sender`, `busy`, `throttle`, `unreachable`, `hang`,
/// `take_and_hang`, `take_and_close`. One suite to a module.
#[macro_export]
macro_rules! notifier_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ notifier $except } )+ )?
        $crate::__notifier_laws!{ [$crate::__tests] [notifier, $harness, [$($($except)+)?]] }
    };
}

/// A word after `except:` that means nothing must not go unnoticed.
#[doc(hidden)]
#[macro_export]
macro_rules! __may_be_excepted {
    (store durable) => {};
    (store shared) => {};
    (roster durable) => {};
    (roster shared) => {};
    (settings durable) => {};
    (settings shared) => {};
    (notifier reject) => {};
    (notifier refuse_sender) => {};
    (notifier busy) => {};
    (notifier throttle) => {};
    (notifier unreachable) => {};
    (notifier hang) => {};
    (notifier take_and_hang) => {};
    (notifier take_and_close) => {};
    ($suite:ident $other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`",
            ::core::stringify!($other),
            "` is not something that a ",
            ::core::stringify!($suite),
            " may be excepted from"
        ));
    };
}

/// `[suite, harness, [excepted groups]] group { laws } …` → tests.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($suite:tt $( $group:ident { $($law:ident)* } )*) => {
        $( $crate::__group!{ $group $suite { $($law)* } } )*
    };
}

/// One group of laws: ignored if its name is among the excepted ones, which only literal patterns can find out.
#[doc(hidden)]
#[macro_export]
macro_rules! __group {
    (durable [$s:ident, $h:expr, [durable $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "durable" $laws } };
    (shared [$s:ident, $h:expr, [shared $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "shared" $laws } };
    (reject [$s:ident, $h:expr, [reject $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "reject" $laws } };
    (refuse_sender [$s:ident, $h:expr, [refuse_sender $($x:ident)*]] $laws:tt) => {
        $crate::__ignored!{ "refuse_sender" $laws }
    };
    (busy [$s:ident, $h:expr, [busy $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "busy" $laws } };
    (throttle [$s:ident, $h:expr, [throttle $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "throttle" $laws } };
    (unreachable [$s:ident, $h:expr, [unreachable $($x:ident)*]] $laws:tt) => {
        $crate::__ignored!{ "unreachable" $laws }
    };
    (hang [$s:ident, $h:expr, [hang $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "hang" $laws } };
    (take_and_hang [$s:ident, $h:expr, [take_and_hang $($x:ident)*]] $laws:tt) => {
        $crate::__ignored!{ "take_and_hang" $laws }
    };
    (take_and_close [$s:ident, $h:expr, [take_and_close $($x:ident)*]] $laws:tt) => {
        $crate::__ignored!{ "take_and_close" $laws }
    };
    ($group:ident [$s:ident, $h:expr, [$other:ident $($x:ident)*]] $laws:tt) => {
        $crate::__group!{ $group [$s, $h, [$($x)*]] $laws }
    };
    ($group:ident [$s:ident, $h:expr, []] { $($law:ident)* }) => {
        $(
            #[test]
            fn $law() {
                $crate::__private::run(async { $crate::$s::$law(&$h).await });
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ignored {
    ($group:literal { $($law:ident)* }) => {
        $(
            #[test]
            #[ignore = concat!("not applicable: excepted as `", $group, "`")]
            fn $law() {}
        )*
    };
}

/// `[] group { laws } …` → their names.
#[doc(hidden)]
#[macro_export]
macro_rules! __names {
    ([] $( $group:ident { $($law:ident)* } )*) => {
        &[ $( $( ::core::stringify!($law), )* )* ]
    };
}
