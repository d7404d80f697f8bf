"""Names that the data does not have: an error, a visible mark, or blank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import jinja2
from jinja2.runtime import Undefined
from jinja2.utils import missing as jinja_missing

from gfdocs.engine.language.characters import clip

MissingPolicy = Literal["error", "mark", "blank"]


def _step_of(key: Any) -> str:
    """Return how one step of a path reads: `.name`, `[3]`; what is large or of another kind is not spelled out."""
    if isinstance(key, str):
        return f".{key}" if key.isidentifier() and len(key) <= 60 else f"[{clip(key)!r}]"
    return f"[{key}]" if isinstance(key, int) and abs(key) < 10**18 else "[…]"


class Missing(Undefined):
    """What a template gets for a name that the data does not have: fails when used, and knows its dotted path.

    `a.b.c|default('')` works where `a` is missing; printing, looping, comparing and testing fail.
    """

    __slots__ = ("path",)

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = jinja_missing,
        name: str | None = None,
        exc: Any = jinja2.UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        self.path: str = name if isinstance(name, str) else _step_of(name)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._further(f".{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._further(_step_of(key))

    def _further(self, step: str) -> Missing:
        further = type(self)(self._undefined_hint, self._undefined_obj, self._undefined_name, self._undefined_exception)
        further.path = self.path + step
        return further

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise MissingUsed(self)

    __iter__ = __str__ = __repr__ = __len__ = __bool__ = __eq__ = __ne__ = __hash__ = __contains__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = __call__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail
    _fail_with_undefined_error = _fail


class MissingUsed(jinja2.UndefinedError):
    """A missing name was used. Never leaves the engine: it becomes issue GF204."""

    def __init__(self, undefined: Missing) -> None:
        super().__init__(f"{undefined.path} is missing")
        self.path = undefined.path


class Blank(Missing):
    """A missing name that prints nothing, is false, and loops over nothing."""

    __slots__ = ()

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return str(self)

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: Any) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined) or other is None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return id(type(self))

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __lt__(self, other: object) -> Any:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class Mark(Blank):
    """A missing name that prints `【缺：company.name】`."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"【缺：{self.path}】"


UNDEFINED: dict[MissingPolicy, type[Missing]] = {"error": Missing, "mark": Mark, "blank": Blank}
