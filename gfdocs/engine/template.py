"""What a user holds: `open_template`, `Template`, `Document`; and the Kind protocol behind them.

A kind (`docx`, `xlsx`, `svg`) is a folder or module `gfdocs.engine.<kind>` with one function

    compile(data: bytes, *, name: str, options: Options) -> Compiled

that raises TemplateError or PackageError with every fault of the file. It is imported when the first template of that
kind is opened.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, cast, runtime_checkable

from gfdocs.errors import (
    BudgetExceeded,
    GfdocsError,
    Issue,
    OutputError,
    PackageError,
    Place,
    ReadBackError,
    TemplateError,
    Text,
    describe_os_fault,
)

if TYPE_CHECKING:
    import jinja2

    from gfdocs.engine.budget import Budget
    from gfdocs.engine.names import Name
    from gfdocs.raw import Raw

__all__ = ["Compiled", "Document", "Kind", "Name", "Options", "Template", "open_template", "write_file"]

Kind = Literal["docx", "xlsx", "svg"]
MissingPolicy = Literal["error", "mark", "blank"]

_KINDS: dict[str, Kind] = {
    ".docx": "docx", ".dotx": "docx", ".docm": "docx", ".dotm": "docx", ".doc": "docx",
    ".xlsx": "xlsx", ".xltx": "xlsx", ".xlsm": "xlsx", ".xltm": "xlsx", ".xls": "xlsx",
    ".svg": "svg",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Name":
        from gfdocs.engine.names import Name

        return Name
    raise AttributeError(name)


@dataclass(frozen=True)
class Options:
    """How a template is compiled, whatever its kind. `budget` None takes the engine's own."""

    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    environment: jinja2.Environment | None = None
    trusted: bool = False
    budget: Budget | None = None


class Compiled(Protocol):
    """A compiled template of one kind: immutable, shared by threads."""

    @property
    def names(self) -> tuple[Name, ...]:
        """The dotted paths it asks of the data, each once."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What is odd about it, but does not keep it from being rendered."""

    def render(self, context: Mapping[str, Any], missing: MissingPolicy) -> bytes:
        """Return the file; TemplateError with every fault of the run."""


@runtime_checkable
class Readable(Protocol):
    """A kind whose templates read back what they have written."""

    def read(self, data: bytes, *, name: str) -> Raw:
        """Return the data of a filled-in file; ReadBackError with every fault."""


@runtime_checkable
class Lintable(Protocol):
    """A kind that knows more faults than names the data does not have."""

    def lint(self, names: Iterable[str] | Mapping[str, Any]) -> list[Issue]:
        """Return the faults of the template against the names of the data."""


@dataclass(frozen=True)
class Document:
    """A finished file, in memory."""

    kind: Kind
    name: str
    data: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return self.data

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file and return its path. It is whole or not there, and what was there before stays until then.

        A symbolic link at `path` is replaced, never followed. OutputError GF290 where the folder cannot be written.
        """
        return write_file(path, self.data)

    def __repr__(self) -> str:
        return f"<Document {self.name!r}: {self.kind}, {len(self.data):,} bytes>"


def write_file(path: str | os.PathLike[str], data: bytes, *, parents: bool = False) -> Path:
    """Write a file that is whole or not there; OutputError GF290 where it cannot be. Symbolic links are replaced.

    parents: make the folders on the way that are not there.
    """
    target = Path(path)
    try:
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        _write_atomically(target, data)
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the path
        reason = describe_os_fault(fault)
        issue = Issue(
            "GF290",
            "error",
            Place(str(target)),
            Text(f"cannot be written: {reason}", f"无法写入：{reason.zh}"),
            Text("check that the folder exists and may be written to", "请检查文件夹是否存在、是否可写"),
        )
        raise OutputError(issue) from fault
    return target


def _write_atomically(target: Path, data: bytes) -> None:
    """Write beside the target under a new name, then rename: nobody ever sees half a file."""
    if not target.name:  # "", "/" or ".": a folder, never a file
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    # The pid keeps two processes apart, O_EXCL two threads: the later one takes the next number.
    for attempt in range(1000):
        temporary = target.with_name(f".{target.name[:60]}.{os.getpid()}.{attempt}.tmp")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            continue
        break
    else:
        raise FileExistsError(17, "too many temporary files", str(target))
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


class Template:
    """A compiled template. Immutable: threads may share it, and it may be pickled to worker processes."""

    __slots__ = ("_compiled", "_data", "_options", "digest", "kind", "name")

    kind: Kind
    name: str
    digest: str
    """sha256 of the file."""
    _compiled: Compiled
    _data: bytes
    _options: Options

    def __init__(self, data: bytes, kind: Kind, name: str, options: Options) -> None:
        compiled = _compile(data, kind, name, options)
        set_ = object.__setattr__
        set_(self, "kind", kind)
        set_(self, "name", name)
        set_(self, "digest", hashlib.sha256(data).hexdigest())
        set_(self, "_compiled", compiled)
        set_(self, "_data", data)
        set_(self, "_options", options)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a Template never changes; open another one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Template never changes; open another one")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reopen, (self._data, self.kind, self.name, self._options))

    @property
    def compiled(self) -> Compiled:
        """The compiled form, with what only this kind can do."""
        return self._compiled

    @property
    def source(self) -> bytes:
        """The bytes of the template file."""
        return self._data

    @property
    def names(self) -> tuple[Name, ...]:
        """The dotted paths that the template asks of the data, each with its kind and place."""
        return self.compiled.names

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What is odd about the template, but does not keep it from being rendered."""
        return self.compiled.issues

    def render(self, context: Mapping[str, Any], *, missing: MissingPolicy = "error") -> Document:
        """Return a new document filled with the data.

        missing: what a name that the data does not have does: `error` (NameMissing with every such place), `mark`
        (prints 【缺：name】, highlighted) or `blank`. TemplateError carries every fault of the run.
        """
        if missing not in ("error", "mark", "blank"):
            raise ValueError(f'missing is "error", "mark" or "blank", not {missing!r}')
        if not isinstance(context, Mapping):
            raise TypeError(f"the context is a mapping, not {type(context).__name__}")
        odd = next((key for key in context if not isinstance(key, str)), None)
        if odd is not None or None in context:
            raise TypeError(f"the keys of the context are texts, not {odd!r}")
        try:
            return Document(self.kind, self.name, self.compiled.render(context, missing))
        except (GfdocsError, ImportError):
            raise
        except Exception as fault:
            raise _as_fault_of_file(fault, self.name, Text("filled in", "填充")) from fault

    def read(self, source: str | os.PathLike[str] | bytes, *, name: str | None = None) -> Raw:
        """Return the data of a file that this template wrote and somebody filled in, with the place of every value.

        ReadBackError with every fault; also for a kind that cannot be read back.
        """
        data, name = read_source(source, name, unnamed=f"returned.{self.kind}")
        if not isinstance(self._compiled, Readable):
            raise ReadBackError(
                Issue(
                    "GF222",
                    "error",
                    Place(self.name),
                    Text(f"a {self.kind} template cannot be read back", f"{self.kind} 模板不支持回读"),
                )
            )
        return self._compiled.read(data, name=name)

    def lint(self, names: Iterable[str] | Mapping[str, Any], *, unused: bool = False) -> list[Issue]:
        """Return the faults of the template against the data: names it does not have (GF204), its own oddities.

        names: a context, or the dotted paths that there are (`companies[].name`). unused: also note what the data has
        and the template does not use (GF213).
        """
        from gfdocs.engine.names import lint_names

        if isinstance(names, str) or not isinstance(names, Iterable):
            raise TypeError(f"names are a context or the dotted paths there are, not {names!r}")
        names = names if isinstance(names, Mapping) else list(names)
        odd = next((name for name in names if not isinstance(name, str)), None)
        if odd is not None or None in names:
            raise TypeError(f"names are texts, not {odd!r}")
        issues = [*self.issues, *lint_names(self.names, names, unused=unused)]
        if isinstance(self._compiled, Lintable):
            issues += self._compiled.lint(names)
        return issues

    def __repr__(self) -> str:
        return f"<Template {self.name!r}: {self.kind}, {len(self.names)} names>"


def _reopen(data: bytes, kind: Kind, name: str, options: Options) -> Template:
    return Template(data, kind, name, options)


def _compile(data: bytes, kind: Kind, name: str, options: Options) -> Compiled:
    from importlib import import_module

    module = import_module(f"gfdocs.engine.{kind}")
    return cast(Compiled, module.compile(data, name=name, options=options))


def read_source(source: Any, name: str | None, *, unnamed: str = "template") -> tuple[bytes, str]:
    """Return (bytes, name) of a path, of bytes or of an open binary file; PackageError GF300 if it cannot be read.

    unnamed: what messages call bytes that came without a name.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), name or unnamed
    if hasattr(source, "read"):
        own = getattr(source, "name", None)  # of a pipe it is a number
        shown = name or (Path(own).name if isinstance(own, str) else unnamed)
        return _read_file_object(source, shown), shown
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"a template is a path, bytes or an open file, not {type(source).__name__}")
    path = Path(source)
    try:
        return _read_regular_file(path), name or path.name
    except (OSError, ValueError) as fault:
        raise PackageError(_unreadable(str(path), fault)) from fault


def _read_regular_file(path: Path) -> bytes:
    """Return the bytes of a file of bounded size; a device or pipe, which may never end, is refused (GF300, GF306)."""
    from gfdocs.safezip import Limits

    limit = Limits().file
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        fact = Text("not a file but a device or a pipe", "不是普通文件，而是设备或管道")
        raise PackageError(Issue("GF300", "error", Place(str(path)), fact, Text("look at the path", "请检查路径")))
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        size = f"{limit >> 20} MiB"
        fact = Text(f"the file has more than {size}", f"文件超过上限 {size}")
        raise PackageError(Issue("GF306", "error", Place(str(path)), fact))
    return data


def _read_file_object(source: Any, name: str) -> bytes:
    """Return all bytes of an open file, from its beginning where it can be wound back."""
    try:
        if getattr(source, "seekable", lambda: hasattr(source, "seek"))():
            source.seek(0)
        data = source.read()
    except (OSError, ValueError) as fault:
        raise PackageError(_unreadable(name, fault)) from fault
    if isinstance(data, str):
        fact = Text("the file is open for text, not for bytes", "文件以文本方式打开，应以二进制方式打开")
        raise PackageError(
            Issue("GF300", "error", Place(name), fact, Text('open it with mode "rb"', "请用 rb 方式打开"))
        )
    return bytes(data)


def _unreadable(name: str, fault: Exception) -> Issue:
    reason = describe_os_fault(fault)
    fact = Text(f"cannot be read: {reason}", f"无法读取：{reason.zh}")
    return Issue("GF300", "error", Place(name), fact, Text("look at the name and the path", "请检查文件名和路径"))


def _find_kind(data: bytes, name: str) -> Kind:
    """Return the kind by the file's suffix, else by its first bytes; TemplateError GF212 where neither tells."""
    known = _KINDS.get(os.path.splitext(name)[1].lower())
    if known:
        return known
    if data.startswith(b"PK"):
        if b"word/document.xml" in data:
            return "docx"
        if b"xl/workbook" in data:
            return "xlsx"
    if b"<svg" in data[:4096]:
        return "svg"
    fact = Text("expected a .docx, .xlsx or .svg template", "模板应为 .docx、.xlsx 或 .svg 文件")
    hint = Text('name its kind: open_template(data, kind="docx")', '请指明类型：open_template(data, kind="docx")')
    if os.path.splitext(name)[1]:  # a file with a suffix of its own: it is another file that is wanted
        hint = Text("save it as one of these, or give another file", "请另存为其中一种，或换一个文件")
    raise TemplateError(Issue("GF212", "error", Place(name), fact, hint))


def _check_environment(environment: jinja2.Environment) -> None:
    """ValueError where an environment has options that templates here do not follow, each by name."""
    usual: dict[str, Any] = {
        "block_start_string": "{%", "block_end_string": "%}", "variable_start_string": "{{", "variable_end_string": "}}",
        "comment_start_string": "{#", "comment_end_string": "#}", "line_statement_prefix": None,
        "line_comment_prefix": None, "finalize": None, "is_async": False,
    }  # fmt: skip
    odd = [f"{name}={found!r}" for name, kept in usual.items() if (found := getattr(environment, name)) != kept]
    if odd:
        raise ValueError(
            f"these options of the environment are not followed: {', '.join(odd)}; tags are written {{{{ … }}}} and {{% … %}}"
        )


def _as_fault_of_file(fault: Exception, name: str, done: Text) -> TemplateError:
    """Return what nobody foresaw as a fault of the file; `done` says what could not be done with it."""
    if isinstance(fault, RecursionError | MemoryError):
        fact = Text("over budget: tags or elements nested too deep", "超出限额：标签或元素嵌套过深")
        return BudgetExceeded(Issue("GF210", "error", Place(name), fact))
    told = f"{type(fault).__name__}: {fault}"
    fact = Text(f"cannot be {done}: {told}", f"模板无法{done.zh}：{told}")
    return TemplateError(Issue("GF223", "error", Place(name), fact, Text("please report this file", "请反馈该文件")))


def _check_types(filters: Any, environment: Any, trusted: Any, budget: Any) -> None:
    """TypeError where an option is of another type than it is to be."""
    if filters is not None and not isinstance(filters, Mapping):
        raise TypeError(f"filters are a mapping of names to functions, not {type(filters).__name__}")
    for name, function in (filters or {}).items():
        if not isinstance(name, str) or not callable(function):
            raise TypeError(f"a filter is a function with a name, not {name!r}: {function!r}")
    if environment is not None and not hasattr(environment, "block_start_string"):
        raise TypeError(f"the environment is a jinja2.Environment, not {type(environment).__name__}")
    if not isinstance(trusted, bool):
        raise TypeError(f"trusted is True or False, not {trusted!r}")
    if budget is not None and not hasattr(budget, "iterations"):
        raise TypeError(f"the budget is a Budget, not {type(budget).__name__}")


def open_template(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    kind: Kind | None = None,
    name: str | None = None,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    environment: jinja2.Environment | None = None,
    trusted: bool = False,
    budget: Budget | None = None,
) -> Template:
    """Return a template compiled from a .docx, .xlsx or .svg file: done once, rendered many times.

    source: a path, the bytes of the file, or a file open for bytes. kind: `docx`, `xlsx` or `svg`; by the suffix or
    content where None.
    name: what it is called in messages. filters: further Jinja filters by name. environment: a Jinja environment whose
    filters, tests, globals, loader and extensions are used; its escaping, sandbox and `undefined` are not, and one with
    delimiters of its own, `finalize` or `enable_async` is refused (ValueError). trusted: lifts sandbox
    and budget, for templates that are as good as code. budget: what a render may use.

    TemplateError or PackageError carry every fault of the file, each with its place.
    """
    data, name = read_source(source, name)
    kind = kind or _find_kind(data, name)
    if kind not in ("docx", "xlsx", "svg"):
        raise ValueError(f'kind is "docx", "xlsx" or "svg", not {kind!r}')
    _check_types(filters, environment, trusted, budget)
    if environment is not None:
        _check_environment(environment)
    options = Options(dict(filters or {}), environment, trusted, budget)
    try:
        return Template(data, kind, name, options)
    except (GfdocsError, ImportError):
        raise
    except Exception as fault:
        raise _as_fault_of_file(fault, name, Text("compiled", "编译")) from fault
