"""The shapes of the contract's internal part that this service answers."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

from . import wire

# Subject and recipient are lines of a mail's head: nothing in them may end the line,
# and Python's mail library ends one at a few characters more than a mail server does.
Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*\Z",
    ),
]
# As guests may give it; it stands in the letter itself.
Address = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")
]


class NotificationRequest(wire.Body):
    """What to tell, and whom; `amount` in cents for all of it."""

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+\Z")]
    name: Line
    quantity: Annotated[int, Meta(ge=1)]
    amount: Annotated[int, Meta(ge=0)]
    currency: Annotated[str, Meta(pattern=r"^[a-z]{3}\Z")]
    delivery_address: Address
    delivery_date: dt.date
    message: Annotated[str, Meta(min_length=1, max_length=1000)]
