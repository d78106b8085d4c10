"""Azure Functions: one function app of all its pages, with the packages where Azure's worker looks for them.

`func.WsgiFunctionApp` is not used: it makes an error of its own of every answer from 500 on, whose problem is lost,
encodes what is not ASCII in a path twice, never closes what the app gives it, and fails for good once something was
written to `wsgi.errors`. The function beside it does the same with werkzeug, which Flask brings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import ceil

from bff.deploy import wsgi
from bff.deploy.bundle import Need
from bff.deploy.manifest import only_x86
from bff.deploy.target import Function, Project, Target

MEMORY, CONCURRENCY = 2048, 16
_MEMORIES = (512, 2048, 4096)
_MOST_THREADS = 32
_APP = b'''"""The pages beside it as a function app of Azure. Written by `python -m bff build`."""

from io import BytesIO
from urllib.parse import urlsplit

from wsgi import app as pages

import azure.functions as func
from werkzeug.test import EnvironBuilder, run_wsgi_app

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("pages")
@app.route(route="{*path}", methods=list(func.HttpMethod))
def answer(req: func.HttpRequest) -> func.HttpResponse:
    """Answers as the app does, in one piece."""
    body, status, headers = run_wsgi_app(pages, environ_of(req), buffered=True)
    # Azure keeps the last of several headers of a name, but for cookies.
    joined = [(name, ", ".join(headers.getlist(name))) for name in headers.keys() if name != "Set-Cookie"]
    cookies = [("Set-Cookie", cookie) for cookie in headers.getlist("Set-Cookie")]
    sent = type(headers)([*dict(joined).items(), *cookies])
    return func.HttpResponse(b"".join(body), status_code=int(status.split()[0]), headers=sent)


def environ_of(req):
    """What a server would make of a request; Azure has put the right scheme and host into its URL."""
    headers = {name: as_sent(value) for name, value in req.headers.items()}
    # The last address is what Azure's own front has seen; those before it are others' word, as behind any server.
    *before, seen = headers.pop("x-forwarded-for", "").split(",")
    if before:
        headers["x-forwarded-for"] = ",".join(before)
    url = urlsplit(req.url)
    builder = EnvironBuilder(
        url.path,
        f"{url.scheme}://{url.netloc}",
        url.query,
        method=req.method,
        headers=headers,
        input_stream=BytesIO(req.get_body()),
    )
    return {**builder.get_environ(), "REMOTE_ADDR": without_port(seen.strip()), "wsgi.multithread": True}


def as_sent(text):
    """A header as WSGI has it: the bytes that were sent, one character for each."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def without_port(address):
    """An address as Azure writes it: 203.0.113.9:51234, [2001:db8::9]:51234, or without a port."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
'''
_IGNORED = (".built", ".env", ".env.example", ".funcignore", "deploy.sh", "local.settings.json")


def entry(function: Function) -> dict[str, bytes]:
    """The function app's own files; what no package is, Azure reads from its top."""
    host = {
        "version": "2.0",
        "functionTimeout": _clock(ceil(function.timeout)),
        "extensions": {"http": {"routePrefix": ""}},
    }
    local = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": "",
        "AzureWebJobsDisableHomepage": "true",
        **{name: default or "" for name, default in function.bundle.variables.items()},
    }
    return {
        **wsgi.entry(function),
        "function_app.py": _APP,
        "host.json": _json(host),
        "local.settings.json": _json({"IsEncrypted": False, "Values": local}),
        ".funcignore": "".join(f"{name}\n" for name in _IGNORED).encode(),
    }


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _json(content: object) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()


def manifests(project: Project) -> dict[str, bytes]:
    """The commands that make the function app, give it its settings and bring it there."""
    only_x86(project, TARGET.name)
    [function] = project.functions
    return {"deploy.sh": "\n".join(_commands(function, project)).encode()}


_HEAD = """\
#!/bin/sh
# Makes the function app $APP of this folder on Azure's Flex Consumption plan. Written by `python -m bff build`.
#
# Before: `az login`, and a resource group and a storage account. What a variable holds may be a reference to a
# secret: @Microsoft.KeyVault(SecretUri=…)
set -eu
cd "$(dirname "$0")"
: "${APP:?the name of the function app, one in all of Azure}"
: "${RESOURCE_GROUP:?}" "${STORAGE:?the storage account}" "${REGION:?such as westeurope}"
"""


def _commands(function: Function, project: Project) -> Iterator[str]:
    at_once = min(function.least("concurrency", CONCURRENCY), 1000)
    asked = function.most("memory", MEMORY)
    memory = next((size for size in _MEMORIES if size >= asked), _MEMORIES[-1])
    warm = function.most("min_instances", 0)
    app = '--name "$APP" --resource-group "$RESOURCE_GROUP"'
    required = [name for name, default in function.bundle.variables.items() if default is None]
    yield _HEAD + "".join(f': "${{{name}:?}}"\n' for name in sorted(required))
    yield (
        f"az functionapp show {app} >/dev/null 2>&1 || az functionapp create {app} \\\n"
        '  --storage-account "$STORAGE" --flexconsumption-location "$REGION" \\\n'
        f"  --runtime python --runtime-version {project.python} --instance-memory {memory}\n"
        f"az functionapp scale config set {app} \\\n"
        f"  --trigger-type http --trigger-settings perInstanceConcurrency={at_once}"
    )
    if warm:
        yield f"az functionapp scale config always-ready set {app} --settings http={warm}"
    yield f"\naz functionapp config appsettings set {app} --output none --settings \\"
    yield " \\\n".join(f"  {setting}" for setting in _settings(function, at_once))
    yield _package(function, project)
    yield f'az functionapp deployment source config-zip {app} --src "$PACKAGE" --build-remote false\n'


def _settings(function: Function, at_once: int) -> Iterator[str]:
    yield "AzureWebJobsDisableHomepage=true"
    yield f"PYTHON_THREADPOOL_THREAD_COUNT={min(at_once, _MOST_THREADS)}"
    yield '"BFF_TRUSTED_PROXIES=${BFF_TRUSTED_PROXIES:-0}"'
    for name, default in sorted(function.bundle.variables.items()):
        yield f'"{name}=${name}"' if default is None else f'${{{name}:+"{name}=${name}"}}'


def _package(function: Function, project: Project) -> str:
    if project.suffix:
        return f"\nPACKAGE={function.name}{project.suffix}"
    left_out = " ".join(_IGNORED)
    return f'\nPACKAGE="$(mktemp -d)/{function.name}.zip"\nzip -qr "$PACKAGE" . --exclude {left_out}'


TARGET = Target(
    name="azure",
    about="an Azure function app of all its pages",
    starts="function_app",
    entry=entry,
    manifests=manifests,
    need=Need(adapters=("azure-functions",), site=".python_packages/lib/site-packages"),
    streams=False,
    deploys=frozenset({"memory", "concurrency", "min_instances"}),
    alone=True,
    max_seconds=230,
)
