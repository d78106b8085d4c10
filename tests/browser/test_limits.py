"""What forms let through is what recipes take: as long, as short, as needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import yaml
from playwright.sync_api import Locator, Page, expect

from tests.servers import ROOT

# Read from the form as the browser has it.
INPUTS = """form => Object.fromEntries([...form.querySelectorAll('input, textarea')].map((input) => [input.name, {
  most: Number(input.dataset.most ?? input.maxLength), least: input.minLength, required: input.required,
  type: input.type, min: input.min ?? '', max: input.max ?? '',
}]))"""


def body_of(recipe: str) -> dict[str, Any]:
    return dict(input_of(recipe)["body"])


def input_of(recipe: str) -> dict[str, Any]:
    text = (ROOT / "orchestrations" / f"{recipe}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["input"])


def differences(form: Locator, schema: dict[str, Any]) -> list[str]:
    """What a form and the schema of a recipe's body say differently."""
    inputs = form.evaluate(INPUTS)
    found = []
    for name, wanted in schema["properties"].items():
        if name in ("helper", "status"):  # chosen, not written
            continue
        given = inputs[name]
        text_must_be = name in schema.get("required", ()) or wanted.get("minLength", 0) > 0
        least = wanted.get("minLength", 1) if text_must_be else 0
        said = {
            "longest": (given["most"], wanted.get("maxLength", -1)),
            "shortest": (max(given["least"], int(given["required"])), least),
            "needed": (given["required"], text_must_be),
        }
        found += [
            f"{name}, {what}: {form} and {recipe}" for what, (form, recipe) in said.items() if form != recipe
        ]
        if "format" in wanted and given["type"] != wanted["format"]:
            found.append(f"{name} is of type {given['type']} and of format {wanted['format']}")
    return found


def test_signing_in_and_up_takes_what_the_recipe_takes(fresh_page: Page) -> None:
    for form, recipe in (("signup", "signup"), ("signin", "login")):
        fresh_page.goto(f"/{form}")
        assert differences(fresh_page.get_by_test_id(f"{form}-form"), body_of(recipe)) == []


def test_todos_take_what_the_recipes_take(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("One")
    page.goto("/")
    form = page.get_by_test_id("composer")
    assert differences(form, body_of("add_todo")) == []
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("e")
    assert differences(page.get_by_test_id("edit-dialog"), body_of("edit_todo")) == []
    page.keyboard.press("Escape")
    page.goto(f"/todos/{todo['id']}")
    assert differences(page.locator(".comment-form"), body_of("comment")) == []


def test_days_are_those_that_the_recipes_take(page: Page) -> None:
    page.goto("/")
    due = page.locator(".composer [name=due]")
    first, last = (due.get_attribute(name) or "" for name in ("min", "max"))
    before = (date.fromisoformat(first) - timedelta(days=1)).isoformat()
    for recipe in ("add_todo", "edit_todo"):
        pattern = body_of(recipe)["properties"]["due"]["pattern"]
        taken = [bool(re.search(pattern, day)) for day in (before, first, "2026-11-28", last, "10000-01-01")]
        assert taken == [False, True, True, True, False]


def test_searches_are_as_long_as_the_recipes_take(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    most = input_of("home")["query"]["q"]["maxLength"]
    expect(page.get_by_role("searchbox")).to_have_attribute("maxlength", str(most))
    page.locator(".composer [name=title]").click()
    most_of_people = input_of("people")["query"]["q"]["maxLength"]
    expect(page.locator(".composer [role=combobox]")).to_have_attribute("maxlength", str(most_of_people))
    with page.expect_response("**/api/home?**") as answer:
        page.goto(f"/?q={'x' * (most + 1)}")
    assert answer.value.ok


def test_the_longest_title_is_taken(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    for there, letter in enumerate("x长🙂", 1):
        title.click()
        page.keyboard.insert_text(letter * 300)
        assert len(title.input_value()) <= 200
        title.press("Enter")
        expect(page.get_by_test_id("todo"), letter).to_have_count(there)
        expect(title).to_have_value("")
