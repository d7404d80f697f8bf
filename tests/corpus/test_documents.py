"""Wherever Word lets text stand, a tag may stand: what comes out is what docxtpl gives, well-formed and valid."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest

import gfdocs
from gfdocs.docx import DocxTemplate, Listing
from tests.corpus.documents import control, document, field, paragraph, read_words, run, table, textbox
from tests.ooxml import find_left_over_tags, find_validation_errors

DATA: dict[str, Any] = {
    "v": "甲<&>", "n": 3, "yes": True, "no": False, "nobody": [], "k": {"k": "K"}, "numbers": [1, 2, 3],
    "rows": [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}],
}  # fmt: skip
LOOP = paragraph("{%p for x in rows %}") + paragraph("{{ x.a }}") + paragraph("{%p endfor %}")
CASES = [
    ("one run", paragraph("A {{ v }} B"), "¶A 甲<&> B"),
    ("a run for each character", paragraph(*"a{{ v }}b"), "¶a甲<&>b"),
    ("half bold", paragraph(run("{"), run("{ ", True), run("v", True), run(" }"), run("} z")), "¶甲<&> z"),
    ("curly quotes", paragraph("{{ k[‘k’] }}{{ k[“k”] }}"), "¶KK"),
    ("quotes in text stay", paragraph("“{{ n }}”‘{{ n }}’"), "¶“3”‘3’"),
    ("no-break space", paragraph("{{\u00a0v\u00a0}}"), "¶甲<&>"),
    ("proofing marks", paragraph("{{ ", '<w:proofErr w:type="spellStart"/>', "v", '<w:proofErr w:type="spellEnd"/>', " }}"), "¶甲<&>"),
    ("bookmark in a tag", paragraph("{{ ", '<w:bookmarkStart w:id="0" w:name="b"/>', "v", '<w:bookmarkEnd w:id="0"/>', " }}"), "¶甲<&>"),
    ("control in a line", paragraph(control(run("{{ v") + run(" }}"))), "¶甲<&>"),
    ("control of paragraphs", control(LOOP), "¶1¶2"),
    ("control repeated", paragraph("{%p for x in rows %}") + control(paragraph("{{ x.a }}")) + paragraph("{%p endfor %}"), "¶1¶2"),
    ("inserted", paragraph(f'<w:ins w:id="1" w:author="a">{run("{{ v }}")}</w:ins>'), "¶甲<&>"),
    ("hyperlink", paragraph(f'<w:hyperlink w:anchor="x">{run("{{ v")}{run(" }}")}</w:hyperlink>'), "¶甲<&>"),
    ("result of a field", paragraph(field("REF x", run("{{ v }}"))), "¶甲<&>"),
    ("text box", textbox(paragraph("{{ v }}") + LOOP), "¶¶甲<&>¶1¶2"),
    ("table in a text box", textbox(table(["{%tr for x in rows %}"], ["{{ x.a }}"], ["{%tr endfor %}"]) + paragraph("")), "¶▦▤¶1▤¶2¶"),
    ("text box repeated", paragraph("{%p for x in rows %}") + textbox(paragraph("{{ x.a }}")) + paragraph("{%p endfor %}"), "¶¶1¶¶2"),
    ("rows", table(["h", "h"], ["{%tr for x in rows %}", ""], ["{{ x.a }}", "{{ x.b }}"], ["{%tr endfor %}", ""]), "▦▤¶h¶h▤¶1¶x▤¶2¶y"),
    ("rows, tag in pieces", table([paragraph("{%", "tr for x in", " rows %}")], ["{{ x.a }}"], [paragraph("{", "%tr endfor %", "}")]), "▦▤¶1▤¶2"),
    ("rows in rows", table(["{%tr for x in rows %}"], ["{{ x.a }}"], ["{%tr for y in numbers %}"], ["{{ y }}"], ["{%tr endfor %}"], ["{%tr endfor %}"]), "▦▤¶1▤¶1▤¶2▤¶3▤¶2▤¶1▤¶2▤¶3"),
    ("rows, none", table(["h"], ["{%tr for x in nobody %}"], ["{{ x }}"], ["{%tr else %}"], ["无"], ["{%tr endfor %}"]), "▦▤¶h▤¶无"),
    ("table in a table", table([table(["{%tr for x in rows %}"], ["{{ x.a }}"], ["{%tr endfor %}"]) + paragraph("{{ n }}")]), "▦▤▦▤¶1▤¶2¶3"),
    ("columns", table(["{%tc for x in rows %}", "{{ x.a }}", "{%tc endfor %}"]), "▦▤¶1¶2"),
    ("paragraphs of a cell", table([paragraph("{%p if yes %}") + paragraph("{{ v }}") + paragraph("{%p endif %}") + paragraph("z")]), "▦▤¶甲<&>¶z"),
    ("a cell that loses all", table([paragraph("{%p if no %}") + paragraph("x") + paragraph("{%p endif %}")]), "▦▤¶"),
    ("a table that loses all", table(["{%tr if no %}"], ["x"], ["{%tr endif %}"]) + paragraph("z"), "¶z"),
    ("comments", paragraph("a{# {{ nowhere }} #}b") + paragraph("{#p gone #}") + table(["{#tr gone #}"], ["{{ n }}"]), "¶ab▦▤¶3"),
    ("joined paragraphs", paragraph("x {% if yes -%}") + paragraph("y {{ n }}") + paragraph("{%- endif %} z"), "¶x y 3 z"),
    ("raw", paragraph("{% raw %}{{ v }}{% endraw %} {{ n }}"), "¶{{ v }} 3"),
    ("escaped braces", paragraph("{_{ v }_} {_% x %_} {{ n }}"), "¶{{ v }} {% x %} 3"),
    ("less than in a tag", paragraph("{% if n &lt; 5 and n &gt; 1 %}ok{% endif %}"), "¶ok"),
    ("braces of a dict", paragraph("{{ {'a': {'b': 1}}['a']['b'] }}{{ 7%n }}"), "¶11"),
    ("line breaks and tabs", paragraph("{{ lines }}"), "¶a↵b⇥c"),
    ("listing", paragraph("x {{ listing }}"), "¶x a↵b¶c"),
    ("what looks like a tag in data", paragraph("{{ tricky }}"), r"¶\1 $1 \g<0> {{ n }} {% x %} &amp;"),
]  # fmt: skip
ALL = {
    **DATA, "lines": "a\nb\tc", "listing": Listing("a\nb\ac"), "tricky": r"\1 $1 \g<0> {{ n }} {% x %} &amp;",
}  # fmt: skip


@pytest.mark.parametrize(("body", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_tag_may_stand_wherever_text_stands(body: str, words: str) -> None:
    assert read_words(gfdocs.open_template(document(body), kind="docx").render(ALL).to_bytes()) == words


def test_all_of_it_in_one_document_is_valid(tmp_path: Path) -> None:
    body = "".join(case[1] + paragraph("") for case in CASES)
    (tmp_path / "source.docx").write_bytes(document(body))

    path = gfdocs.open_template(tmp_path / "source.docx").render(ALL).save(tmp_path / "out.docx")

    assert (
        len(docx.Document(str(path)).tables) == body.count("<w:tbl>") - 3
    )  # one in a table, one in a text box, one empty
    assert set(find_validation_errors(path)) <= set(find_validation_errors(tmp_path / "source.docx"))


def test_docxtpl_gives_the_same_words() -> None:
    differs = {"a cell that loses all", "a table that loses all"}
    import docxtpl

    for name, body, words in CASES:
        if name in differs:
            continue
        theirs = docxtpl.DocxTemplate(io.BytesIO(document(body)))
        theirs.render(ALL, autoescape=True)
        stream = io.BytesIO()
        theirs.save(stream)
        assert read_words(stream.getvalue()) == words, name


@pytest.mark.parametrize(
    "runs", [["{{ v"], ["{{ v }"], ["{%p for x in rows %}"], ["{% iff yes %}"], ["{{ v|default（'x'） }}"]]
)
def test_a_slip_in_a_tag_is_told_with_its_paragraph(runs: list[str]) -> None:
    with pytest.raises(gfdocs.TemplateError) as raised:
        gfdocs.open_template(document(paragraph("x") + paragraph(*runs)), kind="docx")
    assert "paragraph 2" in str(raised.value.issues[0].place)


def test_a_document_without_tags_keeps_every_part() -> None:
    """Each part of each kind that python-docx can write, and what it does not know."""
    made = docx.Document()
    made.add_heading("标题")
    made.add_paragraph("“正文” { } % # {x}")
    made.add_table(2, 2).cell(0, 0).text = "格"
    made.sections[0].header.paragraphs[0].text = "页眉"
    stream = io.BytesIO()
    made.save(stream)
    with zipfile.ZipFile(stream, "a") as package:
        package.writestr("customXml/item9.xml", "<a>{{ not a part with text }}</a>")

    result = gfdocs.open_template(stream.getvalue(), kind="docx").render({}).to_bytes()

    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(io.BytesIO(result)) as after:
        assert sorted(before.namelist()) == sorted(after.namelist())
        assert all(before.read(name) == after.read(name) for name in before.namelist())


def test_changes_made_after_rendering_are_kept(tmp_path: Path) -> None:
    template = DocxTemplate(io.BytesIO(document(paragraph("{{ v }}"))))
    template.render(DATA)
    template.docx.core_properties.keywords = "词<&"
    template.docx.add_paragraph("添加")
    template.save(tmp_path / "out.docx")

    found = docx.Document(str(tmp_path / "out.docx"))
    assert [p.text for p in found.paragraphs] == ["甲<&>", "添加"]
    assert found.core_properties.keywords == "词<&"
    assert find_left_over_tags(tmp_path / "out.docx") == []
