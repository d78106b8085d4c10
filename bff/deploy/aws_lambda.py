"""AWS Lambda behind API Gateway: a function for each page, for AWS SAM and the Serverless Framework."""

from __future__ import annotations

from bff.deploy import aws_sam, aws_serverless
from bff.deploy.bundle import Need
from bff.deploy.target import Function, Project, Target

MODULE = "aws_lambda"
_ENTRY = b'''"""The pages beside it, for AWS Lambda: `aws_lambda.handler`. Written by `python -m bff build`."""

import gc
import json
import os
import secrets
import sys

gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # where this is called folder/aws_lambda
# Lambda takes and gives 6 MB: of bodies base64 makes 4 bytes of 3, of an answer's text JSON makes up to 3 of 1.
_BOUNDS = {"BFF_MAX_UPLOAD": "4 MiB", "BFF_MAX_DOWNLOAD": "4 MiB", "BFF_MAX_ANSWER": "2000 KiB"}
# API Gateway and function URLs add who asked them to X-Forwarded-For, as a proxy does.
for _name, _value in {**_BOUNDS, "BFF_TRUSTED_PROXIES": "1"}.items():
    os.environ.setdefault(_name, _value)

from apig_wsgi import make_lambda_handler

from bff import create_app
from bff.errors import BffError
from bff.http import StreamBroke
from bff.problems import CONTENT_TYPE, document, problem

try:
    app = create_app()
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
_KEY = os.environ.get("ORIGIN_KEY", "").encode()
_MAPPED_TO = os.environ.get("API_GATEWAY_BASE_PATH", "").strip("/")


def _behind_a_gateway(environ, start_response):
    """The app, as behind a proxy: the path begins at the app, and the host that was asked for is told."""
    if _KEY and not secrets.compare_digest(environ.pop("HTTP_X_ORIGIN_KEY", "").encode(), _KEY):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"These pages are asked through CloudFront."]
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


_answer = make_lambda_handler(_behind_a_gateway, binary_support=True)


def handler(event, context):
    try:
        return _answer(event, context)
    except StreamBroke as broke:  # none of the body has gone out yet
        why = problem("backend-failed", "The body broke off.", members={"failure": str(broke)})
        headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
        return {"statusCode": why.status, "headers": headers, "body": json.dumps(document(why))}


gc.freeze()
gc.enable()
'''


def entry(function: Function) -> dict[str, bytes]:
    """The module whose `handler` Lambda calls."""
    return {f"{MODULE}.py": _ENTRY}


def manifests(project: Project) -> dict[str, bytes]:
    """What `sam deploy` and `serverless deploy` read."""
    handler = f"{MODULE}.handler"
    return {
        "template.yaml": aws_sam.template(project, handler),
        "serverless.yml": aws_serverless.template(project, handler),
    }


TARGET = Target(
    name="aws-lambda",
    about="AWS Lambda behind API Gateway, for SAM and the Serverless Framework",
    starts=MODULE,
    entry=entry,
    manifests=manifests,
    need=Need(adapters=("apig-wsgi",), metrics=False),
    resident=False,
    streams=False,
    deploys=frozenset({"memory", "min_instances"}),
    max_mb=250,
    max_seconds=aws_sam.API_SECONDS,
)
