"""The top of the tree is short, and stays so."""

from __future__ import annotations

from tests.architecture.sources import ROOT, files

FOLDERS = {"platform", "generation", "review", "templates", "tests", "docker"}
FILES = {"manage.py", "pyproject.toml", "Makefile", "requirements.txt", "requirements-dev.txt", "LICENSE"}
PAGES = {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}
PARTS = {
    *(
        "config",
        "api",
        "portal",
        "gallery",
        "delivery",
        "access",
        "programme",
        "roles",
        "accounts",
        "audit",
        "core",
    ),
    "embedded",
}


def test_nothing_stands_at_the_top_that_the_design_does_not_name() -> None:
    tops = {path.parts[0] for path in files()}

    assert {top for top in tops if not top.startswith(".")} <= FOLDERS | FILES | PAGES


def test_the_pages_and_files_that_visitors_expect_are_there() -> None:
    missing = [name for name in sorted(FILES | PAGES) if not (ROOT / name).is_file()]

    assert not missing


def test_platform_is_a_folder_and_never_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_platform_holds_the_parts_that_the_design_names() -> None:
    assert {path.parts[1] for path in files() if path.parts[0] == "platform" and len(path.parts) > 2} == PARTS


def test_no_part_is_named_like_an_installed_or_standard_module() -> None:
    import sys

    assert not PARTS & set(sys.stdlib_module_names)


def test_every_part_explains_itself() -> None:
    parts = [ROOT / "platform" / name for name in PARTS] + [ROOT / "generation", ROOT / "review"]
    missing = [str(part.relative_to(ROOT)) for part in parts if not (part / "README.md").is_file()]

    assert not missing


def test_what_programs_leave_behind_is_not_kept() -> None:
    kept = {str(path) for path in files()}

    assert not [
        name for name in kept if name.endswith((".pyc", ".sqlite3", ".log")) or name.startswith("var/")
    ]
