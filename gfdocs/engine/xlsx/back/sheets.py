"""Which sheet of a returned workbook is which of the form: by the fixed texts they share."""

from __future__ import annotations

from dataclasses import dataclass

from gfdocs.engine.xlsx.back.findings import Findings
from gfdocs.engine.xlsx.back.form import SheetForm, normalise
from gfdocs.engine.xlsx.back.returned import ReturnedSheet
from gfdocs.errors import Place, Text

#: The part of a form's fixed texts that a sheet must have to be taken for it.
_ENOUGH = 0.4


@dataclass
class Match:
    """A sheet of the form found in the returned workbook."""

    form: SheetForm
    sheet: ReturnedSheet


def match_sheets(forms: list[SheetForm], sheets: list[ReturnedSheet], findings: Findings) -> list[Match]:
    """Pair the form's sheets with the returned ones by the fixed texts they share; the name decides between equals. A
    sheet of the form that stands for the items of a list takes all that have its texts, in their order.
    """
    texts = {id(sheet): _find_texts(sheet) for sheet in sheets}
    scored = []
    for form in forms:
        for sheet in sheets:
            keys = form.keys
            shared = len(keys & texts[id(sheet)]) / len(keys) if keys else 0.0
            named = normalise(form.name) == normalise(sheet.name)
            scored.append((shared + 0.25 * named, named, form, sheet))
    scored.sort(key=lambda entry: (-entry[0], not entry[1]))
    pairs: list[Match] = []
    taken: set[int] = set()
    for score, named, form, sheet in scored:
        if (
            id(form) in taken
            or id(sheet) in taken
            or (score < _ENOUGH and not (named and (score > 0.25 or not form.keys)))
        ):
            continue
        taken |= {id(form), id(sheet)}
        pairs.append(Match(form, sheet))
    for form in forms:
        if form.steps:
            own = [entry for entry in scored if entry[2] is form and entry[0] >= _ENOUGH]
            for *_, sheet in own:
                if id(sheet) not in taken:
                    taken |= {id(form), id(sheet)}
                    pairs.append(Match(form, sheet))
        elif id(form) not in taken:
            fact = Text(f"the sheet {form.name!r} of the form is not there", f"缺少工作表“{form.name}”")
            hint = Text("send back the whole workbook as it was sent", "请将下发的工作簿整体报送")
            findings.report("GF611", "error", Place(findings.name), fact, hint)
    order = {id(sheet): number for number, sheet in enumerate(sheets)}
    return sorted(pairs, key=lambda pair: (forms.index(pair.form), order[id(pair.sheet)]))


def _find_texts(sheet: ReturnedSheet) -> set[str]:
    """Return the texts of a sheet's first and last rows, where the fixed ones are."""
    numbers = list(sheet.rows)
    if len(numbers) > 400:
        numbers = numbers[:200] + numbers[-200:]
    return {normalise(h[1:]) for n in numbers for h in sheet.rows[n].values() if h[0] == "t" and len(h) < 500}


def note_oddities(match: Match, findings: Findings) -> None:
    """Note what was done to a sheet and does not keep it from being read: hidden, filtered, called otherwise."""
    form, sheet = match.form, match.sheet
    place = findings.place_of_sheet(sheet.name)
    facts: list[Text] = []
    if sheet.state != "visible":
        facts.append(Text("the sheet is hidden and was read", "工作表已隐藏，仍已读取"))
    if sheet.hidden_rows:
        count = sheet.hidden_rows
        facts.append(
            Text(f"{count} rows are hidden (a filter?) and were read", f"{count} 行被隐藏（可能为筛选），仍已读取")
        )
    if normalise(form.name) != normalise(sheet.name) and not form.steps:
        english = f"the sheet {form.name!r} is called {sheet.name!r} here"
        facts.append(Text(english, f"工作表“{form.name}”被改名为“{sheet.name}”"))
    for fact in facts:
        findings.report("GF612", "note", place, fact, Text(""))
