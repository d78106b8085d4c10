"""What API Gateway and function URLs make of a request for a function, and of a function's answer for the visitor.

Written from AWS's descriptions of the payload formats 1.0 and 2.0, apart from the adapter that reads them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

VISITOR = "203.0.113.7"
HOST = "shop.example"
# What else is text to API Gateway; all other bodies come in base64.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Asked:
    """A request as it leaves the visitor; the query is as it is written."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """An answer as it reaches the visitor; names of headers in lower case, sorted."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


Event = dict[str, Any]


def http_api(asked: Asked, prefix: str = "", stage: str = "$default") -> Event:
    """Format 2.0, of an HTTP API, which has decoded the path."""
    path = prefix + unquote(asked.path)
    headers: dict[str, str] = {}
    for name, value in _forwarded(asked):
        if name != "cookie":
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    cookies = [part.strip() for name, value in _lower(asked) if name == "cookie" for part in value.split(";")]
    event: Event = {
        "version": "2.0",
        "routeKey": f"{asked.method} {asked.path}",
        "rawPath": path,
        "rawQueryString": asked.query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": HOST,
            "domainPrefix": "shop",
            "http": {
                "method": asked.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": VISITOR,
                "userAgent": "",
            },
            "requestId": "id",
            "routeKey": f"{asked.method} {asked.path}",
            "stage": stage,
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        **_body(asked),
    }
    if cookies:
        event["cookies"] = cookies
    if asked.query:
        event["queryStringParameters"] = _joined(asked.query)
    return event


def http_api_at_a_stage(asked: Asked) -> Event:
    return http_api(asked, "/prod", "prod")


def function_url(asked: Asked) -> Event:
    """Format 2.0, of a function's own URL."""
    event = http_api(asked)
    event["routeKey"] = event["requestContext"]["routeKey"] = "$default"
    event["requestContext"]["domainName"] = "abc123.lambda-url.eu-west-1.on.aws"
    event["rawPath"] = event["requestContext"]["http"]["path"] = asked.path
    return event


def rest_api(asked: Asked, prefix: str = "", stage: str = "prod") -> Event:
    """Format 1.0: the stage is in the context's path alone, the prefix of a domain of one's own in both."""
    many: dict[str, list[str]] = {}
    for name, value in _forwarded(asked):
        many.setdefault(name.title(), []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(asked.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    path = prefix + asked.path
    return {
        "version": "1.0",
        "resource": asked.path,
        "path": path,
        "httpMethod": asked.method,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": asked.method,
            "identity": {"sourceIp": VISITOR, "userAgent": ""},
            "path": path if prefix else f"/{stage}{asked.path}",
            "protocol": "HTTP/1.1",
            "resourcePath": asked.path,
            "stage": stage,
        },
        **_body(asked),
    }


def rest_api_at_a_domain(asked: Asked) -> Event:
    """As `rest_api`, at a domain of one's own that maps /shop to it."""
    return rest_api(asked, f"/{MAPPED_TO}")


MAPPED_TO = "shop"
FORMS: Mapping[str, Callable[[Asked], Event]] = {
    found.__name__: found
    for found in (http_api, http_api_at_a_stage, function_url, rest_api, rest_api_at_a_domain)
}


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


def _forwarded(asked: Asked) -> list[tuple[str, str]]:
    """The headers of a request with those of a proxy, which X-Forwarded-For is added to and the others are not."""
    found = [(name, value) for name, value in _lower(asked) if name not in ("host", "x-forwarded-for")]
    before = [value for name, value in _lower(asked) if name == "x-forwarded-for"]
    found += [("host", HOST), ("x-forwarded-for", ", ".join([*before, VISITOR]))]
    found += [("x-forwarded-port", "443"), ("x-forwarded-proto", "https")]
    return found + ([("content-length", str(len(asked.body)))] if asked.body else [])


def _body(asked: Asked) -> dict[str, Any]:
    kind = dict(_lower(asked)).get("content-type", "")
    if not asked.body:
        return {"body": None, "isBase64Encoded": False}
    if kind.startswith(_TEXT):
        return {"body": asked.body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(asked.body).decode(), "isBase64Encoded": True}


def _joined(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
