"""The queue `charge-order`: where accepted orders wait for payments."""

import logging

from . import charge_order, logs
from .aws import asked, client
from .charge_order import ChargeOrder
from .errors import Unavailable

log = logging.getLogger(__name__)

WHAT = "our queue"


class ChargeQueue:
    """Sends orders to be charged.

    Args:
        url: of the queue.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._sqs = client("sqs")

    def send(self, order: ChargeOrder) -> None:
        """Have an order charged; sent twice it is charged once.

        Raises:
            Unavailable: it is not known whether the message was taken.
        """
        request = logs.request_id.get() or order.order.order_id
        with asked(WHAT):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=charge_order.write(order),
                MessageAttributes={
                    "request": {"DataType": "String", "StringValue": request}
                },
            )
        log.info("order sent to be charged", extra={"order_id": order.order.order_id})

    def reachable(self) -> bool:
        """Whether the queue answers now."""
        try:
            with asked(WHAT):
                self._sqs.get_queue_attributes(
                    QueueUrl=self._url, AttributeNames=["QueueArn"]
                )
        except Unavailable:
            return False
        return True
