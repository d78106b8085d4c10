"""The log lines of pages. This module knows no Flask: whose listeners do has every request dispatched by it."""

from __future__ import annotations

import json
import logging
from typing import Any


class Lines(logging.Filter):
    """Takes lines, by the id of their request, and lets none go on."""

    def __init__(self) -> None:
        super().__init__()
        self.by_request: dict[str, dict[str, Any]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line = json.loads(record.getMessage())
        self.by_request[line["request_id"]] = line
        return False
