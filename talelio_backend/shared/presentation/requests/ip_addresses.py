from ipaddress import IPv4Address, IPv6Address, ip_address


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """A peer's address as the server writes it, or None where it has none: a socket file is no address."""
    try:
        address = ip_address(text.partition('%')[0])
    except ValueError:
        return None
    # What an IPv6 socket says of a client that came by IPv4.
    return getattr(address, 'ipv4_mapped', None) or address
