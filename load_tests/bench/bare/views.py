"""Bare Flask views that answer exactly as the monolith's GET /v1/products does.

Each is what one would write who needs nothing but this answer: no contract, no checks
of the query, no request ids, no log, no headers, no words for a database that is away.
What can be made once is made once, and the libraries are the monolith's: SQLAlchemy
Core over psycopg with the same pool and, but for one of them, the same transaction
mode, msgspec.
"""

import datetime as dt
import hashlib
import os

import msgspec
import sqlalchemy as sa
from flask import Flask, Response, abort, request

sessions = sa.table(
    "sessions", sa.column("token_hash"), sa.column("guest_id"), sa.column("expires_at")
)
products = sa.table(
    "products",
    *map(sa.column, ("product_id", "name", "category", "description")),
    *map(sa.column, ("unit_amount", "currency", "stock", "image_url")),
)
KEYS = (
    *("productId", "name", "category", "description"),
    *("unitAmount", "currency", "stock", "imageUrl"),
)
SESSION = sa.select(sessions.c.guest_id).where(
    sessions.c.token_hash == sa.bindparam("digest", type_=sa.LargeBinary),
    sessions.c.expires_at > sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)
PRODUCTS = (
    sa.select(products)
    .where(products.c.unit_amount >= sa.bindparam("least"))
    .order_by(products.c.product_id)
    .limit(sa.bindparam("most"))
)
EVERYTHING = {"least": 0, "most": 51}


def in_a_transaction() -> Flask:
    """Make the view as most would write it: SQLAlchemy's own BEGIN and ROLLBACK."""
    return _same_statements(_engine())


def same_statements() -> Flask:
    """Make the view that looks up the session and reads the products."""
    return _same_statements(_engine(isolation_level="AUTOCOMMIT"))


def _same_statements(engine: sa.Engine) -> Flask:
    app = Flask(__name__)

    @app.get("/v1/products")
    def list_products() -> Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        caller = {
            "digest": hashlib.sha256(token.encode()).digest(),
            "now": dt.datetime.now(dt.timezone.utc),
        }
        with engine.connect() as connection:
            if connection.execute(SESSION, caller).scalar_one_or_none() is None:
                abort(401)
            return _json(_read(connection))

    return app


def one_statement() -> Flask:
    """Make the view that reads the products for anybody."""
    app, engine = Flask(__name__), _engine(isolation_level="AUTOCOMMIT")

    @app.get("/v1/products")
    def list_products() -> Response:
        with engine.connect() as connection:
            return _json(_read(connection))

    return app


def no_database() -> Flask:
    """Make the view that answers from memory."""
    app, engine = Flask(__name__), _engine(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        body = _read(connection)

    @app.get("/v1/products")
    def list_products() -> Response:
        return _json(body)

    return app


def _engine(**options: str) -> sa.Engine:
    return sa.create_engine(
        os.environ["DATABASE_URL"],
        pool_size=10,
        max_overflow=2,
        pool_timeout=5,
        connect_args={
            "connect_timeout": 3,
            "options": "-c statement_timeout=5000 -c timezone=UTC",
        },
        **options,
    )


def _read(connection: sa.Connection) -> bytes:
    rows = connection.execute(PRODUCTS, EVERYTHING).all()
    found = [dict(zip(KEYS, row, strict=True)) for row in rows]
    return msgspec.json.encode({"products": found})


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
