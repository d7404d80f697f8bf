"""What must agree before anything is written: counts, attachments, dates, plaques. Each violation names both places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gfdocs.data.indicators import find_indicator
from gfdocs.errors import Issue, Place, Text, did_you_mean
from gfdocs.programme.catalogue import DocumentSpec
from gfdocs.programme.context import LISTED, Plain, RoundContext

if TYPE_CHECKING:
    from gfdocs.data.load import Dataset
    from gfdocs.data.model import Settings


def check_consistency(dataset: Dataset, specs: Sequence[DocumentSpec], context: RoundContext) -> tuple[Issue, ...]:
    """Return every violation, in the order of the checks; nothing is changed."""
    checks = (_check_counts, _check_documents, _check_attachments, _check_dates, _check_companies, _check_indicators)
    return tuple(issue for check in checks for issue in check(dataset, specs, context))


def _check_counts(dataset: Dataset, _specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    counts, groups = context.base["counts"], context.base["groups"]
    listed, expected = counts["listed"], context.base["round"]["expected"]
    rows = sum(group["count"] for group in groups)
    annex = Place(path=(_title(context, "list"),))
    if rows != listed:
        yield Issue(
            "GF410", "error", annex,
            Text(f"annex 2 has {rows} rows, the notice says {listed}", f"名单有 {rows} 行，通知正文为 {listed} 家"),
            Text("please report it: both come from one place", "两处数据同源，请反馈此问题"),
        )  # fmt: skip
    if expected is not None and expected != listed:
        yield Issue(
            "GF411", "error", dataset.place_of("round", "expected"),
            Text(f"the round expects {expected} units, the list has {listed}", f"批次应有 {expected} 家，名单实有 {listed} 家"),
            Text("add the missing companies or correct `expected`", "请补齐企业数据，或更正“应有数量”（expected）"),
            also=(annex,),
        )  # fmt: skip
    total = context.base["source"]["count"]
    if total is not None and counts["new"] > total:
        yield Issue(
            "GF412", "error", dataset.place_of("source", "count"),
            Text(f"the province lists {total} units, this city alone {counts['new']}", f"全省共 {total} 家，本市却有 {counts['new']} 家"),
            Text("correct `count` of the source notice, or `level` and `year` of the companies", "请更正来文的全省数量（count），或单位的级别、年度"), also=(annex,),
        )  # fmt: skip
    if not dataset.settings.districts:
        yield Issue(
            "GF415", "warning", dataset.place_of("districts"),
            Text("no district is given: only the city's own documents and those of companies are made", "没有县级市（区）：只制作全市文件和各单位文件"),
            Text("list the districts in their official order", "请按官方次序列出县级市（区）"),
        )  # fmt: skip
    if not listed:
        yield Issue(
            "GF413", "warning", annex,
            Text("no company belongs to this round: annex 2 will be empty", "没有属于本批次的单位，附件2 将为空"),
            Text(
                "a company belongs to the round by `level` and `year`; leave both empty or give the round's own",
                "单位按“级别”和“年度”归入批次：两项留空，或与批次一致",
            ),
        )  # fmt: skip


def _title(context: RoundContext, key: str) -> str:
    entry = context.base["annex"].get(key.replace("-", "_"))
    return f"{entry['label']} {entry['title']}" if entry else key


def _check_documents(dataset: Dataset, specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    yield from check_ids(dataset.settings, dataset.place_of, specs)
    yield from _check_needs(dataset, specs)


def check_ids(settings: Settings, place_of: Callable[..., Place], specs: Sequence[DocumentSpec]) -> Iterator[Issue]:
    """Yield each id of a document that the catalogue does not have; needs gfdocs.yaml alone, whatever the companies say."""
    known = {spec.id: spec for spec in specs}
    for index, document in enumerate(settings.documents):
        if document not in known:
            fact = Text(f'no document "{document}" in the catalogue', f"目录中没有文件“{document}”")
            yield Issue("GF420", "error", place_of("documents", index), fact, _hint_at(document, specs))
    for index, document in enumerate(settings.attachments):
        if document not in known:
            fact = Text(f'attachment "{document}" is not in the catalogue', f"附件“{document}”不在文件目录中")
            yield Issue("GF430", "error", place_of("attachments", index), fact, _hint_at(document, specs))
    for index, deadline in enumerate(settings.deadlines):
        if deadline.document and deadline.document not in known:
            fact = Text(
                f'a deadline names the unknown document "{deadline.document}"',
                f"报送要求中的文件“{deadline.document}”不在目录中",
            )
            place = place_of("deadlines", index, "document")
            yield Issue("GF441", "error", place, fact, _hint_at(deadline.document, specs))


def _hint_at(document: str, specs: Sequence[DocumentSpec]) -> Text:
    """Return the id that was probably meant, by its letters or by what the document is called (附件3), else all there are."""
    if any(mark in document for mark in "，、；"):
        return Text(
            "part them with a half-width comma: [list, annual-table]", "各项之间请用半角逗号：[list, annual-table]"
        )
    called = {spec.id: spec.note.partition(" / ")[0].partition("，")[0] for spec in specs}
    named = [key for key, words in called.items() if document and document in words.split()]
    if len(named) == 1:
        return Text(f'did you mean "{named[0]}"?', f"是否应为“{named[0]}”？")
    return did_you_mean(document, called) or _list_known(called)


_NEEDS_ZH = {"round": "批次", "issuer": "发文机关", "source": "来文", "companies": "企业数据", "deadlines": "报送要求"}


def _check_needs(dataset: Dataset, specs: Sequence[DocumentSpec]) -> Iterator[Issue]:
    """What a document needs by its catalogue entry and the data does not have; the attributes have the names of `needs`."""
    chosen = dataset.settings.documents
    data = {
        "companies": dataset.companies,
        **{key: getattr(dataset.settings, key) for key in ("round", "issuer", "source", "deadlines")},
    }
    for spec in specs:
        if chosen and spec.id not in chosen:
            continue
        for need in spec.needs:
            if not data[need]:
                yield Issue(
                    "GF421", "warning", dataset.place_of(need),
                    Text(f'"{spec.id}" needs {need}, and there are none', f"“{spec.id}”需要{_NEEDS_ZH[need]}，但数据中没有"),
                    Text("add them, or leave the document out of `documents`", "请补充，或不制作该文件"), also=(spec.place,),
                )  # fmt: skip


def _list_known(called: dict[str, str]) -> Text:
    """Return the documents there are with what they are called, where they are few enough to be read."""
    if len(called) > 20:
        return Text("")
    told = [key + (f"（{words}）" if words else "") for key, words in called.items()]
    return Text(f"there are: {', '.join(called)}", f"可选：{'、'.join(told)}")


def _check_attachments(dataset: Dataset, specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    settings, known = dataset.settings, {spec.id for spec in specs}
    for index, document in enumerate(settings.attachments):
        if document in known and settings.documents and document not in settings.documents:
            yield Issue(
                "GF431", "error", dataset.place_of("attachments", index),
                Text(f'attachment "{document}" is named in the notice but not made', f"附件“{document}”在通知中列出，但未列入要制作的文件"),
                Text("add it to `documents`", "请加入“文件”（documents）列表"), also=(dataset.place_of("documents"),),
            )  # fmt: skip
    yield from _check_titles(dataset, context)


def _check_titles(dataset: Dataset, context: RoundContext) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(context.base["attachments"]):
        title = entry["title"]
        if title in seen:
            yield Issue(
                "GF433", "error", dataset.place_of("attachments", index),
                Text(f'two attachments have the title "{title}"', f"两个附件标题相同：“{title}”"),
                Text("change the title of one in the catalogue", "请在文件目录中修改其中一个的标题"), also=(dataset.place_of("attachments", seen[title]),),
            )  # fmt: skip
        seen.setdefault(title, index)


def _check_dates(dataset: Dataset, specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    settings, known = dataset.settings, [spec.id for spec in specs]
    issued, notice_place = settings.round.date, dataset.place_of("round", "date")
    for index, deadline in enumerate(settings.deadlines):
        place = dataset.place_of("deadlines", index, "date")
        if deadline.date <= issued:
            yield Issue(
                "GF440", "error", place,
                Text(f"the deadline {deadline.date} is not after the notice of {issued}", f"截止日期 {deadline.date} 不晚于通知日期 {issued}"),
                Text("correct one of the two dates", "请更正其中一个日期"), also=(notice_place,),
            )  # fmt: skip
        if settings.documents and deadline.document in known and deadline.document not in settings.documents:
            yield Issue(
                "GF443", "warning", dataset.place_of("deadlines", index, "document"),
                Text(f'"{deadline.document}" is due on {deadline.date}, but it is not made', f"“{deadline.document}”须于 {deadline.date} 前报送，但未列入要制作的文件"),
                Text("add it to `documents`, or take the deadline out", "请加入“文件”（documents）列表，或删除该报送要求"),
                also=(dataset.place_of("documents"),),
            )  # fmt: skip
    if settings.source.date > issued:
        yield Issue(
            "GF442", "error", dataset.place_of("source", "date"),
            Text(f"the source notice of {settings.source.date} is later than this notice of {issued}", f"来文日期 {settings.source.date} 晚于本通知日期 {issued}"),
            Text("correct one of the two dates", "请更正其中一个日期"), also=(notice_place,),
        )  # fmt: skip


def _check_companies(dataset: Dataset, _specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    for index, company in enumerate(context.companies):
        if company["status"] == "更名" and not company["former_name"]:
            yield Issue(
                "GF450", "warning", dataset.place_of("companies", index, "status"),
                Text(f"{company['name']} is renamed, but the former name is not given", f"{company['name']} 状态为更名，但未填原名称"),
                Text("fill in `former_name`", "请填写原名称（former_name）"),
            )  # fmt: skip
    yield from _check_unused(dataset, context)


def _check_unused(dataset: Dataset, context: RoundContext) -> Iterator[Issue]:
    """A unit that is on its list, but on none of this round's: of a later year, or of a level below it."""
    used = {(c["name"], c["category"]) for c in (*context.units, *context.candidates)}
    for index, company in enumerate(context.companies):
        if company["status"] in LISTED and (company["name"], company["category"]) not in used:
            level, year = company["level"], company["year"]
            yield Issue(
                "GF452", "note", dataset.place_of("companies", index),
                Text(f"{company['name']} ({level}, {year}) stands in no document of this round", f"{company['name']}（{level}，{year} 年度）不属于本批次，不列入任何文件"),
                Text("right for a later year or a lower level; else correct `level` or `year`", "若年度晚于本批或级别低于本批，无需处理；否则请更正级别或年度"),
            )  # fmt: skip


def _check_indicators(dataset: Dataset, _specs: Sequence[DocumentSpec], context: RoundContext) -> Iterator[Issue]:
    for number, company in enumerate(context.companies):
        for index, row in enumerate(company["indicators"]):
            yield from _check_unit(dataset, row, number, index)


def _check_unit(dataset: Dataset, row: Plain, number: int, index: int) -> Iterator[Issue]:
    spec = find_indicator(row["name"])
    if spec and spec.units and row["unit"] not in spec.units:
        wanted = " / ".join(unit or "—" for unit in spec.units)
        yield Issue(
            "GF451", "warning", dataset.place_of("companies", number, "indicators", index, "unit"),
            Text(f'{row["name"]} is given in "{row["unit"]}", usually in {wanted}', f"{row['name']} 的单位为“{row['unit']}”，通常为 {wanted}"),
            Text("check the figure together with its unit", "请核对数值与单位"),
        )  # fmt: skip


def check_targets(plaques: int, context: RoundContext, dataset: Dataset) -> Iterator[Issue]:
    """Yield an issue where the number of plaques is not the number of units that annex 2 lists."""
    listed = context.base["counts"]["listed"]
    if plaques != listed:
        yield Issue(
            "GF414", "error", Place(path=(_title(context, "list"),)),
            Text(f"annex 2 lists {listed} units, but {plaques} plaques would be made", f"名单列 {listed} 家，标牌却有 {plaques} 块"),
            Text("look at `of` and `when` of the plaque in the catalogue", "请检查文件目录中标牌的 of 和 when"), also=(dataset.place_of("companies"),),
        )  # fmt: skip
