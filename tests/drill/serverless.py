"""What stages 3 and 4 have alike under drill: functions, a clock that sweeps, lines."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from botocore.exceptions import ClientError

from sandbox.runner import RunningStage
from tests.schedule import TICK

from . import serving
from .functions import Clock, Functions
from .lines import FaultyLines, Lines, NoLines
from .packages import Packages
from .plain import Plain

SWEEP_SECONDS = 1.0
HEALTH_SECONDS = 60.0
LONG_AGO = "2020-01-01T00:00:00.000000+00:00"


class Serverless(Plain):
    """A stage on the local AWS.

    Attributes:
        LEASE_SECONDS: how long an order is left to who works on it.
        POINTS: its crash points.
        ACTORS: whose points each function reaches.
        CONSTANTS: of modules, so that waiting is short.
        TIMEOUTS: in seconds, of functions that get another one.
        ON_LINES: functions whose calls to AWS go over the lines as well.
        ORDERS: the service whose table says how old an order is.
    """

    # A call may start a worker, and a worker starts in seconds.
    pace = 4.0
    web_answers = True
    at_once = 10
    # They wait, most of the time, for a lease or a queue.
    lanes = 6
    between = "[A-Z]+ /_aws/"

    port_base: int
    LEASE_SECONDS: int
    POINTS: Mapping[str, str]
    ACTORS: Mapping[str, str]
    CONSTANTS: Mapping[str, float]
    TIMEOUTS: Mapping[str, int] = {}
    ON_LINES: Sequence[str] = ()
    ORDERS: str

    def __init__(self) -> None:
        self.lines: Lines = NoLines()
        self._folder = Path()
        self._undo: Callable[[Functions], None] = _nothing
        self._clock: Clock | None = None

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        serving.prepare(folder)
        return {
            "NLU_ENGINE": "rules",
            "ORDER_LEASE_SECONDS": str(self.LEASE_SECONDS),
            "ORDER_GIVE_UP_SECONDS": "600",
        }

    def began(self, stage: RunningStage) -> None:
        """Come in, and set the clock that sweeps."""
        self._stage = stage
        self.lines = lines = FaultyLines(self.port_base)
        self.functions = Functions(stage, self._folder)
        catalog = stage.service_apis["catalog"]
        self.functions.let_in(
            self.ACTORS,
            self.POINTS,
            self.CONSTANTS,
            settings={
                "CATALOG_API_URL": f"{lines.url}/_aws/execute-api/{catalog}/v1",
                "STRIPE_TIMEOUT_SECONDS": "1",
                "STRIPE_RATE": "1000",
            },
            own={name: {"AWS_ENDPOINT_URL": lines.url} for name in self.ON_LINES},
            timeouts=self.TIMEOUTS,
        )
        # Once here, where it is told when that fails; the clock does not mind.
        self._sweep()
        self._clock = Clock(self._sweep, SWEEP_SECONDS)

    def _sweep(self) -> None:
        self.functions.invoke("checkout-sweep", TICK)

    def close(self) -> None:
        if self._clock:
            self._clock.stop()
        self.lines.close()

    def set_stock(self, product_id: str, stock: int) -> None:
        self.functions.dynamodb.update_item(
            TableName=self._stage.tables["catalog"],
            Key={"pk": {"S": f"product#{product_id}"}},
            UpdateExpression="SET #stock = :stock",
            ExpressionAttributeNames={"#stock": "stock"},
            ExpressionAttributeValues={":stock": {"N": str(stock)}},
        )

    def make_old(self, order_id: str) -> None:
        """Make it old, and end its lease: whoever holds that has slept too long."""
        # It may have ended meanwhile.
        with contextlib.suppress(ClientError):
            self.functions.dynamodb.update_item(
                TableName=self._stage.tables[self.ORDERS],
                Key={"order_id": {"S": order_id}},
                UpdateExpression="SET created_at = :old, due = :now",
                ConditionExpression="#status = :pending",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":old": {"S": LONG_AGO},
                    ":now": {"N": "1"},
                    ":pending": {"S": "pending"},
                },
            )

    def plant(self, stage: RunningStage, bug: str) -> None:
        self._undo(self.functions)
        self._undo = _nothing
        if bug:
            planted = importlib.import_module(f"tests.drill.planted.{bug}")
            if hasattr(planted, "deploy"):
                planted.deploy(self.functions)
                self._undo = planted.undo
        self.functions.plant(bug)
        serving.wait_for_health(f"{stage.api_url}/health", HEALTH_SECONDS)

    def packages(self) -> Packages:
        """The services in this process, for the state machine."""
        return Packages(self._stage, self.functions)


def _nothing(functions: Functions) -> None:
    """There is nothing to undo."""
