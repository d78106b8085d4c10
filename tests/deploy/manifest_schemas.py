"""Checks manifests against the schemas of Kubernetes, of Knative and of the Gateway API, as published."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from tests.conftest import ROOT, missing, needs

_PYTHON = ROOT / ".local/hosts-venv/bin/python"
_MODULES = ROOT / ".local/hosts/node_modules"
_KUBERNETES = """
import json, sys, kubernetes_validate
for resource in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(resource, sys.argv[1], strict=True)
    except kubernetes_validate.ValidationError as error:
        print(f"{resource['kind']} {'.'.join(map(str, error.path))}: {error.message}")
"""
_NODE = """
const { createRequire } = require("module");
const from = createRequire(process.argv[1] + "/");
const packages = ["@kubernetes-models/knative", "@kubernetes-models/gateway-api"];
for (const resource of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
  const place = resource.apiVersion;
  const found = packages.map((name) => {
    try { return from(name + "/" + place)[resource.kind]; } catch { return undefined; }
  }).find(Boolean);
  if (!found) { console.log(`${place} ${resource.kind}: no schema`); continue; }
  try { new found(resource).validate(); } catch (error) { console.log(`${resource.kind}: ${error.message}`); }
}
"""
KUBERNETES = "1.34"


def invalid_resources(manifest: bytes) -> Sequence[str]:
    """What is wrong with Kubernetes' own resources, a line for each; unknown keys are wrong too."""
    if not _PYTHON.exists():
        missing("needs kubernetes-validate: make install-hosts")
    return _said([str(_PYTHON), "-c", _KUBERNETES, KUBERNETES], list(yaml.safe_load_all(manifest)))


def invalid_custom_resources(manifest: bytes) -> Sequence[str]:
    """What is wrong with resources of Knative and of the Gateway API."""
    needs("node")
    if not (_MODULES / "@kubernetes-models/knative").is_dir():
        missing("needs @kubernetes-models/knative: make install-host-tools")
    return _said(["node", "-e", _NODE, str(_MODULES)], list(yaml.safe_load_all(manifest)))


def unknown_keys(manifest: bytes) -> set[str]:
    """The keys of Knative's Services that its schema does not have, which its validator lets pass and it refuses."""
    types = _MODULES / "@kubernetes-models/knative/serving.knative.dev/v1/Service.d.ts"
    if not types.exists():
        missing("needs @kubernetes-models/knative: make install-host-tools")
    known = set(re.findall(r'"(\w+)"\??:', types.read_text("utf-8")))
    return {key for service in yaml.safe_load_all(manifest) for key in _keys(service["spec"])} - known


def _keys(value: Any) -> Iterator[str]:
    """The names of all members within, but for those that are names of somebody's own."""
    if isinstance(value, list):
        for item in value:
            yield from _keys(item)
    elif isinstance(value, dict):
        yield from value
        for key, member in value.items():
            if key not in ("labels", "annotations", "limits", "requests"):
                yield from _keys(member)


def _said(command: Sequence[str], resources: list[Any]) -> Sequence[str]:
    done = subprocess.run(command, input=json.dumps(resources), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
