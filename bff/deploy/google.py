"""Google Cloud Run functions (Cloud Functions, second generation): `main.py` with `page`, and an API Gateway.

Google's buildpack installs what a requirements.txt beside main.py lists, and adds a functions-framework of its own
choice where that names none. What it installs comes before the source folder on the path, so a Flask that is only
in the folder would lose against the one of Google's choice. So the requirements.txt pins the framework with all that
it needs, and the folder holds the same and everything else: it runs by itself, and what runs here runs there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from bff.deploy.bundle import Need
from bff.deploy.manifest import host_names, only_x86, slug, to_yaml
from bff.deploy.target import Function, Project, Target
from bff.errors import OperatorError
from bff.settings import MIB

MEMORY, THREADS = 512, 16
_COLD_START = 10
"""Seconds that the gateway waits beyond a function's own time-out, for an instance that has to start first."""

_MAIN = b'''"""The page beside it as a function of Google Cloud: `page`. Written by `python -m bff build`."""

import gc
import sys

gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at

import functions_framework
from flask import Response, current_app
from werkzeug.routing import Rule

from bff import create_app
from bff.errors import BffError


class _Answer(Response):
    default_mimetype = None  # an answer without a type, such as 204, gets none


try:
    app = create_app()
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
for path in ("robots.txt", "favicon.ico"):  # else the framework answers these, as files that are not there
    if current_app:
        current_app.url_map.add(Rule(f"/{path}", endpoint="run", defaults={"path": path}))
gc.freeze()
gc.enable()


@functions_framework.http
def page(request):
    """Answers as the app does; pages in lines and files go out as they come."""
    return _Answer.from_app(app.wsgi_app, request.environ)
'''
_IGNORE = b".env\n.env.example\n"


def entry(_: Function) -> dict[str, bytes]:
    """The module that functions-framework loads, and what is not uploaded."""
    return {"main.py": _MAIN, ".gcloudignore": _IGNORE}


def manifests(project: Project) -> dict[str, bytes]:
    """The commands that deploy each function, and with all pages an API Gateway before them.

    One that has the files too answers every path at its own address, and needs none.
    """
    only_x86(project, TARGET.name)
    if project.suffix:
        raise OperatorError("--zip: gcloud deploys folders, and packs them itself")
    names = host_names(project, TARGET.name)
    found = {"deploy.sh": "\n".join(_commands(project, names)).encode()}
    if _has_gateway(project):
        found["openapi.yaml"] = _gateway(project, names)
    return found


def _has_gateway(project: Project) -> bool:
    return project.whole and not project.has_front


_HEAD = """\
#!/bin/sh
# Deploys {what} to Google Cloud. Written by `python -m bff build`.
#
# Before: `gcloud auth login`, `gcloud config set project …`, and a secret of each of these names in Secret
# Manager, which the functions' service account may read: {secrets}
set -eu
cd "$(dirname "$0")"
: "${{REGION:?where to deploy to, such as europe-west1}}"
"""
_PUBLIC = """\
# The files of public/, and a load balancer's rule that sends /api to the gateway and all else to the files.
if [ -n "${BUCKET:-}" ]; then
  gcloud storage buckets describe "gs://$BUCKET" >/dev/null 2>&1 ||
    gcloud storage buckets create "gs://$BUCKET" --location "$REGION" --uniform-bucket-level-access
  gcloud storage buckets update "gs://$BUCKET" --web-main-page-suffix index.html --web-error-page index.html
  gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --member allUsers --role roles/storage.objectViewer
  gcloud storage rsync --recursive --delete-unmatched-destination-objects public "gs://$BUCKET"
  gcloud compute backend-buckets describe "$BUCKET" >/dev/null 2>&1 ||
    gcloud compute backend-buckets create "$BUCKET" --gcs-bucket-name "$BUCKET"
fi
if [ -n "${URL_MAP:-}" ] && [ -n "${API_BACKEND:-}" ]; then
  gcloud compute url-maps add-path-matcher "$URL_MAP" --path-matcher-name pages --new-hosts "${HOSTS:-*}" \\
    --default-backend-bucket "$BUCKET" --backend-service-path-rules "/api=$API_BACKEND,/api/*=$API_BACKEND"
fi
"""


def _commands(project: Project, names: Mapping[str, str]) -> Iterator[str]:
    required = sorted({name for function in project.functions for name in _required(function)})
    what = "these functions" if len(project.functions) > 1 else "this function"
    yield _HEAD.format(what=what, secrets=", ".join(required) or "none is needed")
    for function in project.functions:
        yield _deploy(function, names[function.name], project)
    if _has_gateway(project):
        yield _gateway_commands(project)
        if project.public:
            yield _PUBLIC


def _required(function: Function) -> list[str]:
    return [name for name, default in function.bundle.variables.items() if default is None]


def _deploy(function: Function, name: str, project: Project) -> str:
    """One function's command: what has no default comes from a secret, the rest from the shell where it is set."""
    threads = function.least("concurrency", THREADS)
    variables = f"BFF_TRUSTED_PROXIES=1|THREADS={threads}|BFF_THREADS={threads}"
    optional = [name for name, default in function.bundle.variables.items() if default is not None]
    variables += "".join(f"${{{one}:+|{one}=${one}}}" for one in sorted(optional))
    secrets = ",".join(f"{one}={one}:latest" for one in _required(function))
    lines = [
        f"gcloud functions deploy {name} --gen2 --quiet",
        f'--region "$REGION" --runtime python{project.python.replace(".", "")}',
        f"--source {function.name} --entry-point page --trigger-http --allow-unauthenticated",
        f"--memory {max(function.most('memory', MEMORY), MEMORY)}Mi --cpu 1 --concurrency {threads}",
        f"--min-instances {function.most('min_instances', 0)} --timeout {ceil(function.timeout)}s",
        f'--set-env-vars "^|^{variables}"',
        f"--set-secrets {secrets}" if secrets else "--clear-secrets",
    ]
    return " \\\n  ".join(lines) + "\n"


def _gateway_commands(project: Project) -> str:
    name = slug(project.name)
    return f"""\
PROJECT_NUMBER=$(gcloud projects describe "$(gcloud config get-value project)" --format 'value(projectNumber)')
CONFIG="pages-$(date +%Y%m%d-%H%M%S)"
DEPLOYED="$(mktemp --suffix .yaml)"
sed -e "s/PROJECT_NUMBER/$PROJECT_NUMBER/g" -e "s/REGION/$REGION/g" openapi.yaml >"$DEPLOYED"
gcloud api-gateway apis describe {name} >/dev/null 2>&1 || gcloud api-gateway apis create {name}
gcloud api-gateway api-configs create "$CONFIG" --api {name} --openapi-spec "$DEPLOYED"
if gcloud api-gateway gateways describe {name} --location "$REGION" >/dev/null 2>&1; then
  gcloud api-gateway gateways update {name} --api {name} --api-config "$CONFIG" --location "$REGION"
else
  gcloud api-gateway gateways create {name} --api {name} --api-config "$CONFIG" --location "$REGION"
fi
"""


def _gateway(project: Project, names: Mapping[str, str]) -> bytes:
    """Each page's path and methods, and the function that answers; API Gateway takes OpenAPI 2.0."""
    paths: dict[str, dict[str, Any]] = {}
    known: dict[str, str] = {}
    functions: dict[str, set[str]] = {}
    for function in project.functions:
        backend = _backend(function, names[function.name])
        for page, plan in function.plans.items():
            # Two templates that differ in a parameter's name only are one to the gateway.
            path = known.setdefault(re.sub(r"{[^}]*}", "{}", plan.recipe.path), plan.recipe.path)
            method = plan.recipe.method.lower()
            for verb in ("get", "head") if method == "get" else (method,):
                paths.setdefault(path, {})[verb] = _operation(page, verb, path, backend)
            functions.setdefault(path, set()).add(function.name)
            if len(functions[path]) == 1:
                paths[path]["options"] = _operation(page, "options", path, backend)
            else:
                # A function knows its own methods only, and would tell browsers of no other.
                paths[path].pop("options", None)
    plans = (plan for function in project.functions for plan in function.plans.values())
    has_tables = any(plan.recipe.format is not None for plan in plans)
    content = {
        "swagger": "2.0",
        "info": {"title": project.name, "version": "1.0.0"},
        "schemes": ["https"],
        "produces": ["application/json", *(["text/csv"] if has_tables else [])],
        "paths": dict(sorted(paths.items())),
    }
    return to_yaml(
        "What sends each page to its function: an API Gateway's OpenAPI 2.0. Written by `python -m bff build`.\n"
        "deploy.sh fills in PROJECT_NUMBER and REGION.",
        content,
    )


def _backend(function: Function, name: str) -> dict[str, Any]:
    return {
        "address": f"https://{name}-PROJECT_NUMBER.REGION.run.app",
        "path_translation": "APPEND_PATH_TO_ADDRESS",
        "deadline": float(ceil(function.timeout) + _COLD_START),
        # Else the gateway puts a token of its own in the place of the visitor's Authorization.
        "disable_auth": True,
    }


def _operation(page: str, verb: str, path: str, backend: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "type": "string"}
        for name in re.findall(r"{([^}]*)}", path)
    ]
    return {
        "operationId": f"{page}_{verb}",
        **({"parameters": parameters} if parameters else {}),
        "responses": {"default": {"description": "As the page answers."}},
        "x-google-backend": dict(backend),
    }


TARGET = Target(
    name="google",
    about="Google Cloud Run functions, with an API Gateway before all pages",
    starts="main",
    entry=entry,
    manifests=manifests,
    need=Need(adapters=("functions-framework",), installed=True),
    deploys=frozenset({"memory", "concurrency", "min_instances"}),
    max_mb=500,
    max_file=32 * MIB,
    max_seconds=3600,
)
