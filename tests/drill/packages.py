"""The services of a stage on the local AWS in one process, for the order's machine.

Each calls its modules `chalicelib`; here each has a name of its own. Their tables are
beside the stage's own, where its functions do not come.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from typing import Any

from sandbox.runner import RunningStage
from sandbox.runner.stages import STAGES

from .functions import Functions


class Packages:
    """The services of a running stage, as packages.

    Args:
        stage: the stage.
        functions: its functions, which know where the local AWS is.
    """

    def __init__(self, stage: RunningStage, functions: Functions) -> None:
        self._stage = stage
        self._functions = functions

    def module(self, service: str, name: str) -> Any:
        """Import a module of a service, which talks to this stage's AWS."""
        package = f"machine{self._stage.stage}_{service}"
        if package not in sys.modules:
            self._load(service, package)
        return importlib.import_module(f"{package}.{name}")

    def table(self, service: str, key: str) -> Any:
        """Make an empty table like a service's own, as that service reads it."""
        dynamodb = self._functions.dynamodb
        like = dynamodb.describe_table(TableName=self._stage.tables[service])["Table"]
        name = f"machine-{service}"
        if name in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=name)
        indexes = [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in like.get("GlobalSecondaryIndexes", [])
        ]
        dynamodb.create_table(
            TableName=name,
            KeySchema=like["KeySchema"],
            AttributeDefinitions=like["AttributeDefinitions"],
            BillingMode="PAY_PER_REQUEST",
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )
        return self.module(service, "database").Table(name, key=key)

    def _load(self, service: str, package: str) -> None:
        folder = STAGES[self._stage.stage].path / service / "chalicelib"
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec
        assert spec.loader
        sys.modules[package] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # It warns of every lost answer, and losing answers is what this is for.
        logging.getLogger(package).addHandler(logging.NullHandler())
        logging.getLogger(package).propagate = False
        aws = importlib.import_module(f"{package}.aws")
        aws.client = lambda name, config=None: self._functions.client(name)
