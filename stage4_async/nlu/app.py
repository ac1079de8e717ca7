"""The entrypoint of nlu: each operation translates, and makes one call."""

from chalice.app import Chalice, Response
from chalicelib import config, web, wire
from chalicelib.guests import guest
from chalicelib.services import assembled

app = Chalice(app_name="nlu", configure_logs=False)
api = web.Operations(app, prepare=assembled)


@api.post("/nlu")
@api.post("/chatbot")
def converse() -> Response:
    """Say something to the concierge."""
    request = web.current(app)
    speaker = guest(request)
    conversation = web.body(request, wire.Conversation)
    return web.json(assembled().nlu.converse(speaker, conversation, web.now()))


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor: now the engine learns.
    assembled()
