"""What a batch asks of a project.

`programme.Project` has this shape, and so has any object of yours that wants its documents made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gfdocs.errors import Issue

Plain = Mapping[str, Any]


class DocumentLike(Protocol):
    """A finished document."""

    def to_bytes(self) -> bytes: ...


class TemplateLike(Protocol):
    """A compiled template: immutable, shared by all its jobs, picklable for another machine."""

    @property
    def digest(self) -> str: ...

    @property
    def names(self) -> Sequence[str]: ...

    def render(self, context: dict[str, Any], /) -> DocumentLike: ...


class SpecLike(Protocol):
    """An entry of the catalogue."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def file(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]: ...


class TargetLike(Protocol):
    """For whom a document is made: `district` is a name, `company` a mapping; both None for the round."""

    @property
    def district(self) -> str | None: ...

    @property
    def company(self) -> Plain | None: ...


class Source(Protocol):
    """A project as the batch sees it."""

    @property
    def issues(self) -> Sequence[Issue]: ...

    @property
    def documents(self) -> Sequence[SpecLike]: ...

    @property
    def settings(self) -> Any: ...

    @property
    def dataset(self) -> Any: ...

    def targets(self, document: str, /) -> Sequence[TargetLike]: ...

    def file_name(self, document: str, kind: str, target: Any, /) -> str: ...

    def template(self, document: str, kind: str, /) -> TemplateLike: ...

    def context_of(self, spec: Any, target: Any, /) -> Plain: ...
