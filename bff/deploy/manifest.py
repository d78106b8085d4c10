"""What manifests of several hosts share: names that hosts take, and YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from bff.deploy.target import Project
from bff.errors import OperatorError


def host_names(project: Project, host: str) -> dict[str, str]:
    """What a host that takes no `_` and no capitals calls each function, by the function's own name.

    Raises OperatorError where two get the same, and where one is still no name.
    """
    found: dict[str, str] = {}
    for function in project.functions:
        name = function.name.lower().replace("_", "-")
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", name):
            raise OperatorError(
                f"{host} takes no function {name}: its names are up to 63 small letters, digits and hyphens, "
                "a letter first and no hyphen last"
            )
        for other in found:
            if found[other] == name:
                raise OperatorError(
                    f"{other} and {function.name} are both {name} on {host}, whose names have no _ and no capitals: "
                    "rename one of the recipes"
                )
        found[function.name] = name
    return found


def slug(name: str) -> str:
    """A name of small letters, digits and hyphens, for what a host calls the whole project."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pages"


def only_x86(project: Project, host: str) -> None:
    """Raises OperatorError for another machine than the host has."""
    if project.arch != "x86_64":
        raise OperatorError(f"--arch {project.arch}: {host} has x86_64 only")


class _Dumper(yaml.SafeDumper):
    """Every list and object is written out where it stands, never as a reference to an equal one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(head: str, content: Mapping[str, Any]) -> bytes:
    """A YAML file that begins with a comment."""
    comment = "".join(f"# {line}\n" if line else "#\n" for line in head.splitlines())
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"{comment}\n{text}".encode()
