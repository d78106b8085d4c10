"""Requests as events of every form that a function may be asked by; those of format 2.0 are as `preview` makes them.

Format 1.0 is written from AWS's description, apart from the adapter that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from bff.cli.previewing.gateway import Answer, Asked, Event, Gateway, answer_of, body_of

VISITOR = "203.0.113.7"
HOST = "shop.example"
_GATEWAY = Gateway(HOST, VISITOR)


def http_api(asked: Asked, prefix: str = "", stage: str = "$default") -> Event:
    """Format 2.0, of an HTTP API, which has decoded the path."""
    return _GATEWAY.event(asked, prefix, stage)


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
    for name, value in _GATEWAY.forwarded(asked):
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
        **body_of(asked),
    }


def rest_api_at_a_domain(asked: Asked) -> Event:
    """As `rest_api`, at a domain of one's own that maps /shop to it."""
    return rest_api(asked, f"/{MAPPED_TO}")


MAPPED_TO = "shop"
FORMS: Mapping[str, Callable[[Asked], Event]] = {
    found.__name__: found
    for found in (http_api, http_api_at_a_stage, function_url, rest_api, rest_api_at_a_domain)
}


__all__ = ["Answer", "Asked", "Event", "answer_of", "function_url", "http_api", "rest_api"]
