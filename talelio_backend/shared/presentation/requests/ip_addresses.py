from ipaddress import IPv4Address, IPv6Address, ip_address


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse a peer's address. Return None for a Unix socket."""
    try:
        address = ip_address(text.partition('%')[0])
    except ValueError:
        return None
    # An IPv4 client of an IPv6 socket.
    return getattr(address, 'ipv4_mapped', None) or address
