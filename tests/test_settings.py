"""Settings: read once, a wrong one is one clear line that holds nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from limits.storage import storage_from_string

from bff.errors import OperatorError
from bff.settings import EXTRAS, MIB, PACKAGES, Settings, settings_table
from bff.state import PATIENCE, connect
from tests.project import write_project
from tests.properties import example, given, st

KEY = "A" * 43 + "="
SIZE = "a size such as 65536, 512 KiB or 8 MiB"
KEYS = "keys of 32 bytes in URL-safe base64, newest first, with commas between"
REDIS = (
    "a URL such as redis://127.0.0.1:6379/0, rediss://… or unix:///run/redis.sock, "
    "with / in its password as %2F, @ as %40, ? as %3F and # as %23"
)
OPTIONS = "a redis:// URL with no other options than client_name, db, password, username"
JWKS = "a URL that begins with https:// and holds no user name or password, or the JWKS itself"
ORIGINS = "origins such as https://app.example, in lower case, with commas between"


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
    ("variable", "value", "expected"),
    [
        ("MAX_REPLY", "much", SIZE),
        ("MAX_REPLY", "0", SIZE),
        ("MAX_REPLY", "٣", SIZE),
        ("MAX_EACH", "-1", "a whole number above 0"),
        ("SERVER_TIMING", "yes", "1 or 0"),
        ("SESSION_TTL", "soon", "a duration such as 300ms, 2s, 5m or 8h"),
        ("TRUSTED_PROXIES", "all", "a whole number from 0"),
        ("TRANSPORT", "carrier pigeons", "sockets or threads"),
        ("CSP", "a\nb", "one line of printable ASCII"),
        ("JWT_ISSUER", "a\nb", "one line of printable characters"),
        ("SESSION_KEYS", "short", KEYS),
        ("SESSION_KEYS", ",", KEYS),
        ("SESSION_KEYS", f"{KEY},short", KEYS),
        ("SESSION_KEYS", "待办", KEYS),
        ("SESSION_KEYS", "A" * 43, KEYS),
        ("JWT_JWKS", "http://login.test/jwks", JWKS),
        ("JWT_JWKS", "https://user:password@login.test/jwks", JWKS),
        ("JWT_JWKS", '{"keys": [', JWKS),
        ("ORIGINS", "https://App.example", ORIGINS),
        ("ORIGINS", "https://app.example/path", ORIGINS),
        ("ORIGINS", "https://app.example:99999", ORIGINS),
        ("STATE_URL", "http://:secret@host", REDIS),
        ("STATE_URL", "redis://:sec/ret@host:6379/0", REDIS),
        ("STATE_URL", "redis://:123/ret@host:6379/0", REDIS),
        ("STATE_URL", "redis://user:123/ret@host:6379/0", REDIS),
        ("STATE_URL", "redis://:sec?ret@host:6379/0", REDIS),
        ("STATE_URL", "redis://user:123?ret=x@host:6379/0", OPTIONS),
        ("STATE_URL", "redis://:sec#ret@host:6379/0", REDIS),
        ("STATE_URL", "redis://:secret@host:port/0", REDIS),
        ("STATE_URL", "redis://:secret@host:0/0", REDIS),
        ("STATE_URL", "redis://:secret@host/db", REDIS),
        ("STATE_URL", "redis://:sec ret@host/0", REDIS),
        ("STATE_URL", "redis:///0", REDIS),
        ("STATE_URL", "REDIS://:secret@host/0", REDIS),
        ("STATE_URL", "redis://:secret@a..b/0", REDIS),
        ("CACHE_URL", f"redis://:secret@{'a' * 64}.example/0", REDIS),
        ("CACHE_URL", "redis://:secret@one,two/0", REDIS),
        ("STATE_URL", "unix://", REDIS),
        ("STATE_URL", "unix://host/run/redis.sock", REDIS),
        ("STATE_URL", "redis://host/0?socket_timeout=60", OPTIONS),
        ("STATE_URL", "redis://host/0?decode_responses=1", OPTIONS),
        ("STATE_URL", "redis://host/0?nonsense", OPTIONS),
        ("STATE_URL", "redis://host/0?ssl_ca_certs=/etc/passwd", OPTIONS),
        ("STATE_URL", "redis://host/?db=first", "a URL whose option db is a number"),
        (
            "CACHE_URL",
            "rediss://host/0?ssl_cert_reqs=perhaps",
            "a URL whose option ssl_cert_reqs is none or optional or required",
        ),
        (
            "CACHE_URL",
            "rediss://host/0?ssl_ca_certs=/nowhere/ca.pem",
            "a URL whose option ssl_ca_certs names what is there",
        ),
    ],
)
def test_a_wrong_setting_is_one_clear_line_without_its_value(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({f"BFF_{variable}": value})
    assert str(raised.value) == f"BFF_{variable}: expected {expected}"


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1",
        "redis://user:p%2Fw%40@redis.internal:6379/15",
        "redis://:p@ss@127.0.0.1:6379/0",
        "redis://[::1]:6379?db=3&client_name=bff",
        "rediss://:pass@host/0?ssl_cert_reqs=required&ssl_check_hostname=true",
        "unix:///run/redis.sock?db=1",
        "unix://user:pass@/run/redis.sock",
    ],
)
def test_the_url_of_a_redis_is_taken_as_it_is(url: str) -> None:
    assert Settings.from_environ({"BFF_CACHE_URL": f" {url} "}).cache_url == url


BAD = [
    "S3cret/w@rd\nS3cret",
    "https://S3cret:S3cret@host:S3cret/S3cret?S3cret=S3cret#S3cret",
    "redis://:S3cret/S3cret@host:6379/0",
    "redis://host:6379/0?S3cret=S3cret",
    "S3cret 待办",
    "\udcff S3cret",
    "{S3cret",
    "-1 S3cret",
    "9" * 400,
    "",
]
VARIABLES = [variable for variable, _, _ in settings_table()]


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_message_of_any_setting_holds_what_came(variable: str) -> None:
    refused = 0
    for value in BAD:
        try:
            Settings.from_environ({variable: value})
        except OperatorError as error:
            refused += 1
            assert str(error).startswith((f"{variable}: expected ", f"{variable} ")) and "\n" not in str(
                error
            )
            assert "S3cret" not in str(error) and "999" not in str(error)
            found: BaseException | None = error
            while found is not None:  # what a traceback would show
                assert "S3cret" not in repr(found.args)
                found = None if found.__suppress_context__ else found.__context__
    assert refused >= 1


@pytest.mark.parametrize(
    ("variable", "secret"),
    [
        ("BFF_STATE_URL", "redis://:S3cret@host/0"),
        ("BFF_CACHE_URL", "redis://:S3cret@host/0"),
        ("BFF_JWT_JWKS", "https://host/keys?token=S3cret"),
        ("BFF_SESSION_KEYS", "S3cret" + "A" * 37 + "="),
    ],
)
def test_what_is_shown_at_start_is_no_secret(variable: str, secret: str) -> None:
    beside = {"BFF_SESSION_KEYS": KEY, "BFF_JWT_ISSUER": "i", "BFF_JWT_AUDIENCE": "a"}
    shown = Settings.from_environ({**beside, variable: secret}).describe()
    assert f"{variable.removeprefix('BFF_').lower()}=(set)" in shown
    assert "S3cret" not in shown and KEY not in shown


def test_settings_show_nothing_where_they_stand_in_a_trace() -> None:
    environ = {"BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": "redis://:S3cret@host/0"}
    shown = repr(Settings.from_environ(environ))
    assert "S3cret" not in shown
    assert KEY not in shown


def test_all_mistakes_are_told_at_once_and_the_app_ends_without_a_traceback(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: 1\n"})
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
    root = Path(__file__).resolve().parents[1]
    environ |= {"PYTHONPATH": str(root), **dict.fromkeys(VARIABLES, BAD[0])}
    wsgi = (root / "wsgi.py").read_text("utf-8")
    (tmp_path / "wsgi.py").write_text(wsgi, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    first, *others = done.stderr.splitlines()
    assert done.returncode == 1 and "S3cret" not in done.stderr + done.stdout
    assert first.startswith("The app cannot start: BFF_")
    assert len([first, *others]) == len(VARIABLES) and all(line.startswith("BFF_") for line in others)


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"BFF_MAX_REPLYS": "1"}, "unknown setting BFF_MAX_REPLYS: did you mean BFF_MAX_REPLY?"),
        ({"BFF_max_reply": "1"}, "unknown setting BFF_max_reply: did you mean BFF_MAX_REPLY?"),
        (
            {"BFF_STATE_URL": "redis://host"},
            "BFF_STATE_URL needs BFF_SESSION_KEYS: what is kept there is encrypted with them",
        ),
        (
            {"BFF_JWT_JWKS": json.dumps({"keys": []}), "BFF_JWT_ISSUER": "x"},
            "BFF_JWT_JWKS needs BFF_JWT_ISSUER and BFF_JWT_AUDIENCE beside it",
        ),
        (
            {"BFF_MAX_PAGES": "16"},
            "BFF_MAX_PAGES needs BFF_THREADS: the threads that the server has for one process",
        ),
        (
            {"BFF_MAX_PAGES": "17", "BFF_THREADS": "32"},
            "BFF_MAX_PAGES is too close to BFF_THREADS: 16 threads must be left for health checks and refusals",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_one_clear_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ(environ)
    assert str(raised.value) == line


@pytest.mark.parametrize("variable", PACKAGES)
def test_a_setting_whose_package_was_left_out_of_the_build_is_one_clear_line(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bff.settings.find_spec", lambda name: None if name == PACKAGES[variable] else object()
    )
    redis, key = "redis://127.0.0.1:9/0", Fernet.generate_key().decode()
    values = {
        "BFF_SESSION_KEYS": key,
        "BFF_STATE_URL": redis,
        "BFF_CACHE_URL": redis,
        "BFF_JWT_JWKS": "https://keys.test",
    }
    beside = {"BFF_SESSION_KEYS": key, "BFF_JWT_ISSUER": "issuer", "BFF_JWT_AUDIENCE": "audience"}
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({**beside, variable: values[variable]})
    package = PACKAGES[variable]
    extra = "" if package == "cryptography" else f"pip install 'bff-recipes[{package}]', "
    assert str(raised.value) == (
        f"{variable} is set, and there is no package {package} here: {extra}build the pages with "
        f"--setting {variable}, or leave the variable out"
    )


def test_metrics_that_are_asked_for_and_not_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.settings.find_spec", lambda name: None)
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({"BFF_METRICS": "1"})
    assert str(raised.value) == (
        "BFF_METRICS=1 needs the package prometheus_client: pip install 'bff-recipes[metrics]'"
    )


def test_every_package_that_is_an_extra_is_one_of_the_distribution() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(EXTRAS.values()) == project["optional-dependencies"].keys() - {"test"}


def test_a_name_far_from_all_settings_lists_them() -> None:
    with pytest.raises(OperatorError) as raised:
        Settings.from_environ({"BFF_XYZZY": "1"})
    names = ", ".join(sorted(name for name, _, _ in settings_table()))
    assert str(raised.value) == f"unknown setting BFF_XYZZY: the settings are {names}"


def optional(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *texts])


URLISH = st.tuples(
    st.sampled_from(["redis://", "rediss://", "unix://"]),
    optional(":S3cret@", "user:S3cret@", "user@", ":S3/cret@", ":S3?cret@", ":%zz@", "@", ":6379/@"),
    optional("host", "[::1]", "[", "10.0.0.1", "é", "ho st", "%2F"),
    optional(":6379", ":", ":0", ":99999", ":S3cret"),
    optional("/", "/3", "/S3cret", "/run/redis.sock", "//1", "/12345"),
    optional(
        "?", "?db=1", "?db=", "?client_name=%zz", "?ssl_cert_reqs=required", "?socket_timeout=9", "?S3cret"
    ),
    optional("&username=u", "&ssl_check_hostname=true", "&", "&db=x", "#S3cret", "\n"),
).map("".join)


@given(URLISH)
@example("redis://user:S3cret@host:6379/0?db=1&client_name=%zz")
@example("rediss://[::1]:6379?ssl_check_hostname=true")
@example("unix://:S3cret@/host?db=0")
def test_what_is_taken_for_the_url_of_a_redis_can_be_connected_with(url: str) -> None:
    try:
        taken = Settings.from_environ({"BFF_CACHE_URL": url}).cache_url
    except OperatorError as error:
        assert "S3cret" not in str(error)
        return
    with connect(taken) as found:
        made = found.connection_pool.make_connection()  # refuses unknown options; nothing is sent yet
        assert made.socket_timeout == PATIENCE and made.db in range(10_000)
    assert storage_from_string(f"redis+{taken}" if taken.startswith("unix:") else taken)
