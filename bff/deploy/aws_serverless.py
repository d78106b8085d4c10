"""A serverless.yml of the same functions, for the Serverless Framework 3 and for serverless-offline."""

from __future__ import annotations

import re
from typing import Any

from bff.deploy import aws_sam
from bff.deploy.layers import FOLDER, Layer
from bff.deploy.manifest import to_yaml
from bff.deploy.target import Function, Project

ALIASES = "aliases.js"
_PLUGIN = (
    "# To try it on your own machine: npm install serverless-offline, and write\n"
    "# plugins: [{}serverless-offline]\n"
)
_ALIASES = b"""\
// Written by `python -m bff build`. Routes ask a published version of each function, by the alias `live`, so that new
// code never meets old layers: the framework does so by itself only for functions with provisioned concurrency.
'use strict';

module.exports = class Aliases {
  constructor(serverless) {
    this.hooks = {
      'after:package:compileFunctions': () => {
        const { service } = serverless;
        const naming = serverless.getProvider('aws').naming;
        const resources = service.provider.compiledCloudFormationTemplate.Resources;
        for (const name of service.getAllFunctions()) {
          const found = service.getFunction(name);
          if (found.targetAlias) continue;
          const functionId = naming.getLambdaLogicalId(name);
          const logicalId = `${functionId}AliasLive`;
          resources[logicalId] = {
            Type: 'AWS::Lambda::Alias',
            Properties: {
              FunctionName: { Ref: functionId },
              FunctionVersion: { 'Fn::GetAtt': [found.versionLogicalId, 'Version'] },
              Name: 'live',
            },
          };
          found.targetAlias = { name: 'live', logicalId };
        }
      },
    };
  }
};
"""


def files(project: Project, handler: str) -> dict[str, bytes]:
    """What `serverless deploy` reads, by path."""
    found = {"serverless.yml": template(project, handler)}
    return {**found, ALIASES: _ALIASES} if project.layers else found


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
        "layers": {aws_sam.layer_name(layer): _layer(layer, project) for layer in project.layers},
        "functions": {function.name: _function(function, project, handler) for function in project.functions},
        "plugins": [f"./{ALIASES}"] if project.layers else [],
    }
    head = to_yaml(aws_sam.HEAD, {key: value for key, value in document.items() if value})
    return head + _PLUGIN.format(f"./{ALIASES}, " if project.layers else "").encode()


def _layer(layer: Layer, project: Project) -> dict[str, Any]:
    place = f"{FOLDER}/{layer.name}{project.suffix}"
    return {
        **({"package": {"artifact": place}} if project.suffix else {"path": place}),
        "name": aws_sam.layer_title(layer, project),
        "compatibleRuntimes": [f"python{project.python}"],
        "compatibleArchitectures": [project.arch],
    }


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
    if function.layers:
        found["layers"] = [{"Ref": f"{aws_sam.layer_name(layer)}LambdaLayer"} for layer in function.layers]
    instances = function.most("min_instances", 0)
    return {**found, "provisionedConcurrency": instances} if instances else found


def _environment(function: Function) -> dict[str, str]:
    return {
        name: f"${{env:{name}}}" if default is None else f"${{env:{name}, '{default}'}}"
        for name, default in sorted(function.bundle.variables.items())
    }
