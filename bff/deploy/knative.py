"""Knative: a container and a Service for each function, and the routes of the Gateway API that lead to them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from bff.deploy import wsgi
from bff.deploy.container import DRAIN, NEED, concurrency_of, image_files
from bff.deploy.kubernetes import (
    REGISTRY,
    Object,
    check_names,
    container_of,
    image_of,
    labels,
    name_of,
    written,
)
from bff.deploy.target import SITE, Function, Project, Target
from bff.recipe.model import Recipe

HOST: Final = "app.example.com"
"""What stands for the name that visitors know, until somebody names theirs."""

NAMESPACE: Final = "default"

# Knative's own proxy goes on taking requests for so long, and answers them, before it lets the app be told to stop.
_QUEUE_DRAIN = 30
_LONGEST_TIMEOUT = 600
_INGRESS, _INGRESS_NAMESPACE = "kourier-internal", "kourier-system"
# What one HTTPRoute, and one rule of it, may hold.
_RULES, _MATCHES = 16, 64
_PARAMETER = re.compile(r"\{[^}]*\}")


def manifests(project: Project) -> dict[str, bytes]:
    """The image's files of each function, their Services, and with all pages or the files the routes to them."""
    check_names(project.functions)
    app = name_of(project.name)
    is_routed = project.whole or project.has_front
    files: dict[str, bytes] = {}
    images: dict[str, str] = {}
    for function in project.functions:
        image = image_files(function, project.python, project.arch)
        files |= {f"{function.name}/{path}": content for path, content in image.items()}
        images[function.name] = image_of(app, function, image)
    files["images.txt"] = "".join(f"{folder} {image}\n" for folder, image in images.items()).encode()
    files["knative.yaml"] = written(
        f"One Service for each function. Replace {REGISTRY}; what has no default comes from the Secret {app}.",
        [_service(app, function, images[function.name], inside=is_routed) for function in project.functions],
    )
    if is_routed:
        files["routes.yaml"] = written(
            f"What leads to the Services of knative.yaml, by way of Knative's own ingress, in the cluster.\n"
            f"Replace {HOST}, and {NAMESPACE} where that is not the namespace.",
            [*_routes(app, project.functions), _grant(app)],
        )
    return files


def _service(app: str, function: Function, image: str, *, inside: bool) -> Object:
    """`inside` ones answer in the cluster alone: behind routes a second address would only be a way around them."""
    name = name_of(function.name)
    visibility = {"networking.knative.dev/visibility": "cluster-local"} if inside else {}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {**labels(app, name), **visibility}},
        "spec": {
            "template": {
                "metadata": {
                    "labels": labels(app, name),
                    "annotations": {
                        "autoscaling.knative.dev/min-scale": str(function.most("min_instances", 0))
                    },
                },
                "spec": {
                    "containerConcurrency": concurrency_of(function),
                    "timeoutSeconds": _timeout(function),
                    "enableServiceLinks": False,
                    "containers": [container_of(app, function, image)],
                },
            }
        },
    }


def _timeout(function: Function) -> int:
    """Seconds: a page's own, and those that Knative counts in.

    It waits no longer for a first instance to start, and gives a pod that stops no longer to end.
    """
    return min(math.ceil(function.timeout) + _QUEUE_DRAIN + DRAIN, _LONGEST_TIMEOUT)


def _routes(app: str, functions: Sequence[Function]) -> Iterator[Object]:
    """All rules, in as many HTTPRoutes as they need; which rule holds depends on paths alone, wherever it stands."""
    rules = list(_rules(functions))
    for at in range(0, len(rules), _RULES):
        name = app if not at else f"{app}-{at // _RULES + 1}"
        yield {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels(app, app)},
            "spec": {
                "parentRefs": [{"name": app}],
                "hostnames": [HOST],
                "rules": rules[at : at + _RULES],
            },
        }


def _rules(functions: Sequence[Function]) -> Iterator[Object]:
    """A rule for each function, most specific first, and for everything else that of the site or of the files."""
    pages = [function for function in functions if not _is_front(function)]
    recipes = [plan.recipe for function in pages for plan in function.plans.values()]
    found = []
    for function in pages:
        matches = [match for plan in function.plans.values() for match in _matches(plan.recipe, recipes)]
        for at in range(0, len(matches), _MATCHES):
            found.append(_rule(function, matches[at : at + _MATCHES]))
    yield from sorted(found, key=_specific)
    for function in filter(_is_front, functions):
        yield _rule(function, [{"path": {"type": "PathPrefix", "value": "/"}}])


def _is_front(function: Function) -> bool:
    """Whether a function answers what no other is for."""
    return function.name == SITE or function.has_files


def _specific(rule: Object) -> tuple[bool, int]:
    """Rules by this are in the order in which gateways look at them: the whole path first, then the longest."""
    paths = [match["path"] for match in rule["matches"]]
    return all(path["type"] != "Exact" for path in paths), -max(len(path["value"]) for path in paths)


def _matches(recipe: Recipe, others: Sequence[Recipe]) -> Iterator[Object]:
    """What a page's requests look like.

    Of the kinds of match only Exact and PathPrefix have an order that all gateways keep: a regular expression is there
    only where the part before the first parameter is another page's too.
    """
    path = _path_match(recipe, others)
    methods = ["GET", "HEAD"] if recipe.method == "GET" else [recipe.method]
    yield from ({"method": method, "path": path} for method in methods)


def _path_match(recipe: Recipe, others: Sequence[Recipe]) -> Object:
    if not _PARAMETER.search(recipe.path):
        return {"type": "Exact", "value": recipe.path}
    head = _head(recipe)
    near = (
        other
        for other in others
        if other is not recipe and other.method == recipe.method and _PARAMETER.search(other.path)
    )
    if any(_is_under(_head(other), head) or _is_under(head, _head(other)) for other in near):
        pattern = "".join(
            "[^/]+" if _PARAMETER.fullmatch(part) else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", recipe.path)
        )
        return {"type": "RegularExpression", "value": pattern}
    return {"type": "PathPrefix", "value": head}


def _head(recipe: Recipe) -> str:
    """The whole segments of its path before the first parameter."""
    return recipe.path.partition("{")[0].rpartition("/")[0] or "/"


def _is_under(path: str, head: str) -> bool:
    return f"{path}/".startswith(f"{head.rstrip('/')}/")


def _rule(function: Function, matches: list[Object]) -> Object:
    """To Knative's ingress, which knows a Service by the host.

    A route to the Kubernetes Service of the same name would be simpler, but that is an ExternalName, which gateways
    refuse.
    """
    host = f"{name_of(function.name)}.{NAMESPACE}.svc.cluster.local"
    told = [{"name": "X-Forwarded-Host", "value": HOST}]
    return {
        "matches": matches,
        "filters": [
            {"type": "URLRewrite", "urlRewrite": {"hostname": host}},
            {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": told}},
        ],
        "timeouts": {"request": f"{_timeout(function)}s"},
        "backendRefs": [{"name": _INGRESS, "namespace": _INGRESS_NAMESPACE, "port": 80}],
    }


def _grant(app: str) -> Object:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": app, "namespace": _INGRESS_NAMESPACE},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": NAMESPACE}],
            "to": [{"group": "", "kind": "Service", "name": _INGRESS}],
        },
    }


TARGET = Target(
    name="knative",
    about="Knative: a container and a Service for each function",
    starts="wsgi",
    entry=wsgi.entry,
    manifests=manifests,
    need=NEED,
    deploys=frozenset({"memory", "concurrency", "min_instances"}),
    site=True,
    max_seconds=_LONGEST_TIMEOUT,
)
