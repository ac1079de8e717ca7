"""What a schedule of EventBridge sends to its function: Chalice refuses anything else.

Its fields are those of "Scheduled Event" in Amazon's guide to EventBridge.
"""

from __future__ import annotations

from typing import Any

TICK: dict[str, Any] = {
    "version": "0",
    "id": "00000000-0000-4000-8000-000000000000",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}
