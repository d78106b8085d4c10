"""A serverless.yml of the same functions, for the Serverless Framework 3 and for serverless-offline."""

from __future__ import annotations

import re
from typing import Any

from bff.deploy import aws_sam
from bff.deploy.manifest import to_yaml
from bff.deploy.target import Function, Project

_PLUGIN = (
    "# To try it on your own machine: npm install serverless-offline, and\n# plugins: [serverless-offline]\n"
)

_NAMES = {"ANY": "*", "$default": "*"}
"""What the framework calls a method and a path of API Gateway."""


def template(project: Project, handler: str) -> bytes:
    """The serverless.yml of a build, of its pages alone; variables come from the environment of whoever deploys."""
    document: dict[str, Any] = {
        "service": re.sub(r"[^A-Za-z0-9-]+", "-", project.name).strip("-") or "pages",
        "frameworkVersion": "3",
        "provider": {
            "name": "aws",
            "runtime": f"python{project.python}",
            "architecture": project.arch,
        },
        "package": {"individually": True},
        "functions": {function.name: _function(function, project, handler) for function in project.functions},
    }
    return to_yaml(aws_sam.HEAD, document) + _PLUGIN.encode()


def _function(function: Function, project: Project, handler: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "handler": handler if project.suffix else f"{function.name}/{handler}",
        "package": (
            {"artifact": f"{function.name}{project.suffix}"}
            if project.suffix
            else {"patterns": ["!**", f"{function.name}/**"]}
        ),
        "memorySize": function.most("memory", aws_sam.MEMORY),
        "timeout": aws_sam.whole_seconds(function),
        "environment": _environment(function),
        "events": [
            {"httpApi": {"method": _NAMES.get(method, method), "path": _NAMES.get(path, path)}}
            for method, path in aws_sam.routes_of(function, project)
        ],
    }
    instances = function.most("min_instances", 0)
    return {**found, "provisionedConcurrency": instances} if instances else found


def _environment(function: Function) -> dict[str, str]:
    return {
        name: f"${{env:{name}}}" if default is None else f"${{env:{name}, '{default}'}}"
        for name, default in sorted(function.bundle.variables.items())
    }
