from importlib.resources import files


def load_common_passwords() -> frozenset[str]:
    """Load the passwords seen most often in leaks, in lower case.

    They are those of zxcvbn's 30,000 that are not too short anyway (see `password_policy`):
    https://github.com/dwolfhub/zxcvbn-python, copyright 2016 Daniel Wolf, MIT licence.
    """
    text = files(__package__).joinpath('common_passwords.txt').read_text(encoding='ascii')
    return frozenset(text.split())
