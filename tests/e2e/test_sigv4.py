"""The page's signer against botocore's: the same request, the same signature."""

import datetime as dt
from pathlib import Path

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FRONTEND = Path(__file__).parents[2] / "frontend"
# WebCrypto is there in secure contexts only, and loopback is one.
SITE = "http://signer.localhost"
API = "https://abc.execute-api.us-east-1.amazonaws.com/v1"
LOCAL = "http://127.0.0.1:8300/_aws/execute-api/abc/v1"
NOW = dt.datetime(2026, 4, 1, 9, 30, 7, tzinfo=dt.timezone.utc)
KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105 - AWS's own example
JSON = {"Content-Type": "application/json", "Accept": "application/json"}

SIGN = """async ([method, url, headers, body, token, region, service, now]) => {
    const { sign } = await import("/js/auth/sigv4.js");
    const credentials = {
        accessKeyId: "%s", secretKey: "%s", ...(token && { sessionToken: token }),
    };
    const request = new Request(url, { method, headers, ...(body && { body }) });
    const scope = { region, service, now: new Date(now) };
    const signed = await sign(request, credentials, scope);
    return [signed.url, Object.fromEntries(signed.headers), await signed.text()];
}""" % (KEY, SECRET)  # noqa: UP031 - the script has its own braces

# name: (method, url, headers, body)
CASES = {
    "get": ("GET", f"{API}/orders", {}, ""),
    "head": ("HEAD", f"{API}/orders", {}, ""),
    "delete": ("DELETE", f"{API}/orders/1", {}, ""),
    "options": ("OPTIONS", f"{API}/orders", {}, ""),
    "put": ("PUT", f"{API}/orders/1", JSON, '{"quantity": 2}'),
    "patch": ("PATCH", f"{API}/orders/1", JSON, '{"quantity": 2}'),
    "post": ("POST", f"{API}/nlu", JSON, '{"messages": []}'),
    "empty-body": ("POST", f"{API}/nlu", JSON, ""),
    "unicode-body": ("POST", f"{API}/nlu", JSON, '{"text": "Blüten für 母 💐"}'),
    "spaces-in-body": ("POST", f"{API}/nlu", JSON, "  { }\r\n\t"),
    "long-body": ("POST", f"{API}/nlu", JSON, "x" * 60_000),
    "no-path": ("GET", "https://abc.execute-api.us-east-1.amazonaws.com", {}, ""),
    "slash-at-end": ("GET", f"{API}/orders/", {}, ""),
    "two-slashes": ("GET", f"{API}//orders///1", {}, ""),
    "dots": ("GET", f"{API}/products/./x/../orders", {}, ""),
    "unicode-path": ("GET", f"{API}/products/crème-brûlée-母-💐", {}, ""),
    "space-in-path": ("GET", f"{API}/products/a b", {}, ""),
    "encoded-path": ("GET", f"{API}/products/a%20b%2Fc%25d", {}, ""),
    "encoded-in-small": ("GET", f"{API}/products/a%2fb", {}, ""),
    "marks-in-path": ("GET", f"{API}/products/a!b'c(d)e*f~g:h@i,j;k=l+m&n$o", {}, ""),
    "query": ("GET", f"{API}/orders?limit=10&cursor=abc", {}, ""),
    "unsorted-query": ("GET", f"{API}/p?b=2&a=1&C=3&B=4&_=5&~=6", {}, ""),
    "names-that-begin-alike": ("GET", f"{API}/p?a-b=1&a=2&a.b=3&ab=4&a1=5", {}, ""),
    "repeated-names": ("GET", f"{API}/p?a=2&a=10&a=1&b=&a=2", {}, ""),
    "name-without-value": ("GET", f"{API}/p?b&a=&c=1", {}, ""),
    "empty-query": ("GET", f"{API}/p?", {}, ""),
    "unicode-query": ("GET", f"{API}/products?text=süß 母 💐&ключ=значение", {}, ""),
    "spaces-in-query": ("GET", f"{API}/products?text=red%20roses&category=+", {}, ""),
    "plus-in-query": ("GET", f"{API}/products?text=a%2Bb+c", {}, ""),
    "marks-in-query": ("GET", f"{API}/p?a=!'()*~-_.&b=/?:@$,;=%25%26%23", {}, ""),
    "fragment": ("GET", f"{API}/orders?a=1#here", {}, ""),
    "port": ("GET", f"{LOCAL}/orders", {}, ""),
    "port-and-query": ("POST", f"{LOCAL}/nlu?a=1", JSON, "{}"),
    "default-port": ("GET", "https://api.example:443/v1/orders", {}, ""),
    "default-port-http": ("GET", "http://api.example:80/v1/orders", {}, ""),
    "host-in-capitals": ("GET", "https://API.Example/v1/orders", {}, ""),
    "own-headers": (
        "POST",
        f"{API}/checkout",
        {**JSON, "Idempotency-Key": "5f0c", "X-Zulu": "z", "X-Alpha": "a"},
        "{}",
    ),
    "spaces-in-header": ("GET", f"{API}/orders", {"X-Note": "  a   b \t c  "}, ""),
    "empty-header": ("GET", f"{API}/orders", {"X-Note": ""}, ""),
    "signed-before": (
        "GET",
        f"{API}/orders",
        {"Authorization": "Bearer old", "X-Amz-Date": "20200101T000000Z"},
        "",
    ),
    "trace-is-not-signed": (
        "GET",
        f"{API}/orders",
        {"X-Amzn-Trace-Id": "Root=1-2-3"},
        "",
    ),
}
TOKEN = "FwoGZXIvYXdzE+/=" * 40  # the length and the letters of a real one
SCOPES = [("us-east-1", "execute-api"), ("eu-central-1", "dynamodb")]


@pytest.fixture(scope="module")
def in_browser(browser):
    """A page that has nothing but the signer."""
    page = browser.new_page()

    def serve(route):
        path = FRONTEND / route.request.url.removeprefix(f"{SITE}/")
        if path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route(f"{SITE}/**", serve)
    page.goto(f"{SITE}/")
    yield page
    page.close()


def signed_by_the_page(page, method, url, headers, body, token, scope):
    """Return the signed request's URL, headers and body."""
    now = int(NOW.timestamp() * 1000)
    return page.evaluate(SIGN, [method, url, headers, body, token, *scope, now])


def signed_by_botocore(method, url, headers, body, token, scope):
    """Return the headers of the same request, signed by botocore."""
    request = AWSRequest(method=method, url=url, headers=headers, data=body.encode())
    credentials = Credentials(KEY, SECRET, token or None)
    region, service = scope
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.fixture
def stopped_clock(monkeypatch):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope[1])
@pytest.mark.parametrize("token", ["", TOKEN], ids=["key", "session"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_signature_is_botocores(case, token, scope, in_browser, stopped_clock):
    method, _, headers, body = case
    url, ours, sent = signed_by_the_page(in_browser, *case, token, scope)
    # What the browser sends is what counts: its own spelling of the URL.
    theirs = signed_by_botocore(method, url, headers, body, token, scope)
    assert ours["authorization"] == theirs["authorization"]
    assert ours["x-amz-date"] == theirs["x-amz-date"] == "20260401T093007Z"
    assert ours.get("x-amz-security-token", "") == token
    assert sent == body


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("?b=2&a=1", "?a=1&b=2"),
        ("?text=red+roses", "?text=red%20roses"),
        ("?text=a%2Bb", "?text=a%2Bb"),
        ("?a=!'()*", "?a=%21%27%28%29%2A"),
        ("?a=~-_.", "?a=~-_."),
        ("?text=süß", "?text=s%C3%BC%C3%9F"),
        ("?a=2&a=10", "?a=10&a=2"),
        ("?a", "?a="),
    ],
)
def test_the_query_is_sent_as_it_is_signed(asked, sent, in_browser):
    url, _, _ = signed_by_the_page(
        in_browser, "GET", f"{API}/p{asked}", {}, "", "", SCOPES[0]
    )
    assert url == f"{API}/p{sent}"


def test_awss_own_example_comes_out(in_browser):
    # The request "get-vanilla" of AWS's SigV4 test suite.
    page = in_browser
    now = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.timezone.utc).timestamp() * 1000
    scope = ("us-east-1", "service")
    request = ["GET", "https://example.amazonaws.com/", {}, "", "", *scope, now]
    _, headers, _ = page.evaluate(SIGN, request)
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
        "aws4_request, SignedHeaders=host;x-amz-date, Signature="
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )
