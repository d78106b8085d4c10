"""The module that servers start: it says what is wrong without a trace, and keeps `app` a plain Flask app."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[1]


def started(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))}
    command = [
        sys.executable,
        "-c",
        "import wsgi; print(type(wsgi.app).__name__, sorted(wsgi.app.extensions))",
    ]
    environment = {**plain, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", **environ}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_server_gets_a_flask_app() -> None:
    done = started(ROOT, BFF_SESSION_KEYS=Fernet.generate_key().decode())
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Flask ['bff']"


def test_a_start_without_keys_ends_with_one_line() -> None:
    done = started(ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The app cannot start: BFF_SESSION_KEYS is not set, and orchestrations/add_picture.yaml needs it; make a "
        'key with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"\n'
    )


def test_a_misspelt_setting_ends_with_one_line() -> None:
    done = started(ROOT, BFF_SESION_KEYS="x")
    assert (
        done.stderr
        == "The app cannot start: unknown setting BFF_SESION_KEYS: did you mean BFF_SESSION_KEYS?\n"
    )


def test_a_broken_recipe_ends_with_what_check_says(tmp_path: Path) -> None:
    shutil.copy(ROOT / "wsgi.py", tmp_path)
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "home.yaml").write_text("route: GET /api/home\nauth: none\nshape: nme\n")
    (tmp_path / "clients").mkdir()
    done = started(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("The app cannot start: orchestrations/home.yaml:3:8: unknown name 'nme'\n")
    assert "Traceback" not in done.stderr
