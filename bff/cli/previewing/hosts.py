"""Which host a folder was built for, and the command that runs a function of it here as that host does."""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from bff.errors import OperatorError

# Where `make install-hosts` puts the runtimes of hosts.
_INSTALLED = Path(".local")
_SECONDS = "60"
_ON_ITS_OWN = [sys.executable, "-S", "-B"]
"""A Python without any packages but those of the folder."""


class Place(Struct, frozen=True):
    """Where a function is run: its folder, that of the whole build and the project's, and the port that it takes."""

    function: Path
    build: Path
    root: Path
    port: int
    free: int
    """A port that the runtime may have beside it."""


class Start(Struct, frozen=True):
    """What starts a function, and the variables that its runtime adds."""

    command: Sequence[str]
    environ: Mapping[str, str] = {}


class Host(Struct, frozen=True):
    """A kind of host.

    `entry` is the file by which a function's folder is known, `beside` one of the build's. A `single` one runs all
    in one server, with nothing in front; one that `takes_events` is asked by events, one at a time.
    """

    target: str
    runtime: str
    entry: str
    start: Callable[[Place], Start]
    beside: str = ""
    single: bool = False
    takes_events: bool = False


# --- what starts a function on each ----------------------------------------------------------------------------------


def _on_aws(place: Place) -> Start:
    emulator = _emulator(place.root)
    python = _python_with("awslambdaric", place.root)
    lacking = [name for name, found in (("awslambdaric", python), ("aws-sam-cli", emulator)) if found is None]
    if python is None or emulator is None:
        raise OperatorError(
            f"AWS's runtime is not installed: python -m pip install {' '.join(lacking)}"
            + ("" if emulator else "  (its emulator aws-lambda-rie is in aws-sam-cli)")
        )
    listens = ["--runtime-interface-emulator-address", f"127.0.0.1:{place.port}"]
    listens += ["--runtime-api-address", f"127.0.0.1:{place.free}"]
    environ = {
        "AWS_LAMBDA_FUNCTION_NAME": place.function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": _SECONDS,
        "LAMBDA_TASK_ROOT": str(place.function),
    }
    if layers := sorted(place.build.glob("lambda-layers/*/python")):
        environ["PYTHONPATH"] = ":".join(map(str, layers))
    return Start([emulator, *listens, python, "-B", "-m", "awslambdaric", "aws_lambda.handler"], environ)


def _emulator(root: Path) -> str | None:
    name = f"aws-lambda-rie-{'arm64' if platform.machine() in ('aarch64', 'arm64') else 'x86_64'}"
    if found := shutil.which("aws-lambda-rie"):
        return found
    sam = find_spec("samcli")
    folders = [root / _INSTALLED / "hosts"]
    if sam is not None and sam.origin is not None:
        folders.append(Path(sam.origin).parent / "local" / "rapid")
    return next((str(folder.resolve() / name) for folder in folders if (folder / name).is_file()), None)


def _python_with(module: str, root: Path) -> str | None:
    """The running Python where it has a module, or the one that `make install-hosts` has made."""
    if find_spec(module) is not None:
        return sys.executable
    venv = root / _INSTALLED / "hosts-venv"
    has_it = any(venv.glob(f"lib/python*/site-packages/{module}"))
    return str(venv.resolve() / "bin" / "python") if has_it else None


def _on_google(place: Place) -> Start:
    python = _ON_ITS_OWN
    if not (place.function / "functions_framework").is_dir():
        found = _python_with("functions_framework", place.root)
        if found is None:
            raise OperatorError(
                "Google's runtime is not installed: python -m pip install functions-framework"
            )
        python = [found, "-B"]
    listens = ["--host", "127.0.0.1", "--port", str(place.port)]
    framework = ["-m", "functions_framework", "--source", "main.py", "--target", "page"]
    return Start([*python, *framework, *listens], _FRONT)


def _on_azure(place: Place) -> Start:
    program = shutil.which("func")
    if program is None:
        raise OperatorError(
            "Azure's runtime is not installed: npm install --global azure-functions-core-tools@4"
        )
    return Start([program, "start", "--port", str(place.port)])


def _on_aliyun(place: Place) -> Start:
    import yaml

    manifest: Any = yaml.safe_load((place.build / "s.yaml").read_text("utf-8"))
    [command] = [
        resource["props"]["customRuntimeConfig"]["command"]
        for resource in manifest["resources"].values()
        if resource["props"].get("functionName") == place.function.name
        and "customRuntimeConfig" in resource["props"]
    ]
    return Start(_served(command[1:], place.port), _FRONT)


def _in_container(place: Place) -> Start:
    said = (place.function / "Containerfile").read_text("utf-8")
    words = {name: json.loads(text) for name, text in re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", said, re.M)}
    [root] = re.findall(r"^WORKDIR (\S+)$", said, re.M)
    places = re.findall(rf"\bPYTHONPATH={re.escape(root)}/(\S+)", said)
    environ = {"PYTHONPATH": ":".join(str(place.function / path) for path in places)} if places else {}
    if place.function != place.build:
        environ |= _FRONT
    return Start(_served([*words["ENTRYPOINT"][1:], *words["CMD"]], place.port), environ)


def _served(arguments: Sequence[str], port: int) -> list[str]:
    """The command of a manifest by the running Python: on a port of this machine alone, and ending at once."""
    options = {"--port": str(port), "--host": "127.0.0.1", "--drain": "0s"}
    words = list(arguments)
    for name in options.keys() & set(words):
        at = words.index(name)
        del words[at : at + 2]
    return [*_ON_ITS_OWN, *words, *(word for pair in options.items() for word in pair)]


def _on_wsgi(place: Place) -> Start:
    _, _, _, *words = _served(["-m", "bff", "serve"], place.port)
    return Start([sys.executable, "-B", *words])


# The door in front is the one proxy; of AWS's functions the entry says so itself.
_FRONT = {"BFF_TRUSTED_PROXIES": "1"}
HOSTS = (
    Host("aws-lambda", "awslambdaric and AWS's emulator", "aws_lambda.py", _on_aws, takes_events=True),
    Host("azure", "func", "function_app.py", _on_azure, single=True),
    Host("google", "functions-framework", "main.py", _on_google),
    Host("aliyun-fc", "the command of s.yaml", "wsgi.py", _on_aliyun, beside="s.yaml"),
    Host(
        "knative", "the command of its Containerfile", "Containerfile", _in_container, beside="knative.yaml"
    ),
    Host("container", "the command of its Containerfile", "Containerfile", _in_container, single=True),
    Host("wsgi", "bff serve", "wsgi.py", _on_wsgi, single=True),
)


def host_of(build: Path) -> tuple[Host, list[Path]]:
    """The host that a folder was built for, and the folders of its functions; raises OperatorError for no such one."""
    if not (build / ".built").is_file():
        raise OperatorError(f"{build} is no folder that `bff build` has written")
    inside = sorted(path for path in build.iterdir() if path.is_dir())
    for host in HOSTS:
        if host.beside and not (build / host.beside).is_file():
            continue
        functions = [
            folder
            for folder in ([build] if host.single else [build, *inside])
            if (folder / host.entry).is_file()
        ]
        if functions:
            return host, functions
    if any(build.glob("*.zip")):
        raise OperatorError(f"{build} holds archives: build it without --zip to see it here")
    raise OperatorError(f"{build} holds no function that could be run here")
