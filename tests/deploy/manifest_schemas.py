"""Checks manifests against the schemas of Kubernetes, of Knative and of the Gateway API, as published."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
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


def _said(command: Sequence[str], resources: list[Any]) -> Sequence[str]:
    done = subprocess.run(command, input=json.dumps(resources), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
