"""The rules the checker knows: code, clause, how binding, and what each asks for.

Only what the standard says shall be (规) is an error, and only where the file shows it beyond doubt; where the page
would have to be laid out to be sure, and for everything that is 一般, 推荐 or 可, there is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass

from gfdocs.errors import Issue, Place, Severity, Text
from gfdocs.gongwen.layout import STANDARD, Strength
from gfdocs.gongwen.paper import Paragraph, Table


@dataclass(frozen=True, slots=True)
class Rule:
    """`clause` is of GB/T 9704-2012, with the standard its clause 9 refers to; empty where no standard says it."""

    code: str
    clause: str
    strength: Strength
    title: Text

    @property
    def severity(self) -> Severity:
        return "error" if self.strength is Strength.SHALL else "warning"


_SHALL, _NORMALLY, _RECOMMENDED, _MAY = Strength.SHALL, Strength.NORMALLY, Strength.RECOMMENDED, Strength.MAY
_PUNCTUATION, _NUMERALS = "9 (GB/T 15834)", "9 (GB/T 15835)"

_ROWS: tuple[tuple[str, str, Strength, str, str], ...] = (
    ("GF701", "5.1", _SHALL, "paper is A4", "幅面为A4"),
    ("GF702", "5.2.1", _SHALL, "margins and type area", "天头、订口和版心尺寸"),
    ("GF703", "5.2.3", _NORMALLY, "22 lines a page", "每面22行"),
    ("GF704", "5.2.3", _NORMALLY, "28 characters a line", "每行28字"),
    ("GF705", "5.2.4", _SHALL, "text is black", "文字颜色为黑色"),
    ("GF706", "5.2.2", _NORMALLY, "body in 3号仿宋", "正文用3号仿宋体字"),
    ("GF711", "7.2.1", _NORMALLY, "six digits of the copy number", "份号用6位阿拉伯数字"),
    ("GF712", "7.2.2", _NORMALLY, "secrecy and urgency in 3号黑体, flush left", "密级、紧急程度用3号黑体，顶格"),
    ("GF713", "7.2.3", _SHALL, "copy number, secrecy, urgency in this order", "份号、密级、紧急程度自上而下排列"),
    ("GF714", "7.2.4", _SHALL, "issuer mark red and centred", "发文机关标志居中，红色"),
    ("GF715", "7.2.4", _RECOMMENDED, "issuer mark in 小标宋", "发文机关标志推荐用小标宋体字"),
    ("GF716", "7.2.4", _SHALL, "issuer mark 35 mm below the type area's edge", "发文机关标志距版心上边缘35mm"),
    ("GF717", "7.2.5", _SHALL, "form of the document number", "发文字号格式"),
    ("GF718", "7.2.5", _SHALL, "place of the document number", "发文字号位置"),
    ("GF719", "7.2.7", _SHALL, "red rule under the document number", "发文字号下的红色分隔线"),
    ("GF720", "7.2.6", _SHALL, "form of the signer", "签发人格式"),
    ("GF721", "7.3.1", _NORMALLY, "title in 2号小标宋", "标题用2号小标宋体字"),
    ("GF722", "7.3.1", _SHALL, "place of the title", "标题位置"),
    ("GF723", "7.3.2", _SHALL, "form and place of the addressee", "主送机关格式"),
    ("GF724", "7.3.3", _SHALL, "paragraphs 2 characters in, following lines flush", "自然段左空二字，回行顶格"),
    ("GF725", "7.3.3", _NORMALLY, "faces of the levels", "层次序数的字体"),
    ("GF726", "7.3.3", _NORMALLY, "no bold", "正文不加粗"),
    ("GF727", "7.3.3", _NORMALLY, "levels without a skip", "层次不跳级"),
    ("GF728", "7.3.3", _SHALL, "numbers without gap or repetition", "序号连续不重复"),
    ("GF729", "7.3.3", _NORMALLY, "form of the level numbers", "层次序数的写法"),
    ("GF730", "7.3.1", _NORMALLY, "title's lines in a trapezoid or diamond", "标题多行排列呈梯形或菱形"),
    ("GF731", "7.3.4", _SHALL, "place of the attachment list", "附件说明位置"),
    ("GF732", "7.3.4", _SHALL, "no punctuation after an attachment's name", "附件名称后不加标点"),
    ("GF733", "7.3.4", _SHALL, "numbers of the attachment list", "附件说明序号"),
    ("GF734", "7.3.4", _SHALL, "long attachment names aligned", "附件名称回行对齐"),
    ("GF735", "7.3.4", _SHALL, "attachments cited are listed", "正文引用的附件均已列出"),
    ("GF736", "7.3.4", _NORMALLY, "attachments listed are cited", "列出的附件正文均有提及"),
    ("GF737", "7.3.7", _SHALL, "label of an attachment page", "附件页的“附件”及序号"),
    ("GF738", "7.3.7", _SHALL, "title of an attachment page", "附件标题位置"),
    ("GF739", "7.3.7", _SHALL, "attachment pages agree with the list", "附件序号、标题与附件说明一致"),
    ("GF740", "7.3.7", _SHALL, "an attachment begins a page", "附件另面编排"),
    ("GF741", "7.3.5", _SHALL, "signature and date are there", "有发文机关署名和成文日期"),
    ("GF742", "7.3.5.4", _SHALL, "form of the date", "成文日期写法"),
    ("GF743", "7.3.5.1", _NORMALLY, "place of the date", "成文日期位置"),
    ("GF744", "7.3.5.5", _SHALL, "no 此页无正文", "不使用“此页无正文”"),
    ("GF745", "7.3.6", _SHALL, "form of the remark", "附注格式"),
    ("GF751", "7.4.1", _RECOMMENDED, "rules of the imprint", "版记分隔线"),
    ("GF752", "7.4.2", _SHALL, "form of 抄送", "抄送机关格式"),
    ("GF753", "7.4.3", _SHALL, "form of 印发", "印发机关和印发日期格式"),
    ("GF754", "7.4.2", _NORMALLY, "imprint in 4号仿宋, one character in", "版记用4号仿宋体字，左右各空一字"),
    ("GF761", "7.5", _NORMALLY, "page numbers", "有页码"),
    ("GF762", "7.5", _NORMALLY, "form of the page number", "页码写法"),
    ("GF763", "7.5", _NORMALLY, "page number right on odd, left on even pages", "单页码居右、双页码居左"),
    ("GF764", "7.5", _SHALL, "page number 7 mm below the type area", "页码一字线距版心下边缘7mm"),
    ("GF765", "8", _SHALL, "page number of landscape pages", "横排页的页码位置"),
    ("GF771", _PUNCTUATION, _SHALL, "full-width punctuation in Chinese text", "中文用全角标点"),
    ("GF772", _NUMERALS, _SHALL, "four digits of a year", "年份用四位数字"),
    ("GF773", _NUMERALS, _SHALL, "percent sign at both ends of a range", "百分数范围前后均带百分号"),
    ("GF774", _NUMERALS, _NORMALLY, "ranges of years with a dash", "年份起止用一字线或浪纹线"),
    ("GF775", _PUNCTUATION, _SHALL, "ellipsis of six dots", "省略号写作……"),
    ("GF776", _NUMERALS, _NORMALLY, "日, not 号, in dates", "日期用“日”不用“号”"),
    ("GF777", "", _NORMALLY, "截至 and 截止", "“截至”与“截止”"),
    ("GF778", "", _NORMALLY, "one form of address", "称谓前后一致"),
    ("GF779", _PUNCTUATION, _SHALL, "no doubled punctuation", "标点不重复"),
    ("GF780", _PUNCTUATION, _SHALL, "Chinese quotation marks", "使用中文引号"),
    ("GF781", _PUNCTUATION, _NORMALLY, "no 、 between book titles or quotations", "并列书名号、引号之间不用顿号"),
    ("GF782", _NUMERALS, _NORMALLY, "no leading zeros in dates", "日期中的月、日不编虚位"),
    ("GF783", _NUMERALS, _NORMALLY, "half-width digits and letters", "数字、字母用半角"),
    ("GF784", "7.3.3", _NORMALLY, "indents by format, not by spaces", "用缩进而不用空格排版"),
    ("GF785", "", _MAY, "nothing left to fill in", "没有待填内容"),
    ("GF786", _PUNCTUATION, _SHALL, "brackets and quotation marks in pairs", "括号、引号、书名号成对"),
    ("GF791", "5.2.2", _NORMALLY, "no theme fonts", "不使用主题字体"),
    ("GF792", "5.2.2", _NORMALLY, "faces of the standard", "使用标准规定的字体"),
    ("GF793", "5.2.2", _NORMALLY, "a Chinese face is named", "指定了中文字体"),
    ("GF794", "5.2.2", _NORMALLY, "quotation marks and dashes in the Chinese face", "引号、破折号、省略号用中文字体"),
    ("GF795", "5.2.2", _NORMALLY, "text is marked as Chinese", "文字语言为中文"),
    ("GF796", "7.2.4", _NORMALLY, "no WordArt or text box for text", "不用艺术字、文本框"),
    ("GF797", "8", _NORMALLY, "a long table repeats its head", "跨页表格重复表头"),
    ("GF798", "5.2.1", _NORMALLY, "tables inside the type area", "表格不超出版心"),
    ("GF799", "", _NORMALLY, "no revisions or comments left", "没有修订和批注"),
)  # fmt: skip

RULES: dict[str, Rule] = {code: Rule(code, clause, strength, Text(en, zh)) for code, clause, strength, en, zh in _ROWS}

Where = Paragraph | Table | tuple[str, ...] | None


def make_issue(
    name: str, code: str, where: Where, found: str, wanted: str, *, hint: Text | None = None,
    severity: Severity | None = None, also: tuple[Place, ...] = (),
) -> Issue:  # fmt: skip
    """Return the issue: clause, what was found, what is wanted. A plain str is the same in both languages."""
    rule = RULES[code]
    found_zh, wanted_zh = (t.zh if isinstance(t, Text) else t for t in (found, wanted))
    clause = f"{STANDARD} {rule.clause}" if rule.clause else ""
    head = f"{clause}: " if clause else ""
    head_zh = f"{clause}：" if clause else ""
    fact = Text(
        f"{head}{rule.title}: found {found}, expected {wanted}",
        f"{head_zh}{rule.title.zh}：现为{found_zh}，应为{wanted_zh}",
    )
    return Issue(code, severity or rule.severity, make_place(name, where), fact, hint or Text(""), also)


def make_place(name: str, where: Where) -> Place:
    """The place: `通知.docx › document › paragraph 12 › “近日，…”`."""
    if where is None:
        return Place(name)
    if isinstance(where, tuple):
        return Place(name, path=where)
    if isinstance(where, Table):
        return Place(name, path=where.place)
    words = " ".join(where.words.split())
    excerpt = (f"“{words[:16]}…”" if len(words) > 17 else f"“{words}”",) if words else ()
    return Place(name, path=(*where.place, *excerpt))


def plain(width: float) -> str:
    """A number as messages write it: 2, 2.5."""
    return f"{width:.1f}".removesuffix(".0")


def characters(width: float) -> str:
    """A width in 字 for an English reader: 1 character, 2.5 characters."""
    number = plain(width)
    return f"{number} character{'' if number == '1' else 's'}"


def quote(text: str) -> str:
    """A text as it is quoted in messages, white space made visible as one space."""
    return f"“{' '.join(text.split())}”"
