"""The entrypoint of notifications: nobody calls it, a queue does."""

from typing import cast

from chalice.app import Chalice, SQSEvent
from chalicelib import config, deadline
from chalicelib.consumer import Answer
from chalicelib.services import assembled

app = Chalice(app_name="notifications", configure_logs=False)


# One at a time: while the mail service is slow there is time for no second letter. It
# would come back unsent, and use up a delivery.
@app.on_sqs_message(queue="notifications", name="notify", batch_size=1)
def notify(event: SQSEvent) -> Answer:
    """Tell guests how their orders ended."""
    services = assembled()
    deadline.begin(cast(deadline.Context, event.context))
    return services.events.take(event.to_dict(), services.notifications.tell)


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor.
    assembled()
