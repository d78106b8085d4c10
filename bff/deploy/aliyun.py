"""Alibaba Cloud's Function Compute 3.0: a server of our own in a custom runtime, and s.yaml for Serverless Devs.

The custom runtimes bring a Python each: 3.11 on Debian 12, 3.12 on Debian 11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from bff.deploy import wsgi
from bff.deploy.bundle import Need
from bff.deploy.manifest import only_x86, slug, to_yaml
from bff.deploy.target import Function, Project, Target
from bff.errors import OperatorError
from bff.settings import MIB

PORT = 9000
MEMORY, CONCURRENCY = 512, 16
_RUNTIMES = {
    "3.11": ("custom.debian12", "/usr/bin/python3"),
    "3.12": ("custom.debian11", "/var/fc/lang/python3.12/bin/python3"),
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MOST_AT_ONCE = 100
_STEP = 64


def manifests(project: Project) -> dict[str, bytes]:
    """The s.yaml of all functions, with all pages or the files also the routes of a domain."""
    only_x86(project, TARGET.name)
    if project.python not in _RUNTIMES:
        there = " and ".join(_RUNTIMES)
        raise OperatorError(f"--python {project.python}: {TARGET.name} has {there}")
    resources = {function.name: _function(function, project) for function in project.functions}
    if project.whole or project.has_front:
        resources |= {"domain": _domain(project)}
    content = {
        "edition": "3.0.0",
        "name": slug(project.name),
        "access": "${env('ALIYUN_ACCESS', 'default')}",
        "vars": {"region": "${env('REGION', 'cn-hangzhou')}"},
        "resources": resources,
    }
    return {"s.yaml": to_yaml(_HEAD, content)}


_HEAD = """\
Functions of Alibaba Cloud's Function Compute. Written by `python -m bff build`; `s deploy` brings them there.
What stands in ${env(…)} comes from the environment of `s deploy`; what has no default must be set."""


def _function(function: Function, project: Project) -> dict[str, Any]:
    runtime, python = _RUNTIMES[project.python]
    memory = -(-max(function.most("memory", MEMORY), 2 * _STEP) // _STEP) * _STEP
    at_once = min(function.least("concurrency", CONCURRENCY), _MOST_AT_ONCE)
    serve = ["-m", "bff", "serve", "--host", "0.0.0.0", "--port", str(PORT), "--threads", str(at_once)]
    warm = function.most("min_instances", 0)
    props = {
        "region": "${vars.region}",
        "functionName": function.name,
        "runtime": runtime,
        "code": f"./{function.name}{project.suffix}",
        "handler": "wsgi.app",
        # No request comes to an instance that is told to stop.
        "customRuntimeConfig": {"command": [python, *serve, "--drain", "0s"], "port": PORT},
        "memorySize": memory,
        "cpu": _cpu(memory),
        "diskSize": 512,
        "timeout": ceil(function.timeout),
        "instanceConcurrency": at_once,
        "internetAccess": True,
        "environmentVariables": {"BFF_TRUSTED_PROXIES": "1", **_variables(function)},
        **({"provisionConfig": {"defaultTarget": warm, "alwaysAllocateCPU": False}} if warm else {}),
        "triggers": [
            {
                "triggerName": "http",
                "triggerType": "http",
                "triggerConfig": {"authType": "anonymous", "methods": list(_METHODS)},
            }
        ],
    }
    return {"component": "fc3", "props": props}


def _cpu(memory: int) -> float:
    """Half a core for each GiB, in steps of 0.05: between the quarter and the whole that the host takes."""
    return max(round(memory / 2048 / 0.05), 1) * 0.05 if memory < 2048 else memory / 2048


def _variables(function: Function) -> dict[str, str]:
    """The function's own variables, as expressions that `s` fills in from its environment."""
    return {
        name: f"${{env('{name}')}}" if default is None else f"${{env('{name}', '{_quoted(default)}')}}"
        for name, default in function.bundle.variables.items()
    }


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _domain(project: Project) -> dict[str, Any]:
    routes = [
        {"functionName": name, "path": path, "methods": methods, "qualifier": "LATEST"}
        for name, path, methods in _routes(project)
    ]
    return {
        "component": "fc3-domain",
        "props": {
            "region": "${vars.region}",
            "domainName": "${env('DOMAIN', 'auto')}",
            "protocol": "${env('PROTOCOL', 'HTTP')}",
            "routeConfig": {"routes": routes},
        },
    }


def _routes(project: Project) -> Iterator[tuple[str, str, list[str]]]:
    """Function, path and methods of each route, the most exact first.

    The host knows a path, and a beginning of one with `*` at its end. Raises OperatorError where it could not tell
    the pages of two functions apart.
    """
    if len(project.functions) == 1:
        yield project.functions[0].name, "/*", list(_METHODS)
        return
    found: dict[tuple[str, str], str] = {}
    for function in project.functions:
        for plan in function.plans.values():
            path, method = re.sub(r"{.*", "*", plan.recipe.path), plan.recipe.method
            for one in ("GET", "HEAD") if method == "GET" else (method,):
                other = found.setdefault((path, one), function.name)
                if other != function.name:
                    raise OperatorError(
                        f"{other} and {function.name} are both {one} {path} to {TARGET.name}, which knows no "
                        "parameters in paths: put them into one function with --group"
                    )
    routes: dict[tuple[str, str], list[str]] = {}
    for (path, one), name in found.items():
        routes.setdefault((name, path), []).append(one)
    paths = [path for _, path in routes]
    for (name, path), methods in sorted(routes.items(), key=lambda route: (-len(route[0][1]), route[0])):
        # A function knows its own methods only, and would tell browsers of no other.
        yield name, path, [*methods, "OPTIONS"] if paths.count(path) == 1 else methods


TARGET = Target(
    name="aliyun-fc",
    about="Alibaba Cloud Function Compute 3.0, as a web server in a custom runtime",
    starts="wsgi",
    entry=wsgi.entry,
    manifests=manifests,
    need=Need(serves=True),
    deploys=frozenset({"memory", "concurrency", "min_instances"}),
    max_mb=500,
    max_file=32 * MIB,
    max_seconds=86_400,
)
