"""Calls to backends: clients, messages, retries, the cache and the transport.

Clients own all that is dangerous: the host, the credentials, what a filter language needs. A recipe can name none of
it, and `check` follows what flows into a filter.
"""

from bff.breaker import Breaker
from bff.http.auth import ApiKey, BearerToken, Env, ForwardedToken, env, forward_token
from bff.http.cache.background import BackgroundReads, freezes_between_requests
from bff.http.cache.reply_cache import ReadKeys
from bff.http.call import Call
from bff.http.calls import Calls
from bff.http.choice import default_transport, transport_of
from bff.http.client import Client
from bff.http.forwarded import FORWARDED, is_of_the_way, may_not_go_up
from bff.http.headers import FORBIDDEN_REQUEST_HEADERS, FORBIDDEN_RESPONSE_HEADERS, check_header
from bff.http.joined import Joined
from bff.http.landing import Ended
from bff.http.layers.retry import retry_after
from bff.http.ledger import Change, HandOver, Limits
from bff.http.messages import Broken, CacheOutcome, CacheTerms, CallError, OutgoingRequest, Reply, StreamBroke
from bff.http.paths import check_path, encode_constant, encode_segment, quoted, sendable
from bff.http.route import Route
from bff.http.sender import Sender
from bff.http.sockets.transport import SocketTransport
from bff.http.stock.threads import ThreadTransport
from bff.http.stream.held_stream import HeldStream
from bff.http.transport import Promise, Started, Stream, Transport, Try
from bff.http.way import Way

Client.sender = Sender()

__all__ = [
    "FORBIDDEN_REQUEST_HEADERS",
    "FORBIDDEN_RESPONSE_HEADERS",
    "FORWARDED",
    "ApiKey",
    "BackgroundReads",
    "BearerToken",
    "Breaker",
    "Broken",
    "CacheOutcome",
    "CacheTerms",
    "Call",
    "CallError",
    "Calls",
    "Change",
    "Client",
    "Ended",
    "Env",
    "ForwardedToken",
    "HandOver",
    "HeldStream",
    "Joined",
    "Limits",
    "OutgoingRequest",
    "Promise",
    "ReadKeys",
    "Reply",
    "Route",
    "Sender",
    "SocketTransport",
    "Started",
    "Stream",
    "StreamBroke",
    "ThreadTransport",
    "Transport",
    "Try",
    "Way",
    "check_header",
    "check_path",
    "default_transport",
    "encode_constant",
    "encode_segment",
    "env",
    "forward_token",
    "freezes_between_requests",
    "is_of_the_way",
    "may_not_go_up",
    "quoted",
    "retry_after",
    "sendable",
    "transport_of",
]
