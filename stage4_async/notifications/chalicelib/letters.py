"""The words of the e-mails."""

import datetime as dt
from email.message import EmailMessage

SUBJECTS = {
    "order-confirmed": "Your order is confirmed",
    "order-declined": "Your card was declined",
    "order-failed": "Your order could not be completed",
}


def letter(
    order_id: str,
    event: str,
    email: str,
    name: str,
    quantity: int,
    amount: int,
    currency: str,
    delivery_address: str,
    delivery_date: dt.date,
    message: str,
) -> EmailMessage:
    """Write the e-mail that tells of an order's end.

    The `Message-ID` follows from the order and the event, so that a mail program shows
    a message that was sent twice once.

    Args:
        order_id: of which order.
        event: how it ended, a key of `SUBJECTS`.
        email: the guest's address.
        name: what was ordered.
        quantity: how many.
        amount: the whole price in cents.
        currency: ISO 4217, in small letters.
        delivery_address: where to.
        delivery_date: when.
        message: what happened, for a person.
    """
    mail = EmailMessage()
    mail["To"] = email
    mail["Subject"] = f"{SUBJECTS[event]}: {name}"
    mail["Message-ID"] = f"<{order_id}.{event}@concierge.example>"
    mail["X-Order-Id"] = order_id
    mail["X-Event"] = event
    mail.set_content(
        f"""{message}

  Order     {order_id}
  Item      {quantity} x {name}
  Price     {amount / 100:.2f} {currency.upper()}
  To        {delivery_address}
  On        {delivery_date:%A, %d %B %Y}

Your Concierge
"""
    )
    return mail
