"""Settings: read once, a wrong one is one clear line."""

from __future__ import annotations

import pytest

from bff.errors import OperatorError
from bff.settings import MIB, Settings, settings_table


def test_without_an_environment_every_setting_has_its_default() -> None:
    assert Settings.from_environ({"PATH": "/bin"}) == Settings()
    assert Settings().max_reply == 8 * MIB


def test_settings_are_read_with_their_units() -> None:
    settings = Settings.from_environ(
        {"BFF_MAX_REPLY": "512 KiB", "BFF_MAX_EACH": "7", "BFF_SERVER_TIMING": "1", "BFF_CSP": ""}
    )
    assert (settings.max_reply, settings.max_each, settings.server_timing, settings.csp) == (
        512 * 1024,
        7,
        True,
        "",
    )


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"BFF_MAX_REPLYS": "1"}, "unknown setting BFF_MAX_REPLYS: did you mean BFF_MAX_REPLY?"),
        ({"BFF_MAX_REPLY": "much"}, "BFF_MAX_REPLY='much': expected a size such as 65536, 512 KiB or 8 MiB"),
        ({"BFF_MAX_REPLY": "0"}, "BFF_MAX_REPLY='0': expected a size such as 65536, 512 KiB or 8 MiB"),
        ({"BFF_MAX_EACH": "-1"}, "BFF_MAX_EACH='-1': expected a whole number above 0"),
        ({"BFF_SERVER_TIMING": "yes"}, "BFF_SERVER_TIMING='yes': expected 1 or 0"),
        ({"BFF_CSP": "a\nb"}, "BFF_CSP='a\\nb': expected one line of printable ASCII"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ(environ)
    assert str(raised.value) == line


def test_a_name_far_from_all_settings_lists_them() -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({"BFF_XYZZY": "1"})
    names = ", ".join(sorted(name for name, _, _ in settings_table()))
    assert str(raised.value) == f"unknown setting BFF_XYZZY: the settings are {names}"
