"""AWS Lambda behind API Gateway: a function for each page, for AWS SAM and the Serverless Framework."""

from __future__ import annotations

import json

from bff.deploy import aws_sam, aws_serverless
from bff.deploy.bundle import Need
from bff.deploy.target import Function, Project, Target
from bff.settings import KIB, MIB, SETTINGS, variable_of

MODULE = "aws_lambda"
_MOST = {"max_upload": "4 MiB", "max_download": "4 MiB", "max_answer": "2000 KiB"}
MAX_FILE = (6 * MIB - 16 * KIB) // 4 * 3
"""Bytes: an answer has 6 MB, of which headers take some, and base64 makes 4 of 3."""

_ENTRY = b'''"""The pages beside it, for AWS Lambda: `aws_lambda.handler`. Written by `python -m bff build`."""

import base64
import gc
import json
import os
import sys
from urllib.parse import quote

gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)  # where this is called folder/aws_lambda
# Lambda takes and gives 6 MB: of bodies base64 makes 4 bytes of 3, of an answer's text JSON makes up to 3 of 1.
_BOUNDS = {}
# API Gateway and function URLs add who asked them to X-Forwarded-For, as a proxy does.
for _name, _value in {**_BOUNDS, "BFF_TRUSTED_PROXIES": "1"}.items():
    os.environ.setdefault(_name, _value)

try:
    from bff.errors import BffError
    from bff.http import StreamBroke
    from bff.problems import CONTENT_TYPE, document, problem
    from bff.web.alone import open_door

    from apig_wsgi import make_lambda_handler
except ImportError as error:  # bytecode is of one Python, and packages may be in layers
    sys.exit(f"The app cannot start: {error}; it needs the layers and the Python that it was built for")
try:
    app = open_door(_HERE)
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_SCHEDULES = ("aws.events", "aws.scheduler", "serverless-plugin-warmup")
_KEY = os.environ.get("ORIGIN_KEY", "").encode()
if _KEY:
    from hmac import compare_digest  # loads OpenSSL
# A part of a file, or one in an encoding of its own, is no text of UTF-8: where files are, all goes as bytes.
_TEXTS = () if os.path.isdir(os.path.join(_HERE, "public")) else None
_MAPPED_TO = os.environ.get("API_GATEWAY_BASE_PATH", "").strip("/")


def _behind_a_gateway(environ, start_response):
    """The app, as behind a proxy: the path begins at the app, and the host that was asked for is told."""
    environ["apig_wsgi.full_event"]["reached"] = True
    if _KEY and not compare_digest(environ.pop("HTTP_X_ORIGIN_KEY", "").encode(), _KEY):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"These pages are asked through CloudFront."]
    for name, value in environ.items():  # WSGI has the bytes that were sent, one character for each
        if name.startswith(("HTTP_", "CONTENT_", "QUERY_")) and not value.isascii():
            environ[name] = value.encode("utf-8", "surrogatepass").decode("latin-1")
    asked = environ.get("apig_wsgi.request_context", {})
    # In its format 2.0 API Gateway leaves a named stage in the path, in 1.0 it does not.
    stage = asked.get("stage") if "http" in asked else ""
    for prefix in filter(None, (stage, _MAPPED_TO)):
        if environ["PATH_INFO"].startswith(f"/{prefix}/"):
            environ["SCRIPT_NAME"] += f"/{prefix}"
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(f"/{prefix}")
    hosts = environ.get("HTTP_X_FORWARDED_HOST"), environ.get("HTTP_HOST")
    environ["HTTP_X_FORWARDED_HOST"] = ", ".join(filter(None, hosts))
    return app(environ, start_response)


_answer = make_lambda_handler(
    _behind_a_gateway, binary_support=True, non_binary_content_type_prefixes=_TEXTS
)


def handler(event, context):
    if not isinstance(event, dict) or not ("rawPath" in event or "httpMethod" in event):
        return _foreign(event)
    asked = {}
    try:
        asked = _readable(event)
        return _answer(asked, context)
    except StreamBroke as broke:  # none of the body has gone out yet
        return _problem(problem("backend-failed", "The body broke off.", members={"failure": str(broke)}))
    except Exception:
        if "reached" in asked:
            raise
        return _problem(problem("invalid-input", "The event is no request that can be read."))


def _readable(event):
    """An event in the one form that the adapter reads without loss; raises ValueError where there is none."""
    found = {**event, "headers": event.get("headers") or {}}
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        base64.b64decode(body, validate=True)
    else:  # text may hold half of a character, which is no UTF-8: what is wrong with it the page says
        found["body"] = base64.b64encode(body.encode("utf-8", "surrogatepass")).decode()
        found["isBase64Encoded"] = True
    if "rawPath" in event:
        # An HTTP API has decoded it, a function's own URL has not.
        decoded = ".lambda-url." not in event["requestContext"].get("domainName", "")
        found["rawPath"] = quote(event["rawPath"], "/" if decoded else _ASCII, errors="surrogatepass")
        found.setdefault("rawQueryString", "")
    else:
        found["path"] = quote(event["path"], _ASCII, errors="surrogatepass")
    return found


def _foreign(event):
    """The answer to what no visitor has asked: a schedule that keeps the function warm, or what is not for it."""
    of_schedule = isinstance(event, dict) and (event.get("source") in _SCHEDULES or event.get("warmer"))
    if of_schedule:
        return {"statusCode": 200, "headers": {}, "body": ""}
    return _problem(problem("invalid-input", "The event is no request."))


def _problem(why):
    headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
    return {"statusCode": why.status, "headers": headers, "body": json.dumps(document(why))}


gc.freeze()
gc.enable()
'''


def entry(function: Function) -> dict[str, bytes]:
    """The module whose `handler` Lambda calls."""
    settings = function.bundle.project_settings
    bounds = {variable_of(name): _lower(name, most, settings.get(name, most)) for name, most in _MOST.items()}
    return {f"{MODULE}.py": _ENTRY.replace(b"_BOUNDS = {}", f"_BOUNDS = {json.dumps(bounds)}".encode())}


def _lower(name: str, *texts: str) -> str:
    """The text of the lowest of some values of a setting."""
    return min(texts, key=SETTINGS[name].parse)


def manifests(project: Project) -> dict[str, bytes]:
    """What `sam deploy` and `serverless deploy` read."""
    handler = f"{MODULE}.handler"
    return {
        "template.yaml": aws_sam.template(project, handler),
        **aws_serverless.files(project, handler),
    }


TARGET = Target(
    name="aws-lambda",
    about="AWS Lambda behind API Gateway, for SAM and the Serverless Framework",
    starts=MODULE,
    entry=entry,
    manifests=manifests,
    need=Need(adapters=("apig-wsgi",), metrics=False, lean=True, old_glibc="3.11"),
    resident=False,
    streams=False,
    layered=True,
    deploys=frozenset({"memory", "min_instances"}),
    max_mb=250,
    max_file=MAX_FILE,
    max_seconds=aws_sam.API_SECONDS,
)
