"""Templates as Word saves them (cut runs, marks, revisions, content controls of each level, boxes, fields): as docxtpl, or as documented."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.engine_docx.compare import differences
from tests.engine_docx.make import W, docx, p, picture, read_part
from tests.engine_docx.test_parity import plain, render_ours, render_theirs

RSID = ' w:rsidR="00AB12CD" w:rsidRPr="00EF3456"'
BOLD, ITALIC = "<w:rPr><w:b/></w:rPr>", "<w:rPr><w:i/></w:rPr>"
SPELL, SPELL_END = '<w:proofErr w:type="spellStart"/>', '<w:proofErr w:type="spellEnd"/>'
GRAMMAR, GRAMMAR_END = '<w:proofErr w:type="gramStart"/>', '<w:proofErr w:type="gramEnd"/>'
LIST = '<w:pPr><w:pStyle w:val="ListParagraph"/><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>'
MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def r(text: str, properties: str = "") -> str:
    return f'<w:r{RSID}>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def par(*inner: str, pp: str = "") -> str:
    ids = ' w14:paraId="1A2B3C4D" w14:textId="77777777" w:rsidR="00AB12CD" w:rsidRDefault="00AB12CD" w:rsidP="00AB12CD"'
    return f"<w:p{ids}>{pp}{''.join(inner)}</w:p>"


def bookmark(name: str, number: int, inner: str) -> str:
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{inner}<w:bookmarkEnd w:id="{number}"/>'


def control(inner: str, properties: str = "") -> str:
    head = f'<w:sdtPr><w:alias w:val="t"/><w:tag w:val="t"/><w:id w:val="-1234"/>{properties}</w:sdtPr>'
    return f"<w:sdt>{head}<w:sdtContent>{inner}</w:sdtContent></w:sdt>"


def inserted(inner: str) -> str:
    return f'<w:ins w:id="11" w:author="甲" w:date="2023-01-01T00:00:00Z">{inner}</w:ins>'


def deleted(text: str) -> str:
    inner = f'<w:r><w:delText xml:space="preserve">{text}</w:delText></w:r>'
    return f'<w:del w:id="12" w:author="甲" w:date="2023-01-01T00:00:00Z">{inner}</w:del>'


def smart_tag(inner: str) -> str:
    return f'<w:smartTag w:uri="urn:schemas-microsoft-com:office:smarttags" w:element="place">{inner}</w:smartTag>'


def mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def code(text: str) -> str:
    return f'<w:r><w:instrText xml:space="preserve">{text}</w:instrText></w:r>'


def field(text: str, result: str) -> str:
    return mark("begin") + code(text) + mark("separate") + r(result) + mark("end")


def cell(*inner: str, pr: str = "") -> str:
    paragraphs = "".join(text if text.startswith("<w:") else par(r(text)) for text in inner)
    return f'<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/>{pr}</w:tcPr>{paragraphs}</w:tc>'


def row(*cells: str, pr: str = "") -> str:
    inner = "".join(text if text.startswith(("<w:tc", "<w:sdt")) else cell(text) for text in cells)
    return f'<w:tr w:rsidR="00AB" w14:paraId="2A2B3C4D" w14:textId="77777777">{pr}{inner}</w:tr>'


def table(*rows: str, cols: int = 3) -> str:
    look = '<w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/><w:tblLook w:val="04A0"/>'
    grid = '<w:gridCol w:w="2000"/>' * cols
    return f"<w:tbl><w:tblPr>{look}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def text_box(inner: str) -> str:
    """A text box as Word saves it: a drawing, and its twin for programs that know none."""
    drawing = (
        '<w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="914400" cy="914400"/>'
        '<wp:docPr id="7" name="Text Box 7"/><wp:cNvGraphicFramePr/><a:graphic>'
        '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp>'
        f'<wps:cNvSpPr txBox="1"/><wps:spPr/><wps:txbx><w:txbxContent>{inner}</w:txbxContent></wps:txbx><wps:bodyPr/>'
        "</wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    twin = f'<w:pict><v:shape style="width:72pt"><v:textbox><w:txbxContent>{inner}</w:txbxContent></v:textbox></v:shape></w:pict>'
    choice = f'<mc:Choice Requires="wps">{drawing}</mc:Choice><mc:Fallback>{twin}</mc:Fallback>'
    return f"<w:r><mc:AlternateContent>{choice}</mc:AlternateContent></w:r>"


ROWS = [
    {"n": 1, "t": "甲 & 乙", "k": ["p", "q"], "d": "A"},
    {"n": 2, "t": "<b>", "k": [], "d": "A"},
    {"n": 3, "t": "“丙”—x", "k": ["r"], "d": "B"},
]
CONTEXT = {
    "a": "A&B", "b": "二", "n": 5, "yes": True, "no": False, "rows": ROWS, "e": [], "s": "x y", "date": "2023-02-10", "f": 1.5,
    "d": {"k": "v", "u": {"z": "Z"}}, "ml": "l1\nl2\tT", "cols": ["c1", "c2", "c3"],
}  # fmt: skip

CASES = {
    "split rsid every char": docx(par(*[r(c) for c in "Hi {{ a }}!"])),
    "split with proofErr": docx(par(r("{{"),SPELL,r("a"),SPELL_END,r(" }} and {{ "),GRAMMAR,r("d"),GRAMMAR_END,r(".k }}"))),
    "split formats": docx(par(r("x {", BOLD),r("{ a", ITALIC),r(" }} y"))),
    "bookmark in tag whole": docx(par(r("{{ "),bookmark("_GoBack",0,""),r("a }}"))),
    "bookmark in loop": docx(par(r("{% for r in rows %}"),bookmark("m",1,r("{{ r.n }}")),r("{% endfor %}"))),
    "smarttag in tag": docx(par(r("{{ "),smart_tag(r("a")),r(" }} z"))),
    "smarttag around tag": docx(par(smart_tag(r("{{ a }}")),r(" z"))),
    "lastRenderedPageBreak in tag": docx(par(r("{{ "),'<w:r><w:lastRenderedPageBreak/><w:t>a }} z</w:t></w:r>')),
    "softHyphen noBreakHyphen": docx(par('<w:r><w:t>a</w:t><w:noBreakHyphen/><w:t>{{ a }}</w:t><w:softHyphen/><w:t>b</w:t></w:r>')),
    "tab in run beside tag": docx(par('<w:r><w:t>x</w:t><w:tab/><w:t>{{ a }}</w:t><w:tab/><w:t>y</w:t></w:r>')),
    "br in run beside tag": docx(par('<w:r><w:t>x</w:t><w:br/><w:t>{{ a }}</w:t><w:br/><w:t>y</w:t></w:r>')),
    "sym beside tag": docx(par('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t>{{ a }}</w:t></w:r>')),
    "comment around tag": docx(par('<w:commentRangeStart w:id="0"/>',r("{{ a }}"),'<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>',r(" z")),comments=f'<w:comment w:id="0" w:author="a">{par(r("static"))}</w:comment>'),
    "footnoteRef beside": docx(par(r("{{ a }}"),'<w:r><w:footnoteReference w:id="2"/></w:r>',r("z")),footnotes=f'<w:footnote w:id="2">{par("<w:r><w:footnoteRef/></w:r>",r(" note {{ a }} {% for r in rows %}{{ r.n }},{% endfor %}"))}</w:footnote>'),
    "ins around tag": docx(par(r("x "),inserted(r("{{ a }}")),r(" z"))),
    "ins half tag": docx(par(r("{{ "),inserted(r("a")),r(" }} z"))),
    "rPrChange": docx(par('<w:r><w:rPr><w:b/><w:rPrChange w:id="1" w:author="a"><w:rPr/></w:rPrChange></w:rPr><w:t>{{ ml }}</w:t></w:r>')),
    "pPrChange p tag": docx(par(r("{%p if yes %}"),pp='<w:pPr><w:jc w:val="center"/><w:pPrChange w:id="3" w:author="a"><w:pPr/></w:pPrChange></w:pPr>'),par(r("in")),par(r("{%p endif %}"))),
    "ins paragraph mark": docx(par(r("{{ a }}"),pp='<w:pPr><w:rPr><w:ins w:id="4" w:author="a"/></w:rPr></w:pPr>'),par(r("z"))),
    # sdt
    "sdt run": docx(par(r("x "),control(r("{{ a }}")),r(" z"))),
    "sdt block": docx(control(par(r("{{ a }}"))+par(r("{{ b }}"))),p("z")),
    "sdt block w p loop": docx(control(par(r("{%p for r in rows %}"))+par(r("{{ r.t }}"))+par(r("{%p endfor %}"))),p("z")),
    "p loop around sdt block": docx(par(r("{%p for r in rows %}")),control(par(r("{{ r.t }}"))),par(r("{%p endfor %}"))),
    "sdt row": docx(table(row("{%tr for r in rows %}","",""),control(row("{{ r.n }}","{{ r.t }}","z")),row("{%tr endfor %}","","")),p("")),
    "sdt row with tr tags inside": docx(table(control(row("{%tr for r in rows %}","","")+row("{{ r.n }}","{{ r.t }}","z")+row("{%tr endfor %}","",""))),p("")),
    "sdt in loop inline": docx(par(r("{% for r in rows %}"),control(r("{{ r.n }}")),r("{% endfor %}"))),
    "repeating section w15": docx(control(control(par(r("{{ a }}")),'<w15:repeatingSectionItem xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"/>'),'<w15:repeatingSection xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"/>'),p("z")),
    "checkbox": docx(par(control(r("☒"),'<w14:checkbox><w14:checked w14:val="1"/></w14:checkbox>'),r(" {{ a }}"))),
    "dropdown": docx(par(control(r("{{ a }}"),'<w:dropDownList><w:listItem w:displayText="x" w:value="x"/></w:dropDownList>'))),
    "date sdt": docx(par(control(r("{{ date }}"),'<w:date w:fullDate="2020-01-01T00:00:00Z"><w:dateFormat w:val="yyyy"/></w:date>'))),
    "tag split over sdt": docx(par(r("{{ "),control(r("a")),r(" }} z"))),
    # tables
    "tr loop": docx(table(row("h1","h2","h3"),row("{%tr for r in rows %}","",""),row("{{ loop.index }}","{{ r.t }}","{{ r.d }}"),row("{%tr endfor %}","","")),p("")),
    "tr loop rsid split": docx(table(row(cell(par(r("{%"),r("tr for r "),r("in rows %}"))),"",""),row("{{ r.n }}","","x"),row("{%tr endfor %}","","")),p("")),
    "for in cells of one row": docx(table(row("{% for r in rows %}{{ r.n }}","x","{{ r.t }}{% endfor %}")),p("")),
    "tc loop": docx(table(row("{%tc for c in cols %}","{{ c }}","{%tc endfor %}"),row("{%tc for c in cols %}","{{ c|upper }}","{%tc endfor %}")),p("")),
    "tc loop nested in tr": docx(table(row("x","{%tc for c in cols %}","{{ c }}","{%tc endfor %}"),row("{%tr for r in rows %}","","",""),row("{{ r.n }}","{%tc for c in cols %}","{{ c }}{{ r.n }}","{%tc endfor %}"),row("{%tr endfor %}","","",""),cols=4),p("")),
    "merged cells gridSpan/vMerge in loop": docx(table(row("{%tr for r in rows %}","",""),row(cell("{{ r.n }}",pr='<w:gridSpan w:val="2"/><w:vMerge w:val="restart"/>'),"{{ r.t }}"),row(cell("",pr='<w:gridSpan w:val="2"/><w:vMerge/>'),"2"),row("{%tr endfor %}","","")),p("")),
    "vm": docx(table(row("{%tr for r in rows %}","",""),row("{% vm %}{{ r.d }}","{{ r.t }}","z"),row("{%tr endfor %}","","")),p("")),
    "hm": docx(table(row("{%tc for r in rows %}","{% hm %}title","{%tc endfor %}"),row("{%tc for r in rows %}","{{ r.n }}","{%tc endfor %}")),p("")),
    "colspan": docx(table(row("{% colspan cols|length %}T"),row("{%tc for c in cols %}","{{ c }}","{%tc endfor %}")),p("")),
    "cellbg": docx(table(row("{%tr for r in rows %}","",""),row(cell(par(r("{% cellbg 'FF0000' if r.n==2 else '00FF00' %}{{ r.n }}"))),"{{ r.t }}","z"),row("{%tr endfor %}","","")),p("")),
    "cellbg split": docx(table(row(cell(par(r("{% "),r("cellbg"),r(" 'FF0000' %}"),r("x", BOLD)),pr='<w:shd w:val="clear" w:color="auto" w:fill="AAAAAA"/><w:vAlign w:val="center"/>'),"b","c")),p("")),
    "tr if else": docx(table(row("h","h","h"),row("{%tr if no %}","",""),row("1","2","3"),row("{%tr elif yes %}","",""),row("{{ a }}","5","6"),row("{%tr else %}","",""),row("7","8","9"),row("{%tr endif %}","","")),p("")),
    "tr for else empty": docx(table(row("h","h","h"),row("{%tr for r in e %}","",""),row("1","2","3"),row("{%tr else %}","",""),row("none","",""),row("{%tr endfor %}","","")),p("")),
    "tr for filter recursive": docx(table(row("{%tr for r in rows if r.n &gt; 1 %}","",""),row("{{ r.n }}","{{ loop.length }}","{{ loop.last }}"),row("{%tr endfor %}","","")),p("")),
    "row properties": docx(table(row("{%tr for r in rows %}","","",pr='<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>'),row("{{ r.n }}","","x",pr='<w:trPr><w:trHeight w:val="500"/></w:trPr>'),row("{%tr endfor %}","","")),p("")),
    "table comment rows": docx(table(row("{#tr a comment #}","",""),row("{{ a }}","b","c")),par(r("{#p gone #}")),par(r("x{# c #}y"))),
    "p tags in cell": docx(table(row(cell(par(r("{%p if yes %}")),par(r("in {{ a }}")),par(r("{%p endif %}")),par(r("last"))),"b","c")),p("")),
    "p loop in cell only": docx(table(row(cell(par(r("{%p for r in rows %}")),par(r("{{ r.n }}")),par(r("{%p endfor %}")),par()),"b","c")),p("")),
    # lists
    "numbered list loop": docx(par(r("{%p for r in rows %}"),pp=LIST),par(r("{{ r.t }}"),pp=LIST),par(r("{%p endfor %}"),pp=LIST),p("z")),
    "listing in numbered": docx(par(r("{{ ml }}"),pp=LIST)),
    # boxes, fields, links, maths
    "text box": docx(par(r("x"),text_box(par(r("{{ a }}")))),p("z")),
    "text box loop": docx(par(r("x"),text_box(par(r("{%p for r in rows %}"))+par(r("{{ r.t }}"))+par(r("{%p endfor %}")))),p("z")),
    "box in loop": docx(par(r("{%p for r in rows %}")),par(r("x"),text_box(par(r("{{ r.t }}")))),par(r("{%p endfor %}"))),
    "complex field": docx(par(r("{{ a }} page "),field(" PAGE ","1"),r(" of "),field(" NUMPAGES ","2"))),
    "IF field": docx(par(mark("begin"),code(' IF "{{ a }}" = "x" "yes" "no" '),mark("separate"),r("no"),mark("end"))),
    "fldSimple": docx(par('<w:fldSimple w:instr=" PAGE ">'+r("{{ a }}")+'</w:fldSimple>')),
    "hyperlink text": docx(par('<w:hyperlink w:anchor="x" w:tooltip="{{ b }}">'+r("{{ a }}",'<w:rPr><w:rStyle w:val="Hyperlink"/></w:rPr>')+'</w:hyperlink>',r(" z"))),
    "math": docx(par(f'<m:oMath {MATH}><m:r><m:t>x={{{{ n }}}}</m:t></m:r></m:oMath>',r(" z"))),
    "math para loop": docx(par(r("{%p for r in rows %}")),par(f'<m:oMathPara {MATH}><m:oMath><m:f><m:num><m:r><m:t>{{{{ r.n }}}}</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath></m:oMathPara>'),par(r("{%p endfor %}"))),
    "altText": docx(par(picture().replace('name="Picture 1"/>','name="Picture 1" descr="{{ b }}"/>')),media=True),
    "ruby": docx(par('<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>{{ b }}</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>{{ a }}</w:t></w:r></w:rubyBase></w:ruby></w:r>')),
    "bdo dir": docx(par('<w:bdo w:val="rtl">'+r("{{ a }}")+'</w:bdo>')),
    "customXml inline": docx(par('<w:customXml w:uri="u" w:element="e">'+r("{{ a }}")+'</w:customXml>')),
    "permStart": docx(par('<w:permStart w:id="1" w:edGrp="everyone"/>',r("{{ a }}"),'<w:permEnd w:id="1"/>')),
    # language
    "inline for if": docx(par(r("{% for r in rows %}{% if not loop.first %}、{% endif %}{{ r.t }}{% else %}none{% endfor %}"))),
    "smart quotes": docx(par(r("{{ d[‘k’] }} {{ “x” ~ ‘y’ }} {{ a|default(“z”) }}"))),
    "raw": docx(par(r("{% raw %}{{ a }}{% endraw %} {_{ a }_} {_% x %_}"))),
    "namespace": docx(par(r("{% set ns = namespace(x=0) %}{% for r in rows %}{% set ns.x = ns.x + r.n %}{% endfor %}{{ ns.x }}"))),
    "lt gt in tag": docx(par(r("{% if n &gt; 3 and n &lt; 9 %}mid{% endif %}{{ 1 if n&gt;=5 else 2 }}"))),
    "r tag": docx(par(r("x "),r("{%r if yes %}", BOLD),r("bold", BOLD),r("{%r endif %}", BOLD),r(" z"))),
    "r tag for": docx(par(r("x "),r("{%r for r in rows %}"),r("{{ r.t }}", BOLD),r(",", ITALIC),r("{%r endfor %}"),r(" z"))),
    "p set": docx(par(r("{%p set q = n * 2 %}")),par(r("{{ q }}"))),
    "p with": docx(par(r("{%p with q = 3 %}")),par(r("{{ q }}")),par(r("{%p endwith %}"))),
    "cycler joiner": docx(par(r("{% set j = joiner('; ') %}{% for r in rows %}{{ j() }}{{ r.n }}{{ loop.cycle('o','e') }}{% endfor %}"))),
    "multi p if elif else": docx(par(r("{%p if no %}")),par(r("1")),par(r("{%p elif n == 5 %}")),par(r("2 {{ a }}")),par(r("{%p else %}")),par(r("3")),par(r("{%p endif %}")),p("z")),
    "empty p loop": docx(p("a"),par(r("{%p for r in e %}")),par(r("{{ r }}")),par(r("{%p endfor %}")),p("z")),
    "ml text": docx(par(r("a {{ ml }} b", BOLD)),table(row("{{ ml }}","","")),p("")),
    "none num bool": docx(par(r("{{ n }} {{ f }} {{ yes }} {{ rows|length }} {{ [1,'x'] }} {{ d }}"))),
    "trim signs": docx(par(r("a {{- b -}} c {%+ if yes +%} d {% endif %}"))),
    "header footer": docx(p("{{ a }}"),header=par(r("{{ a }}"))+table(row("{%tr for r in rows %}",""),row("{{ r.n }}","x"),row("{%tr endfor %}",""),cols=2)+par(),footer=par(r("{{ b }} "),field(" PAGE ","1")),header2=par(r("first {{ n }}")),footer2=par(r("even {{ d.k }}"))),
    "core": docx(p("{{ b }}"),core="<dc:title>T {{ b }}</dc:title><dc:creator>{{ s }}</dc:creator><dc:subject>{{ n }}</dc:subject><dc:description>{{ d.k }}</dc:description>"),
    "page break before sections": docx(par(r("{%p for r in rows %}")),par(r("{{ r.t }}")),par('<w:r><w:br w:type="page"/></w:r>'),par(r("{%p endfor %}"))),
    "sectPr in loop": docx(par(r("{%p for r in rows %}")),par(r("{{ r.t }}"),pp='<w:pPr><w:sectPr><w:pgSz w:w="16838" w:h="11906"/></w:sectPr></w:pPr>'),par(r("{%p endfor %}")),p("z")),
    "for across paragraphs inline": docx(par(r("{% for r in rows %}")),par(r("{{ r.t }}")),par(r("{% endfor %}")),p("z")),
    "if across table": docx(par(r("x{% if yes %}")),table(row("{{ a }}","","")),par(r("{% endif %}y"))),
    "xml:space off": docx('<w:p><w:r><w:t>{{ s }}</w:t></w:r><w:r><w:t> {{ s }} </w:t></w:r></w:p>'),
}  # fmt: skip

# What docs/migration.md says is otherwise, and the text of each paragraph then.
OTHERWISE = {
    "bookmark around half tag": docx(par('<w:bookmarkStart w:id="3" w:name="half"/>',r("{{ a"),'<w:bookmarkEnd w:id="3"/>',r(" }} z"))),
    "commentRange in tag": docx(par(r("{{ "),'<w:commentRangeStart w:id="0"/>',r("a"),'<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>',r(" }} z")), comments='<w:comment w:id="0" w:author="a"/>'),
    "del before tag": docx(par(deleted("old {{ zz }} "),r("{{ a }}"))),
    "del in tag": docx(par(r("{{ "),deleted("b"),r("a }}"))),
    "moveFrom/moveTo": docx(par('<w:moveFrom w:id="5" w:author="a"><w:r><w:t>{{ b }}</w:t></w:r></w:moveFrom>','<w:moveTo w:id="6" w:author="a"><w:r><w:t>{{ a }}</w:t></w:r></w:moveTo>')),
    "sdt run placeholder": docx(par(control(r("{{ a }}",'<w:rPr><w:rStyle w:val="PlaceholderText"/></w:rPr>'),'<w:showingPlcHdr/>'))),
    "sdt cell": docx(table(row("h",control(cell("{{ a }}")),"z"))),
    "nested table": docx(table(row("{%tr for r in rows %}","",""),row("{{ r.n }}",cell(table(row("{%tr for k in r.k %}",""),row("{{ k }}","{{ r.n }}"),row("{%tr endfor %}",""),cols=2),par()),"z"),row("{%tr endfor %}","","")),p("")),
    "tag in field result": docx(par(field(' DOCPROPERTY "x" ',"{{ a }}"))),
    "tag half in hyperlink": docx(par(r("{{ "),'<w:hyperlink w:anchor="x">'+r("a }} link")+'</w:hyperlink>',r(" z"))),
    "set block": docx(par(r("{% set t %}{{ a }}!{% endset %}{{ t }} {% set u = t|length %}{{ u }}"))),
    "filters": docx(par(r("{{ a|lower }}{{ rows|map(attribute='n')|join('-') }}{{ 'a b'|title }}{{ 3.14159|round(2) }}{{ [3,1,2]|sort|first }}{{ rows|groupby('d')|length }}{{ '%05.2f'|format(f) }}{{ 'x'|center(5) }}|{{ a|replace('&amp;','+') }}"))),
    "amp in tag string": docx(par(r("{{ 'R&amp;D' }} {{ \"&lt;x&gt;\" }} {{ a == 'A&amp;B' }}"))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_docxtpl(name: str) -> None:
    assert differences(render_ours(CASES[name], plain(**CONTEXT)), render_theirs(CASES[name], plain(**CONTEXT))) == []


TEXTS = {
    "bookmark around half tag": ["A&B z"],
    "commentRange in tag": ["A&B z"],
    "del before tag": ["A&B"],
    "del in tag": ["A&B"],
    "moveFrom/moveTo": ["{{ b }}A&B"],
    "sdt run placeholder": ["A&B"],
    "sdt cell": ["h", "A&B", "z"],
    "nested table": ["1", "p", "1", "q", "1", "", "z", "2", "", "z", "3", "r", "3", "", "z", ""],
    "tag in field result": ["A&B"],
    "tag half in hyperlink": ["A&B link z"],
    "set block": ["A&B! 4"],
    "filters": ["a&b1-2-3A B3.141201.50  x  |A+B"],
    "amp in tag string": ["R&D <x> True"],
}  # fmt: skip
KEPT = {
    "bookmark around half tag": 'w:bookmarkEnd',
    "commentRange in tag": 'w:commentRangeEnd',
    "del in tag": 'w:delText',
    "sdt cell": 'w:sdt',
    "tag in field result": 'w:dirty="true"',
    "tag half in hyperlink": 'w:hyperlink',
}  # fmt: skip


def texts(document: bytes) -> list[str]:
    """The text of each paragraph that its reader sees."""
    root = etree.fromstring(read_part(document).encode())
    w = f"{{{W[len('xmlns:w=') + 1 : -1]}}}"
    return ["".join(text.text or "" for text in paragraph.iter(f"{w}t")) for paragraph in root.iter(f"{w}p")]


@pytest.mark.parametrize("name", OTHERWISE)
def test_otherwise_than_docxtpl_and_why(name: str) -> None:
    document = render_ours(OTHERWISE[name], plain(**CONTEXT))
    assert texts(document) == TEXTS[name]
    assert KEPT.get(name, "") in read_part(document)
    assert differences(document, render_theirs(OTHERWISE[name], plain(**CONTEXT))) != []
