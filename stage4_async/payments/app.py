"""The entrypoint of payments: nobody calls it, a queue does."""

from typing import cast

from chalice.app import Chalice, SQSEvent
from chalicelib import config, deadline
from chalicelib.consumer import Answer
from chalicelib.services import assembled

app = Chalice(app_name="payments", configure_logs=False)


# So many at a time and no more: together they keep within Stripe's rate.
@app.on_sqs_message(
    queue="charge-order",
    name="charge",
    batch_size=5,
    maximum_concurrency=config.WORKERS,
)
def charge(event: SQSEvent) -> Answer:
    """Take accepted orders to their end."""
    services = assembled()
    deadline.begin(cast(deadline.Context, event.context))
    return services.orders_to_charge.take(event.to_dict(), services.charging.serve)


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor.
    assembled()
