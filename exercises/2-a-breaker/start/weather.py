"""Asks another team's service what the weather is, for tables on a terrace."""

import urllib3


class Unavailable(Exception):
    """There is no answer now; the guest is told so at once."""


class Weather:
    """Asks the service.

    Args:
        url: where it is.
        patience: how long one call may take, in seconds.
        failures: so many in a row open the breaker.
        rest: for how long an open breaker lets nothing through, in seconds.
    """

    def __init__(
        self, url: str, patience: float = 1.0, failures: int = 3, rest: float = 5.0
    ) -> None:
        self._connections = urllib3.connection_from_url(url, maxsize=16)

    def of(self, city: str) -> str:
        """Tell the weather of a city.

        Returns:
            What the service says; "unknown" for a city that it does not know (404).

        Raises:
            Unavailable: it does not answer, answers 500 or more, or is left in peace.
        """
        answer = self._connections.request("GET", f"/weather/{city}")
        return answer.data.decode()
