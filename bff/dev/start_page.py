"""The page at `/` of a project that has no `public/index.html` yet: its pages, a try of each, what comes next."""

from __future__ import annotations

import html
import json
from typing import Any

from bff.dev.pages import DevPages
from bff.recipe.model import Parameter, Recipe
from bff.testing.samples import sample_input

_NEXT = (
    ("public/index.html", "is shown here instead, with all that stands beside it."),
    ("orchestrations/name.yaml", "is a new page; it is there at the next request."),
    ("bff check", "says every mistake of all files."),
    ("bff test --faults", "tries each page while its backends fail."),
    ("bff build --all", "writes what a host runs."),
)


def document(title: str, body: str, script: str) -> str:
    """A whole document in the server's own style."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{html.escape(title)}</title>'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/-/dev/dev.css">'
        f'<script src="/-/dev/{script}" defer></script></head><body>{body}</body></html>'
    )


def start_page(pages: DevPages) -> str:
    """The document; pages that cannot run stand among the others, with why."""
    routed = sorted(
        (one for one in pages.recipes.values() if one.path), key=lambda one: (one.path, one.method)
    )
    shown = "".join(_page(recipe, pages) for recipe in routed)
    lost = "".join(
        f'<li class="page"><h2>{html.escape(down.name)}</h2>{_causes(down.texts)}</li>'
        for down in pages.anywhere
    )
    steps = "".join(f"<dt><code>{what}</code></dt><dd>{why}</dd>" for what, why in _NEXT)
    nothing = "<p>There is none yet: write <code>orchestrations/hello.yaml</code>.</p>"
    count = len(routed)
    body = (
        f"<main><h1>{'One page' if count == 1 else f'{count} pages'}</h1>"
        f'<ul class="pages">{shown}{lost}</ul>{"" if shown or lost else nothing}'
        f"<h2>What next</h2><dl>{steps}</dl></main>"
    )
    return document("bff dev", body, "start.js")


def _page(recipe: Recipe, pages: DevPages) -> str:
    down = pages.down.get(recipe.name)
    name = html.escape(recipe.name)
    head = (
        f'<h2 id="page-{name}"><code><b class="method">{recipe.method}</b> {html.escape(recipe.path)}</code></h2>'
        f'<p class="about">{html.escape(recipe.summary)} <span>{html.escape(recipe.file)}</span>'
        f"<span>auth: {recipe.auth}</span></p>"
    )
    inner = _form(recipe) if down is None else _causes(down.texts)
    return f'<li class="page">{head}{inner}</li>'


def _causes(texts: tuple[str, ...]) -> str:
    return "".join(f'<pre class="mistake" tabindex="0">{html.escape(text)}</pre>' for text in texts)


def _form(recipe: Recipe) -> str:
    """A form that asks for a page, filled with what its input says would fit."""
    given = sample_input(recipe, {})
    fields = "".join(
        _field(recipe, place, parameter, getattr(given, place).get(parameter.name))
        for place in ("path", "query", "headers")
        for parameter in getattr(recipe.input, place)
    )
    if recipe.input.body is not None:
        body = html.escape(json.dumps(given.body, ensure_ascii=False, indent=2))
        fields += f'<label class="wide">body<textarea name="body" rows="4" spellcheck="false">{body}</textarea></label>'
    return (
        f'<form data-method="{recipe.method}" data-path="{html.escape(recipe.path)}" '
        f'aria-labelledby="page-{html.escape(recipe.name)}">{fields}<button>Try</button></form>'
        '<p class="outcome" role="status"></p><pre class="answer" tabindex="0" aria-label="The answer" hidden></pre>'
    )


def _field(recipe: Recipe, place: str, parameter: Parameter, value: Any) -> str:
    name, must = html.escape(parameter.name), place == "path" or parameter.required
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if must else ""  # a default, or nothing, says more than a guess
    where = "" if place != "headers" else " (header)"
    return (
        f'<label>{name}{where}<input name="{place}.{name}" value="{html.escape(text)}" '
        f'placeholder="{html.escape(str(parameter.schema.get("default", "")))}"{" required" if must else ""}></label>'
    )
