"""The topic `order-events`: how orders ended, for whoever wants to know.

Payments does not know who that is. One more subscriber is one more queue.
"""

import logging

from . import logs, order_event
from .aws import asked, client
from .order_event import EVENT, OrderEvent
from .payment_store import Payment

log = logging.getLogger(__name__)


class Topic:
    """Publishes events.

    Args:
        arn: of the topic.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._sns = client("sns")

    def tell(self, payment: Payment) -> None:
        """Tell how an order ended; told again, every subscriber knows it already.

        Raises:
            Unavailable: it is not known whether it was told.
        """
        event = event_of(payment)
        request = logs.request_id.get() or event.order_id
        attributes = {EVENT: event.event, "request": request}
        with asked("our topic of events"):
            self._sns.publish(
                TopicArn=self._arn,
                Subject=event.event,
                Message=order_event.write(event),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )
        log.info("event told", extra={"event": event.event})


def event_of(payment: Payment) -> OrderEvent:
    """Return what is to be told of an order that has ended."""
    order = payment.order
    return OrderEvent(
        event=f"order-{order.status.value}",
        order_id=order.order_id,
        guest_id=order.guest_id,
        account=payment.account,
        status=order.status.value,
        product_id=order.product_id,
        name=order.name,
        quantity=order.quantity,
        amount=order.amount,
        currency=order.currency,
        delivery_address=order.delivery_address,
        delivery_date=order.delivery_date,
        message=order.message,
        created_at=order.created_at,
        ended_at=order.updated_at,
    )
