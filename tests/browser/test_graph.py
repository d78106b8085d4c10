"""The drawing of a page as a browser shows it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from bff.explaining.nodes import drawing_of
from bff.explaining.subject import subject_of
from bff.explaining.svg import svg
from tests.explaining.project import write_ten


def test_in_a_browser_every_text_fits_into_its_box(browser: Browser, tmp_path: Path) -> None:
    ten = write_ten(tmp_path)
    boxes_of_texts = """
      () => [...document.querySelectorAll('g.steps text')].map(text => {
        const own = text.getBBox()
        const holds = [...document.querySelectorAll('g.steps rect')].map(rect => rect.getBBox()).some(box =>
          box.x < own.x && own.x + own.width < box.x + box.width &&
          box.y < own.y && own.y + own.height < box.y + box.height)
        return [text.textContent, holds]
      })
    """
    for page in ("writes", "all"):
        (tmp_path / "page.svg").write_text(svg(drawing_of(subject_of(ten, page))), "utf-8")
        shown = browser.new_page()
        shown.goto(f"file://{tmp_path / 'page.svg'}")
        found = shown.evaluate(boxes_of_texts)
        shown.close()
        assert len(found) > 10
        assert [text for text, holds in found if not holds] == []
