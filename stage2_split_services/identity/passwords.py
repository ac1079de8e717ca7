"""Which passwords are too weak to have."""

from pathlib import Path

from . import wire
from .errors import Unprocessable

# Those of the published lists of leaked passwords that are long enough for the schema.
WORDS = Path(__file__).parent / "data" / "widely_used_passwords.txt"
WIDELY_USED = frozenset(WORDS.read_text(encoding="utf-8").split())
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
