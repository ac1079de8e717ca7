"""Whether a deployment makes the sender of its letters, or finds it made already.

SES knows an address once in an account and region, so that of two deployments with one
`MAIL_FROM` only the first can make it; the other uses what is there.
"""

from __future__ import annotations

from . import stacks
from .cloud import client
from .settings import LOCAL, Deployment


def makes_sender(deployment: Deployment, address: str) -> bool:
    """Tell whether the stack of the resources is to have the sender in it.

    Args:
        deployment: whose letters they are.
        address: that they come from.
    """
    # The local AWS is the stage's own: whatever it knows is of this deployment.
    if deployment.env == LOCAL:
        return True
    ours = stacks.outputs(deployment.stack("resources")).get("Sender")
    return ours == address or not _is_known(address)


def _is_known(address: str) -> bool:
    ses = client("sesv2")
    try:
        ses.get_email_identity(EmailIdentity=address)
    except ses.exceptions.NotFoundException:
        return False
    return True
