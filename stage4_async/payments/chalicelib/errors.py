"""The answers that are not the one asked for; each says what to do next."""


class Problem(Exception):
    """An error that the caller is told of.

    Args:
        message: what is wrong and what to do about it, for a person.
        retry_after: seconds to wait before the next try, where waiting helps.
    """

    code = 500

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class BadRequest(Problem):
    """The request does not fit the contract's schema."""

    code = 400


class Unauthorized(Problem):
    """Nobody is signed in."""

    code = 401


class Forbidden(Problem):
    """The key does not open this."""

    code = 403


class NotFound(Problem):
    """There is no such thing, or it is not the caller's."""

    code = 404


class Conflict(Problem):
    """It exists already."""

    code = 409


class UnsupportedMediaType(Problem):
    """The body is not JSON."""

    code = 415


class Unprocessable(Problem):
    """The request fits the schema but cannot be done as it is."""

    code = 422


class TooManyRequests(Problem):
    """The caller is over the rate."""

    code = 429


class Unavailable(Problem):
    """Something that the request needs is away."""

    code = 503

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, retry_after=retry_after)
