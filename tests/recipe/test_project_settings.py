"""The settings of a project: read from its pyproject.toml, each mistake at its place, and no value shown."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bff import create_app
from bff.cli import main
from bff.errors import AuthorError, OperatorError
from bff.recipe.loader import project_settings
from bff.settings import SETTINGS, Settings
from tests.project import write_built, write_project
from tests.properties import given, st
from tests.test_settings import ORIGINS, SIZE

KNOWN = ", ".join(sorted(name for name, declared in SETTINGS.items() if not declared.secret))
OUT = "take it out of the file"
ONLY = "stands in the environment only"
OTHERS = "secrets stand in the environment only"
ASCII = "csp: expected one line of printable ASCII"
PAGE = {"page": "route: GET /page\nauth: none\nshape: 1\n"}


def read(root: Path, text: str) -> tuple[dict[str, str], str]:
    """The texts that a file gives, and what is said of it."""
    (root / "pyproject.toml").write_text(textwrap.dedent(text), encoding="utf-8", newline="")
    texts, findings = project_settings(root)
    return texts, "\n".join(map(str, findings))


def test_a_project_without_the_table_has_no_settings(tmp_path: Path) -> None:
    assert project_settings(tmp_path) == ({}, [])
    assert read(tmp_path, "[project]\nname = 'bff'\n") == ({}, "")
    assert read(tmp_path, "tool = 1 # bff\n") == ({}, "")


def test_a_file_without_the_table_is_for_others_to_judge(tmp_path: Path) -> None:
    assert read(tmp_path, "[project\n") == ({}, "")


def test_settings_are_written_as_variables_are_or_as_toml_has_them(tmp_path: Path) -> None:
    texts, said = read(
        tmp_path,
        """
        [tool.bff]
        max_answer = "2 MiB"
        max_reply = 4096
        max_each = "7"
        body_timeout = "3s"
        server_timing = true
        background = false
        metrics = 1
        trusted_proxies = 2
        origins = ["https://a.example", "https://b.example"]
        hosts = "a.example, *.b.example"
        csp = ""
        """,
    )
    assert said == ""
    settings = Settings.from_environ({}, texts)
    assert (settings.max_answer, settings.max_reply, settings.max_each) == (2 * 1024 * 1024, 4096, 7)
    assert (settings.body_timeout, settings.trusted_proxies, settings.csp) == (3.0, 2, "")
    assert (settings.server_timing, settings.background, settings.metrics) == (True, False, True)
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.hosts == ("a.example", "*.b.example")


def test_the_environment_wins(tmp_path: Path) -> None:
    texts, _ = read(tmp_path, "[tool.bff]\nmax_each = 7\nmax_reply = 4096\n")
    settings = Settings.from_environ({"BFF_MAX_EACH": "9"}, texts)
    assert (settings.max_each, settings.max_reply) == (9, 4096)


def test_settings_of_both_belong_together() -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({}, {"max_pages": "8"})
    said = "BFF_MAX_PAGES needs BFF_THREADS: the threads that the server has for one process"
    assert str(raised.value) == said
    assert Settings.from_environ({"BFF_THREADS": "32"}, {"max_pages": "8"}).max_pages == 8


@pytest.mark.parametrize(
    ("line", "message", "cure"),
    [
        ("max_answr = 1", "unknown setting max_answr", "did you mean max_answer?"),
        ("max-answer = 1", "unknown setting max-answer", "did you mean max_answer?"),
        ("BFF_MAX_ANSWER = 1", "unknown setting BFF_MAX_ANSWER", "did you mean max_answer?"),
        ("people_url = 'http://a'", "unknown setting people_url", f"the settings are {KNOWN}"),
        ("max_answer = 'much'", f"max_answer: expected {SIZE}", ""),
        ("max_answer = 0", f"max_answer: expected {SIZE}", ""),
        ("max_answer = -1", f"max_answer: expected {SIZE}", ""),
        ("max_answer = 1.5", f"max_answer: expected {SIZE}", ""),
        ("max_answer = true", f"max_answer: expected {SIZE}", ""),
        ("max_answer = ['1']", f"max_answer: expected {SIZE}", ""),
        ("max_answer = 2026-01-01", f"max_answer: expected {SIZE}", ""),
        ("max_answer = {a = 1}", f"max_answer: expected {SIZE}", ""),
        ("max_answer.most = 1", f"max_answer: expected {SIZE}", ""),
        (f"max_answer = {'9' * 4000}", f"max_answer: expected {SIZE}", ""),
        (f"max_answer = 0x{'f' * 9000}", f"max_answer: expected {SIZE}", ""),
        ("server_timing = 'yes'", "server_timing: expected 1 or 0", ""),
        ("server_timing = 2", "server_timing: expected 1 or 0", ""),
        ("body_timeout = 3", "body_timeout: expected a duration such as 300ms, 2s, 5m or 8h", ""),
        ("csp = 5", ASCII, ""),
        ("csp = true", ASCII, ""),
        ('csp = "a\\nX-Other: b"', ASCII, ""),
        ("origins = ['https://a.example,https://b.example']", f"origins: expected {ORIGINS}", ""),
        ("origins = [['https://a.example']]", f"origins: expected {ORIGINS}", ""),
        ("origins = 'https://a.example/path'", f"origins: expected {ORIGINS}", ""),
        ("session_keys = 'x'", "session_keys is a secret", f"{OUT}: BFF_SESSION_KEYS {ONLY}"),
        ("session-keys = ['x']", "session_keys is a secret", f"{OUT}: BFF_SESSION_KEYS {ONLY}"),
        ("BFF_STATE_URL = 1", "state_url is a secret", f"{OUT}: BFF_STATE_URL {ONLY}"),
        ("cache_url = ''", "cache_url is a secret", f"{OUT}: BFF_CACHE_URL {ONLY}"),
        ("jwt_jwks = '{}'", "jwt_jwks is a secret", f"{OUT}: BFF_JWT_JWKS {ONLY}"),
        ("redis_password = 'x'", "this looks like a secret", f"{OUT}: {OTHERS}"),
        ("api-token = 'x'", "this looks like a secret", f"{OUT}: {OTHERS}"),
        ("SECRET = 'x'", "this looks like a secret", f"{OUT}: {OTHERS}"),
        (
            "origins = ['https://a.example', 'https://me:hidden@b.example']",
            "origins holds a user name or a password",
            f"{OUT}: it stays in its history",
        ),
        (
            'csp = "img-src https://:hidden@b.example/x"',
            "csp holds a user name or a password",
            f"{OUT}: it stays in its history",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place_without_its_value(
    tmp_path: Path, line: str, message: str, cure: str
) -> None:
    texts, said = read(tmp_path, f"# first\n[tool.bff]\nmax_each = 7\n{line}\n")
    key = line.partition(" =")[0]
    underlined = f"{'^' * len(key)} {cure}" if cure else "^" * len(key)
    assert said == f"pyproject.toml:4:1: {message}\n{key} = …\n{underlined}"
    assert texts == {"max_each": "7"}


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("tool.bff.max_each = 'x'\n", "1:1", "tool.bff.max_each = …"),
        ("[tool]\n  bff.max_each = 'x'\n", "2:3", "  bff.max_each = …"),
        ("[tool]\nbff = {max_each = 'x'}\n", "2:1", "bff = …"),
        ("[tool.'bff']\n\"max_each\" = 'x'\n", "2:1", '"max_each" = …'),
        ("[ tool . bff ]\n\t max_each='x'\n", "2:3", "\t max_each= …"),
        ("[tool.bff.max_each]\nx = 1\n", "1:2", "[tool.bff.max_each]"),
        ('[tool.bff]\n"max_\\u0065ach" = "x"\n', "1:2", "[tool.bff]"),
        (
            '[tool.bff]\ncsp = """\\\n  max_each = 1\\\n"""\nmax_each = "x" # max_each = 3\n',
            "5:1",
            "max_each = …",
        ),
        (
            "[project]\nx = '''\n[tool.bff]\nmax_each = 1\n'''\n[tool.bff]\n'a' = 1\n",
            "7:1",
            "'a' = …",
        ),
        ("[[other]]\nmax_each = 1\n[tool.bff]\nmax_each = 'x'\n", "4:1", "max_each = …"),
        ("[tool.bff]\r\nmax_each = 'x'\r\n", "2:1", "max_each = …"),
    ],
)
def test_a_key_is_found_however_it_is_written(tmp_path: Path, text: str, place: str, shown: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8", newline="")
    _, [finding] = project_settings(tmp_path)
    assert (str(finding.place), finding.source) == (f"pyproject.toml:{place}", shown)


NO_TABLE = "tool.bff is no table"
WRITE = "write [tool.bff], and a line for each setting"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.bff]\nsecret = hidden\n", "2:10: is no TOML: Invalid value"),
        ("[tool.bff]\nmax_each = 1\nmax_each = 2\n", "3:13: is no TOML: Cannot overwrite a value"),
        (f"[tool.bff]\nmax_each = {'9' * 5000}\n", "1:1: is no TOML that can be read"),
        (f"[tool.bff]\nmax_each = {'[' * 100_000}\n", "1:1: is no TOML that can be read"),
        ("tool.bff = 'hidden'\n", f"1:1: {NO_TABLE}\ntool.bff = …\n^^^^^^^^ {WRITE}"),
        (
            f"[tool.bff]\ncsp = '{'x' * 2_000_000}'\n",
            "1:1: has 2,000,020 bytes; with settings it may have 1,048,576",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_finding_that_shows_nothing_of_it(
    tmp_path: Path, text: str, said: str
) -> None:
    assert read(tmp_path, text) == ({}, f"pyproject.toml:{said}")


def test_a_file_that_is_no_text_says_where(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.bff]\ncsp = '\xff'\n")
    _, findings = project_settings(tmp_path)
    assert list(map(str, findings)) == ["pyproject.toml:2:1: is not UTF-8 text"]


@given(st.text(max_size=200))
def test_whatever_stands_in_the_table_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "pyproject.toml").write_text(f"[tool.bff]\n{text}", encoding="utf-8", newline="")
    texts, findings = project_settings(root)
    Settings.from_environ({"BFF_THREADS": "999999999999"}, texts)
    assert all(finding.place.file == "pyproject.toml" for finding in findings)


# --- where they hold -------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "project", PAGE)
    (root / "pyproject.toml").write_text('[tool.bff]\ncsp = "default-src https:"\nmax_each = 7\n')
    return root


def csp_of(root: Path, environ: dict[str, str]) -> str:
    answer = create_app(root, environ=environ).test_client().get("/page")
    return answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("built", [False, True], ids=["of recipes", "built"])
def test_an_app_has_the_settings_of_its_project(root: Path, tmp_path: Path, built: bool) -> None:
    folder = write_built(root, tmp_path / "built") if built else root
    assert csp_of(folder, {}) == "default-src https:"
    assert csp_of(folder, {"BFF_CSP": "default-src 'none'"}) == "default-src 'none'"


def test_a_built_folder_reads_no_toml(root: Path, tmp_path: Path) -> None:
    built = write_built(root, tmp_path / "built")
    (built / "pyproject.toml").write_text("[tool.bff]\ncsp = 'default-src http:'\n")
    assert csp_of(built, {}) == "default-src https:"


def test_check_says_what_is_wrong_with_settings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text("[tool.bff]\nmax_answr = 1\n")
    assert main(["--root", str(root), "check"]) == 1
    line = "pyproject.toml:2:1: unknown setting max_answr\nmax_answr = …"
    assert capsys.readouterr() == (f"{line}\n^^^^^^^^^ did you mean max_answer?\n", "1 problem in 1 file\n")


def test_an_app_does_not_start_on_a_wrong_setting(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.bff]\nmax_each = 'hidden'\n")
    with pytest.raises(AuthorError) as raised:
        create_app(root, environ={})
    said = "pyproject.toml:2:1: max_each: expected a whole number above 0\nmax_each = …\n^^^^^^^^"
    assert str(raised.value) == said


def test_check_asks_for_no_threads_which_are_the_servers(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.bff]\nmax_pages = 8\nmax_each = 7\n")
    assert main(["--root", str(root), "check"]) == 0
