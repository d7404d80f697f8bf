"""The catalogue (文件目录): which documents there are, from which template, for whom.

The built-in `templates/catalogue.yaml` comes first; a project's own `templates/catalogue.yaml` adds documents and replaces entries
of the same id, and a file of the same name in the project's `templates/` takes the place of a built-in template.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gfdocs.errors import DataError, Issue, NotFound, Place, Text, did_you_mean
from gfdocs.raw import Raw, RawList, RawMap, RawScalar

SCOPES = ("round", "district", "company")
SELECTIONS = ("listed", "units", "candidates", "companies")
NEEDS = ("round", "issuer", "source", "companies", "deadlines")
KINDS = ("docx", "xlsx", "svg")
_YES = ("true", "yes", "是")
_KEYS = ("id", "title", "templates", "for", "of", "when", "file", "needs", "example", "note", "enclosed", "returned")


@dataclass(frozen=True, slots=True)
class DocumentSpec:
    """One kind of document: an entry of the catalogue.

    `templates` maps a kind to its file, the first being the default; `scopes` says for whom it is made; `selection` which companies;
    `when`, `title` and `file` are template texts; `example` is True where the official form is not public (示意). `enclosed` is
    False for the letter that a package comes with, which does not list itself; `returned` for a sheet that no district sends back.
    """

    id: str
    title: str
    templates: dict[str, Path]
    scopes: tuple[str, ...]
    file: str
    selection: str = "listed"
    when: str = ""
    needs: tuple[str, ...] = ()
    example: bool = False
    note: str = ""
    enclosed: bool = True
    returned: bool = True
    place: Place = field(default=Place(), compare=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds it comes in, the default first."""
        return tuple(self.templates)


def templates_folder() -> Path:
    """Return the folder of the built-in templates, in an installed package and in a checkout alike."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def read_catalogue(project_folder: Path | None = None) -> tuple[DocumentSpec, ...]:
    """Return the documents of the built-in catalogue and of the project's own, in order.

    Raises DataError with every fault of both catalogues, and where the project folder is not there.
    """
    if project_folder is not None and not os.path.isdir(project_folder):
        fact = Text("no such folder", "文件夹不存在")
        raise DataError(
            Issue("GF101", "error", Place(str(project_folder)), fact, Text("look at the path", "请检查路径"))
        )
    built_in = templates_folder()
    folders = [built_in]
    if project_folder is not None and os.path.isdir(project_folder / "templates"):
        folders.append(project_folder / "templates")
    specs: dict[str, DocumentSpec] = {}
    issues: list[Issue] = []
    for folder in folders:
        if os.path.isfile(folder / "catalogue.yaml"):
            for spec in _read_entries(folder, tuple(reversed(folders)), issues):
                specs[spec.id] = spec
    if issues:
        raise DataError(issues)
    if len(folders) > 1:
        specs = {key: _with_own_files(spec, folders[-1]) for key, spec in specs.items()}
    return tuple(specs.values())


def get_spec(specs: Iterable[DocumentSpec], document: str) -> DocumentSpec:
    """Return the entry of that id; NotFound lists those there are."""
    known = list(specs)
    for spec in known:
        if spec.id == document:
            return spec
    ids = [spec.id for spec in known]
    fact = Text(f'there is no document "{document}"', f"没有文件“{document}”")
    hint = did_you_mean(document, ids) or Text(f"there are: {', '.join(ids)}", f"可选：{'、'.join(ids)}")
    raise NotFound(Issue("GF460", "error", Place(), fact, hint))


def copy_templates(specs: Iterable[DocumentSpec], folder: Path) -> list[tuple[Path, Path]]:
    """Return what to copy where, so that a user can edit templates in `folder`: (template, its copy)."""
    return [(path, folder / path.name) for spec in specs for path in spec.templates.values()]


def _with_own_files(spec: DocumentSpec, folder: Path) -> DocumentSpec:
    """Return the entry with those template files that the user's folder has under the same name."""
    from dataclasses import replace

    own = {
        kind: folder / path.name if os.path.isfile(folder / path.name) else path
        for kind, path in spec.templates.items()
    }
    return replace(spec, templates=own)


def _read_entries(folder: Path, search: tuple[Path, ...], issues: list[Issue]) -> Iterator[DocumentSpec]:
    from gfdocs.data.source import read_source

    try:
        raw = read_source(folder / "catalogue.yaml")
    except DataError as error:
        issues.extend(error.issues)
        return
    entries = raw["documents"] if isinstance(raw, RawMap) and "documents" in raw else None
    if not isinstance(entries, RawList):
        issues.append(
            _fault(
                raw.place,
                Text("the catalogue has no list `documents`", "目录文件中没有 documents 列表"),
                Text(
                    "begin the file with `documents:` and a list of entries",
                    "文件以 documents: 开头，下面是各文件的列表",
                ),
            )
        )
        return
    for entry in entries:
        reader = _Entry(entry, issues)
        spec = reader.read_spec(search)
        if spec is not None:
            yield spec


def _fault(place: Place, fact: Text, hint: Text | str = "") -> Issue:
    return Issue("GF401", "error", place, fact, hint)


class _Entry:
    """Reads one entry of the catalogue, noting every fault."""

    def __init__(self, raw: Raw, issues: list[Issue]) -> None:
        self.raw = raw
        self.issues = issues
        self.sound = isinstance(raw, RawMap)
        if not self.sound:
            self.add_fault(raw.place, Text("expected a document entry with an id", "应为带有 id 的文件条目"))

    def add_fault(self, place: Place, fact: Text, hint: Text | str = "") -> None:
        self.issues.append(_fault(place, fact, hint))
        self.sound = False

    def read_spec(self, search: tuple[Path, ...]) -> DocumentSpec | None:
        if not isinstance(self.raw, RawMap):
            return None
        for key in self.raw.entries:
            if key not in _KEYS:
                place = self.raw.keys.get(key, self.raw.place)
                self.add_fault(place, Text(f'unknown key "{key}"', f"未知的键“{key}”"), did_you_mean(key, _KEYS))
        identity, title = self.get_text("id"), self.get_text("title")
        file = self.get_text("file", default="{{ document.title }}")
        scopes = self.get_choices("for", SCOPES, default=("round",))
        selection = self.get_choices("of", SELECTIONS, default=("listed",))
        templates = self.get_templates(search)
        if not self.sound:
            return None
        return DocumentSpec(
            id=identity, title=title, templates=templates, scopes=scopes, file=file, selection=selection[0],
            when=self.get_text("when", default=""), needs=self.get_choices("needs", NEEDS, default=()),
            example=self.get_text("example", default="") in _YES, note=self.get_text("note", default=""),
            enclosed=self.get_text("enclosed", default="true") in _YES,
            returned=self.get_text("returned", default="true") in _YES, place=self.raw.place,
        )  # fmt: skip

    def get_text(self, key: str, default: str | None = None) -> str:
        assert isinstance(self.raw, RawMap)
        value = self.raw.entries.get(key)
        if isinstance(value, RawScalar) and not (value.is_null and default is None):
            return value.text
        if value is None and default is not None:
            return default
        place = value.place if value is not None else self.raw.place
        self.add_fault(place, Text(f'the entry needs a text under "{key}"', f"条目需要文本项“{key}”"))
        return ""

    def get_choices(self, key: str, known: Iterable[str], default: tuple[str, ...]) -> tuple[str, ...]:
        assert isinstance(self.raw, RawMap)
        value = self.raw.entries.get(key)
        if value is None:
            return default
        scalars = value.items if isinstance(value, RawList) else (value,)
        for scalar in scalars:
            if not isinstance(scalar, RawScalar) or scalar.text not in known:
                found = scalar.text if isinstance(scalar, RawScalar) else "…"
                wanted = ", ".join(known)
                self.add_fault(
                    scalar.place,
                    Text(f'expected one of {wanted} under "{key}", found "{found}"', f"“{key}”应为 {wanted} 之一，实为“{found}”"),
                )  # fmt: skip
        return tuple(scalar.text for scalar in scalars if isinstance(scalar, RawScalar))

    def get_templates(self, search: tuple[Path, ...]) -> dict[str, Path]:
        assert isinstance(self.raw, RawMap)
        value = self.raw.entries.get("templates")
        if not isinstance(value, RawMap) or not value.entries:
            self.add_fault(
                self.raw.place,
                Text("the entry names no template", "条目没有指明模板"),
                Text("for example `templates: {docx: my.docx}`", "例如 templates: {docx: my.docx}"),
            )
            return {}
        return {kind: self._get_template(kind, file, search) for kind, file in value.entries.items()}

    def _get_template(self, kind: str, file: Raw, search: tuple[Path, ...]) -> Path:
        name = file.text if isinstance(file, RawScalar) else ""
        if kind not in KINDS:
            self.add_fault(
                file.place,
                Text(f'unknown kind of template "{kind}"', f"未知的模板类型“{kind}”"),
                did_you_mean(kind, KINDS),
            )
        if not name or PurePosixPath(name).name != name or "\\" in name or name in (".", ".."):
            self.add_fault(
                file.place,
                Text(f'a template is a plain file name, found "{name}"', f"模板应为不带路径的文件名，实为“{name}”"),
                Text("put the file into the templates folder", "请把文件放入 templates 文件夹"),
            )
            return Path(name)
        found = next((folder / name for folder in search if os.path.isfile(folder / name)), None)
        if found is None:
            self.add_fault(
                file.place,
                Text(f'there is no template "{name}"', f"找不到模板“{name}”"),
                Text(f"looked in {', '.join(str(f) for f in search)}", f"已查找：{'、'.join(str(f) for f in search)}"),
            )
        return found or Path(name)
