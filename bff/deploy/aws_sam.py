"""A template of AWS SAM: an HTTP API whose routes are the pages, and the files of the app behind CloudFront."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from bff.deploy import aws_site
from bff.deploy.bundle import STATE
from bff.deploy.layers import FOLDER, Layer
from bff.deploy.manifest import slug, to_yaml
from bff.deploy.target import Function, Project
from bff.errors import OperatorError

API_SECONDS = 30
"""The longest that an HTTP API waits for a function."""

EVERYTHING = "ANY", "$default"
"""The route of every method and path that no other is for. One more of `/{proxy+}` would be the same to API Gateway,
and serverless-offline takes only one of them."""

MEMORY = 512
"""MiB of a function whose pages name none. The share of a processor grows with it, up to a whole one at 1769 MiB: this
is enough for pages, which mostly wait for backends, and twice it halves the start."""

HEAD = "Written by `python -m bff build`, which writes it anew each time."
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")
_ALIAS = "live"
_LONGEST_DESCRIPTION = 256
_REDIS = {
    "BFF_STATE_URL": "Redis that answers repeated writes again and counts rates; empty for none",
    "BFF_CACHE_URL": "Redis in which instances keep replies together; empty for none",
}


def template(project: Project, handler: str) -> bytes:
    """The template.yaml of a build."""
    names = names_of(project)
    resources: dict[str, Any] = {"Api": {"Type": "AWS::Serverless::HttpApi"}}
    resources |= {layer_name(layer): _layer(layer, project) for layer in project.layers}
    resources |= {
        names[function.name]: _function(function, names[function.name], project)
        for function in project.functions
    }
    outputs = {"ApiUrl": {"Value": {"Fn::Sub": f"https://{aws_site.API_HOST}"}}}
    if project.public:
        resources |= aws_site.resources(project)
        outputs |= aws_site.OUTPUTS
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": f"The pages of {project.name}",
        "Parameters": dict(_parameters(project)),
        "Conditions": {
            f"Has{camel(name)}": {"Fn::Not": [{"Fn::Equals": [{"Ref": camel(name)}, ""]}]}
            for name in _optional(project)
        },
        "Globals": {
            "Function": {
                "Runtime": f"python{project.python}",
                "Architectures": [project.arch],
                "Handler": handler,
            }
        },
        "Resources": resources,
        "Outputs": outputs,
    }
    return to_yaml(HEAD, {key: value for key, value in document.items() if value})


def camel(name: str) -> str:
    """A name of which only letters and digits are left, as AWS takes them: `add_todo` is `AddTodo`."""
    return "".join(part[:1].upper() + part[1:].lower() for part in re.split(r"[^A-Za-z0-9]+", name))


def names_of(project: Project) -> dict[str, str]:
    """What each function is called; raises OperatorError where two would have one name."""
    names: dict[str, str] = {}
    for function in project.functions:
        found = f"{camel(function.name)}Function"
        for other, taken in names.items():
            if taken == found:
                raise OperatorError(
                    f"{other} and {function.name} would both be {found} on AWS: rename one of them"
                )
        names[function.name] = found
    return names


def routes_of(function: Function, project: Project) -> Iterator[tuple[str, str]]:
    """The methods and paths that go to a function: its pages', HEAD of what is read, and OPTIONS of whole paths.

    Where a path's pages are spread over functions, none of them could say which methods there are. To a function that
    has the files too goes every path.
    """
    if function.has_files:
        yield EVERYTHING
        return
    for plan in function.plans.values():
        yield plan.recipe.method, plan.recipe.path
        if plan.recipe.method == "GET":
            yield "HEAD", plan.recipe.path
    shared = {path for other in project.functions if other is not function for path in _paths(other)}
    yield from (("OPTIONS", path) for path in _paths(function) if path not in shared)


def whole_seconds(function: Function) -> int:
    """The time-out of a function."""
    return math.ceil(function.timeout)


def optional(function: Function) -> tuple[str, ...]:
    """The settings that a function may be given beside its variables: the Redis that its build was told of."""
    bundle = function.bundle
    return tuple(
        name
        for name in _REDIS
        if name in bundle.settings and name not in bundle.variables and "redis" in bundle.packages
    )


def is_published(function: Function) -> bool:
    """Whether routes ask a published version of a function, with the code, the layers and the variables of its own.

    What is not published is changed in several steps, and new code would meet old layers in between. Instances are
    kept for one version, too.
    """
    return bool(function.layers) or bool(function.most("min_instances", 0))


def layer_name(layer: Layer) -> str:
    """What a layer is called in templates."""
    return f"{layer.group.capitalize()}Layer{layer.digest}"


def layer_title(layer: Layer, project: Project) -> str:
    """What a layer is called on AWS: with the project's name, and with what its content makes."""
    return f"{slug(project.name)}-{layer.name}"


def _secrets(function: Function) -> Iterator[str]:
    """The variables whose texts are secrets of senders, whatever they are called."""
    for plan in function.plans.values():
        yield from () if plan.recipe.signed is None else plan.recipe.signed.secrets


def _paths(function: Function) -> list[str]:
    return list(dict.fromkeys(plan.recipe.path for plan in function.plans.values()))


def _optional(project: Project) -> list[str]:
    return list(dict.fromkeys(name for function in project.functions for name in optional(function)))


def _parameters(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    variables = {
        name: value
        for function in project.functions
        for name, value in sorted(function.bundle.variables.items())
    }
    hidden = {STATE, *(secret for function in project.functions for secret in _secrets(function))}
    for name, default in variables.items():
        found: dict[str, Any] = {"Type": "String", "Description": name}
        if default is not None:
            found["Default"] = default
        if name in hidden or _SECRET.search(name):
            found["NoEcho"] = True
        yield camel(name), found
    if any(map(is_published, project.functions)):
        yield (
            "Release",
            {
                "Type": "String",
                "Description": "A text that is new each time: without, changed parameters reach nobody",
                "MinLength": 1,
                "MaxLength": 128,
            },
        )
    for name in _optional(project):
        if name in variables:
            continue
        # Its password is in it.
        found = {"Type": "String", "Description": f"{name}: {_REDIS[name]}", "Default": "", "NoEcho": True}
        yield camel(name), found


def _function(function: Function, name: str, project: Project) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "CodeUri": f"{function.name}{project.suffix or '/'}",
        "MemorySize": function.most("memory", MEMORY),
        "Timeout": whole_seconds(function),
    }
    if function.layers:
        properties["Layers"] = [{"Ref": layer_name(layer)} for layer in function.layers]
    if is_published(function):
        properties["AutoPublishAlias"] = _ALIAS
        properties["AutoPublishAliasAllProperties"] = True
        # A version is made anew where a text of the template has changed, and not where a parameter's value has.
        properties["VersionDescription"] = properties["Description"] = {"Ref": "Release"}
    if instances := function.most("min_instances", 0):
        properties["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": instances}
    properties["Environment"] = {"Variables": _environment(function, project)}
    properties["Events"] = {
        f"{name.removesuffix('Function')}{method.capitalize()}{number or ''}": {
            "Type": "HttpApi",
            "Properties": {"ApiId": {"Ref": "Api"}, "Method": method, "Path": path},
        }
        for number, (method, path) in enumerate(routes_of(function, project))
    }
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def _layer(layer: Layer, project: Project) -> dict[str, Any]:
    return {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {
            "LayerName": layer_title(layer, project),
            "Description": ", ".join(layer.packages)[:_LONGEST_DESCRIPTION],
            "ContentUri": f"{FOLDER}/{layer.name}{project.suffix or '/'}",
            "CompatibleRuntimes": [f"python{project.python}"],
            "CompatibleArchitectures": [project.arch],
            # What was published with it goes on using it.
            "RetentionPolicy": "Delete",
        },
    }


def _environment(function: Function, project: Project) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"Ref": camel(name)} for name in sorted(function.bundle.variables)}
    for name in optional(function):
        found[name] = {"Fn::If": [f"Has{camel(name)}", {"Ref": camel(name)}, {"Ref": "AWS::NoValue"}]}
    if project.public:
        # CloudFront and API Gateway: what the first has said counts only where it was the first that asked.
        found |= {"BFF_TRUSTED_PROXIES": "2", "ORIGIN_KEY": aws_site.KEY}
    return found
