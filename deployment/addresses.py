"""Where things are that a deployment made: at Amazon's, or behind a local endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit

from .settings import REGION, Deployment

SERVICE_STAGE = "v1"


def api(deployment: Deployment, api_id: str, stage: str = SERVICE_STAGE) -> str:
    """Return the address of a REST API with its stage, without a slash at the end."""
    if deployment.endpoint is None:
        return f"https://{api_id}.execute-api.{REGION}.amazonaws.com/{stage}"
    return f"{deployment.endpoint}/_aws/execute-api/{api_id}/{stage}"


def site_origin(deployment: Deployment, bucket: str) -> str:
    """Return where the page is, as a browser's Origin header has it.

    At Amazon's it is the bucket's own address: its website has no HTTPS, and browsers
    have no WebCrypto to sign with where there is none. Names under `localhost` are this
    machine for every browser (RFC 6761).
    """
    if deployment.endpoint is None:
        return f"https://{bucket}.s3.{REGION}.amazonaws.com"
    port = urlsplit(deployment.endpoint).port
    return f"http://{bucket}.s3-website.{REGION}.localhost:{port}"


def cognito(deployment: Deployment, service: str) -> str:
    """Return the address of `cognito-idp` or `cognito-identity`."""
    return deployment.endpoint or f"https://{service}.{REGION}.amazonaws.com"
