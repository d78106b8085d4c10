"""Calls to backends: clients, messages, retries, the cache and the transport."""

from bff.http.auth import ApiKey, BearerToken, Env, ForwardedToken, env, forward_token
from bff.http.breaker import Breaker
from bff.http.calls import Calls, Limits
from bff.http.client import Client
from bff.http.fetch import Call
from bff.http.messages import (
    FORBIDDEN_REQUEST_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    Broken,
    CacheTerms,
    CallError,
    OutgoingRequest,
    Reply,
    check_header,
    check_path,
    encode_constant,
    encode_segment,
)
from bff.http.retry import retry_after
from bff.http.transport import Started, ThreadTransport, Transport, Try, default_transport
from bff.http.verdicts import Change

__all__ = [
    "FORBIDDEN_REQUEST_HEADERS",
    "FORBIDDEN_RESPONSE_HEADERS",
    "ApiKey",
    "BearerToken",
    "Breaker",
    "Broken",
    "CacheTerms",
    "Call",
    "CallError",
    "Calls",
    "Change",
    "Client",
    "Env",
    "ForwardedToken",
    "Limits",
    "OutgoingRequest",
    "Reply",
    "Started",
    "ThreadTransport",
    "Transport",
    "Try",
    "check_header",
    "check_path",
    "default_transport",
    "encode_constant",
    "encode_segment",
    "env",
    "forward_token",
    "retry_after",
]
