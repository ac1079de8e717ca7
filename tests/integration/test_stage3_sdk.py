"""The clients that `make sdk` makes; the Python one buys at stage 3, signed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deployment import sdk
from sandbox.runner import RunningStage
from tests.guest import Guest, tomorrow

# One starts the whole stage, the other asks npm.
pytestmark = pytest.mark.full

PATIENCE_SECONDS = 60


def signing(credentials: Credentials, region: str):
    """Make what signs requests of httpx, from botocore's signer."""
    import httpx

    class SigV4(httpx.Auth):
        requires_request_body = True

        def auth_flow(self, request):
            signed = AWSRequest(
                request.method,
                str(request.url),
                {"Content-Type": request.headers.get("Content-Type", "")},
                request.content,
            )
            SigV4Auth(credentials, "execute-api", region).add_auth(signed)
            request.headers.update(signed.headers.items())
            yield request

    return SigV4()


@pytest.fixture(scope="module")
def client(serverless: RunningStage, tmp_path_factory) -> Iterator[object]:
    """A generated client, which knows nothing of signatures but what it is given."""
    folder = sdk.python_client(3, tmp_path_factory.mktemp("sdk"))
    sys.path.insert(0, str(folder))
    from concierge_client import Client

    guest = Guest(serverless)
    auth = signing(guest.http.auth.credentials, str(serverless.region))
    yield Client(
        base_url=serverless.api_url,
        httpx_args={"auth": auth},
        raise_on_unexpected_status=True,
    )
    sys.path.remove(str(folder))


def test_the_python_client_buys(client):
    from concierge_client.api.catalog import get_product, list_products
    from concierge_client.api.checkout import checkout, get_order, list_orders
    from concierge_client.models import CheckoutRequest

    page = list_products.sync(client=client, limit=5)
    product = get_product.sync(page.products[0].product_id, client=client)
    assert product.unit_amount == page.products[0].unit_amount
    order = checkout.sync(
        client=client,
        idempotency_key=str(uuid.uuid4()),
        body=CheckoutRequest.from_dict(
            {
                "productId": product.product_id,
                "deliveryAddress": "5 Main Street, Springfield",
                "deliveryDate": tomorrow(),
            }
        ),
    ).order
    assert order.status == "confirmed"
    assert get_order.sync(order.order_id, client=client).amount == order.amount
    assert [at.order_id for at in list_orders.sync(client=client).orders] == [
        order.order_id
    ]


def test_the_python_client_talks_and_reads_errors(client):
    from concierge_client.api.catalog import get_product
    from concierge_client.api.nlu import converse
    from concierge_client.models import Conversation, Error

    said = {"messages": [{"type": "unstructured", "unstructured": {"text": "hello"}}]}
    replies = converse.sync(client=client, body=Conversation.from_dict(said))
    assert replies.messages
    error = get_product.sync("no-such-thing", client=client)
    assert isinstance(error, Error)
    assert error.code == 404


def test_without_a_signature_the_python_client_is_refused(client, serverless):
    from concierge_client import Client
    from concierge_client.api.catalog import list_products

    nobody = Client(base_url=serverless.api_url)
    assert list_products.sync_detailed(client=nobody).status_code == 403


def test_the_javascript_client_is_a_module_with_every_operation(tmp_path):
    made = sdk.javascript_client(3, tmp_path)
    words = (
        f"const {{ Concierge }} = await import({str(made)!r});"
        "const client = new Concierge();"
        "console.log(Object.values(client).filter((part) => part && "
        "part.constructor === Object).flatMap(Object.keys).join(' '));"
    )
    command = [shutil.which("node"), "--input-type=module", "-e", words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    found = set(done.stdout.split())
    wanted = {o.name for o in sdk.operations(sdk.contract_of(3), 3)}
    assert wanted <= found
