"""Make a deployment what the files say, in order, and tell each step.

Resources first, then the services in the order in which they call one another, then the
API in front of them, then what they begin with: goods on the shelves, and the page.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from . import addresses, parts, queues, sender, site, stacks, values
from .cloud import client
from .settings import REGION, Deployment, SettingsError
from .stacks import StackFailed
from .steps import step

HEALTH_SECONDS = 60.0
# The outputs of the resources that are tables, by the service that each is of.
TABLES = {
    "catalog": "CatalogTable",
    "nlu": "DialogueTable",
    "checkout": "OrdersTable",
    "payments": "PaymentsTable",
    "notifications": "NotificationsTable",
    "receipts": "ReceiptsTable",
}


@dataclass(frozen=True)
class Deployed:
    """Where a deployment is.

    `api_url` ends in /v1, `site_url` is the page's folder without a slash at the end;
    `facebook_sign_in_url` is empty where guests cannot come in by Facebook. `tables`
    are by the service that owns them, `service_apis` are the ids of theirs, `queues`
    are addresses by the queue's name in this repository.
    """

    site_url: str
    api_url: str
    aws_endpoint_url: str | None
    region: str
    user_pool_id: str
    user_pool_client_id: str
    identity_pool_id: str
    facebook_sign_in_url: str
    tables: dict[str, str]
    queues: dict[str, str]
    service_apis: dict[str, str]

    def page_config(self, deployment: Deployment) -> dict[str, Any]:
        """Return what the page is told."""
        return {
            "stage": deployment.stage,
            "auth": "cognito",
            "api_url": self.api_url,
            "region": self.region,
            "user_pool_id": self.user_pool_id,
            "user_pool_client_id": self.user_pool_client_id,
            "identity_pool_id": self.identity_pool_id,
            "cognito_idp_url": addresses.cognito(deployment, "cognito-idp"),
            "cognito_identity_url": addresses.cognito(deployment, "cognito-identity"),
            "facebook_sign_in_url": self.facebook_sign_in_url,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it, for those who call the stage."""
        told = asdict(self)
        del told["facebook_sign_in_url"]  # the page's matter alone
        return told


def up(deployment: Deployment) -> Deployed:
    """Deploy everything; what has not changed is left as it is.

    Raises:
        SettingsError: a setting is missing.
        StackFailed: CloudFormation did not do it; the message says what and why.
        PackagingFailed: a service could not be packaged.
    """
    told = values.told(deployment)
    makes_sender = sender.makes_sender(deployment, told["MailIdentity"])
    told["MakesSender"] = str(makes_sender).lower()
    with step("resources") as outcome:
        outcome.words = parts.deploy_resources(deployment, told)
    told |= stacks.outputs(deployment.stack("resources"))
    with ThreadPoolExecutor(len(deployment.services)) as pool:
        packages = {
            name: pool.submit(parts.package, deployment, name)
            for name in deployment.services
        }
        for name in deployment.services:
            with step(name) as outcome:
                packaged = packages[name].result()
                outcome.words = parts.deploy_service(deployment, name, packaged, told)
            told |= _of_service(deployment, name)
    with step("public-api") as outcome:
        outcome.words = parts.deploy_public_api(deployment, told)
    told |= stacks.outputs(deployment.stack("public-api"))
    with step("goods on the shelves"):
        _stock_shelves(deployment)
    deployed = _deployed(deployment, told)
    with step("page") as outcome:
        page_config = deployed.page_config(deployment)
        outcome.words = site.upload(told["SiteBucket"], page_config)
    with step("health"):
        _wait_for_health(deployed.api_url)
    return deployed


def redeploy(deployment: Deployment, service: str) -> None:
    """Deploy one service again, with the settings that it has.

    Raises:
        SettingsError: there is no such service, or nothing is deployed yet.
    """
    if service not in deployment.services:
        there = ", ".join(deployment.services)
        raise SettingsError(f"There is no service {service!r}. There are: {there}.")
    stack = stacks.find(deployment.stack(service))
    if stack is None:
        raise SettingsError(f"{service} is not deployed yet: deploy the whole first.")
    told: dict[str, str | None] = {
        parameter["ParameterKey"]: None for parameter in stack.get("Parameters", [])
    }
    told |= stacks.outputs(deployment.stack("resources"))
    with step(service) as outcome:
        packaged = parts.package(deployment, service)
        outcome.words = parts.deploy_service(deployment, service, packaged, told)


def _of_service(deployment: Deployment, service: str) -> dict[str, str]:
    """Return what the stacks that follow are told of a service, if it has an API."""
    outputs = stacks.outputs(deployment.stack(service))
    if "RestAPIId" not in outputs:
        return {}
    title = service.title()
    return {
        f"{title}Function": outputs["APIHandlerArn"],
        f"{title}ApiId": outputs["RestAPIId"],
        f"{title}ApiUrl": addresses.api(deployment, outputs["RestAPIId"]),
    }


def _deployed(deployment: Deployment, told: dict[str, str]) -> Deployed:
    own_name = told.get("DomainName")
    return Deployed(
        site_url=told["SiteOrigin"],
        api_url=told["ApiUrl"]
        if own_name
        else addresses.api(deployment, told["ApiId"], "v1"),
        aws_endpoint_url=deployment.endpoint,
        region=REGION,
        user_pool_id=told["UserPoolId"],
        user_pool_client_id=told["UserPoolClientId"],
        identity_pool_id=told["IdentityPoolId"],
        facebook_sign_in_url=told["FacebookSignInUrl"],
        tables={name: told[TABLES[name]] for name in deployment.services},
        queues=queues.addresses(told),
        service_apis={
            name: told[f"{name.title()}ApiId"]
            for name in deployment.services
            if f"{name.title()}ApiId" in told
        },
    )


def _stock_shelves(deployment: Deployment) -> None:
    name = f"{deployment.prefix}-catalog-stock_shelves"
    answer = client("lambda").invoke(FunctionName=name, Payload=b"{}")
    if "FunctionError" in answer:
        words = answer["Payload"].read().decode("utf-8", "replace")
        raise StackFailed(f"{name} failed: {words}")


def _wait_for_health(api_url: str) -> None:
    deadline = time.monotonic() + HEALTH_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{api_url}/health", timeout=30):  # noqa: S310
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise StackFailed(f"{api_url}/health: {error}") from error
        time.sleep(0.5)
