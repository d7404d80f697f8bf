"""What changed between two batches, in words: companies in, out and renamed, figures, dates, files.

From the manifests alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfdocs.batch.manifest import Manifest, read_manifest
from gfdocs.batch.records import company_key
from gfdocs.errors import Language, Text

_FIELDS = {
    "district": Text("district", "所在地"),
    "category": Text("category", "类别"),
    "level": Text("level", "级别"),
    "status": Text("status", "状态"),
    "year": Text("year", "年度"),
}
_ROUND = {
    "name": Text("name of the list", "名单名称"),
    "number": Text("number of the notice", "发文字号"),
    "date": Text("date of the notice", "成文日期"),
    "title": Text("title of the notice", "通知标题"),
    "year": Text("year", "年度"),
    "batch": Text("batch", "批次"),
    "level": Text("level", "级别"),
    "scope": Text("scope of the list", "名单范围"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one batch to the next; every entry is a sentence in both languages."""

    added: tuple[Text, ...] = ()
    removed: tuple[Text, ...] = ()
    renamed: tuple[Text, ...] = ()
    figures: tuple[Text, ...] = ()
    round: tuple[Text, ...] = ()
    files: tuple[Text, ...] = ()

    @property
    def lines(self) -> tuple[Text, ...]:
        """All sentences: the round, companies in, out, renamed, figures, files."""
        return (*self.round, *self.added, *self.removed, *self.renamed, *self.figures, *self.files)

    def __bool__(self) -> bool:
        return bool(self.lines)

    def to_text(self, language: Language = "en") -> str:
        """The sentences, one a line."""
        return "\n".join(line.to(language) for line in self.lines)

    def __repr__(self) -> str:
        companies = f"{len(self.added)} in, {len(self.removed)} out, {len(self.renamed)} renamed"
        return f"<Difference: {companies}, {len(self.figures)} figures>"


def diff(out1: str | Path | Manifest, out2: str | Path | Manifest) -> Difference:
    """Return what changed from the first output folder to the second. Raises OutputError where one has no manifest.

    A file counts as changed where its content differs, not where it was only packed by another program.
    """
    old, new = (source if isinstance(source, Manifest) else read_manifest(source) for source in (out1, out2))
    before, after = _match_companies(old, new)
    common = [key for key in after if key in before]
    return Difference(
        tuple(_companies("added", "新增", [after[key] for key in after if key not in before])),
        tuple(_companies("removed", "移出", [before[key] for key in before if key not in after])),
        tuple(_renamed(before[key], after[key]) for key in common if before[key]["name"] != after[key]["name"]),
        tuple(line for key in common for line in _changes(before[key], after[key])),
        tuple(_round_changes(old.records.get("round", {}), new.records.get("round", {}))),
        tuple(_file_changes(old, new)),
    )


def _match_companies(old: Manifest, new: Manifest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the companies of both by key.

    One without a code whose former name is known before keeps the key it had.
    """
    before = {company_key(c): c for c in old.records.get("companies", ()) if "name" in c}
    after: dict[str, Any] = {}
    by_name = {(c.get("category"), c["name"]): key for key, c in before.items()}
    for company in new.records.get("companies", ()):
        if "name" not in company:
            continue
        key = company_key(company)
        if key not in before:
            same = by_name.get((company.get("category"), company["name"]))
            former = by_name.get((company.get("category"), company.get("former_name")))
            key = same or former or key
        after[key] = company
    return before, after


def _companies(en: str, zh: str, companies: list[Mapping[str, Any]]) -> Iterator[Text]:
    if not companies:
        return
    units = "company" if len(companies) == 1 else "companies"
    yield Text(f"{en}: {len(companies)} {units}", f"{zh} {len(companies)} 家")
    for company in companies:
        where = company.get("district", "")
        yield Text(
            f"  {company['name']}" + (f" ({where})" if where else ""),
            f"  {company['name']}" + (f"（{where}）" if where else ""),
        )


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Text:
    return Text(f"renamed: {old['name']} → {new['name']}", f"更名：{old['name']} → {new['name']}")


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Text]:
    name = new["name"]
    for field, title in _FIELDS.items():
        if old.get(field) != new.get(field):
            was, now = old.get(field), new.get(field)
            yield _change(name, title, was, now)
    before, after = old.get("figures", {}), new.get("figures", {})
    for title in dict.fromkeys((*before, *after)):
        if before.get(title) != after.get(title):
            yield _change(name, Text(title), before.get(title), after.get(title))


def _change(whose: str, title: Text, was: Any, now: Any) -> Text:
    en = f"{whose}: {title} {_or_nothing(was, 'nothing')} → {_or_nothing(now, 'nothing')}"
    return Text(en, f"{whose}：{title.zh} {_or_nothing(was, '无')} → {_or_nothing(now, '无')}")


def _or_nothing(value: Any, nothing: str) -> str:
    return nothing if value in (None, "") else str(value)


def _round_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Text]:
    for field, title in _ROUND.items():
        if old.get(field) != new.get(field):
            yield _change_of_round(title, old.get(field), new.get(field))
    for field, en, zh in (
        ("deadlines", "due date of {}", "{} 截止日期"),
        ("districts", "companies of {}", "{} 单位数"),
    ):
        before, after = old.get(field, {}), new.get(field, {})
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                shown = key or "所在地待核实"
                yield _change_of_round(Text(en.format(shown), zh.format(shown)), before.get(key), after.get(key))


def _change_of_round(title: Text, was: Any, now: Any) -> Text:
    en = f"{title}: {_or_nothing(was, 'nothing')} → {_or_nothing(now, 'nothing')}"
    return Text(en, f"{title.zh}：{_or_nothing(was, '无')} → {_or_nothing(now, '无')}")


def _file_changes(old: Manifest, new: Manifest) -> Iterator[Text]:
    before, after = ({record.path: record.content for record in manifest.files} for manifest in (old, new))
    gone = sorted(set(before) - set(after))
    come = sorted(set(after) - set(before))
    changed = sorted(path for path in before if path in after and before[path] != after[path])
    for paths, en, zh in (
        (come, "new file", "新文件"),
        (gone, "file gone", "不再有的文件"),
        (changed, "file changed", "内容变化的文件"),
    ):
        yield from (Text(f"{en}: {path}", f"{zh}：{path}") for path in paths)
