"""The values of the stacks' parameters that the settings decide."""

from __future__ import annotations

from typing import TypeAlias

from . import addresses
from .cloud import account
from .settings import LOCAL, Deployment, SettingsError

Values: TypeAlias = dict[str, str]

MAIL_FROM = "Concierge <concierge@example.com>"
BUDGET_DOLLARS = "10"

# Parameters that a setting decides if it is there; the templates have the defaults.
OPTIONAL = {
    "API_BURST": "Burst",
    "API_DETAILED_METRICS": "DetailedMetrics",
    "API_RATE": "Rate",
    "BUDGET_EMAIL": "BudgetEmail",
    "BUDGET_LIMIT": "BudgetLimit",
    "CERTIFICATE_ARN": "CertificateArn",
    "DOMAIN_NAME": "DomainName",
    "FACEBOOK_APP_ID": "FacebookAppId",
    "FACEBOOK_APP_SECRET": "FacebookAppSecret",
    "GUEST_ROLE_ARN": "GuestRoleArn",
    "HOSTED_ZONE_ID": "HostedZoneId",
    "LOG_LEVEL": "LogLevel",
    "NLU_ENGINE": "NluEngine",
    "ORDER_GIVE_UP_SECONDS": "OrderGiveUpSeconds",
    "ORDER_LEASE_SECONDS": "OrderLeaseSeconds",
    "STRIPE_API_BASE": "StripeApiBase",
}
# Of stage 4 alone.
OF_STAGE_4 = {"STRIPE_RATE": "StripeRate", "SUPPLIER_API_BASE": "SupplierApiBase"}
NEEDED = {"PARTNER_API_KEY": "PartnerApiKey", "STRIPE_API_KEY": "StripeApiKey"}


def told(deployment: Deployment) -> Values:
    """Return the values that the settings decide, by the names of parameters.

    Raises:
        SettingsError: one is missing, or is not what it must be.
    """
    _refuse_without(deployment, needed(deployment))
    mail = deployment.asked("MAIL_FROM", MAIL_FROM)
    values = {
        "Env": deployment.env,
        "SiteOrigin": addresses.site_origin(
            deployment, f"{deployment.prefix}-site-{account()}"
        ),
        "MailFrom": mail,
        "MailIdentity": mail.rpartition("<")[2].rstrip("> "),
        # The local AWS knows no identities of SES in a policy, and asks for anything.
        "MailIdentityArn": "*" if deployment.env == LOCAL else "",
        # The local AWS sends no bill, and has no alarm for one.
        "BudgetLimit": "0" if deployment.env == LOCAL else BUDGET_DOLLARS,
        **_partner_rate(deployment.asked("PARTNER_RATE_PER_MINUTE", "60")),
    }
    for variable, parameter in decided_by(deployment.stage).items():
        if value := deployment.asked(variable):
            values[parameter] = value
    return values


def needed(deployment: Deployment) -> list[str]:
    """Return the settings that a deployment cannot do without."""
    # On the laptop all mail ends in the mailbox. From anywhere else letters, links and
    # alarms would go to an address that is nobody's.
    return [*NEEDED] if deployment.env == LOCAL else [*NEEDED, "MAIL_FROM"]


def decided_by(stage: int) -> dict[str, str]:
    """Return the settings that decide a parameter each, and these parameters.

    Args:
        stage: 3 or 4.
    """
    return OPTIONAL | NEEDED | (OF_STAGE_4 if stage == 4 else {})


def roles(deployment: Deployment) -> Values:
    """Return the ARNs of roles by function, where the account's own are to be used.

    `ROLE_CATALOG_API` is of `catalog-api`.
    """
    prefix = "ROLE_"
    return {
        name.removeprefix(prefix).lower().replace("_", "-", 1): value
        for name, value in deployment.environ.items()
        if name.startswith(prefix) and value
    }


def _refuse_without(deployment: Deployment, variables: list[str]) -> None:
    missing = [variable for variable in variables if not deployment.asked(variable)]
    if not missing:
        return
    words = f"Set {' and '.join(missing)} in the environment."
    if "MAIL_FROM" in missing:
        words += ' MAIL_FROM is an address that you read: "Concierge <you@...>".'
    raise SettingsError(words)


def _partner_rate(words: str) -> Values:
    """Return a rate as API Gateway has it: so many a second, so many at once."""
    if not (words.isdecimal() and int(words)):
        raise SettingsError(f"PARTNER_RATE_PER_MINUTE={words!r} is to be at least 1.")
    return {"PartnerRate": f"{int(words) / 60:.6g}", "PartnerBurst": words}
