"""The parts of the output package: what changed, what was added, what is gone; everything else stays as it is."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gfdocs.engine.package import (
    CONTENT_TYPES,
    ContentTypes,
    Member,
    Package,
    Relationship,
    deflate,
    relationships_name,
    safe_xml,
    store,
    write_package,
)
from gfdocs.engine.xlsx.template.sheet import escape_attribute

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass
class Parts:
    """A package being changed. Nothing is inflated that nobody asks for."""

    package: Package
    types: ContentTypes
    related: Callable[[str], Sequence[Relationship]]
    """Gives the relations of a part of the package."""
    changed: dict[str, Member] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    origins: dict[str, str] = field(default_factory=dict)
    _relations: dict[str, list[Relationship]] = field(default_factory=dict)
    _dirty: set[str] = field(default_factory=set)

    def read(self, name: str) -> bytes:
        """Return a part as it is now."""
        found = self.changed.get(name)
        return found.read() if found is not None else self.package.read(name)

    def parse(self, name: str) -> Any:
        return safe_xml(self.read(name), name=self.package.name, part=name)

    def write(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Put new contents into a part."""
        self.changed[name] = deflate(name, data)

    def write_tree(self, name: str, root: Any) -> None:
        from lxml import etree

        data = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
        self.write(name, data)

    def add(self, name: str, data: bytes, content_type: str, *, is_picture: bool = False) -> None:
        """Add a part; the caller relates it to another."""
        self.changed[name] = store(name, data) if is_picture else deflate(name, data)
        self.added[name] = content_type

    def remove(self, name: str) -> None:
        self.removed.add(name)

    def new_name(self, pattern: str) -> str:
        """Return a part name that is free: `xl/media/image{}.png`."""
        number = 1
        while (name := pattern.format(number)) in self.changed or self.package.find_name(name) is not None:
            number += 1
        return name

    def type_of(self, name: str) -> str:
        return self.added.get(name) or self.types.of(name)

    # -- relations ----------------------------------------------------------------------------------------------------

    def relations(self, part: str) -> list[Relationship]:
        found = self._relations.get(part)
        if found is None:
            found = self._relations[part] = list(self.related(part))
        return found

    def set_relations(self, part: str, relations: list[Relationship]) -> None:
        self._relations[part] = relations
        self._dirty.add(part)

    def relate(self, part: str, kind: str, target: str, *, external: bool = False) -> str:
        """Relate a part to another (or to a URL) and return the new id."""
        relations = self.relations(part)
        known = {relation.id for relation in relations}
        number = len(relations) + 1
        while f"rId{number}" in known:
            number += 1
        new = Relationship(f"rId{number}", kind, target, external, f"{_OFFICE}/{kind}")
        self.set_relations(part, [*relations, new])
        return new.id

    def copy_part(self, name: str) -> str:
        """Copy a part with all that it relates to (pictures are shared) and return the copy's name."""
        stem, extension = posixpath.splitext(name)
        copy = self.new_name(f"{stem}_{{}}{extension}")
        self.added[copy] = self.type_of(name)
        self.origins[copy] = self.origin(name)
        self.changed[copy] = deflate(copy, self.read(name))
        relations = self.relations(name)
        if relations:
            self.set_relations(copy, [self._copy_relation(relation) for relation in relations])
        return copy

    def origin(self, name: str) -> str:
        """Return the part of the template that a part is a copy of, or the part itself."""
        return self.origins.get(name, name)

    def _copy_relation(self, relation: Relationship) -> Relationship:
        shared = relation.external or relation.type in ("image", "theme", "customXml", "hyperlink")
        if shared or self.package.find_name(relation.target) is None:
            return relation
        return Relationship(relation.id, relation.type, self.copy_part(relation.target), False, relation.uri)

    def _write_relations(self, part: str) -> None:
        folder = posixpath.dirname(part)
        lines = []
        for relation in self._relations[part]:
            target = relation.target if relation.external else posixpath.relpath(relation.target, folder or ".")
            mode = ' TargetMode="External"' if relation.external else ""
            lines.append(
                f'<Relationship Id="{relation.id}" Type="{escape_attribute(relation.uri)}" '
                f'Target="{escape_attribute(target)}"{mode}/>'
            )
        text = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<Relationships xmlns="{_RELATIONS}">{"".join(lines)}</Relationships>'
        )
        name = relationships_name(part)
        name = self.package.find_name(name) or name
        if lines:
            self.write(name, text.encode())
        else:
            self.removed.add(name)

    # -- the package --------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return the zip: the template's members in their order, then the new ones."""
        return write_package(self.to_members())

    def to_members(self) -> list[Member]:
        """Return the members as they are now, the template's in their order, then the new ones."""
        for part in sorted(self._dirty):
            self._write_relations(part)
        if self.added or self.removed:
            self._write_types()
        members = [
            self.changed.get(member.name, member) for member in self.package.members if member.name not in self.removed
        ]
        new = self.changed.keys() - set(self.package.names) - self.removed
        return members + [member for name, member in self.changed.items() if name in new]

    def _write_types(self) -> None:
        from lxml import etree

        root = self.parse(CONTENT_TYPES)
        gone = {f"/{name}".casefold() for name in self.removed}
        for element in list(root):
            if (element.get("PartName") or "").casefold() in gone:
                root.remove(element)
        for extension, kind in self.extensions.items():
            if extension not in self.types.defaults:
                default = etree.Element(f"{{{_TYPES}}}Default", Extension=extension, ContentType=kind)
                root.insert(0, default)
        for name, kind in self.added.items():
            extension = name.rpartition(".")[2].casefold()
            if kind and self.types.defaults.get(extension) != kind and self.extensions.get(extension) != kind:
                etree.SubElement(root, f"{{{_TYPES}}}Override", PartName=f"/{name}", ContentType=kind)
        self.write_tree(CONTENT_TYPES, root)
