"""Where built pages go: one module for each kind of host, and its line in `TARGETS`.

A target gives the files of its functions and manifests by path; only the command writes.
"""

from __future__ import annotations

from collections.abc import Mapping

from bff.deploy import aliyun, aws_lambda, azure, container, google, knative, wsgi
from bff.deploy.bundle import Bundle, Bundler, Need
from bff.deploy.target import Function, Project, Target

__all__ = ["TARGETS", "Bundle", "Bundler", "Function", "Need", "Project", "Target"]

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        wsgi.TARGET,
        aws_lambda.TARGET,
        container.TARGET,
        knative.TARGET,
        google.TARGET,
        aliyun.TARGET,
        azure.TARGET,
    )
}  # fmt: skip
