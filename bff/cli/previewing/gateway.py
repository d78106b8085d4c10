"""What AWS's API Gateway makes of a request for a function, and of the function's answer for the visitor.

Written from AWS's description of the payload format 2.0, apart from the adapter that reads it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

Event = dict[str, Any]
# What else is text to API Gateway; all other bodies come in base64.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


class Asked(Struct, frozen=True):
    """A request as it leaves the visitor; the query is as it is written."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Answer(Struct, frozen=True):
    """An answer as it reaches the visitor; names of headers in lower case, sorted."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


class Gateway(Struct, frozen=True):
    """An HTTP API at a host; `visitor` is the address that it sees, `scheme` what it was asked by."""

    host: str
    visitor: str
    scheme: str = "https"
    port: str = "443"

    def event(self, asked: Asked, prefix: str = "", stage: str = "$default") -> Event:
        """The event of a request in format 2.0; API Gateway has decoded its path."""
        path = prefix + unquote(asked.path)
        headers: dict[str, str] = {}
        for name, value in self.forwarded(asked):
            if name != "cookie":
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        route = f"{asked.method} {asked.path}"
        event: Event = {
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": asked.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": self.host,
                "domainPrefix": self.host.partition(".")[0],
                "http": {
                    "method": asked.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.visitor,
                    "userAgent": "",
                },
                "requestId": "id",
                "routeKey": route,
                "stage": stage,
                "time": "12/Mar/2026:19:03:58 +0000",
                "timeEpoch": 1583348638390,
            },
            **body_of(asked),
        }
        if cookies := _cookies(asked):
            event["cookies"] = cookies
        if asked.query:
            event["queryStringParameters"] = _joined(asked.query)
        return event

    def forwarded(self, asked: Asked) -> list[tuple[str, str]]:
        """The headers with those of a proxy, which X-Forwarded-For is added to and the others are not."""
        found = [(name, value) for name, value in _lower(asked) if name not in ("host", "x-forwarded-for")]
        before = [value for name, value in _lower(asked) if name == "x-forwarded-for"]
        found += [("host", self.host), ("x-forwarded-for", ", ".join([*before, self.visitor]))]
        found += [("x-forwarded-port", self.port), ("x-forwarded-proto", self.scheme)]
        return found + ([("content-length", str(len(asked.body)))] if asked.body else [])


def body_of(asked: Asked) -> Event:
    """The members of an event that hold a body."""
    kind = dict(_lower(asked)).get("content-type", "")
    if not asked.body:
        return {"body": None, "isBase64Encoded": False}
    if kind.startswith(_TEXT):
        with suppress(UnicodeDecodeError):
            return {"body": asked.body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(asked.body).decode(), "isBase64Encoded": True}


def answer_of(result: Mapping[str, Any]) -> Answer:
    """What the visitor gets for what a function has given back, in either format."""
    body = result.get("body") or ""
    raw = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    found = list(result.get("headers", {}).items())
    found += [("set-cookie", cookie) for cookie in result.get("cookies", ())]
    found += [
        (name, value) for name, values in result.get("multiValueHeaders", {}).items() for value in values
    ]
    headers = sorted((name.lower(), value) for name, value in found)
    return Answer(result["statusCode"], tuple(headers), raw)


def _lower(asked: Asked) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in asked.headers]


def _cookies(asked: Asked) -> list[str]:
    return [part.strip() for name, value in _lower(asked) if name == "cookie" for part in value.split(";")]


def _joined(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
