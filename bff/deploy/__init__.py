"""Where built pages go: one module for each kind of host, and its line in `TARGETS`.

A target gives the files of its functions and manifests by path; only the command writes.
What every host needs is made in one place (`bundle.py`). `tests/deploy/test_contract.py` is what every target keeps to,
whatever its host: same bytes, own variables only, nothing of the authors, no secret, readable manifests.

Wheels, not an installation. pip finds and verifies the wheels of the pins for the host's platform, and what they
would install is read from them as it is: an installation would write scripts, times and the path of its Python. Which
of the pins a bundle needs is read from the imports of its modules and from the wheels' own metadata. What the engine
imports late, for something that only some recipes and settings ask for, is named in one place (`packages.py`), since
the source does not tell when it is used.

Generated code as source for a Python that is not here. Bytecode belongs to one version. Where `build` cannot run the
host's Python, `pages.compiled` holds the generated functions as source, and their first use compiles them.
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
