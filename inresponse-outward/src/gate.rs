//! Decides to which URLs and addresses the server may post.
//!
//! Otherwise an editor of the roster could make the server post to hosts that only the server can reach: services
//! without a password on its own network, and the metadata address that gives credentials to every caller within a
//! cloud.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::hosts::InternalHosts;

/// The address of Azure's metadata and DNS, which looks public.
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Decides about URLs and resolves names, so that a notifier connects to exactly the checked address.
#[derive(Debug, Clone)]
pub struct Gate {
    internal: Arc<InternalHosts>,
}

/// Why a post is not allowed. The text does not contain the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is not a URL with a host.
    NoUrl,
    /// It is not `https:`, and the host is not an allowed internal one.
    Plain,
    /// The address is internal, and the host is not an allowed internal one.
    Internal,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::NoUrl => "the contact is not a URL with a host",
            Refused::Plain => {
                "the URL must begin with https://, because its host is not on the list of internal hosts"
            }
            Refused::Internal => "the address is internal, and its host is not on the list of internal hosts",
        })
    }
}

impl StdError for Refused {}

impl Gate {
    pub(crate) fn new(internal: InternalHosts) -> Self {
        Self { internal: Arc::new(internal) }
    }

    /// Whether posts by plain `http:` are allowed to any host.
    pub fn takes_http(&self) -> bool {
        !self.internal.is_empty()
    }

    /// Checks what is known without resolving a name: the scheme, and an address in place of a name.
    ///
    /// # Errors
    /// The URL is not allowed.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host().ok_or(Refused::NoUrl)?;
        if self.internal.contains(bare(&host.to_string())) {
            return if matches!(url.scheme(), "http" | "https") { Ok(()) } else { Err(Refused::NoUrl) };
        }
        if url.scheme() != "https" {
            return Err(Refused::Plain);
        }
        // A resolver is never asked about these.
        let address = match host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if is_public(address) { Ok(()) } else { Err(Refused::Internal) }
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

impl Resolve for Gate {
    /// Resolves a name to its public addresses, or to all addresses if the host is an allowed internal one.
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.internal.contains(name.as_str());
        Box::pin(async move {
            // The client puts the URL's port in the place of 0.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let none = found.is_empty();
            let may: Vec<SocketAddr> = found.into_iter().filter(|a| allowed || is_public(a.ip())).collect();
            if may.is_empty() && !none {
                return Err(Refused::Internal.into());
            }
            Ok(Box::new(may.into_iter()) as Addrs)
        })
    }
}

/// Whether an address counts as public. Special-purpose addresses (as in IANA's registries) and Azure's metadata
/// address do not.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] => true,
        [100, second, ..] => (64..128).contains(&second), // carrier-grade NAT
        [169, 254, ..] => true,                           // link-local, most clouds' metadata
        [172, second, ..] => (16..32).contains(&second),
        [192, 0, 0 | 2, _] => true, // protocols, documentation
        [192, 88, 99, _] => true,   // 6to4 relays
        [192, 168, ..] => true,
        [198, 18 | 19, ..] => true, // benchmarks
        [198, 51, 100, _] => true,
        [203, 0, 113, _] => true,
        [224..=255, ..] => true, // multicast, reserved, broadcast
        _ => address == AZURE,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64: an IPv4 address as seen from a network that has IPv6 only.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0..0x200, ..] => false, // protocols, Teredo
        [0x2001, 0xdb8, ..] => false,
        [0x2002, ..] => false, // 6to4 may lead to any IPv4 address
        [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000, // global unicast; all else is local, multicast or reserved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_are_told_from_public_ones() {
        let internal = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ];
        for address in internal {
            assert!(!is_public(address.parse().unwrap()), "{address} is internal");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "168.63.129.17",
            "192.1.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address} is public");
        }
    }

    #[test]
    fn urls_are_checked_as_they_will_be_read() {
        let hosts = InternalHosts::new().allow("Hook.internal").allow("::1");
        let gate = Gate::new(hosts.allow("bücher.internal"));
        for (url, expected) in [
            ("https://example.org/x", Ok(())),
            ("http://example.org/x", Err(Refused::Plain)),
            ("ftp://example.org/x", Err(Refused::Plain)),
            ("ftp://hook.internal/x", Err(Refused::NoUrl)),
            ("http://hook.internal:8080/x", Ok(())),
            ("http://HOOK.internal/x", Ok(())),
            ("http://[::1]/x", Ok(())),
            ("http://bücher.internal/x", Ok(())),
            ("https://[::2]/x", Err(Refused::Internal)),
            ("https://127.0.0.1/x", Err(Refused::Internal)),
            // Other ways to write 127.0.0.1 and 169.254.169.254.
            ("https://2130706433/x", Err(Refused::Internal)),
            ("https://0x7f.1/x", Err(Refused::Internal)),
            ("https://0251.0376.0251.0376/x", Err(Refused::Internal)),
            ("https://[::ffff:169.254.169.254]/x", Err(Refused::Internal)),
            ("https://①②⑦.0.0.1/x", Err(Refused::Internal)),
            ("https://8.8.8.8/x", Ok(())),
            ("https://user@127.0.0.1:443/x", Err(Refused::Internal)),
            ("mailto:a@b.c", Err(Refused::NoUrl)),
        ] {
            assert_eq!(gate.check(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
