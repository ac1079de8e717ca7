import pytest
from concierge import wire
from concierge.errors import Unprocessable
from concierge.passwords import check_password


def credentials(password: str) -> wire.Credentials:
    return wire.Credentials(email="ada.lovelace@example.com", password=password)


@pytest.mark.parametrize(
    "password", ["Password123", "aaaaaaaaaaaa", "121212121212", "Ada.Lovelace!1"]
)
def test_a_password_that_would_be_guessed_is_refused(password):
    with pytest.raises(Unprocessable, match="would be guessed"):
        check_password(credentials(password))


@pytest.mark.parametrize("password", ["correct horse battery", "пароль-на-завтра"])
def test_an_unusual_password_is_taken(password):
    check_password(credentials(password))
