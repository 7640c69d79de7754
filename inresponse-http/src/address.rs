//! Who sent a request: the address of the connection, or what a trusted proxy says.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use inresponse_core::InvalidInput;
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are trusted to report a client's address (default: none).
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
}

impl TrustedProxies {
    /// Proxies by their addresses or networks, such as `127.0.0.1`, `10.0.0.0/8` or `fd00::/8`.
    ///
    /// # Errors
    /// One of the proxies is neither an address nor a network.
    pub fn new<'a>(proxies: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidInput> {
        let read = |text: &str| {
            let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            address.or_else(|_| text.parse::<IpNet>()).map_err(|_| {
                let message = format!("`{text}` is neither an address nor a network like 10.0.0.0/8");
                InvalidInput::field("trusted-proxies", message)
            })
        };
        let networks: Result<Vec<_>, _> = proxies.into_iter().map(|text| read(text.trim())).collect();
        Ok(Self { networks: networks?.into() })
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client behind trusted proxies: the last hop in the forwarding headers that is not a trusted proxy.
    ///
    /// A client can write anything to the left of what the proxies add. If both headers are present and disagree, a
    /// proxy passes one of them on unchanged, so neither is trusted.
    fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let by = |header: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(header).then(|| self.last_hop(proxy, headers, header, read))
        };
        match (by(&FORWARDED_FOR, host), by(&FORWARDED, forwarded_for)) {
            (Some(client), None) | (None, Some(client)) => client,
            (Some(one), Some(other)) if one == other => one,
            (Some(_), Some(_)) | (None, None) => proxy,
        }
    }

    fn last_hop(
        &self,
        proxy: IpAddr,
        headers: &HeaderMap,
        header: &HeaderName,
        read: fn(&str) -> Option<IpAddr>,
    ) -> IpAddr {
        let lines: Vec<_> = headers.get_all(header).iter().collect();
        // A header that is not text contains hops that cannot be read.
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut last = proxy;
        for hop in hops {
            match read(hop) {
                Some(address) if self.contain(address) => last = address,
                Some(address) => return address,
                None => return last,
            }
        }
        last
    }
}

/// Reads an address, with or without a port, as proxies write it.
fn host(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    in_brackets.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

/// Reads the parameter `for` of one hop in the header `Forwarded` (RFC 7239).
///
/// Quoted strings are not parsed: a quote that a client leaves open must not swallow what its proxy adds.
fn forwarded_for(hop: &str) -> Option<IpAddr> {
    let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    let mut values =
        pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim());
    let value = values.next().filter(|_| values.next().is_none())?;
    host(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// The sender of a request, as far as it is known.
#[derive(Debug)]
pub(crate) struct Client {
    address: Option<IpAddr>,
    /// The trusted proxy that reported the address.
    by: Option<IpAddr>,
    /// The address that an untrusted sender claims: a proxy, or a client that pretends to be another.
    claimed: Option<String>,
}

impl Client {
    /// The maximum number of a header's bytes that the log shows.
    const MAX_BYTES: usize = 200;

    pub(crate) fn of(request: &Request, proxies: &TrustedProxies) -> Self {
        let headers = request.headers();
        let peer =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        if let Some(proxy) = peer.filter(|peer| proxies.contain(*peer)) {
            return Self { address: Some(proxies.client(proxy, headers)), by: Some(proxy), claimed: None };
        }
        let given = headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let is_sane = |text: &&str| {
            text.len() <= Self::MAX_BYTES && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        };
        Self { address: peer, by: None, claimed: given.filter(is_sane).map(str::to_owned) }
    }

    /// The client's address, if it is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}")?,
            None => f.write_str("unknown")?,
        }
        match (self.by, &self.claimed) {
            (Some(proxy), _) if self.address != Some(proxy) => write!(f, " (by the proxy {proxy})"),
            (None, Some(given)) => write!(f, " (forwarded for {given})"),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn shown(peer: &str, proxies: &[&str], headers: &[(&str, &str)]) -> String {
        let mut request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| request.header(*name, *value))
            .body(Body::empty())
            .unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        request.extensions_mut().insert(ConnectInfo(peer));
        Client::of(&request, &TrustedProxies::new(proxies.iter().copied()).unwrap()).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_trusted_proxy_is_the_client() {
        const XFF: &str = "x-forwarded-for";
        const FWD: &str = "forwarded";
        let local = ["127.0.0.1", "::1", "10.0.0.0/8"];
        for (headers, expected) in [
            (&[(XFF, "203.0.113.7")][..], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "198.51.100.9, 203.0.113.7")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "198.51.100.9"), (XFF, "203.0.113.7")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "198.51.100.9, 203.0.113.7, 10.1.2.3")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "203.0.113.7:50123")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "::ffff:203.0.113.7")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "2001:db8::7")], "2001:db8::7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "[2001:db8::7]:443")], "2001:db8::7 (by the proxy 127.0.0.1)"),
            (&[(FWD, "for=203.0.113.7;proto=https")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (
                &[(FWD, "for=198.51.100.9, proto=https;For=\"[2001:db8::7]:1\"")],
                "2001:db8::7 (by the proxy 127.0.0.1)",
            ),
            (&[(FWD, "for=198.51.100.9;x=\", for=203.0.113.7")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            (&[(XFF, "203.0.113.7"), (FWD, "for=203.0.113.7")], "203.0.113.7 (by the proxy 127.0.0.1)"),
            // If a hop is unknown, the last known hop counts.
            (&[], "127.0.0.1"),
            (&[(XFF, "")], "127.0.0.1"),
            (&[(XFF, "10.1.2.3")], "10.1.2.3 (by the proxy 127.0.0.1)"),
            (&[(XFF, "203.0.113.7, unknown, 10.1.2.3")], "10.1.2.3 (by the proxy 127.0.0.1)"),
            (&[(XFF, "203.0.113.7, me")], "127.0.0.1"),
            (&[(FWD, "for=_hidden")], "127.0.0.1"),
            (&[(FWD, "for=203.0.113.7;for=198.51.100.9")], "127.0.0.1"),
            (&[(XFF, "203.0.113.7"), (FWD, "for=198.51.100.9")], "127.0.0.1"),
        ] {
            assert_eq!(shown("127.0.0.1", &local, headers), expected, "{headers:?}");
        }
        assert_eq!(
            shown("::ffff:127.0.0.1", &local, &[(XFF, "203.0.113.7")]),
            "203.0.113.7 (by the proxy 127.0.0.1)"
        );
    }

    #[test]
    fn nobody_else_is_believed() {
        let xff = ("x-forwarded-for", "198.51.100.9");
        assert_eq!(shown("203.0.113.7", &["127.0.0.1"], &[xff]), "203.0.113.7 (forwarded for 198.51.100.9)");
        assert_eq!(shown("127.0.0.1", &[], &[xff]), "127.0.0.1 (forwarded for 198.51.100.9)");
        assert_eq!(shown("127.0.0.1", &[], &[("forwarded", "for=198.51.100.9")]), "127.0.0.1");
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        for good in ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8", " 192.0.2.1 "] {
            assert!(TrustedProxies::new([good]).is_ok(), "{good}");
        }
        for bad in ["", "localhost", "10.0.0.0/33", "127.0.0.1:80", "*"] {
            let refused = TrustedProxies::new([bad]).unwrap_err();
            assert_eq!(refused.errors()[0].field(), "trusted-proxies", "{bad}");
        }
    }
}
