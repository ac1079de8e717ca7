"""A table of DynamoDB: items under a key, each change one conditional request.

There is no connection to hold and no transaction to leave open. What SQL asks in a
`WHERE`, a condition asks here, and who comes second is told so. In the expressions
`#name` is an attribute and `:name` a value, since DynamoDB reserves most good words.
"""

import random
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from .aws import asked, client
from .errors import Unavailable

Item: TypeAlias = dict[str, Any]

WHAT = "our database"
REFUSED = "ConditionalCheckFailed"
# Somebody else's transaction touches the same item. DynamoDB's client does not try
# these again, so it is done here.
BUSY = "TransactionConflict"
TRIES_WHEN_BUSY = 8
LONGEST_PAUSE_SECONDS = 0.4


class Table:
    """A table.

    Args:
        name: of the table.
        key: the attribute under which its items lie.
    """

    def __init__(self, name: str, key: str) -> None:
        self.name = name
        self.key = key
        self._dynamodb = client("dynamodb")

    def read(self, key: str) -> Item | None:
        """Read an item as it is now, after every write that was answered.

        Raises:
            Unavailable: the database is away; so with all that follow.
        """
        with asked(WHAT):
            found = self._dynamodb.get_item(
                TableName=self.name, Key=_packed({self.key: key}), ConsistentRead=True
            )
        return _plain(found["Item"]) if "Item" in found else None

    def write(self, item: Item) -> None:
        """Write an item, over whatever is there."""
        with asked(WHAT):
            self._dynamodb.put_item(TableName=self.name, Item=_packed(item))

    def write_new(self, item: Item) -> Item | None:
        """Write an item unless there is one under its key.

        Returns:
            None when it was written, or else what is there.
        """
        with asked(WHAT):
            try:
                self._dynamodb.put_item(
                    **self.new(item), ReturnValuesOnConditionCheckFailure="ALL_OLD"
                )
            except ClientError as error:
                if not _is_refusal(error):
                    raise
                there = _plain(error.response["Item"])
                # Of a try whose answer was lost, the next one finds the work.
                written = {name: at for name, at in item.items() if at is not None}
                return None if there == written else there
        return None

    def change(
        self, key: str, update: str, condition: str = "", **values: Any
    ) -> Item | None:
        """Change an item where a condition holds.

        Args:
            key: of the item.
            update: what changes.
            condition: what must hold; without one, that the item exists.
            values: of the `:names` in both.

        Returns:
            The item as it has become, or None when the condition does not hold.
        """
        with asked(WHAT):
            try:
                changed = self._dynamodb.update_item(
                    **self.changing(key, update, condition, **values),
                    ReturnValues="ALL_NEW",
                )
            except ClientError as error:
                if not _is_refusal(error):
                    raise
                return None
        return _plain(changed["Attributes"])

    def together(self, *writes: Item) -> list[bool] | None:
        """Do several writes, all of them or none.

        Args:
            writes: made by `new` and `changing`.

        Returns:
            None when they were done, or else of each whether its condition failed.
        """
        request = {"TransactItems": [_as_part(write) for write in writes]}
        for attempt in range(TRIES_WHEN_BUSY):
            with asked(WHAT):
                try:
                    self._dynamodb.transact_write_items(**request)
                    return None
                except self._dynamodb.exceptions.TransactionCanceledException as error:
                    reasons = [why["Code"] for why in _reasons(error)]
            if REFUSED in reasons:
                return [reason == REFUSED for reason in reasons]
            if BUSY not in reasons:
                break
            pause = min(LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)
            time.sleep(random.uniform(0, pause))  # noqa: S311 (jitter is no secret)
        raise Unavailable("Many want the same at this moment. Try again.")

    def find(
        self,
        index: str,
        condition: str,
        values: Item,
        *,
        after: Item | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Read the items of an index that a condition on its key chooses.

        Args:
            index: its name.
            condition: on the key.
            values: of the `:names` in it.
            after: the keys of the item before the first.
            limit: how many to read with one request.
            newest_first: from the end of the index.
        """
        request = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            **_named(condition, values),
        }
        if after:
            request["ExclusiveStartKey"] = _packed(after)
        if limit:
            request["Limit"] = limit
        while True:
            with asked(WHAT):
                page = self._dynamodb.query(**request)
            yield from map(_plain, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def new(self, item: Item) -> Item:
        """Make the write of an item that must not be there."""
        condition = f"attribute_not_exists({self.key})"
        return {
            "TableName": self.name,
            "Item": _packed(item),
            "ConditionExpression": condition,
        }

    def changing(
        self, key: str, update: str, condition: str = "", **values: Any
    ) -> Item:
        """Make the change of an item, as `change` does it."""
        condition = condition or f"attribute_exists({self.key})"
        return {
            "TableName": self.name,
            "Key": _packed({self.key: key}),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            **_named(f"{update} {condition}", values),
        }

    def reachable(self) -> bool:
        """Whether the database answers now."""
        try:
            self.read("nothing")
        except Unavailable:
            return False
        return True


def _named(expressions: str, values: Item) -> Item:
    """Spell out the names and values of expressions."""
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", expressions)}
    packed = {f":{name}": value for name, value in _packed(values).items()}
    said = {
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": packed,
    }
    return {name: value for name, value in said.items() if value}


def _packed(item: Item) -> Item:
    """Write values as DynamoDB has them; None is left out."""
    pack = TypeSerializer().serialize
    return {name: pack(value) for name, value in item.items() if value is not None}


def _plain(item: Item) -> Item:
    unpack = TypeDeserializer().deserialize
    return {name: _whole(unpack(value)) for name, value in item.items()}


def _whole(value: Any) -> Any:
    # Every number of ours is an integer: cents, pieces, milliseconds.
    return int(value) if isinstance(value, Decimal) else value


def _as_part(write: Item) -> Item:
    return {"Put" if "Item" in write else "Update": write}


def _is_refusal(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == f"{REFUSED}Exception")


def _reasons(error: ClientError) -> list[Item]:
    reasons: list[Item] = error.response["CancellationReasons"]
    return reasons
