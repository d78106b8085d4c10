"""The app has words, in both languages, for whatever the recipes can say against a visitor's request."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bff.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
TEXTS = set(
    re.findall(
        r'^  "?([^\s"]+)"?: \[', (ROOT / "public" / "texts.js").read_text(encoding="utf-8"), re.MULTILINE
    )
)
RECIPES: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "orchestrations").glob("*.yaml"))
}


def keywords(schema: Any) -> Iterator[str]:
    """The keywords that a value may break, in all depths."""
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        if name == "properties":
            for part in value.values():
                yield from keywords(part)
        elif name == "items":
            yield from keywords(value)
        elif name == "format":
            yield f"format.{value}"
        elif name not in ("default", "examples"):
            yield name


def test_every_rule_of_a_body_has_words() -> None:
    used = {word for recipe in RECIPES.values() for word in keywords(recipe.get("input", {}).get("body", {}))}
    assert {"required", "maxLength", "pattern", "format.date"} <= used
    assert {word for word in used if f"invalid.{word}" not in TEXTS} == set()


def test_every_rule_that_a_guard_names_has_words() -> None:
    named = set(re.findall(r'"rule": "f\\"(\w+)\\""', json.dumps(RECIPES)))
    assert named == {"taken", "refused"}
    assert {rule for rule in named if f"invalid.{rule}" not in TEXTS} == set()


def test_every_guard_has_words_of_its_own() -> None:
    said = defaultdict(set)
    for recipe in RECIPES.values():
        for name, step in recipe.get("steps", {}).items():
            if "require" in step:
                said[name].add(step["fail"]["detail"])
    assert len(said) > 4
    assert {name for name in said if f"rule.{name}" not in TEXTS} == set()
    # A page knows a guard by its name alone.
    assert {name: details for name, details in said.items() if len(details) > 1} == {}


def test_every_kind_of_problem_has_words() -> None:
    assert {kind for kind in PROBLEMS if f"problem.{kind}" not in TEXTS} == set()
