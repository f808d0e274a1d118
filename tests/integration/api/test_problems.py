"""The codes in the table, in the README and in the code of the whole house are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import core.errors
from access import requirements
from api import errors
from api.problems import FAULTS, PROBLEMS, faults, table
from core.errors import DomainError

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("platform", "generation", "review")
FAMILIES = {
    name
    for name, value in vars(core.errors).items()
    if isinstance(value, type) and issubclass(value, DomainError)
}
# Beside the families themselves, the functions that raise them with the code that they are given.
RAISERS = {*FAMILIES, "Refusal", "_refusal", "refuse"}


def engine_codes(*files: str) -> set[str]:
    """The codes with which an engine refuses; the domain hands them on."""
    calls = (
        node
        for file in files
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SpecRejected"
    )
    return {str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant)}


# Where the code is not a literal of the call, and what it can be there.
COMPUTED: dict[str, set[str]] = {
    "review/rules.py": {"reason_never_counts", "invalid_request"},
    "platform/access/requirements.py": {code for code, _ in requirements._REFUSED.values()},
    "platform/access/gate.py": {"invalid_token"},
    "platform/api/errors.py": {code for code, _ in errors._SENTENCES.values()},
    "platform/api/orders.py": set(),
    "platform/programme/rules.py": set(),
    "generation/look_rules.py": set(),
    "generation/services/adapters.py": engine_codes("generation/backends/adapters.py"),
    "generation/services/looks.py": set(),
    "generation/services/orders.py": set(),
    "generation/services/references.py": engine_codes("generation/media/stills.py"),
}
# Said at other doors alone: signing up, accounts, the office, making tokens, commands, importing settings.
ELSEWHERE = {
    "account_exists",
    "adapter_known",
    "adapter_numbers",
    "adapter_rank",
    "adapter_settings",
    "adapter_targets",
    "adapter_tensors",
    "adapter_too_large",
    "adapter_unreadable",
    "adapters_unsupported",
    "already_a_member",
    "bad_character",
    "bad_daily_seconds",
    "bad_days",
    "bad_email",
    "bad_mark_text",
    "bad_name",
    "bad_public_name",
    "bad_reason",
    "bad_scope",
    "bad_scopes",
    "bad_slug",
    "bad_timezone",
    "checkpoint_elsewhere",
    "email_taken",
    "invalid_settings",
    "invitation_expired",
    "invitation_revoked",
    "invitation_unknown",
    "invitation_used",
    "last_operator",
    "may_not_trace",
    "no_file",
    "no_programme",
    "not_a_demo",
    "not_a_number",
    "not_in_review",
    "not_on_view",
    "not_signed_in",
    "not_your_own",
    "nothing_to_confirm",
    "published_meanwhile",
    "role_not_held",
    "slug_taken",
    "terms_changed",
    "too_many_adapters",
    "unknown_choice",
    "unknown_cohort",
    "unknown_mark_style",
    "weak_password",
}


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Each place that refuses, with the expression of its code."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id in RAISERS and node.args:
                    place = 1 if node.func.id == "Refusal" else 0
                    yield str(path.relative_to(ROOT)), node.args[place]


def raised() -> set[str]:
    found = {code.value for _, code in refusals() if isinstance(code, ast.Constant)}
    return {str(code) for code in found}.union(*COMPUTED.values())


def test_a_code_is_a_literal_wherever_it_can_be() -> None:
    computed = {place for place, code in refusals() if not isinstance(code, ast.Constant)}

    assert computed <= set(COMPUTED)


def test_every_code_of_the_house_is_in_the_table_or_belongs_to_another_door() -> None:
    assert raised() - ELSEWHERE <= set(PROBLEMS)
    assert not ELSEWHERE & set(PROBLEMS)


def test_the_table_has_no_code_that_nobody_raises() -> None:
    assert set(PROBLEMS) <= raised()


def test_the_readme_has_the_tables() -> None:
    readme = (ROOT / "platform" / "api" / "README.md").read_text(encoding="utf-8")

    assert table() in readme
    assert faults() in readme


def test_every_code_that_a_failed_video_can_have_is_explained() -> None:
    rendering = [
        str(path.relative_to(ROOT))
        for part in ("backends", "worker")
        for path in (ROOT / "generation" / part).rglob("*.py")
    ]
    ends = {"cancelled", "render_failed", "took_too_long", "set_aside"}

    assert engine_codes(*rendering) | ends == set(FAULTS)
