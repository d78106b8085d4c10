"""One's own picture: chosen, sent, seen wherever people are shown, replaced and removed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import Account, Look
from tests.servers import Visitor

LARGEST = 2 * 1024 * 1024


def png(colour: tuple[int, int, int], padding: int = 0) -> bytes:
    """A picture of one colour, longer by as much as is asked for."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = b"".join(b"\0" + bytes(colour) * 200 for _ in range(200))
    size = struct.pack(">IIBBBBB", 200, 200, 8, 2, 0, 0, 0)
    more = [(b"teXt", b"x" * padding)] if padding else []
    parts = [(b"IHDR", size), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


RED, BLUE = png((210, 60, 60)), png((60, 90, 210))


def file(content: bytes, kind: str = "image/png", name: str = "me.png") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def send_picture(person: Visitor, content: bytes) -> None:
    """Gives somebody a picture without a browser."""
    fields = {"id": person.id, "person": person.id}
    answer = person.ask("POST", "/api/picture", data=fields, files={"file": ("me.png", content, "image/png")})
    assert answer.ok, answer.text


def open_dialog(page: Page, words: Callable[..., str]) -> Locator:
    # Before the page knows who it is for, the menu has nothing of theirs.
    expect(page.get_by_test_id("account").locator(".avatar[data-person]")).to_be_visible()
    page.get_by_test_id("account").click()
    page.get_by_test_id("settings").get_by_role("button", name=words("picture.change")).click()
    return page.get_by_test_id("picture-dialog")


def choose(dialog: Locator, chosen: FilePayload) -> None:
    dialog.get_by_test_id("picture-file").set_input_files([chosen])


def save(dialog: Locator, words: Callable[..., str]) -> None:
    dialog.get_by_role("button", name=words("picture.save")).click()


def account_picture(page: Page) -> Locator:
    return page.get_by_test_id("account").locator(".avatar img")


def colour_of(picture: Locator) -> list[int]:
    """The colour in the middle of a picture, once it is there."""
    expect(picture).to_have_class("is-there")
    return list(
        picture.evaluate(
            """image => {
                const canvas = new OffscreenCanvas(1, 1);
                const drawing = canvas.getContext("2d");
                drawing.drawImage(image, 0, 0, 1, 1);
                return [...drawing.getImageData(0, 0, 1, 1).data].slice(0, 3);
            }"""
        )
    )


def is_red(colour: list[int]) -> bool:
    return colour[0] > 150 > 120 > colour[2]


def test_a_picture_is_added_shown_replaced_and_removed(
    page: Page, words: Callable[..., str], shot: Callable[[str], None], look: Look
) -> None:
    page.goto("/")
    expect(page.get_by_test_id("account").locator(".avatar")).not_to_be_empty()
    expect(account_picture(page)).to_have_count(0)
    dialog = open_dialog(page, words)
    choose(dialog, file(RED))
    shot("picture-chosen")
    save(dialog, words)
    expect(page.get_by_test_id("toast")).to_contain_text(words("picture.saved"))
    assert is_red(colour_of(account_picture(page)))
    shot("picture-saved")

    # The frame is drawn anew from what was known of the visitor.
    other = {"en": "中文", "zh": "English"}[look.language]
    for language in (other, {"en": "English", "zh": "中文"}[look.language]):
        page.get_by_test_id("account").click()
        page.get_by_role("radio", name=language).click(force=True)
        assert is_red(colour_of(account_picture(page)))
    page.reload()
    assert is_red(colour_of(account_picture(page)))
    dialog = open_dialog(page, words)
    choose(dialog, file(BLUE, "image/png", "../../another.PNG"))
    save(dialog, words)
    expect(dialog).to_have_count(0)
    assert not is_red(colour_of(account_picture(page)))

    dialog = open_dialog(page, words)
    assert not is_red(colour_of(dialog.locator(".avatar img")))
    shot("picture-dialog")
    dialog.get_by_role("button", name=words("picture.remove")).click()
    expect(page.get_by_test_id("toast").last).to_contain_text(words("picture.removed"))
    expect(account_picture(page)).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("account").locator(".avatar")).to_have_text(
        {"en": "AL", "zh": "雨"}[look.language]
    )
    expect(account_picture(page)).to_have_count(0)


def test_what_is_no_picture_or_too_large_is_not_sent(page: Page, words: Callable[..., str]) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/api/picture" in request.url else None)
    page.goto("/")
    dialog = open_dialog(page, words)
    save(dialog, words)
    expect(dialog.locator(".field-error")).to_contain_text(words("picture.none"))
    choose(dialog, file(b"<svg/>", "image/svg+xml", "me.svg"))
    expect(dialog.locator(".field-error")).to_contain_text(words("picture.type"))
    save(dialog, words)
    choose(dialog, file(png((1, 2, 3), LARGEST)))
    expect(dialog.locator(".field-error")).to_contain_text(words("picture.large"))
    save(dialog, words)
    expect(dialog.get_by_test_id("picture-file")).to_be_focused()
    assert sent == []
    choose(dialog, file(png((1, 2, 3), LARGEST - 3000)))
    expect(dialog.locator(".field-error")).to_be_hidden()
    save(dialog, words)
    expect(page.get_by_test_id("toast")).to_contain_text(words("picture.saved"))


def test_what_only_says_that_it_is_a_picture_is_refused_in_words(
    page: Page, words: Callable[..., str]
) -> None:
    page.goto("/")
    dialog = open_dialog(page, words)
    choose(dialog, file(b"<html><script>alert(1)</script>"))
    save(dialog, words)
    expect(dialog.get_by_test_id("problem")).to_contain_text(words("picture.refused"))
    expect(account_picture(page)).to_have_count(0)


def test_a_picture_that_was_added_in_another_window_is_replaced(
    page: Page, visitor: Visitor, words: Callable[..., str]
) -> None:
    page.goto("/")
    dialog = open_dialog(page, words)
    send_picture(visitor, BLUE)
    choose(dialog, file(RED))
    save(dialog, words)
    assert is_red(colour_of(account_picture(page)))


def test_the_keyboard_is_enough_and_the_dialog_can_be_read(
    page: Page, words: Callable[..., str], serious: Callable[[], list[str]]
) -> None:
    page.goto("/")
    dialog = open_dialog(page, words)
    expect(dialog.get_by_test_id("picture-file")).to_be_focused()
    choose(dialog, file(RED))
    assert serious() == []
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name=words("picture.save"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("toast")).to_contain_text(words("picture.saved"))
    page.get_by_test_id("toasts").press("Escape")


def test_others_see_the_picture_where_the_person_stands_and_initials_where_it_does_not_come(
    page: Page,
    account: Account,
    other_account: Visitor,
    make_todo: Callable[..., dict[str, Any]],
    shot: Callable[[str], None],
) -> None:
    send_picture(other_account, RED)
    todo = make_todo("Paint the wall", helper=other_account.id)
    page.goto("/")
    assert is_red(colour_of(page.locator(".fact .avatar img")))
    shot("picture-in-the-list")
    page.goto(f"/todos/{todo['id']}")
    assert is_red(colour_of(page.locator(".person .avatar img")))

    asked: list[str] = []

    def gone(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, content_type="application/problem+json", body="{}")

    page.route("**/picture/**", gone)
    make_todo("Paint the door", helper=other_account.id)
    page.goto("/")
    helpers = page.locator(".fact .avatar")
    expect(helpers).to_have_count(2)
    expect(helpers.locator("img")).to_have_count(0)
    expect(helpers.first).to_contain_text("G")
    assert len(asked) <= 2
