"""Opening a template: little is loaded for it, and its cost grows with its tags, no faster."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from gfdocs.engine.template import open_template
from tests.engine_docx.make import docx, p

SEEN = "import sys; print([name for name in ('docx', 'docxtpl', 'docxcompose', 'openpyxl', 'pydantic') if name in sys.modules])"


def test_a_document_without_pictures_needs_neither_docxtpl_nor_python_docx(tmp_path: Path) -> None:
    (tmp_path / "t.docx").write_bytes(docx(p("{{ a }}"), p("{%p for r in rows %}"), p("{{r r }}"), p("{%p endfor %}")))
    code = "import gfdocs; gfdocs.open_template('t.docx').render({'a': 1, 'rows': [2]}).save('o.docx'); " + SEEN

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def _seconds(body: list[str]) -> float:
    data = docx(*body)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        open_template(data, kind="docx")
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize(
    "tags",
    [
        "{{{{ a{0}.b{1} }}}}",
        "{{% if a{0} %}}{{{{ a{0}.b{1} }}}}{{% endif %}}",
        "{{% for x in a{0} %}}{{{{ x.b{1} }}}}{{% endfor %}}",
    ],
)
def test_ten_times_the_tags_take_about_ten_times_as_long(tags: str) -> None:
    few, many = (_seconds([p(tags.format(n % 50, n)) for n in range(count)]) for count in (80, 800))

    assert many < 25 * few
