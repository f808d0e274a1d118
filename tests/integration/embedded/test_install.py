"""The script that `make` runs before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedded import install

ROOT = Path(__file__).resolve().parents[3]


def test_the_lists_pin_every_package_and_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        packages = [line for line in lines if line and not line.lstrip().startswith("#")]

        assert all("==" in line and "://" not in line for line in packages), name
        assert not [line for line in packages if line.startswith("-")], name
        assert "torch==2.13.0" in packages, name


def test_the_list_for_tests_contains_the_list_for_running() -> None:
    def packages(name: str) -> set[str]:
        return {line for line in (ROOT / name).read_text().splitlines() if "==" in line and "#" not in line}

    assert packages("requirements.txt") <= packages("requirements-dev.txt")


def test_knows_nothing_of_installed_packages() -> None:
    """It runs under a Python that has none, in isolated mode."""
    program = "import runpy; runpy.run_path(PATH)"
    program = program.replace("PATH", repr(str(ROOT / "platform" / "embedded" / "install.py")))
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr


def test_an_old_python_is_told_which_one_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))

    with pytest.raises(SystemExit, match=r"needs Python 3\.11.*PYTHON="):
        install.check_python()


def test_a_full_disk_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(install, "PYTHON", folder / "none")
    monkeypatch.setattr(install, "NEEDED_BYTES", 10**18)

    with pytest.raises(SystemExit, match="GB are free"):
        install.check_disk()


def test_another_version_of_a_list_is_another_installation(folder: Path) -> None:
    listed = folder / "requirements.txt"
    listed.write_text("django==5.2.19\n")
    before = install.fingerprint(listed)
    assert install.fingerprint(listed) == before

    listed.write_text("django==5.2.20\n")

    assert install.fingerprint(listed) != before
