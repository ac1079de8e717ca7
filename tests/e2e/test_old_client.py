"""A client of 2017, as API Gateway generated them, calls stage 3 from a page.

The nearest that is public is npm's aws-api-gateway-client, made from that code: axios,
CryptoJS, and a signer that signs neither the session token nor the hash of the body as
headers. It is fetched when this test runs, and used as it is.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid

import pytest

from tests.contract.outside import until
from tests.guest import Guest, tomorrow

# It asks npm.
pytestmark = pytest.mark.full

CLIENT = "aws-api-gateway-client@0.3.7"
# The bundlers of 2017 brought Node's Buffer along by themselves.
BUNDLER = ("esbuild@0.28.2", "buffer@6.0.3")
PATIENCE_SECONDS = 180
ENTRY = "window.apigClientFactory = require('aws-api-gateway-client').default;"
CALL = """
    async ([config, path, method, headers, body]) => {
        const client = window.apigClientFactory.newClient(config);
        try {
            const answer = await client.invokeApi({}, path, method, {headers}, body);
            return {status: answer.status, data: answer.data};
        } catch (error) {
            const answer = error.response;
            return answer ? {status: answer.status, data: answer.data}
                          : {status: 0, data: error.message};
        }
    }
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> str:
    """The client and all that it needs, as one script for browsers."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("The old client comes by npm: install Node.js 20 or newer with it.")
    folder = tmp_path_factory.mktemp("old-client")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    run([npm, "install", *quiet, "--prefix", str(folder), CLIENT, *BUNDLER], folder)
    (folder / "entry.js").write_text(ENTRY)
    bundler = folder / "node_modules" / ".bin" / "esbuild"
    run(
        [str(bundler), "entry.js", "--bundle", "--format=iife", "--outfile=all.js"]
        + ["--platform=browser", "--define:global=window"],
        folder,
    )
    return (folder / "all.js").read_text()


@pytest.fixture
def call(page, script, stage):
    """Call an operation with the old client, from a page of the site."""
    # A file of the site without scripts of its own, and of the site's origin.
    page.goto(f"{stage.site_url}/config.json")
    page.add_script_tag(content=script)
    return caller(page, stage, Guest(stage))


def caller(page, stage, guest):
    keys = guest.http.auth.credentials
    config = {
        "invokeUrl": stage.api_url,
        "region": stage.region,
        "accessKey": keys.access_key,
        "secretKey": keys.secret_key,
        "sessionToken": keys.token,
        # Its own option for addresses with a port, which Amazon's never have.
        "host": stage.api_url.split("/")[2],
    }

    def call(method, path, body=None, headers=None, **other):
        wanted = [config | other, path, method, headers or {}, body]
        return page.evaluate(CALL, wanted)

    return call


def test_it_talks_to_the_concierge(call):
    said = {"type": "unstructured", "unstructured": {"text": "hello"}}
    answer = call("POST", "/nlu", {"messages": [said]})
    assert answer["status"] == 200, answer
    assert answer["data"]["messages"]


def test_it_buys_once_and_reads_the_order(call):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {
        "productId": "candy-jar",
        "deliveryAddress": "5 Main Street, Springfield, near the café",
        "deliveryDate": tomorrow(),
    }
    answers = [call("POST", "/checkout", body, headers) for _ in range(2)]
    assert {answer["status"] for answer in answers} <= {200, 202}, answers
    first, again = (answer["data"]["order"] for answer in answers)
    assert first["orderId"] == again["orderId"]

    def ended():
        read = call("GET", f"/orders/{first['orderId']}")["data"]
        return read["status"] != "pending" and read

    assert until(ended, "the order has ended")["status"] == "confirmed"


def test_a_wrong_secret_is_refused_in_words_that_the_page_can_read(call):
    answer = call("POST", "/nlu", {"messages": []}, secretKey="x" * 40)
    assert answer["status"] == 403, answer
    assert answer["data"]["code"] == 403


def test_a_page_of_another_origin_gets_no_answer(browser, script, stage):
    page = browser.new_context().new_page()
    page.goto(f"{stage.mailbox_url}/")
    page.evaluate(script)
    answer = caller(page, stage, Guest(stage))("GET", "/products")
    page.context.close()
    assert answer == {"status": 0, "data": "Network Error"}


def run(words, folder):
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
