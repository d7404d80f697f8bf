"""A compiled docx template: what never changes as one block of ready bytes, a Jinja program for each part with tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from jinja2 import nodes
from jinja2.runtime import LoopContext

from gfdocs.engine.docx.balance import word_of
from gfdocs.engine.docx.check import (
    check_blocks,
    check_functions,
    check_scopes,
    check_syntax,
    describe_crossing,
    find_lonely,
    find_unfilled,
)
from gfdocs.engine.docx.finish import Drawings, finish, share_ids
from gfdocs.engine.docx.links import drop_links, find_links, relate, write_addresses
from gfdocs.engine.docx.pictures import PartPictures, picture_members, write_content_types, write_relations
from gfdocs.engine.docx.prepare import Prepared, Spot, prepare
from gfdocs.engine.docx.rows import fill_rows, pick_values
from gfdocs.engine.docx.story import THAWED, Story, W, read_story
from gfdocs.engine.docx.values import PAGE, STATE, State, make_raw, make_writer
from gfdocs.engine.language import (
    Index,
    Language,
    MissingPolicy,
    Program,
    Unfit,
    compile_source,
    make_environment,
    raise_issues,
)
from gfdocs.engine.names import Name, find_names, merge_names
from gfdocs.engine.package import (
    CONTENT_TYPES,
    ContentTypes,
    Frame,
    Member,
    Package,
    deflate,
    make_frame,
    read_content_types,
    read_package,
    read_relationships,
    relationships_name,
    safe_xml,
)
from gfdocs.engine.reaching import find_reaching_document
from gfdocs.engine.template import Options
from gfdocs.errors import Issue, PackageError, Place, TemplateError, Text

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_MAIN = (_WORD + "document.main+xml", _WORD + "template.main+xml")
_PARTS = {_WORD + f"{name}+xml" for name in ("header", "footer", "footnotes", "endnotes", "comments")}
_CORE = "application/vnd.openxmlformats-package.core-properties+xml"


def _find_parts(package: Package, types: ContentTypes) -> list[str]:
    """Return the parts that may hold tags: the document first, then headers, footers, notes, comments, properties."""
    main = [name for name in package.names if types.of(name) in _MAIN]
    if not main:
        raise PackageError(_wrong_kind(package, types))
    if _STRICT in package.read(main[0])[:4096]:
        raise PackageError(_strict(package))
    rest = [name for name in package.names if types.of(name) in _PARTS or types.of(name) == _CORE]
    return main[:1] + rest


# The namespace of documents that Word saves as "Strict Open XML Document" (ISO 29500-1).
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"


def _strict(package: Package) -> Issue:
    return Issue(
        "GF319",
        "error",
        Place(package.name),
        Text("it is a Strict Open XML document", "文件为“Strict Open XML 文档”格式"),
        Text('save it in Word as "Word Document (*.docx)"', "请在 Word 中另存为“Word 文档 (*.docx)”"),
    )


def _wrong_kind(package: Package, types: ContentTypes) -> Issue:
    found = next((kind for kind in map(types.of, package.names) if kind.endswith("main+xml")), "")
    what = {"spreadsheetml": "a workbook", "presentationml": "a presentation"}
    seen = next((text for key, text in what.items() if key in found), "no Word document")
    return Issue(
        "GF319",
        "error",
        Place(package.name),
        Text(f"expected a Word document (.docx), found {seen}", "应为 Word 文档（.docx）"),
    )


def part_label(part: str) -> str:
    """Return how a part is called in messages: `document`, `header1`, `footnotes`, `core`."""
    return part.rpartition("/")[2].rpartition(".")[0]


# ---------------------------------------------------------------------------------------------------------------------
# Parts


@dataclass(frozen=True)
class CompiledPart:
    """One part with tags."""

    name: str
    prepared: Prepared = field(repr=False)
    program: Program = field(repr=False)
    known_ids: frozenset[str] = frozenset()
    fixes: frozenset[str] = frozenset()
    drawings: Drawings = field(default=Drawings(), repr=False)

    def new_state(self) -> State:
        return State(PartPictures(self.name, self.known_ids))

    def generate(self, context: Mapping[str, Any], missing: MissingPolicy, state: State) -> Iterator[bytes]:
        """Yield the filled part in chunks of UTF-8; `state` gathers what its values bring."""
        token = STATE.set(state)
        try:
            yield from self.program.generate(context, missing=missing)
        finally:
            STATE.reset(token)


def _has_tags(data: bytes) -> bool:
    return b"{" in data or b"\0{" in data or _WIDE_BRACE in data


_WIDE_BRACE = "｛".encode()


def _read_part(package: Package, name: str, links: Mapping[str, str]) -> Story | None:
    """Return the story of a part, or None where it has no tags. links: the addresses in it that have tags, by id."""
    data = package.read(name)
    if not _has_tags(data) and not links:
        return None
    root = safe_xml(data, name=package.name, part=name)
    if links:
        write_addresses(root, links)
    story = read_story(root, package.name, part_label(name))
    return story if story.tags or story.issues or story.has_braces else None


def _find_faults(story: Story, known: Iterable[str]) -> list[Issue]:
    """Return what is wrong with where the tags of a part stand and how they nest."""
    return [*check_blocks(story.shown_tags, known), *check_scopes(story), *find_lonely(story)]


_PARAGRAPH = W + "p"


def _sort(issues: Iterable[Issue], story: Story) -> list[Issue]:
    """Return issues of one part in the order of the document, each once."""
    order: dict[tuple[str, ...], int] = {}
    for paragraph in story.root.iter(_PARAGRAPH):
        order.setdefault(story.paths.get(paragraph, ()), len(order))
    return sorted(_each_once(issues), key=lambda issue: order.get(issue.place.path[1:], -1))


def _each_once(issues: Iterable[Issue]) -> list[Issue]:
    """Drop what the fallback twin of a text box tells again."""
    seen: set[tuple[str, Place, str]] = set()
    out = []
    for issue in issues:
        key = (issue.code, issue.place, str(issue.fact))
        if key not in seen:
            seen.add(key)
            out.append(issue)
    return out


def _set_outlets(index: Index, outlets: Mapping[int, str], is_frozen: bool) -> None:
    """Tell each printed expression how its line prints; in the text, braces that are no tag's are written again."""
    for data in index.find_all(nodes.TemplateData):
        if is_frozen:
            data.data = data.data.translate(THAWED)
        for written, meant in _BRACES if "_" in data.data else ():
            data.data = data.data.replace(written, meant)
    printed = (piece for output in index.find_all(nodes.Output) for piece in output.nodes)
    for node in (*printed, *index.find_all((nodes.FilterBlock, nodes.CallBlock))):
        if node.lineno in outlets and not isinstance(node, nodes.TemplateData):
            node.outlet = outlets[node.lineno]


_BRACES = (("{_{", "{{"), ("}_}", "}}"), ("{_%", "{%"), ("%_}", "%}"))


def _name_outlets(spots: Iterable[Spot]) -> tuple[dict[int, str], dict[str, Spot]]:
    """Return the outlet of each line that prints, and for each outlet one of its spots: many print alike."""
    names: dict[Any, str] = {}
    by_line: dict[int, str] = {}
    by_name: dict[str, Spot] = {}
    for spot in spots:
        if not (spot.text.startswith("{{") or word_of(spot.text) in ("filter", "call")):
            continue
        alike = (spot.outlet, spot.run_properties, spot.paragraph_properties, spot.is_sure, spot.stack)
        name = names.setdefault(alike, f"s{len(names)}")
        by_line[spot.line] = name
        by_name.setdefault(name, spot)
    return by_line, by_name


def _compile_part(package: Package, name: str, story: Story, language: Language) -> CompiledPart:
    prepared = prepare(story)
    spots = {spot.line: spot for spot in prepared.spots}
    outlets, printed = _name_outlets(prepared.spots)
    own = language.with_outlets(
        {name: make_writer(spot) for name, spot in printed.items()},
        {name: make_raw(spot, language.printable) for name, spot in printed.items()},
        binary=True,
        fill_rows=fill_rows,
        pick_values=pick_values,
        fillable=[name for name, spot in printed.items() if spot.outlet == "text"],
    )

    # The tree is let go; of each tag its place and words are kept.
    told = [(tag.place, tag.words) for tag in story.tags]
    whole = Place(story.file, path=(story.part,))

    def place_of(line: int) -> Place:
        spot = spots.get(line)
        return whole if spot is None or spot.number is None or spot.number >= len(told) else told[spot.number][0]

    def words_of(line: int) -> str:
        spot = spots.get(line)
        if spot is None:
            return ""
        return spot.text if spot.number is None or spot.number >= len(told) else told[spot.number][1]

    is_frozen = story.is_frozen

    def set_outlets(index: Index) -> None:
        check_functions(index, language)
        _set_outlets(index, outlets, is_frozen)

    program = compile_source(own, prepared.source, place_of=place_of, words_of=words_of, prepare=set_outlets)
    ids = frozenset(relation.id for relation in read_relationships(package, name))
    return CompiledPart(name, prepared, program, ids)


# ---------------------------------------------------------------------------------------------------------------------
# The template


@dataclass(frozen=True)
class CompiledDocx:
    """See `gfdocs.engine.template.Compiled`."""

    package: Package = field(repr=False)
    frame: Frame = field(repr=False)
    parts: tuple[CompiledPart, ...] = field(repr=False)
    issues: tuple[Issue, ...]
    language: Language = field(repr=False)

    @cached_property
    def names(self) -> tuple[Name, ...]:
        known = tuple(self.language.globals)
        found: list[Name] = []
        for part in self.parts:
            found += find_names(part.program.tree, part.program.place_of, known)
        return merge_names(found)

    def render(self, context: Mapping[str, Any], missing: MissingPolicy) -> bytes:
        """Return the document. TemplateError with every fault of every part."""
        members: list[Member] = []
        states: list[tuple[CompiledPart, State]] = []
        issues: list[Issue] = []
        for part in self.parts:
            try:
                member, state = self._render_part(part, context, missing)
            except TemplateError as fault:
                issues += fault.issues
                continue
            members.append(member)
            if state.links or (state.pictures and state.pictures.relations):
                states.append((part, state))
        raise_issues(_each_once(issues))
        return self.frame.write(members) if not states else self._write_related(members, states)

    def _render_part(
        self, part: CompiledPart, context: Mapping[str, Any], missing: MissingPolicy
    ) -> tuple[Member, State]:
        """Return the filled part, deflated while it is made unless something in it must be looked after."""
        state = part.new_state()
        if not part.fixes:
            member = deflate(part.name, part.generate(context, missing, state))
            if not state.fixes:
                return member, state
            # A value asked for a repair (a picture, markup of its own): the whole text is needed after all.
            state = part.new_state()
        xml = b"".join(part.generate(context, missing, state)).decode()
        return deflate(part.name, self._finish(xml, set(part.fixes | state.fixes), part).encode()), state

    def _finish(self, xml: str, fixes: set[str], part: CompiledPart) -> str:
        label = part_label(part.name)
        try:
            return finish(xml, fixes, name=self.package.name, part=label, drawings=part.drawings)
        except PackageError as fault:
            detail = fault.__cause__ or fault.issues[0].fact
            raise TemplateError(_describe_broken(part, Place(self.package.name, path=(label,)), detail)) from fault

    def _write_related(self, members: list[Member], states: list[tuple[CompiledPart, State]]) -> bytes:
        """Return the package with the pictures and links that values brought."""
        replaced: dict[str, Member] = {}
        media = {}
        for part, state in states:
            pictures = state.pictures
            assert pictures is not None
            for rid, url in state.links.items():
                pictures.add_link(rid, url)
            media.update(pictures.media)
            name = self.package.find_name(relationships_name(part.name))
            source = self.package.read(name) if name else None
            member = write_relations(source, pictures.relations, part.name)
            if name:
                replaced[name] = Member(name, member.method, member.crc, member.size, member.data)
            else:
                members.append(member)
        types = write_content_types(self.package.read(CONTENT_TYPES), media.values())
        if types is not None:
            replaced[CONTENT_TYPES] = types
        members += (m for m in picture_members(media.values()) if self.package.find_name(m.name) is None)
        return self.frame.write(members, replaced)


def make_language(options: Options) -> Language:
    """Return the environment of docx templates: the common one, with what only documents know."""
    language = make_environment(
        filters=options.filters, base=options.environment, budget=options.budget, trusted=options.trusted
    )
    language.globals.setdefault("page_break", PAGE)
    language.globals["gf_first"] = _is_first
    language.filters["gf_link"] = relate
    return language


def _is_first(loop: Any, number: int, *key: Any) -> bool:
    """True where the key of `{% vmerge key %}` differs from the row before: a merged group begins.

    Any template can call it: what it keeps, it keeps in a loop and in nothing of the data's.
    """
    if not isinstance(loop, LoopContext):
        raise Unfit("there is no loop around it whose rows could be merged", "不在循环内，没有可合并的行")
    seen = loop.__dict__.setdefault("gf_keys", {})
    first = loop.first or seen.get(number) != key
    seen[number] = key
    return bool(first)


def compile_docx(data: bytes, *, name: str, options: Options) -> CompiledDocx:
    """Return the compiled template; PackageError or TemplateError with every fault of the file."""
    package = read_package(data, name=name)
    types = read_content_types(package)
    language = make_language(options)
    parts: list[CompiledPart] = []
    faults: list[Issue] = [*find_reaching_document(package), *find_unfilled(package, types)]
    may_hold = _find_parts(package, types)
    links = {part: find_links(package, part) for part in may_hold}
    package = drop_links(package, links)
    for name_of_part in may_hold:
        story = _read_part(package, name_of_part, links[name_of_part])
        if story is not None:
            part, found = _check_part(package, name_of_part, story, language)
            faults += found
            parts += [part] if part is not None else []
    faults = _each_once(faults)
    if any(issue.severity == "error" for issue in faults):
        raise_issues(faults)
    ids = share_ids({part: package.read(part) for part in may_hold}) if parts else {}
    parts = [replace(part, drawings=ids[part.name]) for part in parts]
    changed = {part.name for part in parts}
    frame = make_frame(member for member in _ordered(package, types) if member.name not in changed)
    return CompiledDocx(package, frame, tuple(parts), tuple(faults), language)


def _check_part(
    package: Package, name: str, story: Story, language: Language
) -> tuple[CompiledPart | None, list[Issue]]:
    """Return the compiled part, or None where it has errors or nothing to fill in; and all that is wrong with it."""
    known = {tag for extension in language.extensions.values() for tag in extension.tags}
    found, compiled, failed = _find_faults(story, known), None, []
    if not any(issue.severity == "error" for issue in (*story.issues, *found)) and (story.tags or story.has_braces):
        try:
            compiled = _compile_part(package, name, story, language)
        except TemplateError as fault:
            failed = list(fault.issues)
    # What has been compiled as a whole is well written; tags that are not in it, and those of a part that failed, are
    # read one by one, so that every fault is told.
    read = {spot.number for spot in compiled.prepared.spots} if compiled else set()
    unread = [tag for tag in story.shown_tags if tag.number not in read]
    found = [*story.issues, *check_syntax(unread, language), *found]
    is_sound = not any(issue.severity == "error" for issue in found)
    found = _sort(found, story) + (failed if is_sound else [])
    if compiled is None or not is_sound:
        return None, found
    crossings = _describe_crossings(compiled)
    # What may cut an element in two is parsed again when it is filled in.
    is_checked = bool(crossings) or _is_open_ended(compiled, language)
    fixes = compiled.prepared.fixes | ({"check"} if is_checked else set())
    return replace(compiled, fixes=fixes), found + crossings


def _describe_crossings(part: CompiledPart) -> list[Issue]:
    def place_of(spot: Spot | None) -> Place:
        return part.program.place_of(0 if spot is None else spot.line)

    return [describe_crossing(c, place_of(c.start), place_of(c.end)) for c in part.prepared.crossings]


def _describe_broken(part: CompiledPart, whole: Place, detail: object) -> Issue:
    """Return the error that a filled-in part is no XML, at the first tag that may have caused it; `also` has the rest."""
    crossings = [place for issue in _describe_crossings(part) for place in (issue.place, *issue.also)]
    others = [part.program.place_of(spot.line) for spot in part.prepared.spots if word_of(spot.text) in _OTHERS]
    first, *rest = list(dict.fromkeys([*crossings, *others])) or [whole]
    fact = Text(f"the filled-in part is not well-formed: {detail}", f"填充后的部件不是格式良好的 XML：{detail}")
    if crossings:
        hint = Text(
            "begin and end the block alike: both in a text, both with p, or both with tr",
            "标签块的起止标签应同在文字内，或同用 p，或同用 tr",
        )
    else:
        hint = Text("a value or an included template brings broken XML", "某个值或所包含的模板带有错误的 XML")
    return Issue("GF216", "error", first, fact, hint, tuple(rest))


_OTHERS = ("include", "extends", "import", "from")


def _is_open_ended(part: CompiledPart, language: Language) -> bool:
    """True where text of other templates or of extensions goes in, whose elements nobody has followed."""
    return bool(language.extensions) or any(word_of(spot.text) in _OTHERS for spot in part.prepared.spots)


def _ordered(package: Package, types: ContentTypes) -> list[Member]:
    """Return the members, `[Content_Types].xml` first as file-type sniffers want it; a .dotx becomes a document."""
    members = sorted(package.members, key=lambda member: member.name != CONTENT_TYPES)
    text = package.read(CONTENT_TYPES)
    if b"template.main+xml" in text and any(types.of(name) == _MAIN[1] for name in package.names):
        members[0] = deflate(CONTENT_TYPES, text.replace(b"template.main+xml", b"document.main+xml"))
    return members
