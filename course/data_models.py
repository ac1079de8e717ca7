"""The page of all stages' tables, made from their definitions."""

from __future__ import annotations

import importlib

import sqlalchemy as sa

from . import stacks

# Stage, package, and what its database is.
DATABASES = (
    (1, "concierge", "Stage 1: one database"),
    (2, "identity", "Stage 2: `identity`"),
    (2, "catalog", "Stage 2: `catalog`"),
    (2, "checkout", "Stage 2: `checkout`"),
    (2, "notifications", "Stage 2: `notifications`"),
)
DYNAMODB = "AWS::DynamoDB::Table"
HEAD = """\
# Data models

<!-- Made by `make reference` from the tables' definitions: change them there. -->

Every table of all four stages. Amounts are integers in cents; times are UTC. In stage 1
lines join the tables; in stage 2 each service has a database of its own, and no line
could cross it. Conversations are a table in stage 1 and lie in Redis in stage 2.
Stages 3 and 4 have tables of DynamoDB, of which only keys and indexes are declared:
the [last part](#stages-3-and-4-tables-of-dynamodb) of this page.
"""


def page() -> str:
    """Write the page."""
    return HEAD + "".join(_section(*database) for database in DATABASES) + _dynamodb()


def _section(stage: int, package: str, title: str) -> str:
    metadata: sa.MetaData = importlib.import_module(f"{package}.database").metadata
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    folder = "stage1_monolith" if stage == 1 else "stage2_split_services"
    parts = [
        f"\n## {title}\n\n",
        f"From [{package}/database.py](../../{folder}/{package}/database.py).\n\n",
        _diagram(tables),
    ]
    return "".join(parts + [_table(table) for table in tables])


def _diagram(tables: list[sa.Table]) -> str:
    lines = ["```mermaid", "erDiagram"]
    for table in tables:
        lines.append(f"    {table.name} {{")
        for column in table.columns:
            key = " PK" if column.primary_key else " FK" if column.foreign_keys else ""
            lines.append(f"        {_type(column)} {column.name}{key}")
        lines.append("    }")
    for table in tables:
        for column in table.columns:
            for reference in column.foreign_keys:
                other = reference.target_fullname.split(".")[0]
                lines.append(f"    {other} ||--o{{ {table.name} : {column.name}")
    return "\n".join([*lines, "```", ""])


def _table(table: sa.Table) -> str:
    rows = "".join(
        f"| `{at.name}` | {_type(at)} | {_notes(at)} |\n" for at in table.columns
    )
    found = f"\n### `{table.name}`\n\n| column | type | |\n|---|---|---|\n{rows}"
    extra = [
        f"* Never otherwise: `{rule.sqltext}`.\n"
        for rule in table.constraints
        if isinstance(rule, sa.CheckConstraint)
    ]
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        names = ", ".join(f"`{column.name}`" for column in index.columns)
        where = index.dialect_options["postgresql"]["where"]
        only = f", only of rows where `{where}`" if where is not None else ""
        extra.append(f"* Index over {names}{only}.\n")
    return found + ("\n" + "".join(extra) if extra else "")


def _dynamodb() -> str:
    parts = [
        "\n## Stages 3 and 4: tables of DynamoDB\n\n"
        "From [stage 3](../../stage3_serverless/resources.yaml) and "
        "[stage 4](../../stage4_async/resources.yaml). An item has other attributes "
        "besides; each service's `chalicelib` writes them.\n\n"
        "| table | stages | key | indexes | forgets |\n|---|---|---|---|---|\n"
    ]
    third = stacks.resources(stacks.STAGE3, DYNAMODB)
    for name, table in stacks.resources(stacks.STAGE4, DYNAMODB).items():
        stages = "3 and 4" if name in third else "4"
        indexes = "; ".join(
            f"`{index['IndexName']}`: {_keys(index)}"
            for index in table.get("GlobalSecondaryIndexes", [])
        )
        forgets = table.get("TimeToLiveSpecification", {}).get("AttributeName")
        parts.append(
            f"| `{stacks.called(table['TableName'])}` | {stages} | {_keys(table)} "
            f"| {indexes or 'none'} | {f'by `{forgets}`' if forgets else 'never'} |\n"
        )
    return "".join(parts)


def _keys(table: dict[str, list[dict[str, str]]]) -> str:
    return ", ".join(f"`{key['AttributeName']}`" for key in table["KeySchema"])


def _type(column: sa.Column[object]) -> str:
    kind = column.type
    if isinstance(kind, sa.ARRAY):
        return "texts"
    if isinstance(kind, sa.Enum | sa.Text | sa.String):
        return "text"
    names = {
        sa.Integer: "integer",
        sa.Boolean: "boolean",
        sa.Date: "date",
        sa.DateTime: "moment",
        sa.LargeBinary: "bytes",
    }
    return next(name for each, name in names.items() if isinstance(kind, each))


def _notes(column: sa.Column[object]) -> str:
    notes = ["primary key"] if column.primary_key else []
    notes += [f"refers to `{key.target_fullname}`" for key in column.foreign_keys]
    notes += ["unique"] if column.unique else []
    notes += ["may be empty"] if column.nullable else []
    return ", ".join(notes)
