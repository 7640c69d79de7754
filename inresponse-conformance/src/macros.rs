//! The macros that turn the lists of laws into tests.
//!
//! Each suite has one list of its laws, in groups, as a macro that passes the list on: `__tests` makes tests from it,
//! `__names` an array of names. So a law cannot be in one and missing in the other.

/// The tests that every [`Store`](inresponse_core::store::Store) must pass; see the [crate](crate)'s page.
///
/// Use `store_laws!(harness)`, or `store_laws!(harness, except: durable, shared, outages, expiry)` if your store cannot do
/// these things.
/// Use one suite in a module. An unknown word after `except:` does not compile:
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
/// Use `roster_laws!(harness)`, or `roster_laws!(harness, except: durable, shared, outages)` if your roster cannot do
/// these things. Use one suite in a module.
#[macro_export]
macro_rules! roster_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ roster $except } )+ )?
        $crate::__roster_laws!{ [$crate::__tests] [roster, $harness, [$($($except)+)?]] }
    };
}

/// The tests that every [`Settings`](inresponse_core::settings::Settings) must pass; see the [crate](crate)'s page.
///
/// Use `settings_laws!(harness)`, or `settings_laws!(harness, except: durable, shared, outages)` if your settings
/// cannot do these things. Use one suite in a module.
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
/// Use `notifier_laws!(harness)`, or list the behaviour that this harness cannot produce, as in
/// `notifier_laws!(harness, except: throttle, hang)`: `reject`, `refuse_sender`, `busy`, `throttle`, `unreachable`,
/// `hang`, `take_and_hang`, `take_and_close`. Use one suite in a module.
#[macro_export]
macro_rules! notifier_laws {
    ($harness:expr $(, except: $($except:ident),+)? $(,)?) => {
        $( $( $crate::__may_be_excepted!{ notifier $except } )+ )?
        $crate::__notifier_laws!{ [$crate::__tests] [notifier, $harness, [$($($except)+)?]] }
    };
}

/// Makes an unknown word after `except:` a compile error.
#[doc(hidden)]
#[macro_export]
macro_rules! __may_be_excepted {
    (store durable) => {};
    (store shared) => {};
    (store outages) => {};
    (store expiry) => {};
    (roster durable) => {};
    (roster shared) => {};
    (roster outages) => {};
    (settings durable) => {};
    (settings shared) => {};
    (settings outages) => {};
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
            "` is not a group that a ",
            ::core::stringify!($suite),
            " may be excepted from"
        ));
    };
}

/// Turns `[suite, harness, [excepted groups]] group { laws } …` into tests.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($suite:tt $( $group:ident { $($law:ident)* } )*) => {
        $( $crate::__group!{ $group $suite { $($law)* } } )*
    };
}

/// Turns one group of laws into tests. The tests are ignored if the group's name is among the excepted ones; only
/// literal patterns can detect that.
#[doc(hidden)]
#[macro_export]
macro_rules! __group {
    (durable [$s:ident, $h:expr, [durable $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "durable" $laws } };
    (shared [$s:ident, $h:expr, [shared $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "shared" $laws } };
    (outages [$s:ident, $h:expr, [outages $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "outages" $laws } };
    (expiry [$s:ident, $h:expr, [expiry $($x:ident)*]] $laws:tt) => { $crate::__ignored!{ "expiry" $laws } };
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

/// Turns `[] group { laws } …` into the names of the laws.
#[doc(hidden)]
#[macro_export]
macro_rules! __names {
    ([] $( $group:ident { $($law:ident)* } )*) => {
        &[ $( $( ::core::stringify!($law), )* )* ]
    };
}
