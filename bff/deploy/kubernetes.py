"""What manifests for Kubernetes share: names, containers with no more rights and variables than they need, YAML."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from bff.deploy.target import Function
from bff.errors import OperatorError

Object = dict[str, Any]

REGISTRY: Final = "registry.example.com"
"""What stands for the registry of the images until somebody names theirs."""

PORT: Final = 8080
USER: Final = 65532
"""A numeric one, without which a cluster cannot see that it is not root; nobody has it on Debian."""

THREADS: Final = 16
"""The pages under way at once where no recipe says how many (as `make serve`)."""

SPARE: Final = 16
"""Threads beyond those of pages, so that health checks and refusals never wait for a page."""

MEMORY: Final = 256
"""MiB, where no recipe says how many."""

_LONGEST_NAME = 63


def check_names(functions: Iterable[Function]) -> None:
    """Raises OperatorError where two functions have the same name on Kubernetes, which knows no `_`."""
    found: dict[str, str] = {}
    for function in functions:
        name = name_of(function.name)
        if name in found:
            raise OperatorError(
                f"{found[name]} and {function.name} would both be {name} on Kubernetes: rename one of them"
            )
        found[name] = function.name


def name_of(text: str) -> str:
    """A DNS label (RFC 1035) like this text."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name[:1].isalpha():
        name = f"app-{name}".strip("-")
    return name[:_LONGEST_NAME].rstrip("-")


def image_of(app: str, function: Function, more: Mapping[str, bytes]) -> str:
    """The image of a function, its tag made of its content: what changed has another name, and nothing else has."""
    content = hashlib.sha256()
    for path, file in sorted({**function.bundle.files, **more}.items()):
        content.update(f"{path}\0{len(file)}\0".encode())
        content.update(file)
    return f"{REGISTRY}/{app}/{name_of(function.name)}:{content.hexdigest()[:12]}"


def variables_of(app: str, function: Function) -> list[Object]:
    """The environment: defaults as they are, to be edited here, and what has none from the Secret named as the app."""
    found: list[Object] = [{"name": "BFF_TRUSTED_PROXIES", "value": "1"}]
    for name, default in sorted(function.bundle.variables.items()):
        if default is None:
            found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": app, "key": name}}})
        else:
            found.append({"name": name, "value": default})
    return found


def container_of(app: str, function: Function, image: str) -> Object:
    memory = f"{function.most('memory', MEMORY)}Mi"
    return {
        "image": image,
        "ports": [{"containerPort": PORT}],
        "env": variables_of(app, function),
        "resources": {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": PORT}, "timeoutSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": PORT},
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def labels(app: str, name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": app}


def written(about: str, objects: Sequence[Object]) -> bytes:
    """A YAML file of some objects, after a comment."""
    comment = "".join(f"# {line}\n" for line in about.splitlines())
    text = yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)
    return (comment + text).encode()


class _Plain(yaml.SafeDumper):
    """Without the anchors and aliases that no manifest is expected to have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
