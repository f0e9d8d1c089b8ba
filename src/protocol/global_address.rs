//! Which addresses the public network reaches: those that the special-purpose
//! registries of IANA (RFC 6890) do not keep for something else. An IPv6
//! address that carries an IPv4 one is judged by that as well.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is globally reachable. A few that the registries call
/// so, in blocks that are kept for protocols (192.0.0.9, 2001:1::1), are not
/// counted: no server of anyone is there.
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        // this network, IETF protocol assignments, 6to4 relays, reserved and broadcast
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => true,
        // between a provider and its customers (RFC 6598)
        [100, second, ..] => second & 0b1100_0000 == 64,
        // benchmarks (RFC 2544)
        [198, second, ..] if second & 0b1111_1110 == 18 => true,
        _ => address.is_documentation(),
    };
    !(is_special || address.is_private() || address.is_link_local() || address.is_loopback() || address.is_multicast())
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if let Some(carried) = carried_v4(address) {
        return is_global_v4(carried);
    }
    match address.segments() {
        // IETF protocol assignments with Teredo (RFC 2928, RFC 4380), documentation
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] => second >= 0x1000,
        // 2000::/3 is all that is given out for the public network (RFC 4291 §2.4)
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The IPv4 address in a mapped or compatible (RFC 4291 §2.5.5), translated
/// (RFC 2765 §2.1), 6to4 (RFC 3056 §2) or NAT64 address (RFC 6052 §2.1).
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x2002, high, low, ..] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            Some(from(high, low))
        }
        _ => address.to_ipv4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of each block of the registries that is not
    /// globally reachable, and of what carries such an address.
    const SPECIAL: &[(&str, &str)] = &[
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "239.255.255.255"),
        ("240.0.0.0", "255.255.255.255"),
        ("::", "::1"),
        ("::10.0.0.0", "::10.255.255.255"),
        ("::ffff:169.254.0.0", "::ffff:169.254.255.255"),
        ("::ffff:0:10.0.0.0", "::ffff:0:10.255.255.255"),
        ("64:ff9b::7f00:0", "64:ff9b::7fff:ffff"),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("100::", "100::ffff:ffff:ffff:ffff"),
        ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
        ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
        ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002:a00::", "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("4000::", "4000::1"),
    ];

    #[test]
    fn nothing_that_the_registries_keep_for_something_else_is_global() {
        for (first, last) in SPECIAL {
            for address in [first, last] {
                assert!(!is_global(address.parse().unwrap()), "{address}");
            }
        }
    }

    #[test]
    fn what_lies_beside_the_special_blocks_is_global() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db9::",
            "2002:808:808::1",
            "2400::1",
            "3fff:1000::",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
        ] {
            assert!(is_global(address.parse().unwrap()), "{address}");
        }
    }
}
