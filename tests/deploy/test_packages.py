"""Which packages a bundle has, what is left of each, and which of them are shared."""

from __future__ import annotations

import marshal
import shutil
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from bff.cli import main
from bff.deploy import TARGETS, Bundle, Bundler, Function, Project
from bff.deploy.engine_pack import PACK
from bff.deploy.layers import layers_of
from bff.deploy.python import running_python
from bff.errors import OperatorError
from tests.project import write_project
from tests.servers import ROOT

NEED = TARGETS["aws-lambda"].need
PAGE = "route: GET /page\nauth: none\nsteps: {todos: {client: todos, get: /todos}}\nshape: todos\n"


def bundle_of(folder: Path, imported: str) -> Bundle:
    """The bundle of a page whose client imports something."""
    root = write_project(folder / "shop", {"page": PAGE})
    client = root / "clients" / "todos.py"
    client.write_text(f"import {imported}\n{client.read_text()}")
    shutil.copy(ROOT / "requirements.txt", root)
    return Bundler(root, running_python(), "x86_64").bundle(["page"], NEED)


@pytest.fixture(scope="module")
def with_jwt(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_of(tmp_path_factory.mktemp("jwt"), "jwt")


def test_what_a_client_imports_is_whole_and_in_a_layer_of_its_own(with_jwt: Bundle) -> None:
    files = with_jwt.packages["pyjwt"]
    assert {
        "jwt/__init__.py",
        f"jwt/__pycache__/__init__.{running_python().head.split()[0]}.pyc",
    } <= files.keys()
    assert [layer.packages for layer in layers_of(with_jwt) if layer.group == "more"] == [("pyjwt",)]


def test_what_the_engine_imports_is_bytecode_alone(with_jwt: Bundle) -> None:
    files = with_jwt.packages["werkzeug"]
    assert "werkzeug/http.pyc" in files
    assert not [path for path in files if path.endswith(".py")]
    engine = {path for path in with_jwt.own if path.startswith("bff/")}
    assert engine == {"bff/__init__.pyc", PACK}
    assert "bff.web.alone" in marshal.loads(with_jwt.own[PACK])
    assert {"clients/todos.py", "clients/people.py"} & with_jwt.own.keys() == {"clients/todos.py"}


def test_of_cffi_the_one_module_is_left_that_cryptography_loads(small: Bundler, tmp_path: Path) -> None:
    bundle = Bundler(small.root, running_python(), "x86_64", ["BFF_SESSION_KEYS"]).bundle(["of_one"], NEED)
    assert [path for path in bundle.packages["cffi"] if "dist-info" not in path] == [
        next(path for path in bundle.packages["cffi"] if path.startswith("_cffi_backend."))
    ]
    assert "pycparser" not in bundle.packages
    whole = bundle_of(tmp_path, "cffi")
    assert "cffi/api.pyc" in whole.packages["cffi"]
    assert "pycparser" in whole.packages


def test_a_layer_has_one_name_for_one_content(with_jwt: Bundle, small: Bundler) -> None:
    other = small.bundle(["of_one"], NEED)
    [base, *_], [same] = layers_of(with_jwt), layers_of(other)
    assert (base.group, base.name, base.files) == (same.group, same.name, same.files)
    changed = {**other.packages, "msgspec": {**other.packages["msgspec"], "msgspec/more.pyc": b""}}
    assert layers_of(replace(other, packages=changed))[0].name != same.name


@pytest.fixture(scope="module")
def with_patterns(tmp_path_factory: pytest.TempPathFactory) -> Bundler:
    root = tmp_path_factory.mktemp("patterns")
    pages = {
        "found": "route: GET /found\nauth: none\ninput: {query: {q: {type: string}}}\nshape: matches(query.q, 'a')\n",
        "plain": "route: GET /plain\nauth: none\nshape: url_encode('a b')\n",
    }
    return Bundler(write_project(root, pages), running_python(), "x86_64")


def test_re2_goes_along_with_pages_that_have_patterns(with_patterns: Bundler) -> None:
    need = TARGETS["container"].need
    found = with_patterns.bundle(["found"], need)
    assert found.groups["google-re2"] == "patterns"
    site = f"{need.site}/" if need.site else ""
    assert f"{site}re2/__init__.py" in found.packages["google-re2"]
    assert "google-re2" not in with_patterns.bundle(["plain"], need).packages
    assert "google-re2" in with_patterns.bundle(None, need).packages


def test_a_host_whose_glibc_is_too_old_for_re2_is_told_at_the_build(with_patterns: Bundler) -> None:
    with pytest.raises(OperatorError) as raised:
        with_patterns.bundle(["found"], replace(NEED, old_glibc=running_python().version))
    assert str(raised.value) == (
        f"no wheels for Python {running_python().version} of this host: google-re2 needs a newer glibc; "
        "build with --python 3.12"
    )
    assert "google-re2" not in with_patterns.bundle(["plain"], NEED).packages
    assert NEED.old_glibc == "3.11"


HOOK = """
    route: POST /hook
    auth: none
    signed: {scheme: github, secret: [NEW_SECRET, OLD_SECRET]}
    shape: 1
    """


def test_secrets_of_a_sender_are_named_with_the_function_that_takes_them(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"hook": HOOK, "page": PAGE})
    shutil.copy(ROOT / "requirements.txt", root)
    bundler = Bundler(root, running_python(), "x86_64")
    hook, page = (bundler.bundle([name], NEED) for name in ("hook", "page"))
    assert hook.variables == {"NEW_SECRET": None, "OLD_SECRET": None}
    assert hook.own[".env.example"].decode().splitlines()[1:] == ["NEW_SECRET=", "OLD_SECRET="]
    assert not {"NEW_SECRET", "OLD_SECRET"} & page.variables.keys()
    assert "redis" not in hook.packages and "cryptography" not in hook.packages


def test_a_page_that_keeps_answers_brings_what_its_store_needs(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"hook": f"{HOOK.rstrip()}\n    idempotency_key: raw\n"})
    shutil.copy(ROOT / "requirements.txt", root)
    bundle = Bundler(root, running_python(), "x86_64").bundle(["hook"], NEED)
    assert {"redis", "cryptography"} <= bundle.packages.keys()
    assert bundle.variables == dict.fromkeys(
        ["NEW_SECRET", "OLD_SECRET", "BFF_STATE_URL", "BFF_SESSION_KEYS"]
    )


def test_a_built_page_for_who_signs_is_started_without_its_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_project(tmp_path / "shop", {"hook": f"{HOOK.rstrip()}\n    idempotency_key: raw\n"})
    shutil.copy(ROOT / "requirements.txt", root)
    assert (
        main(["--root", str(root), "build", "hook", "--target", "aws-lambda", "--out", str(tmp_path / "o")])
        == 0
    )
    printed = capsys.readouterr().out
    assert "fails" not in printed
    lines = [line.split() for line in printed.splitlines()]
    for name in ("NEW_SECRET", "OLD_SECRET", "BFF_STATE_URL"):
        assert [name, "must", "be", "set", "hook"] in lines


@pytest.mark.parametrize("told", [(), ("BFF_STATE_URL",)])
def test_aws_shows_no_secret_of_a_sender_and_wants_the_store_that_a_page_needs(
    told: tuple[str, ...], tmp_path: Path
) -> None:
    hook = HOOK.replace("NEW_SECRET", "OF_GITHUB").rstrip()
    root = write_project(tmp_path / "shop", {"hook": f"{hook}\n    idempotency_key: raw\n"})
    shutil.copy(ROOT / "requirements.txt", root)
    target, python = TARGETS["aws-lambda"], running_python()
    bundle = Bundler(root, python, "x86_64", told).bundle(["hook"], target.need)
    project = Project("shop", [Function("hook", bundle)], python.version, "x86_64", False, {}, "")
    template = yaml.safe_load(target.manifests(project)["template.yaml"])
    shown = {
        one["Description"]: one
        for one in template["Parameters"].values()
        if one.get("Default") is not None or not one.get("NoEcho")
    }
    assert shown == {}
    [function] = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    variables = function["Properties"]["Environment"]["Variables"]
    assert variables["BFF_STATE_URL"] == {"Ref": "BffStateUrl"}
    assert variables["OF_GITHUB"] == {"Ref": "OfGithub"}


def test_a_page_that_seals_has_what_does_and_wants_the_keys(tmp_path: Path) -> None:
    pages = {
        "sealing": "route: GET /sealing\nauth: none\nshape: seal(1)\n",
        "plain": "route: GET /plain\nauth: none\nshape: 1\n",
    }
    bundler = Bundler(write_project(tmp_path, pages), running_python(), "x86_64")
    sealing, plain = (bundler.bundle([page], TARGETS["container"].need) for page in pages)
    assert "cryptography" in sealing.packages and "BFF_SESSION_KEYS" in sealing.variables
    assert "cryptography" not in plain.packages and "BFF_SESSION_KEYS" not in plain.variables
