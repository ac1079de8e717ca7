"""The page of stage 4's queues and events, made from its stack and its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import stacks
from .stacks import STAGE4, called

MESSAGES = STAGE4 / "checkout" / "chalicelib"
MEANINGS = {
    "charge-order": "a command: take this accepted order to its end",
    "order-outcomes": "how orders ended, for whoever shows them to guests",
    "notifications": "how orders ended, for whoever writes to guests",
    "receipts": "sales, for the books",
}
HEAD = """\
# Queues and events

<!-- Made by `make reference` from stage 4's stack and sources: change them there. -->

Everything that travels as a message at stage 4. Queues, topic and alarms are declared
in [resources.yaml](../../stage4_async/resources.yaml). The functions' policies say
which of them may send, and their `app.py` which take. Why it is built like this is in
[asynchronous messaging](../explanation/asynchronous-messaging.md).

A queue is named for a command or for whoever reads it; an event for what happened. In
a deployment every name begins with `concierge-` and the deployment's name:
`concierge-dev-charge-order`.
"""
SHAPES = """
## The messages

A body is JSON. A reader passes over fields that it does not know. Amounts are integers
in cents, times are UTC (ISO 8601).
"""
ATTRIBUTES = """
Beside the body each message has attributes, which a subscription or a log can read
without it: `request`, the id of the request that began it all, and at the topic
`event`, by which subscriptions choose.
"""
FOOT = """
## Commands

| command | does |
|---|---|
| `make queues STAGE=4` | shows what waits in each queue, and its dead letters |
| `make pause STAGE=4 QUEUE=charge-order` | lets messages wait, and says for how long |
| `make resume STAGE=4 QUEUE=charge-order` | lets them be taken again |
| `make redrive STAGE=4 QUEUE=charge-order` | sends its dead letters to it again |
| `make order STAGE=4 ID=ord_…` | tells an order's story across the services |
"""


def page(stage: Path = STAGE4) -> str:
    """Write the page.

    Args:
        stage: the folder of the stage.
    """
    return "".join(
        [HEAD, _diagram(stage), _queues(stage), _topics(stage), _alarms(stage)]
        + [SHAPES, _shape("`charge-order`", "charge_order.py", "ChargeOrder")]
        + [_shape("its `order`", "orders.py", "Order")]
        + [_shape("`order-events`", "order_event.py", "OrderEvent", camel=True)]
        + [ATTRIBUTES, FOOT]
    )


def _sources(stage: Path) -> dict[str, dict[str, Any]]:
    """Return the queues that somebody takes from, by their own names."""
    queues = stacks.resources(stage, "AWS::SQS::Queue")
    return {name: told for name, told in queues.items() if "RedrivePolicy" in told}


def _diagram(stage: Path) -> str:
    lines = ["", "```mermaid", "flowchart LR"]
    topics = stacks.resources(stage, "AWS::SNS::Topic")
    told = stacks.resources(stage, "AWS::SNS::Subscription")
    takers = {at.queue: at for at in stacks.consumers(stage)}
    for name, queue in _sources(stage).items():
        short = called(queue["QueueName"])
        for sender in _by_service(stage, "sqs:SendMessage", name):
            # One that puts off what it took itself is no news in a picture.
            if sender != takers[short].service:
                lines.append(f"    {sender} --> {name}[[{short}]]")
        lines.append(f"    {name}[[{short}]] --> {takers[short].service}")
    for name, topic in topics.items():
        for sender in _by_service(stage, "sns:Publish", name):
            lines.append(f"    {sender} --> {name}{{{{{called(topic['TopicName'])}}}}}")
    for at in told.values():
        if at["Protocol"] == "sqs":
            lines.append(
                f"    {at['TopicArn']['Ref']} --> {at['Endpoint']['Fn::GetAtt'][0]}"
            )
    return "\n".join([*lines, "```", ""])


def _by_service(stage: Path, action: str, resource: str) -> list[str]:
    named = [at.split("`")[1] for at in stacks.senders(stage, action, resource)]
    return sorted(set(named))


def _queues(stage: Path) -> str:
    every = stacks.resources(stage, "AWS::SQS::Queue")
    takers = {at.queue: at for at in stacks.consumers(stage)}
    parts = ["\n## Queues\n"]
    for name, queue in _sources(stage).items():
        short, redrive = called(queue["QueueName"]), queue["RedrivePolicy"]
        dead = every[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]
        taker = takers[short]
        limit = f", {taker.at_a_time} of it at a time" if taker.at_a_time else ""
        senders = stacks.senders(stage, "sqs:SendMessage", name)
        rows = {
            "is": meaning(short),
            "sent by": ", ".join(senders) or _subscribed(stage, name),
            "taken by": f"`{taker.service}` (`{taker.function}`), "
            f"{_batch(taker.batch)} a call{limit}",
            "hidden while it is worked on": _time(queue["VisibilityTimeout"]),
            "kept for": _time(queue["MessageRetentionPeriod"]),
            "a dead letter": f"when it has come {redrive['maxReceiveCount']} times",
            "dead letters": f"`{called(dead['QueueName'])}`, kept for "
            f"{_time(dead['MessageRetentionPeriod'])}",
        }
        parts.append(f"\n### `{short}`\n\n| | |\n|---|---|\n")
        parts += [f"| {what} | {told} |\n" for what, told in rows.items()]
    return "".join(parts)


def meaning(queue: str) -> str:
    """Return what a queue is, in a line.

    Args:
        queue: its name.

    Raises:
        ValueError: nobody has said it yet.
    """
    if queue not in MEANINGS:
        raise ValueError(f"Say in course/messages.py what the queue {queue!r} is.")
    return MEANINGS[queue]


def _batch(most: int) -> str:
    return "one message" if most == 1 else f"up to {most} messages"


def _subscribed(stage: Path, queue: str) -> str:
    topics = stacks.resources(stage, "AWS::SNS::Topic")
    for at in stacks.resources(stage, "AWS::SNS::Subscription").values():
        if at["Protocol"] == "sqs" and at["Endpoint"]["Fn::GetAtt"][0] == queue:
            return f"the topic `{called(topics[at['TopicArn']['Ref']]['TopicName'])}`"
    return "nobody"


def _topics(stage: Path) -> str:
    queues = stacks.resources(stage, "AWS::SQS::Queue")
    parts = ["\n## Topics\n"]
    for name, topic in stacks.resources(stage, "AWS::SNS::Topic").items():
        short = called(topic["TopicName"])
        senders = stacks.senders(stage, "sns:Publish", name)
        parts.append(f"\n### `{short}`\n\n")
        parts.append(f"Told by {', '.join(senders) or 'alarms'}.\n\n")
        parts.append("| subscriber | hears |\n|---|---|\n")
        for at in stacks.resources(stage, "AWS::SNS::Subscription").values():
            if at["TopicArn"]["Ref"] != name:
                continue
            chosen = at.get("FilterPolicy", {}).get("event", [])
            hears = ", ".join(f"`{event}`" for event in chosen) or "everything"
            where = "whoever `BUDGET_EMAIL` names, or the sender of letters, by e-mail"
            if at["Protocol"] == "sqs":
                queue = queues[at["Endpoint"]["Fn::GetAtt"][0]]
                where = f"the queue `{called(queue['QueueName'])}`"
            parts.append(f"| {where} | {hears} |\n")
    return "".join(parts)


def _alarms(stage: Path) -> str:
    rows = "".join(
        f"| `{called(told['AlarmName'])}` | `{told['MetricName']}` above "
        f"{told['Threshold']} | {' '.join(told['AlarmDescription'].split())} |\n"
        for told in stacks.resources(stage, "AWS::CloudWatch::Alarm").values()
    )
    return (
        "\n## Alarms\n\nOnly AWS can ring them: the local AWS measures no queues.\n\n"
        f"| alarm | rings at | says |\n|---|---|---|\n{rows}"
    )


def _shape(title: str, module: str, name: str, *, camel: bool = False) -> str:
    path = MESSAGES / module
    rows = "".join(
        f"| `{_camel(field) if camel else field}` | {_plain(kind)} |\n"
        for field, kind in stacks.fields(path, name)
    )
    return (
        f"\n### {title[0].upper()}{title[1:]}\n\nFrom `{name}` in [{module}]"
        f"(../../stage4_async/checkout/chalicelib/{module}).\n\n"
        f"| field | type |\n|---|---|\n{rows}"
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _plain(kind: str) -> str:
    names = {
        "str": "text",
        "int": "integer",
        "bool": "true or false",
        "dt.date": "date",
        "dt.datetime": "moment",
        "Status": "text: the order's status",
        "Order": "an order, below",
    }
    plain, _, optional = kind.partition(" | ")
    return names[plain] + (", or nothing" if optional else "")


def _time(seconds: int) -> str:
    if seconds % 86_400 == 0:
        return f"{seconds // 86_400} days"
    return f"{seconds} s"
