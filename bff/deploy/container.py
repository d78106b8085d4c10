"""A container image of pages, and what runs it: compose, or a Deployment on Kubernetes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import partial
from typing import Final

from bff.deploy import wsgi
from bff.deploy.bundle import Need
from bff.deploy.kubernetes import (
    MEMORY,
    PORT,
    REGISTRY,
    SPARE,
    THREADS,
    USER,
    Object,
    container_of,
    image_of,
    labels,
    name_of,
    written,
)
from bff.deploy.target import Function, Project, Target

DRAIN: Final = 5
"""Seconds in which an instance that was told to stop is still sent requests."""

PACKAGES: Final = "packages"
"""The folder of a bundle that holds its dependencies: a layer of the image that stays while only pages change."""
NEED: Final = Need(serves=True, site=PACKAGES)

_WORKDIR = "/app"
_COPY = "COPY --chown=0:0 --chmod=0755"
_PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_HEALTHY = (
    "import http.client, os, sys; "
    "asked = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); "
    "asked.request('GET', '/healthz'); "
    "sys.exit(asked.getresponse().status != 200)"
)
# Nothing of a build's or an operator's own gets into an image, from where it could not be taken back.
_IGNORED = (
    *(".built", ".env*", ".git", ".dockerignore", ".containerignore", "Containerfile"),
    *("compose.yaml", "kubernetes.yaml"),
)


def image_files(function: Function, python: str, arch: str) -> dict[str, bytes]:
    """What makes an image of a function's folder."""
    ignored = "".join(f"{name}\n" for name in _IGNORED).encode()
    return {
        "Containerfile": _containerfile(function, python, arch).encode(),
        ".containerignore": ignored,
        ".dockerignore": ignored,
    }


def concurrency_of(function: Function) -> int:
    return function.least("concurrency", THREADS)


def _containerfile(function: Function, python: str, arch: str) -> str:
    base = f"docker.io/library/python:{python}-slim-bookworm"
    threads = str(concurrency_of(function) + SPARE)
    command = ["--host", "0.0.0.0", "--threads", threads, "--drain", f"{DRAIN}s"]
    pages = ", ".join(function.plans)
    copies = "\n".join(_copies(function))
    return f"""\
# The wheels in this folder are for this Python on this platform, and nothing is installed here.
# For the same bytes each time, name the base by its digest: --build-arg BASE={base}@sha256:...
ARG BASE={base}
FROM --platform={_PLATFORMS[arch]} ${{BASE}}
LABEL org.opencontainers.image.title={json.dumps(name_of(function.name))} \\
      org.opencontainers.image.description={json.dumps(f"Pages: {pages}")} \\
      org.opencontainers.image.base.name={json.dumps(base)}
ENV PORT={PORT} \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONPATH={_WORKDIR}/{PACKAGES} \\
    PYTHONUNBUFFERED=1
WORKDIR {_WORKDIR}
{copies}
USER {USER}:{USER}
EXPOSE {PORT}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=6 \\
    CMD {json.dumps(["python", "-c", _HEALTHY])}
ENTRYPOINT {json.dumps(["python", "-m", "bff", "serve"])}
CMD {json.dumps(command)}
"""


def _copies(function: Function) -> Iterator[str]:
    """What changes least first: each line is a layer of the image, and those before the first change stay."""
    own = {path for path in function.bundle.own if not any(map(partial(fnmatch, path), _IGNORED))}
    folders = {path.partition("/")[0] for path in own if "/" in path}
    for folder in (PACKAGES, "bff", *sorted(folders - {"bff"})):
        yield f"{_COPY} {folder} {folder}"
    yield f"{_COPY} {' '.join(sorted(path for path in own if '/' not in path))} ./"


def manifests(project: Project) -> dict[str, bytes]:
    """The image's own files, a compose.yaml and a kubernetes.yaml of the one function."""
    [function] = project.functions
    files = image_files(function, project.python, project.arch)
    app = name_of(project.name)
    image = image_of(app, function, files)
    return {
        **files,
        "compose.yaml": written(
            "Run by `docker compose up --build`; .env holds the variables that .env.example names.",
            [_compose(function, image)],
        ),
        "kubernetes.yaml": written(
            f"A Deployment of the image. Replace {REGISTRY}; what has no default comes from the Secret {app}.",
            _kubernetes(app, function, image),
        ),
    }


def _bound(function: Function) -> dict[str, str]:
    """What turns pages away above `deploy.concurrency`, where a recipe says so: nothing before the app does."""
    concurrency = function.least("concurrency", 0)
    return {"BFF_MAX_PAGES": str(concurrency)} if concurrency else {}


def _to_stop(function: Function) -> int:
    """Seconds from the word to stop until the last page has ended."""
    return DRAIN + math.ceil(function.timeout)


def _compose(function: Function, image: str) -> Object:
    service: Object = {
        "build": {"context": ".", "dockerfile": "Containerfile"},
        "image": image.partition("/")[2],
        "env_file": [".env"],
        "environment": _bound(function),
        "ports": [f"127.0.0.1:{PORT}:{PORT}"],
        "user": f"{USER}:{USER}",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": f"{function.most('memory', MEMORY)}m",
        "healthcheck": {
            "test": ["CMD", "python", "-c", _HEALTHY],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "10s",
        },
        "stop_grace_period": f"{_to_stop(function)}s",
        "restart": "unless-stopped",
    }
    return {"services": {name_of(function.name): {key: value for key, value in service.items() if value}}}


def _kubernetes(app: str, function: Function, image: str) -> list[Object]:
    name = name_of(function.name)
    metadata: Object = {"name": name, "labels": labels(app, name)}
    chosen = {"app.kubernetes.io/name": name}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "selector": chosen,
                "ports": [{"name": "http", "port": 80, "targetPort": PORT}],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            # How many there are is the autoscaler's: a number here would undo its own at each `apply`.
            "spec": {
                "selector": {"matchLabels": chosen},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": {"metadata": {"labels": labels(app, name)}, "spec": _pod(app, function, image)},
            },
        },
        _autoscaler(metadata, function),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": chosen}},
        },
    ]


def _pod(app: str, function: Function, image: str) -> Object:
    container = container_of(app, function, image)
    container["env"] += [{"name": name, "value": value} for name, value in _bound(function).items()]
    threads = str(concurrency_of(function) + SPARE)
    return {
        "automountServiceAccountToken": False,
        # Else each Service of the namespace is a variable, and one named bff a setting that does not exist.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _to_stop(function),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": name_of(function.name)}},
            }
        ],
        "containers": [
            {
                "name": name_of(function.name),
                **container,
                # The wait is the hook's: with the image's own `--drain` there would be two.
                "args": ["--host", "0.0.0.0", "--threads", threads, "--drain", "0s"],
                "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
            }
        ],
    }


def _autoscaler(metadata: Object, function: Function) -> Object:
    least = max(2, function.most("min_instances", 2))
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]},
            "minReplicas": least,
            "maxReplicas": max(10, 2 * least),
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
        },
    }


TARGET = Target(
    name="container",
    about="a container image, with compose.yaml and kubernetes.yaml",
    starts="wsgi",
    entry=wsgi.entry,
    manifests=manifests,
    need=NEED,
    deploys=frozenset({"memory", "concurrency", "min_instances"}),
    alone=True,
)
