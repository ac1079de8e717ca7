"""What the page on S3 is told of its deployment."""

from __future__ import annotations

import pytest

from deployment import site, templates, up
from deployment.settings import FOLDERS, REPOSITORY, Deployment
from sandbox.runner.state import OF_AWS

DEV = Deployment(3, "dev", None, {})
TOLD = {
    "SiteOrigin": "https://site.example",
    "ApiId": "publicapi",
    "UserPoolId": "us-east-1_pool",
    "UserPoolClientId": "page",
    "IdentityPoolId": "us-east-1:pool",
    **{name: name for name in up.TABLES.values()},
}
PAGES = "https://concierge-dev-123456789012.auth.us-east-1.amazoncognito.com"


def page_config(**told):
    return up._deployed(DEV, TOLD | told).page_config(DEV)


def test_guests_come_in_by_facebook_where_there_are_pages_for_it():
    config = page_config(FacebookSignInUrl=PAGES)
    assert config["facebook_sign_in_url"] == PAGES
    # Its policy lets the page fetch the tokens there.
    policy = site._with_hosts(site.OWN_HOST_ONLY, config).decode()
    assert f" {PAGES}" in policy


def test_the_page_offers_no_facebook_where_there_is_none():
    config = page_config(FacebookSignInUrl="")
    assert config["facebook_sign_in_url"] == ""
    assert "auth" not in site._with_hosts(site.OWN_HOST_ONLY, config).decode()


def test_who_runs_the_stage_is_told_all_that_it_knows_and_no_more():
    deployed = up._deployed(DEV, TOLD | {"FacebookSignInUrl": ""}).as_dict()
    assert deployed.keys() - {"site_url", "api_url"} == OF_AWS


@pytest.mark.parametrize("stage", FOLDERS)
def test_the_pages_for_facebook_are_those_of_the_domain(stage):
    template = templates.read(REPOSITORY / FOLDERS[stage] / "resources.yaml")
    pages = {"Fn::Sub": "https://${SignInDomain}.auth.${AWS::Region}.amazoncognito.com"}
    told = template["Outputs"]["FacebookSignInUrl"]["Value"]
    assert told == {"Fn::If": ["HasFacebook", pages, ""]}
    assert template["Resources"]["SignInDomain"]["Condition"] == "HasFacebook"
