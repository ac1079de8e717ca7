"""The entrypoint of checkout: each operation translates, and makes one call."""

import re
from typing import cast

from chalice.app import Chalice, CloudWatchEvent, Rate, Response, SQSEvent
from chalicelib import config, deadline, logs, web, wire
from chalicelib.consumer import Answer
from chalicelib.errors import BadRequest
from chalicelib.guests import guest
from chalicelib.orders import Status, answer, order_id, view
from chalicelib.services import assembled

app = Chalice(app_name="checkout", configure_logs=False)
api = web.Operations(app, prepare=assembled)

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


@api.post("/checkout")
def checkout() -> Response:
    """Order a product; it is paid by card when the answer is on its way already."""
    request = web.current(app)
    buyer = guest(request)
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest(
            "Idempotency-Key: send this header with a value of your own for each "
            "purchase, a UUID say: 1 to 255 visible ASCII characters."
        )
    # Before the work, so that whoever it asks for something is told of it as well.
    logs.order_id.set(order_id(buyer.guest_id, key))
    purchase = web.body(request, wire.CheckoutRequest)
    order = assembled().checkout.accept(buyer, key, purchase, web.now())
    if order.status is not Status.PENDING:
        return web.json(answer(order))
    accepted = web.json(answer(order), 202)
    accepted.headers["Location"] = f"/v1/orders/{order.order_id}"
    return accepted


@api.get("/orders")
def list_orders() -> Response:
    """List the caller's own orders."""
    request = web.current(app)
    query = web.query(request, wire.OrderQuery)
    return web.json(assembled().orders.page(guest(request).guest_id, query))


@api.get("/orders/{orderId}")
def get_order(order_id: str) -> Response:
    """Read one of the caller's own orders."""
    guest_id = guest(web.current(app)).guest_id
    logs.order_id.set(order_id[:64])
    return web.json(view(assembled().orders.of_guest(guest_id, order_id)))


@api.get("/internal/guests/{guestId}/orders")
def list_orders_of_guest(guest_id: str) -> Response:
    """List a guest's orders, for the dialogue with this guest."""
    query = web.query(web.current(app), wire.OrderQuery)
    return web.json(assembled().orders.page(guest_id, query))


@api.get("/health")
def health() -> Response:
    """Tell that the stage is alive, and how its dependencies are."""
    services = assembled()
    up = {
        "database": services.database.reachable(),
        "queue": services.queue.reachable(),
    }
    return web.json(
        wire.Health(
            status="ok" if all(up.values()) else "degraded",
            stage="stage4_async",
            dependencies={
                name: "ok" if is_up else "down" for name, is_up in up.items()
            },
        )
    )


@app.on_sqs_message(queue="order-outcomes", name="hear_outcomes", batch_size=10)
def hear_outcomes(event: SQSEvent) -> Answer:
    """Hear how orders ended."""
    services = assembled()
    deadline.begin(cast(deadline.Context, event.context))
    return services.outcomes.take(event.to_dict(), services.checkout.hear)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, int]:
    """Send again the orders of which nothing was heard."""
    services = assembled()
    logs.begin(event.event_id)
    deadline.begin(cast(deadline.Context, event.context))
    return {"sent": services.sweep.once(web.now())}


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor.
    assembled()
