"""What API Gateway answers by itself, in the contract's form: `{"code", "message"}`."""

from __future__ import annotations

from typing import Any

# https://docs.aws.amazon.com/apigateway/latest/developerguide/
# supported-gateway-response-types.html
SIGN = "Sign the request with the credentials of a signed-in guest."
ANSWERS: dict[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "Your credentials do not open this."),
    "MISSING_AUTHENTICATION_TOKEN": (403, f"There is nothing here for you. {SIGN}"),
    "INVALID_SIGNATURE": (403, f"The signature is not right. {SIGN}"),
    "EXPIRED_TOKEN": (403, "Your session has ended. Please sign in again."),
    "INVALID_API_KEY": (403, "This needs a partner's key in the X-Api-Key header."),
    "UNAUTHORIZED": (401, f"Nobody is signed in. {SIGN}"),
    "BAD_REQUEST_BODY": (400, "The body does not fit the contract."),
    "BAD_REQUEST_PARAMETERS": (400, "The parameters do not fit the contract."),
    "REQUEST_TOO_LARGE": (413, "The body is over 64 KiB. Send less at once."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Send JSON, with Content-Type: application/json."),
    "THROTTLED": (429, "Too many requests. Try again in a second."),
    "QUOTA_EXCEEDED": (429, "Too many requests. Try again in a second."),
    "INTEGRATION_FAILURE": (503, "Something that this needs is away. Try again."),
    "INTEGRATION_TIMEOUT": (503, "This took too long. Nothing is lost; try again."),
    "API_CONFIGURATION_ERROR": (503, "Something that this needs is away. Try again."),
}
# Whatever is not in the table gets one of these two, status and all: a template has no
# word for API Gateway's own status, and the `code` that it writes is to be the status.
REST = {
    "DEFAULT_4XX": (403, f"The request was refused. {SIGN}"),
    "DEFAULT_5XX": (503, "Something that this needs is away. Try again."),
}
RETRY_AFTER_SECONDS = {429: 1, 503: 5}


def error_answers(cors: dict[str, Any]) -> dict[str, Any]:
    """Return the gateway responses by their logical names.

    Args:
        cors: headers for browsers, as expressions of API Gateway.
    """
    return {
        "Answer" + kind.title().replace("_", ""): _response(kind, *answer, cors)
        for kind, answer in (ANSWERS | REST).items()
    }


def _response(
    kind: str, status: int, message: str, cors: dict[str, Any]
) -> dict[str, Any]:
    headers = dict(cors)
    if status in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = f"'{RETRY_AFTER_SECONDS[status]}'"
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": kind,
            "StatusCode": str(status),
            "ResponseParameters": {
                f"gatewayresponse.header.{name}": value
                for name, value in headers.items()
            },
            "ResponseTemplates": {
                "application/json": f'{{"code": {status}, "message": "{message}"}}'
            },
        },
    }
