"""Which passwords are too weak to have."""

from . import wire
from .errors import Unprocessable

# The most used ones that are long enough for the schema (published breach lists agree
# on the top of the list).
WIDELY_USED = frozenset(
    (
        "12345678 123456789 1234567890 12345679 123123123 1q2w3e4r 1qaz2wsx "
        "1q2w3e4r5t qwerty123 qwertyuiop qwerty12 q1w2e3r4 asdfghjkl zxcvbnm1 "
        "abcd1234 abc12345 a1b2c3d4 password password1 password12 password123 "
        "passw0rd p@ssw0rd p@ssword welcome1 welcome123 iloveyou sunshine "
        "princess football baseball superman starwars whatever trustno1 letmein1 "
        "changeme changeme1 admin123 administrator computer internet michelle "
        "jennifer "
    ).split()  # noqa: SIM905 - forty quoted words read worse
)
FEWEST_DIFFERENT = 4


def check_password(credentials: wire.Credentials) -> None:
    """Refuse a password that would be guessed.

    Raises:
        Unprocessable: it is widely used, repeats a few characters, or is the address.
    """
    password = credentials.password.lower()
    name = credentials.email.partition("@")[0].lower()
    if (
        password in WIDELY_USED
        or len(set(password)) < FEWEST_DIFFERENT
        or (len(name) >= FEWEST_DIFFERENT and name in password)
    ):
        raise Unprocessable(
            "password: this one would be guessed. Choose a less usual one, without "
            "your e-mail address in it; three random words are good."
        )
