"""Packages that functions share, in layers whose names say what is in them: the same name, the same bytes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from bff.deploy.bundle import Bundle

FOLDER: Final = "lambda-layers"
"""Where the layers of a build stand."""
INSIDE: Final = "python"
"""The folder of a layer that the host has among those of modules, once all layers of a function are in one place."""

_LENGTH = 12


class Layer(Struct, frozen=True):
    """The packages of one group, by their files' path in the layer; `digest` is made of these."""

    group: str
    digest: str
    packages: tuple[str, ...]
    files: Mapping[str, bytes]

    @property
    def name(self) -> str:
        return f"{self.group}-{self.digest}"


def layers_of(bundle: Bundle) -> tuple[Layer, ...]:
    """A layer for each group of a bundle's packages, by name of the group."""
    groups: dict[str, list[str]] = defaultdict(list)
    for package, group in bundle.groups.items():
        groups[group].append(package)
    return tuple(_layer(group, sorted(groups[group]), bundle) for group in sorted(groups))


def each_once(found: Iterable[Layer]) -> list[Layer]:
    """Layers by name; of equal ones the first."""
    by_name: dict[str, Layer] = {}
    for layer in found:
        by_name.setdefault(layer.name, layer)
    return [by_name[name] for name in sorted(by_name)]


def _layer(group: str, packages: list[str], bundle: Bundle) -> Layer:
    files = {
        f"{INSIDE}/{path}": content
        for package in packages
        for path, content in bundle.packages[package].items()
    }
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(b"%s\0%d\0" % (path.encode(), len(content)))
        digest.update(content)
    return Layer(group, digest.hexdigest()[:_LENGTH], tuple(packages), files)
