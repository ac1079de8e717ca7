"""The entrypoint of receipts: nobody calls it, a queue does."""

from typing import cast

from chalice.app import Chalice, SQSEvent
from chalicelib import config, deadline
from chalicelib.consumer import Answer
from chalicelib.services import assembled

app = Chalice(app_name="receipts", configure_logs=False)


@app.on_sqs_message(queue="receipts", name="record", batch_size=10)
def record(event: SQSEvent) -> Answer:
    """Write down each sale."""
    services = assembled()
    deadline.begin(cast(deadline.Context, event.context))
    return services.events.take(event.to_dict(), services.receipts.record)


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor.
    assembled()
