"""What explain, graph and call say of ten recipes of growing difficulty, whole, and of the app's own pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.explaining.mermaid import mermaid
from bff.explaining.nodes import drawing_of
from bff.explaining.reply_use import used_paths
from bff.explaining.report import report
from bff.explaining.subject import subject_of
from bff.explaining.words import COLUMNS
from bff.jsontext import decode_exactly
from bff.plan.partial_decoding import ExactDecoder, NarrowDecoder
from tests.explaining.called import called
from tests.explaining.project import RECIPES, TEN, page_of

ROOT = Path(__file__).parents[2]
OWN = sorted(
    path.stem
    for path in (ROOT / "orchestrations").glob("*.yaml")
    if "\nroute:" in f"\n{path.read_text('utf-8')}"
)


def test_there_are_ten() -> None:
    assert len(TEN) == 10


@pytest.mark.parametrize("stem", TEN)
def test_explain_says_of_a_recipe_what_it_does(ten: Path, stem: str) -> None:
    assert report(subject_of(ten, page_of(stem))) == (RECIPES / f"{stem}.txt").read_text("utf-8")


@pytest.mark.parametrize("stem", TEN)
def test_graph_draws_a_recipe_as_text(ten: Path, stem: str) -> None:
    assert mermaid(drawing_of(subject_of(ten, page_of(stem)))) == (RECIPES / f"{stem}.mmd").read_text("utf-8")


@pytest.mark.parametrize("stem", TEN)
def test_call_prints_what_a_recipe_answers_and_how_its_steps_went(ten: Path, stem: str) -> None:
    assert called(ten, stem) == (RECIPES / f"{stem}.call").read_text("utf-8")


@pytest.mark.parametrize("stem", TEN)
def test_a_text_is_no_wider_than_a_terminal(stem: str) -> None:
    lines = (RECIPES / f"{stem}.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > COLUMNS or line != line.rstrip()] == []


@pytest.mark.parametrize("page", [*map(page_of, TEN), *OWN])
def test_what_is_used_of_a_reply_is_what_its_decoder_reads(ten: Path, page: str) -> None:
    subject = subject_of(ROOT if page in OWN else ten, page)
    used = used_paths(subject)
    for step in subject.plan.requests:
        if isinstance(step.decode, NarrowDecoder):
            assert used[step.name] == step.decode.paths
        else:
            assert step.decode is decode_exactly or isinstance(step.decode, ExactDecoder)


@pytest.mark.parametrize("page", OWN)
def test_the_app_s_own_pages_are_explained_as_they_run(page: str) -> None:
    subject = subject_of(ROOT, page)
    text = report(subject)
    assert text.startswith(f"{subject.recipe.method} {subject.recipe.path}, orchestrations/{page}.yaml\n")
    assert [line for line in text.splitlines() if len(line) > COLUMNS or line != line.rstrip()] == []
    sections = text.split("\n\n")
    order = next((section for section in sections if section.startswith("What starts when\n")), "")
    assert {line.split()[0] for line in order.splitlines()[1:] if line[2] != " "} <= {
        "at",
        *(step.name for step in subject.plan.steps),
    }
