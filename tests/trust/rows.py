"""The 49 threats. Each is met by at least one test that names it with `@row(...)`; `test_rows.py` counts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

ROWS = (
    "yaml_alias_bomb", "yaml_recursive_alias", "yaml_python_tag_loader", "yaml_duplicate_keys", "yaml_scalar_coercion",
    "yaml_deep_nesting", "yaml_huge_int", "yaml_gbk_file",
    "ssti_untrusted_template", "ssti_with_sandbox", "ssti_sandbox_dos", "data_braces_single_render", "data_braces_two_pass",
    "data_listing_controls",
    "xml_special_chars_default", "xml_special_chars_autoescape", "xml_injection_dde", "xml_control_chars_docx",
    "xml_control_chars_xlsx",
    "formula_injection", "long_text_truncated", "credit_code_number", "xhhhh_escape", "sheet_title_from_company",
    "missing_value_silent",
    "zip_bomb_sheet", "cell_bomb_rows", "far_cell_iter_rows", "merge_bomb", "xml_billion_laughs", "xml_quadratic_blowup",
    "xml_xxe", "external_link_kept", "macro_file_renamed", "ole_encrypted", "duplicate_zip_entries", "forged_cached_value",
    "mutated_1000", "zip_slip",
    "xml_xxe_docx_template",
    "filename_from_company", "filename_collisions", "symlink_followed", "disk_full", "kill9_mid_batch", "concurrent_runs",
    "read_only_dir",
    "same_bytes_twice", "locale_gbk_console",
)  # fmt: skip

Test = TypeVar("Test", bound=Callable[..., Any])


def row(*names: str) -> Callable[[Test], Test]:
    """Say which threats a test stands for."""
    unknown = set(names) - set(ROWS)
    assert not unknown, unknown
    return lambda test: test


def by_night() -> bool:
    """True where time is plenty: every variant of everything."""
    return bool(os.environ.get("GFDOCS_NIGHTLY"))


def pairs(first: Iterable[Any], second: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return each of the first with each of the second by night; by day each of both at least once."""
    ones, others = list(first), list(second)
    if by_night():
        return [(one, other) for one in ones for other in others]
    count = max(len(ones), len(others))
    # a step over a full round moves on by one, so that the same two do not always meet
    return [(ones[n % len(ones)], others[(n + n // len(others)) % len(others)]) for n in range(count)]
