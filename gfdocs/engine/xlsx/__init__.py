"""Workbook templates (.xlsx): a list grows and everything follows; what the data does not touch stays byte-equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gfdocs.engine.package import Limits, Package, read_package
from gfdocs.engine.xlsx.rows.pictures import Picture
from gfdocs.engine.xlsx.template.compile import compile_workbook
from gfdocs.engine.xlsx.template.compiled import Compiled as _Workbook
from gfdocs.errors import Issue, PackageError, Place, Text

if TYPE_CHECKING:
    from gfdocs.engine.names import Name
    from gfdocs.engine.template import MissingPolicy, Options
    from gfdocs.engine.xlsx.around.prepared import Prepared
    from gfdocs.engine.xlsx.back.form import SheetForm
    from gfdocs.engine.xlsx.back.readback import ReadBack

__all__ = ["Compiled", "Picture", "compile"]


class Compiled:
    """A compiled workbook template: immutable, shared by threads."""

    def __init__(self, workbook: _Workbook) -> None:
        self.workbook = workbook

    @cached_property
    def prepared(self) -> Prepared:
        """What all documents share, made when the first is rendered."""
        from gfdocs.engine.xlsx.around.prepared import Prepared

        return Prepared(self.workbook)

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The dotted paths the template asks of the data, each once."""
        from gfdocs.engine.xlsx.template.names import find_workbook_names

        return find_workbook_names(self.workbook)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What is odd about the template, but does not keep it from being rendered."""
        return self.workbook.issues

    def render(self, context: Mapping[str, Any], missing: MissingPolicy) -> bytes:
        """Return the filled workbook; TemplateError with every fault of the run."""
        from gfdocs.engine.xlsx.render import Rendering

        return Rendering(self.prepared, context, missing).render()

    def lint(self, names: Iterable[str] | Mapping[str, Any]) -> list[Issue]:
        """Return what the template may regret; names the data does not have are told by `Template.lint`."""
        from gfdocs.engine.xlsx.template.lint import lint_workbook

        del names
        return lint_workbook(self.workbook)

    @cached_property
    def _forms(self) -> list[SheetForm]:
        """What can be read back, sheet by sheet."""
        from gfdocs.engine.xlsx.back.forms import make_forms

        return make_forms(self.workbook)

    def read(self, data: bytes, *, name: str, aliases: Mapping[str, Sequence[str]] | None = None) -> ReadBack:
        """Return the data of a returned form, its issues in `.issues`; ReadBackError where it cannot be read."""
        from gfdocs.engine.xlsx.back.readback import read_back

        return read_back(self._forms, data, template=self.workbook.name, name=name, aliases=aliases)


def compile(data: bytes, *, name: str, options: Options) -> Compiled:  # noqa: A001 - the word of the Kind protocol
    """Return the compiled template; TemplateError or PackageError with every fault of the file."""
    package = read_package(data, name=name, limits=Limits())
    _refuse_other_kinds(package)
    return Compiled(compile_workbook(package, options=options))


_OTHER_KINDS = {
    "word/document.xml": ("a Word document", "Word 文档"),
    "ppt/presentation.xml": ("a presentation", "演示文稿"),
}


def _refuse_other_kinds(package: Package) -> None:
    """Raise PackageError GF319 where the file is a Word document or a presentation."""
    if any(part.startswith("xl/") for part in package.names):
        return
    for part, (english, chinese) in _OTHER_KINDS.items():
        if part in package.names:
            fact = Text(f"expected a workbook (.xlsx), found {english}", f"应为工作簿（.xlsx），实为{chinese}")
            raise PackageError(Issue("GF319", "error", Place(package.name), fact))
