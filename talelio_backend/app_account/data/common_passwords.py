from importlib.resources import files


def load_common_passwords() -> frozenset[str]:
    """Load the passwords that leak most often, in lower case.

    They are zxcvbn's list of 30,000 without those that the password policy refuses as too short:
    https://github.com/dwolfhub/zxcvbn-python, copyright 2016 Daniel Wolf, MIT licence.
    """
    text = files(__package__).joinpath('common_passwords.txt').read_text(encoding='ascii')
    return frozenset(text.split())
