"""What is inside an office file: content types, relations, macros, links (ECMA-376 part 2)."""

from __future__ import annotations

from collections.abc import Iterator

from gfdocs.errors import Issue, PackageError, Text
from gfdocs.safezip.faults import make_issue, missing_part
from gfdocs.safezip.foreign import describe_archive
from gfdocs.safezip.model import CONTENT_TYPES, ContentTypes, Limits, Package, Relationship
from gfdocs.safezip.xml import safe_xml, to_probe


def read_content_types(package: Package) -> ContentTypes:
    """Return the content types; PackageError where the part is missing or is not XML."""
    root = safe_xml(package.read(CONTENT_TYPES), name=package.name, part=CONTENT_TYPES)
    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}
    for child in root.iterchildren(tag="{*}Default"):
        defaults[(child.get("Extension") or "").casefold()] = child.get("ContentType") or ""
    for child in root.iterchildren(tag="{*}Override"):
        overrides[(child.get("PartName") or "").lstrip("/").casefold()] = child.get("ContentType") or ""
    return ContentTypes(defaults, overrides)


def relationships_name(part: str) -> str:
    """Return the name of the part that holds the relations of `part`; of the package itself for an empty text."""
    folder, _, file = part.rpartition("/")
    return f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"


def resolve_target(part: str, target: str) -> str:
    """Return the member name a relation's target means: absolute (`/xl/a.xml`) or relative to the folder of `part`."""
    from urllib.parse import unquote

    target = target.partition("#")[0]
    if "%" in target:
        target = unquote(target)
    steps = target.split("/") if target.startswith("/") else part.split("/")[:-1] + target.split("/")
    out: list[str] = []
    for step in steps:
        if step == "..":
            del out[-1:]
        elif step not in ("", "."):
            out.append(step)
    return "/".join(out)


def read_relationships(package: Package, part: str = "") -> tuple[Relationship, ...]:
    """Return the relations of a part (of the package for an empty name), in their order; empty where it has none."""
    name = package.find_name(relationships_name(part))
    if name is None:
        return ()
    root = safe_xml(package.read(name), name=package.name, part=name)
    found = []
    for child in root.iterchildren(tag="{*}Relationship"):
        uri = child.get("Type") or ""
        external = child.get("TargetMode") == "External"
        target = child.get("Target") or ""
        if not external:
            target = resolve_target(part, target)
            target = package.find_name(target) or target
        found.append(Relationship(child.get("Id") or "", uri.rpartition("/")[2], target, external, uri))
    return tuple(found)


def get_main_part(package: Package) -> str:
    """Return the name of the part that is the document or workbook; PackageError GF318 where there is none."""
    for relation in read_relationships(package):
        if relation.type == "officeDocument" and relation.target in package:
            return relation.target
    raise PackageError(missing_part(package.name, "officeDocument"))


_LINKS = {"externalLinkPath", "externalLink", "xlExternalLinkPath"}
_FETCHED = {"attachedTemplate", "subDocument", "frame", "oleObject", "aFChunk", "image"}


def check_contents(package: Package, limits: Limits) -> Iterator[Issue]:
    if CONTENT_TYPES not in package:
        yield describe_archive(package)
        return
    try:
        types = read_content_types(package)
        if not limits.macros:
            yield from _find_macros(package, types)
        yield from _find_links(package)
    except PackageError as fault:
        yield from fault.issues


_MACRO_TYPES = ("vbaproject", "vbadata", "macroenabled", "macrosheet", "activex")
_BINARY_WORKBOOK = "application/vnd.ms-excel.sheet.binary.macroenabled.main"  # with macros or without
_MACRO_RELATIONS = ("vbaproject", "wordvbadata", "xlmacrosheet", "xlintlmacrosheet", "activexcontrolbinary")


def _find_macros(package: Package, types: ContentTypes) -> Iterator[Issue]:
    """Macros are found by the type of a part, by its name, and by the relations that lead to it."""
    related = {target for name in package.names for target in _macro_targets(package, name)}
    for name in package.names:
        kind, folded = types.of(name).casefold(), name.casefold()
        if kind == _BINARY_WORKBOOK:
            yield make_issue(
                "GF304",
                package.name,
                "",
                Text("the file is a binary workbook (.xlsb)", "文件为二进制工作簿（.xlsb）"),
                Text("open it in Excel and save it as .xlsx", "请用 Excel 打开，另存为 .xlsx 后再提交"),
            )
            continue
        named = folded.endswith("vbaproject.bin") or "/macrosheets/" in folded or "/activex/" in folded
        if named or name in related or any(word in kind for word in _MACRO_TYPES):
            yield make_issue(
                "GF314",
                package.name,
                name,
                Text("the file contains macros (VBA, macro sheets or ActiveX)", "文件含宏（VBA、宏表或 ActiveX 控件）"),
                Text("save it as .docx or .xlsx without macros", "请另存为不含宏的 .docx 或 .xlsx"),
            )


def _macro_targets(package: Package, name: str) -> Iterator[str]:
    """Yield the parts that a part of relations calls macros."""
    if not name.casefold().endswith(".rels"):
        return
    text = to_probe(package.read(name)).lower()
    # A character reference may hide the word.
    if not any(word in text for word in (b"vba", b"macrosheet", b"activex", b"&#")):
        return
    folder, _, file = f"/{name}".rpartition("/_rels/")
    for relation in read_relationships(package, f"{folder}/{file[:-5]}".strip("/")):
        if relation.type.casefold() in _MACRO_RELATIONS:
            yield relation.target


def _is_remote(target: str) -> bool:
    lowered = target.casefold()
    return lowered.startswith(("http:", "https:", "ftp:", "\\\\", "//", "mhtml:", "file://///", "file:////")) or (
        lowered.startswith("file://") and not lowered.startswith("file:///")
    )


def _find_links(package: Package) -> Iterator[Issue]:
    """Every link to another workbook is refused and listed; what Office would fetch from the net is warned of."""
    for name in package.names:
        if not name.endswith(".rels") or "TargetMode" not in package.read(name).decode("utf-8", "replace"):
            continue
        folder, _, file = f"/{name}".rpartition("/_rels/")
        part = f"{folder}/{file[:-5]}".strip("/")
        for relation in read_relationships(package, part):
            if not relation.external:
                continue
            if relation.type in _LINKS:
                yield make_issue(
                    "GF315",
                    package.name,
                    name,
                    Text(f"the file is linked to {relation.target!r}", f"文件链接到外部文件 {relation.target!r}"),
                    Text(
                        "break the link (Data › Edit Links) and save it again",
                        "请断开链接（数据 › 编辑链接）后重新保存",
                    ),
                )
            elif relation.type in _FETCHED and _is_remote(relation.target):
                # Word also writes where the author's own Normal.dotm is; that is nobody's business.
                yield make_issue(
                    "GF320",
                    package.name,
                    name,
                    Text(
                        f"the file fetches {relation.target!r} when it is opened",
                        f"打开时会读取外部内容 {relation.target!r}",
                    ),
                    Text("embed it, or remove the link", "请改为嵌入，或删除链接"),
                    severity="warning",
                )
