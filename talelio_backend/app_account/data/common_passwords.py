from zxcvbn.frequency_lists import FREQUENCY_LISTS


def load_common_passwords() -> frozenset[str]:
    """The passwords seen most often in leaks, some 30,000, in lower case (from the zxcvbn project)."""
    return frozenset(FREQUENCY_LISTS['passwords'])
