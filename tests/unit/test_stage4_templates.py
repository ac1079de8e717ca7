"""Stage 4 as it is deployed: no queue loses what its function could not do."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deployment import packaging, public_api, queues, templates
from deployment.service_template import FUNCTION, Package, service_template
from deployment.settings import CONTRACT, REPOSITORY, SERVICES
from load_tests.costs import figures
from load_tests.limits.settings import number
from tests.chalice_apps import application
from tests.grants import FROM_US, carried_over, resources, shipped, thing

STAGE = REPOSITORY / "stage4_async"
# Carried over whole: stage 3's tests are about them.
OURS = [name for name in SERVICES[4] if name not in {"catalog", "nlu"}]
RESOURCES = templates.read(STAGE / "resources.yaml")["Resources"]
OUTPUTS = templates.read(STAGE / "resources.yaml")["Outputs"]
QUEUES = {
    n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::SQS::Queue"
}
SOURCES = sorted(name for name in QUEUES if name.endswith("Queue"))
EVENTS = {"order-confirmed", "order-declined", "order-failed"}

every_queue = pytest.mark.parametrize("queue", SOURCES)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The template of every service's stack, without what it imports."""
    folder = tmp_path_factory.mktemp("packages")
    return {name: template_of(name, folder) for name in OURS}


def template_of(name, folder):
    ignored = shutil.ignore_patterns("deployments", "__pycache__")
    copy = shutil.copytree(STAGE / name, folder / name, ignore=ignored)
    (copy / "requirements.txt").write_text("")
    packaged = packaging.chalice_package(copy, folder / f"{name}-package")
    package = Package("packages", f"{name}.zip")
    return service_template(packaged.template, name, "concierge-test", package, "0", {})


def consumers(deployed):
    """Return each function that takes messages, with its event source."""
    for template in deployed.values():
        for resource in template["Resources"].values():
            if resource["Type"] == FUNCTION:
                for event in resource["Properties"].get("Events", {}).values():
                    if event["Type"] == "SQS":
                        yield resource["Properties"], event["Properties"]


def queue_of(source):
    """Return the logical name of the queue that an event source takes from."""
    return re.search(r"\$\{(\w+Queue)\}", source["Queue"]["Fn::Sub"])[1]


def test_every_queue_has_one_function_that_takes_from_it(deployed):
    assert sorted(queue_of(source) for _, source in consumers(deployed)) == SOURCES


def test_a_function_says_which_messages_failed_and_is_believed(deployed):
    found = list(consumers(deployed))
    assert len(found) == len(SOURCES)
    for _, source in found:
        # Without it, Lambda deletes what failed.
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_is_hidden_for_six_times_as_long_as_its_function_may_run(deployed):
    for function, source in consumers(deployed):
        hidden = QUEUES[queue_of(source)]["VisibilityTimeout"]
        assert hidden >= 6 * function["Timeout"], queue_of(source)


def test_who_takes_several_messages_has_time_for_two(deployed):
    """Those that are not begun in time come back undone, and use up a delivery."""
    for function, source in consumers(deployed):
        service = function["FunctionName"].split("-")[2]
        with application(service, stage=4) as app:
            longest = app.part("services").LONGEST_SECONDS
            time_for = function["Timeout"] - app.part("deadline").RESERVE_SECONDS
        # One does not begin with less than its longest time left.
        assert time_for >= longest * min(2, source["BatchSize"]), service


def test_no_more_charge_at_once_than_stripe_bears(deployed):
    (source,) = [s for _, s in consumers(deployed) if queue_of(s) == "ChargeOrderQueue"]
    at_once = source["ScalingConfig"]["MaximumConcurrency"]
    config = (STAGE / "payments" / "chalicelib" / "config.py").read_text()
    assert f"WORKERS = {at_once}\n" in config
    assert 2 <= at_once <= 25


def test_as_many_charge_at_once_as_stripes_rate_keeps_at_work():
    """Little's law: at work = orders a second times seconds each."""
    with application("payments", stage=4) as app:
        config = app.part("config")
        orders_a_second = config.load().stripe_rate / config.STRIPE_CALLS
        assert math.ceil(orders_a_second * config.ORDER_SECONDS) == config.WORKERS
        # Stripe at 300 ms a request, and what the limits model has around it.
        around = number("consumer_ms") / 1000
        assert config.STRIPE_CALLS * 0.3 + around < config.ORDER_SECONDS


@every_queue
def test_a_message_comes_five_times_and_then_waits_among_the_dead_letters(queue):
    redrive = QUEUES[queue]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    dead = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert dead == queue.replace("Queue", "DeadLetters")
    assert QUEUES[dead]["MessageRetentionPeriod"] == 14 * 24 * 3600
    kept = QUEUES[queue]["MessageRetentionPeriod"]
    assert kept < QUEUES[dead]["MessageRetentionPeriod"]


def longest_pauses(receives):
    """Return the longest pause after each delivery that leaves one more, in seconds."""
    text = (STAGE / "payments" / "chalicelib" / "consumer.py").read_text()
    first, most = (
        float(re.search(rf"^{name}_SECONDS = ([\d.]+)$", text, re.MULTILINE)[1])
        for name in ("FIRST_PAUSE", "LONGEST_PAUSE_WHEN_AWAY")
    )
    return [min(first * 2**n, most) for n in range(receives - 1)]


@pytest.mark.parametrize("queue", [name for name in SOURCES if "Charge" not in name])
def test_an_hours_outage_puts_nothing_among_the_dead_letters(queue):
    """Full jitter: a pause is anything up to its longest, one half of it on average.

    The sum of independent pauses is hardly ever far below its mean (Hoeffding, 1963:
    at most by exp(-2 (mean - hour)^2 / sum of squares)).
    """
    pauses = longest_pauses(QUEUES[queue]["RedrivePolicy"]["maxReceiveCount"])
    mean, squares = sum(pauses) / 2, sum(pause**2 for pause in pauses)
    assert mean > 3600
    assert math.exp(-2 * (mean - 3600) ** 2 / squares) < 1e-3
    # And none is kept for so long that the queue itself forgets it.
    assert sum(pauses) < QUEUES[queue]["MessageRetentionPeriod"] / 4


def test_outages_do_not_use_up_what_the_queue_allows():
    text = (STAGE / "payments" / "chalicelib" / "charging.py").read_text()
    most = int(re.search(r"^MOST_DELIVERIES = (\d+)$", text, re.MULTILINE)[1])
    assert most < QUEUES["ChargeOrderQueue"]["RedrivePolicy"]["maxReceiveCount"]


def alarms():
    """Return the alarms that somebody is told of."""
    for resource in RESOURCES.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert resource["Properties"]["AlarmActions"]
            yield resource["Properties"]


@every_queue
def test_alarms_watch_the_dead_letters_and_the_age_of_the_oldest(queue):
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
        for alarm in alarms()
        if alarm["Namespace"] == "AWS/SQS"
    }
    dead = queue.replace("Queue", "DeadLetters")
    assert ("ApproximateNumberOfMessagesVisible", dead) in watched
    assert ("ApproximateAgeOfOldestMessage", queue) in watched


@pytest.fixture(scope="module")
def functions(deployed, tmp_path_factory):
    """The names of all functions of the stage, those carried over as well."""
    folder = tmp_path_factory.mktemp("carried")
    carried = {n: template_of(n, folder) for n in SERVICES[4] if n not in OURS}
    return sorted(
        resource["Properties"]["FunctionName"]
        for template in (deployed | carried).values()
        for resource in template["Resources"].values()
        if resource["Type"] == FUNCTION
    )


def test_an_alarm_watches_the_errors_of_each_function(functions):
    watched = [
        alarm["Dimensions"][0]["Value"]["Fn::Sub"].replace("${Env}", "test")
        for alarm in alarms()
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    ]
    assert sorted(watched) == functions


def test_the_bill_has_every_alarm():
    assert len(list(alarms())) == int(figures.functions(4).alarms)


def test_subscriptions_choose_their_events_and_lose_none():
    chosen = {}
    for resource in RESOURCES.values():
        properties = resource.get("Properties", {})
        if (
            resource["Type"] == "AWS::SNS::Subscription"
            and properties["Protocol"] == "sqs"
        ):
            queue = properties["Endpoint"]["Fn::GetAtt"][0]
            chosen[queue] = set(properties["FilterPolicy"]["event"])
            dead = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert dead == queue.replace("Queue", "DeadLetters")
            assert properties["RawMessageDelivery"] is True
    assert chosen == {
        "OrderOutcomesQueue": EVENTS,
        "NotificationsQueue": EVENTS,
        "ReceiptsQueue": {"order-confirmed"},
    }


def test_only_the_topic_may_send_to_the_subscribers():
    policy = RESOURCES["EventsMayBeDelivered"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    topic = {"aws:SourceArn": {"Ref": "OrderEvents"}}
    assert statement["Condition"] == {"ArnEquals": topic}
    assert {"Ref": "ChargeOrderQueue"} not in policy["Queues"]


def test_the_queues_are_told_by_the_names_that_operators_use():
    told = queues.addresses({name: name for name in OUTPUTS})
    assert set(told) == {
        f"{name}{ending}"
        for name in ("charge-order", "order-outcomes", "notifications", "receipts")
        for ending in ("", "-dead-letters")
    }


def test_guests_find_the_same_operations_as_in_stage_3():
    contract = yaml.safe_load(CONTRACT.read_text())
    before, now = (public_api.operations(contract, stage) for stage in (3, 4))
    assert now == before
    checkout = next(operation for operation in now if operation.name == "checkout")
    assert "202" in checkout.described["responses"]


# Every wildcard of a policy that is not carried over; stage 3's tests have the reasons.
WILDCARDS = {
    "log-group:/aws/lambda/*",
    "${CatalogApiId}/v1/PUT/internal/reservations/ord_????????????????????????",
    "${CatalogApiId}/v1/DELETE/internal/reservations/ord_????????????????????????",
    "identity/*",
    "not arn:aws:sns:*:*:*",
}


def test_policies_have_no_wildcard_but_those_that_are_listed():
    of_its_own = shipped(4).keys() - carried_over()
    assert {role.partition("-")[0] for role in of_its_own} == set(OURS)
    found = set()
    for role in of_its_own:
        for statement in shipped(4)[role]["Statement"]:
            assert "NotAction" not in statement
            assert not any(set(action) & set("*?") for action in statement["Action"])
            if "ses:SendRawEmail" in statement["Action"]:
                assert statement["Condition"] == FROM_US
            if "NotResource" in statement:
                assert statement["Action"] == ["sns:Publish"]
            found |= {t for t in map(thing, resources(statement)) if set(t) & set("*?")}
    assert found == WILDCARDS


def test_every_template_passes_cfn_lint(deployed, tmp_path):
    paths = [STAGE / "resources.yaml"]
    for name, template in deployed.items():
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(templates.write(template))
    lint = [Path(sys.executable).with_name("cfn-lint"), "--", *paths]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
