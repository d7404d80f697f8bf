"""What each operator, method, filter and test may cost: checked before it is done where its result can be large.

All that goes through a value (to print, compare, hash, sort or copy it) is paid by what the value weighs; all that makes
a text is paid by the text. What a result will be is worked out from the arguments, however they are given: by place or
by name.
"""

from __future__ import annotations

import operator as operators
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from sys import getsizeof
from typing import Any, Final

from jinja2.utils import pass_context
from markupsafe import Markup

from gfdocs.engine.budget import CONTAINERS, METER, Budget, Meter, OverBudget, check_list, check_text, get_meter, spend
from gfdocs.engine.written import Written, to_text, to_texts
from gfdocs.errors import Text

__all__ = [
    "ATOMS",
    "LONG",
    "SIZED",
    "Unprintable",
    "bound_filter",
    "bound_range",
    "bound_test",
    "check_call",
    "check_comparison",
    "check_format",
    "check_operation",
    "check_printed",
    "check_result",
    "check_shown",
    "count_iterator",
    "mix_numbers",
    "use",
    "write_out",
]  # fmt: skip

ATOMS: Final = frozenset((int, float, bool, type(None), Decimal))
"""Types whose values cost nothing to go through."""
LONG: Final = 1000
"""Texts of fewer characters are paid by the step that makes or prints them."""
SIZED: Final[tuple[type[Any], ...]] = (*CONTAINERS, str, bytes, range)


# ---------------------------------------------------------------------------------------------------------------------
# Values


def use(value: Any, budget: Budget) -> None:
    """Pay for going through a value once."""
    kind = value.__class__
    if kind in ATOMS:
        return
    if isinstance(value, str | bytes):
        if len(value) > 256:
            spend(len(value) >> 6)
    elif isinstance(value, CONTAINERS):
        meter = get_meter(budget)
        # What the data has is no larger than the data; what a template puts together may be.
        meter.spend((meter.weigh(value) if meter.has_made else len(value)) >> 2)


def check_result(value: Any, budget: Budget) -> Any:
    """Return what a method, filter or operator gave; OverBudget where it is too large, else it is paid for."""
    if type(value) is int:  # a proxy may say that it is one
        if not -_WORD < value < _WORD:
            _check_digits(value.bit_length(), budget)
    elif isinstance(value, str | bytes):
        size = len(value)
        if size > 64:
            meter = get_meter(budget)
            meter.check_text(size)
            meter.keep(getsizeof(value))
            meter.spend(size >> 6)
    elif isinstance(value, CONTAINERS):
        check_list(len(value), budget)
    return value


_WORD = 1 << 63


_FUNCTIONS: Final[tuple[type, ...]] = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.GeneratorType, types.MethodWrapperType,
    type, map, filter, zip, type(iter([])), type(iter(())), type(reversed([])), type(iter("")), type(iter({})),
)  # fmt: skip


class Unprintable(TypeError):
    """A value that is none to print. Never leaves the engine: it becomes issue GF219."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"a {kind} is no value to print")
        self.text = Text(f"a {kind} is no value to print", f"{kind} 不是可打印的值")


def _is_address(value: Any) -> bool:
    """Return whether a value prints as where it lies in memory: a function, a generator, an object without a text."""
    kind = type(value)
    if isinstance(value, _FUNCTIONS):
        return True
    methods: tuple[Any, Any] = (kind.__str__, kind.__repr__)
    return methods == (object.__str__, object.__repr__) and not hasattr(value, "__html__")


def check_printed(value: Any, depth: int = 0) -> None:
    """Unprintable where a value, or one in it, prints as where it lies in memory: other bytes in each run."""
    if value.__class__ in ATOMS or value.__class__ is str:
        return
    if isinstance(value, CONTAINERS):
        # Deeper lists are refused for their depth where they are printed; a list that holds itself has an end so.
        if depth < 4:
            for item in _others_in(value, _SHOWN):
                check_printed(item, depth + 1)
    elif isinstance(value, bytes | bytearray | memoryview) or _is_address(value):
        raise Unprintable(type(value).__name__)


def check_shown(value: Any, depth: int = 0) -> None:
    """IllegalCharacter where a list has a text that must not be written: Python would print its escape, `\\x07`."""
    if depth >= 4 or not isinstance(value, CONTAINERS):
        return
    from gfdocs.engine.language.characters import check_characters  # which imports this module in its turn

    for item in _others_in(value, ATOMS):
        if isinstance(item, str):
            check_characters(str(item))
        else:
            check_shown(item, depth + 1)


_SHOWN: Final = ATOMS | {str}


def _others_in(container: Any, kinds: frozenset[Any]) -> Iterable[Any]:
    """Return the items that are of none of these kinds. Of most long lists there are none, which is told soon."""
    if set(map(type, _items_of(container))) <= kinds:
        return ()
    return [item for item in _items_of(container) if item.__class__ not in kinds]


def _items_of(container: Any) -> Iterable[Any]:
    """Return all that is printed with a list or dict, the keys too."""
    return chain(container, container.values()) if isinstance(container, dict) else container


def count_iterator(values: Iterator[Any], cost: int) -> Iterator[Any]:
    """Yield the values, each paid for when it comes."""
    meter = METER.get()
    if meter is None:
        yield from values
        return
    for value in values:
        meter.iterations -= cost
        if meter.iterations < 0:
            meter.spend(0)
        yield value


# ---------------------------------------------------------------------------------------------------------------------
# Operators


def _check_digits(bits: int, budget: Budget) -> None:
    # log10(2) is a little more than 3/10: what passes here can be printed.
    digits = bits * 30103 // 100000
    if digits > budget.digits:
        raise OverBudget(f"a number of about {digits:,} digits", f"数字约有 {digits:,} 位")


def mix_numbers(left: Any, right: Any) -> tuple[Any, Any]:
    """Return both numbers, a float beside a Decimal as the Decimal one reads: 600.0 - 19.5 is 580.5 in either kind."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(float.__repr__(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(float.__repr__(left)), right
    return left, right


def write_out(number: Decimal) -> Decimal:
    """Return the number with its zeros written out: 600 / 2.5 is 240, not 2.4E+2."""
    exponent = number.as_tuple().exponent
    return number.quantize(_ONE) if isinstance(exponent, int) and exponent > 0 and number.adjusted() < 27 else number


_ONE = Decimal(1)


def check_operation(operator: str, left: Any, right: Any, budget: Budget) -> None:
    """OverBudget where `left operator right` would make something too large; else it is paid for."""
    if isinstance(left, int) and isinstance(right, int):
        if operator == "**":
            _check_digits(left.bit_length() * abs(right) if left not in (-1, 0, 1) else 1, budget)
        elif operator == "*":
            _check_digits(left.bit_length() + right.bit_length(), budget)
    elif operator == "%":
        if isinstance(left, str | bytes):
            _check_percent(left if isinstance(left, str) else left.decode("latin-1"), right, budget)
    elif operator == "*":
        sequence, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(times, int):
            _check_times(sequence, max(times, 0), budget)
    elif operator == "+":
        _check_sum(left, right, budget)
    elif isinstance(left, CONTAINERS):
        use(left, budget)
        use(right, budget)


def _check_times(sequence: Any, times: int, budget: Budget) -> None:
    if isinstance(sequence, str | bytes):
        check_text(len(sequence) * times, budget)
    elif isinstance(sequence, list | tuple):
        meter = get_meter(budget)
        meter.has_made = True
        meter.check_list(meter.weigh(sequence) * times)
        meter.spend(len(sequence) * times)


def _check_sum(left: Any, right: Any, budget: Budget) -> None:
    if isinstance(left, str | bytes) and isinstance(right, str | bytes):
        check_text(len(left) + len(right), budget)
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        meter = get_meter(budget)
        meter.has_made = True
        meter.check_list(meter.weigh(left) + meter.weigh(right))
        meter.spend(len(left) + len(right))


def check_comparison(left: Any, right: Any, budget: Budget) -> None:
    """Pay for comparing two values."""
    use(left, budget)
    if left.__class__ not in ATOMS:
        use(right, budget)


# ---------------------------------------------------------------------------------------------------------------------
# Formats

_NUMBER = re.compile(r"\d+")
# The width and precision of each conversion of a %-format: what stands before its letter.
_WIDTHS = re.compile(r"(?<![\d*.])[\d*.]+(?=[hlL]*[diouxXeEfFgGcrsa])")


def _to_sizes(text: str) -> list[int]:
    return [int(found) if len(found) < 10 else 10**9 for found in _NUMBER.findall(text)]


def check_format(spec: str, budget: Budget) -> None:
    """OverBudget where the width or precision of a format would make too long a text."""
    sizes = _to_sizes(spec)
    if sizes and max(sizes) >= 10_000:
        raise OverBudget(f"a format as wide as {max(sizes):,}", f"格式宽度 {max(sizes):,} 过大")
    check_text(len(spec) + sum(sizes), budget)


def _check_percent(spec: str, values: Any, budget: Budget) -> None:
    """`spec % values`: the widths, and the values as often as they may stand in it."""
    is_named = isinstance(values, dict)
    given = values.values() if is_named else values if isinstance(values, tuple) else (values,)
    size, has_stars = (_read_percent_again if len(spec) <= _SHORT else _read_percent)(spec)
    longest = total = 0
    for value in given:
        if value.__class__ not in ATOMS:
            use(value, budget)
            check_printed(value)
            check_shown(value)
            if isinstance(value, str):
                total += len(value)
                longest = max(longest, len(value))
        if has_stars and isinstance(value, int):
            size += abs(value)
    # A named value may stand in the format as often as the format likes.
    check_text(size + (spec.count("%") * longest if is_named else total), budget)


def _read_percent(spec: str) -> tuple[int, bool]:
    """Return how many characters a %-format makes beside its values, and whether its values tell widths (`%*d`)."""
    widths = _WIDTHS.findall(spec)
    return len(spec) + sum(sum(_to_sizes(width)) for width in widths), any("*" in width for width in widths)


_SHORT = 64
_read_percent_again = lru_cache(256)(_read_percent)  # few formats make most of the texts


def _check_time_format(spec: Any) -> None:
    # The C library pads as wide as the format says, up to 256 times its length.
    if isinstance(spec, str) and len(spec) > 2048:
        raise OverBudget(f"a format of {len(spec):,} characters", f"格式长达 {len(spec):,} 个字符")


# ---------------------------------------------------------------------------------------------------------------------
# Methods


class Given:
    """The arguments of a call, by place or by name."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs

    def get(self, index: int, name: str, default: Any = None) -> Any:
        return self.args[index] if index < len(self.args) else self.kwargs.get(name, default)

    def __iter__(self) -> Iterator[Any]:
        yield from self.args
        yield from self.kwargs.values()


def check_call(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], budget: Budget) -> None:
    """OverBudget where a method or function would take or make too much; else what it is given is paid for."""
    given = Given(args, kwargs)
    _take_all(given, budget)
    owner = getattr(function, "__self__", None)
    if owner is None or owner.__class__ is types.ModuleType:
        return
    name = getattr(function, "__name__", "")
    if isinstance(owner, str | bytes | int):
        use(owner, budget)
        check = _METHODS.get(name)
        if check is not None:
            check(owner, given, budget)
    elif isinstance(owner, CONTAINERS):
        use(owner, budget)
    elif name == "strftime":
        _check_time_format(given.get(0, "format"))


def _take(value: Any, budget: Budget) -> None:
    """Pay for a value that is given to a call; from now on lists are weighed, since it may be put into another."""
    if (value and isinstance(value, CONTAINERS)) or (isinstance(value, str) and len(value) > LONG):
        get_meter(budget).has_made = True
    use(value, budget)


def _to_size(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _check_width(owner: Any, given: Given, budget: Budget) -> None:
    check_text(max(map(_to_size, given), default=0), budget)


def _check_tabs(owner: Any, given: Given, budget: Budget) -> None:
    tab = b"\t" if isinstance(owner, bytes) else "\t"
    check_text(len(owner) + max(1, _to_size(given.get(0, "tabsize", 8))) * owner.count(tab), budget)


def _check_replace(owner: Any, given: Given, budget: Budget) -> None:
    old, new = given.get(0, "old"), given.get(1, "new")
    if isinstance(old, type(owner) | str | bytes) and isinstance(new, str | bytes):
        try:
            check_text(len(owner) + owner.count(old) * len(new), budget)
        except TypeError:
            return


def _check_join(owner: Any, given: Given, budget: Budget) -> None:
    items = given.get(0, "iterable")
    if isinstance(items, str | bytes | list | tuple | dict | set | frozenset):
        check_text(_joined_size(items, len(owner)), budget)
    elif items is not None:
        raise OverBudget("join() of what has no length: write |join", "join() 的参数没有长度：请写 |join")


def _joined_size(items: Any, separator: int) -> int:
    if isinstance(items, str | bytes):
        return len(items) * (1 + separator)
    try:
        size = sum(map(len, items)) if isinstance(items, list | tuple) else -1
    except TypeError:
        size = -1
    if size < 0:
        size = sum(len(item) for item in items if isinstance(item, str | bytes))
    return size + separator * len(items)


def _check_translate(owner: Any, given: Given, budget: Budget) -> None:
    table = given.get(0, "table")
    values: Iterable[Any] = (
        table.values() if isinstance(table, dict) else table if isinstance(table, list | tuple) else ()
    )
    check_text(len(owner) * max((len(value) for value in values if isinstance(value, str)), default=1), budget)


def _check_pieces(owner: Any, given: Given, budget: Budget) -> None:
    separator = given.get(0, "sep")
    if isinstance(separator, type(owner)) and separator:
        check_list(owner.count(separator) + 1, budget)
        # Seen from the right, a separator is sought by trying it at every place.
        spend(len(owner) * len(separator) >> 8)
    else:
        check_list(len(owner) // 2, budget)


def _check_lines(owner: Any, given: Given, budget: Budget) -> None:
    if len(owner) > budget.range:
        raise OverBudget(f"lines of a text of {len(owner):,} characters", f"拆分长达 {len(owner):,} 个字符的文本")


def _check_product(owner: Any, given: Given, budget: Budget) -> None:
    """`strip` and the searches from the right look at the one text for each character of the other."""
    sought = given.get(0, "chars")
    if isinstance(sought, str | bytes):
        spend(len(owner) * len(sought) >> 8)


_CODECS = {"utf8", "utf16", "utf32", "ascii", "latin1", "gbk", "gb2312", "gb18030", "big5", "iso88591", "cp1252"}


def _check_encode(owner: Any, given: Given, budget: Budget) -> None:
    codec = str(given.get(0, "encoding", "utf-8")).lower()
    if re.sub("[^a-z0-9]", "", codec) not in _CODECS and len(owner) > 1000:
        raise OverBudget(f"{codec[:20]} of a text of {len(owner):,} characters", "该编码只用于短文本")
    if given.get(1, "errors") is not None:
        check_text(len(owner) * 90, budget)


def _check_owner(owner: Any, given: Given, budget: Budget) -> None:
    check_text(len(owner) * 3, budget)


_Check = Callable[[Any, Given, Budget], None]
_METHODS: dict[str, _Check] = {
    **dict.fromkeys(("ljust", "rjust", "center", "zfill", "to_bytes"), _check_width),
    **dict.fromkeys(("split", "rsplit"), _check_pieces),
    **dict.fromkeys(("strip", "lstrip", "rstrip", "rfind", "rindex", "rpartition", "partition"), _check_product),
    **dict.fromkeys(("encode", "decode"), _check_encode),
    "expandtabs": _check_tabs,
    "replace": _check_replace,
    "join": _check_join,
    "translate": _check_translate,
    "splitlines": _check_lines,
    "hex": lambda owner, given, budget: None if isinstance(owner, int) else _check_owner(owner, given, budget),
}


# ---------------------------------------------------------------------------------------------------------------------
# Filters


def _filter_center(value: Any, given: Given, budget: Budget) -> None:
    check_text(_to_size(given.get(0, "width", 80)), budget)


def _filter_indent(value: Any, given: Given, budget: Budget) -> None:
    width, text = given.get(0, "width", 4), _text_of(value)
    size = len(width) if isinstance(width, str) else _to_size(width)
    if size > 4 or len(text) > LONG:
        check_text(len(text) + size * (len(text.splitlines()) + 1), budget)


def _filter_wordwrap(value: Any, given: Given, budget: Budget) -> None:
    size, wrap, width = len(_text_of(value)), given.get(2, "wrapstring"), given.get(0, "width", 79)
    if isinstance(wrap, str):
        check_text(size * max(1, len(wrap)), budget)
    check_text(size * 8, budget)
    # A long word is cut off the rest of its line again and again.
    spend((size * size // max(1, _to_size(width))) >> 12)


def _filter_format(value: Any, given: Given, budget: Budget) -> None:
    _check_percent(value if value.__class__ is str else _text_of(value), given.kwargs or given.args, budget)


def _filter_replace(value: Any, given: Given, budget: Budget) -> None:
    text, old, new = map(_text_of, (value, given.get(0, "old"), given.get(1, "new")))
    check_text(len(text) + text.count(old) * len(new), budget)


def _filter_batch(value: Any, given: Given, budget: Budget) -> None:
    size = max(map(_to_size, given.args[:1] or given.kwargs.values()), default=0)
    check_list(size, budget)
    spend(size)


def _filter_round(value: Any, given: Given, budget: Budget) -> None:
    places = given.get(0, "precision", 0)
    if isinstance(places, int) and abs(places) > 400:
        raise OverBudget(f"round to {places:,} places", f"四舍五入到 {places:,} 位")


def _filter_tojson(value: Any, given: Given, budget: Budget) -> None:
    indent = given.get(0, "indent")
    size = len(indent) if isinstance(indent, str) else _to_size(indent)
    if size > 16:
        raise OverBudget(f"an indent of {size:,}", f"缩进 {size:,} 过大")


def _filter_slow(value: Any, given: Given, budget: Budget) -> None:
    """What Python does character by character, making up to a dozen of each."""
    if isinstance(value, str):
        check_text(len(value) * 8, budget)
        spend(len(value) >> 1)
    elif isinstance(value, CONTAINERS):
        spend(get_meter(budget).weigh(value) * 4)
    for item in given:
        if isinstance(item, str):
            check_text(len(item) * 8, budget)


def _filter_striptags(value: Any, given: Given, budget: Budget) -> None:
    _filter_slow(value, given, budget)
    text = _text_of(value)
    # Each comment and each tag is cut out of the whole text.
    spend(len(text) * (text.count("<") + 1) >> 10)


def _filter_trim(value: Any, given: Given, budget: Budget) -> None:
    _check_product(_text_of(value), given, budget)


def _filter_list(value: Any, given: Given, budget: Budget) -> None:
    if isinstance(value, str | bytes):
        check_list(len(value), budget)


_FILTER_CHECKS: dict[str, _Check] = {
    **dict.fromkeys(("title", "urlize", "urlencode", "pprint", "xmlattr", "wordcount"), _filter_slow),
    **dict.fromkeys(("batch", "slice"), _filter_batch),
    **dict.fromkeys(("list", "sort", "unique", "reverse"), _filter_list),
    "center": _filter_center,
    "indent": _filter_indent,
    "wordwrap": _filter_wordwrap,
    "format": _filter_format,
    "replace": _filter_replace,
    "round": _filter_round,
    "tojson": _filter_tojson,
    "striptags": _filter_striptags,
    "trim": _filter_trim,
}

# Steps for each item that a filter goes through: those that call Python for an item take longer.
_ITEM_COSTS = {
    "map": 6, "selectattr": 6, "rejectattr": 6, "select": 4, "reject": 4, "groupby": 8, "sort": 4, "dictsort": 4,
    "unique": 3, "sum": 2, "min": 3, "max": 3, "list": 1, "join": 1, "batch": 1, "slice": 1, "reverse": 1, "items": 1,
    "xmlattr": 4, "last": 1, "pprint": 8,
}  # fmt: skip
# These ask for one item after the other and keep none.
_LAZY = frozenset(("map", "select", "reject", "selectattr", "rejectattr", "batch", "list", "last"))
# What these are given is made a text, so that a function or a generator would print where it lies in memory.
_TEXTUAL = frozenset(
    ("string", "upper", "lower", "capitalize", "title", "trim", "center", "indent", "replace", "format", "wordwrap",
     "wordcount", "truncate", "urlize", "striptags", "pprint", "tojson")
)  # fmt: skip


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _prepare(name: str, value: Any, given: Given, budget: Budget, is_own: bool) -> Any:
    """Return what the filter may go through; OverBudget where it would take or make too much."""
    _take_all(given.args, budget)
    if given.kwargs:
        _take_all(given.kwargs.values(), budget)
    use(value, budget)
    cost = 0 if is_own else _ITEM_COSTS.get(name, 0)
    if cost:
        # `attribute='a.b.c'` takes a step more for each dot, `'a,b'` for each comma.
        cost += sum(4 + 2 * (item.count(".") + item.count(",")) for item in given if isinstance(item, str))
        value = _count_items(name, value, cost, budget)
    elif name in _TEXTUAL:
        check_printed(value)
        if name not in ("pprint", "tojson"):  # which write such characters as their readers expect
            check_shown(value)
    check = None if is_own else _FILTER_CHECKS.get(name)
    if check is not None:
        check(value, given, budget)
    if name == "join" and not is_own and isinstance(value, SIZED):
        if isinstance(value, CONTAINERS):
            check_printed(value)
        check_text(_joined_size(value, len(_text_of(given.get(0, "d", "")))), budget)
    return value


def _count_items(name: str, value: Any, cost: int, budget: Budget) -> Any:
    if isinstance(value, SIZED):
        spend(len(value) * cost)
        return value
    if not isinstance(value, Iterator):
        return value
    if name in _LAZY:
        return count_iterator(value, cost)
    # What comes from a filter was paid for by what went into it.
    items = list(value)
    spend(len(items) * cost)
    check_list(len(items), budget)
    use(items, budget)
    return items


def bound_filter(
    name: str, function: Callable[..., Any], budget: Budget, *, is_own: bool = False
) -> Callable[..., Any]:
    """Return the filter with its work counted, called the way Jinja calls the bare one.

    is_own: it is not Jinja's, whatever its name: nothing is known of its arguments.
    """
    passed = getattr(getattr(function, "jinja_pass_arg", None), "name", None)
    get_first = {
        "context": lambda context: context,
        "eval_context": lambda context: context.eval_ctx,
        "environment": lambda context: context.environment,
    }.get(passed or "")
    keeps = name in _KEEPING
    has_check = not is_own and (name in _ITEM_COSTS or name in _FILTER_CHECKS)

    @pass_context
    def bounded(context: Any, value: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not keeps:
            if value.__class__ is Written:
                value = to_text(value)
            if args:
                args = to_texts(args)
        if has_check or kwargs or value.__class__ not in ATOMS:
            if has_check or kwargs or value.__class__ is not str or len(value) >= LONG:
                value = _prepare(name, value, Given(args, kwargs), budget, is_own)
            elif args:
                _take_all(args, budget)
        elif args:
            _take_all(args, budget)
        if get_first is None:
            result = function(value, *args, **kwargs)
        else:
            result = function(get_first(context), value, *args, **kwargs)
        if result.__class__ is str:
            return result if len(result) <= 64 else check_result(result, budget)
        if result.__class__ is Markup:
            # What is made for web pages is a text here like any other; what joins pieces written before is one again.
            result = str(result) if name in _FOR_WEB else Written(result)
        return result if result.__class__ in _BOUNDED else check_result(result, budget)

    return _bound_numbers(function, bounded, budget) if name == "format" and not is_own else bounded


def _bound_numbers(function: Callable[..., str], bounded: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Return `|format` for what most of them are, a short format of numbers: how wide it is was read before."""

    @pass_context
    def bounded_numbers(context: Any, value: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and value.__class__ is str and len(value) <= _SHORT and ATOMS.issuperset(map(type, args)):
            size, has_stars = _read_percent_again(value)
            if not has_stars:
                check_text(size, budget)
                result = function(value, *args)
                return result if len(result) <= 64 else check_result(result, budget)
        return bounded(context, value, *args, **kwargs)

    return bounded_numbers


# These give back what they are given.
_KEEPING = frozenset(("default", "d", "e", "escape", "forceescape", "safe", "string"))
_FOR_WEB = frozenset(("tojson", "xmlattr"))
_BOUNDED = frozenset((float, Decimal, bool, type(None)))


def _take_all(values: Iterable[Any], budget: Budget) -> None:
    for value in values:
        if value.__class__ not in ATOMS and (value.__class__ is not str or len(value) >= LONG):
            _take(value, budget)


def bound_range(budget: Budget) -> Callable[..., range]:
    """Return `range` with its length counted."""

    def bounded(*args: int) -> range:
        found = range(*args)
        # len() of a range beyond sys.maxsize fails.
        size = max(0, (found.stop - found.start) // found.step)
        check_list(size, budget)
        spend(size)
        return found

    bounded.__name__ = "range"
    return bounded


# ---------------------------------------------------------------------------------------------------------------------
# Tests

_COMPARING = frozenset(
    ("==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le", "in",
     "odd", "even", "divisibleby", "upper", "lower", "filter", "test")
)  # fmt: skip


def bound_test(name: str, function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Return the test with its work counted; itself where it cannot cost much."""
    if name not in _COMPARING:
        return function
    passed = getattr(function, "jinja_pass_arg", None)

    def bounded(*args: Any, **kwargs: Any) -> bool:
        for value in args[1:] if passed is not None else args:
            if value.__class__ not in ATOMS:
                use(value, budget)
        if name in ("odd", "even", "divisibleby") and isinstance(args[0], str | bytes):
            raise TypeError(f"a text is not {name}")
        return bool(function(*args, **kwargs))

    if passed is not None:
        bounded.jinja_pass_arg = passed  # type: ignore[attr-defined]
    return bounded


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operators.add, "-": operators.sub, "*": operators.mul, "/": operators.truediv, "//": operators.floordiv,
    "**": operators.pow, "%": operators.mod,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operators.eq, "!=": operators.ne, "<": operators.lt, "<=": operators.le, ">": operators.gt, ">=": operators.ge,
    "in": lambda item, values: item in values, "not in": lambda item, values: item not in values,
}  # fmt: skip


def count_made(values: Any, meter: Meter) -> Any:
    """Return a list that the template itself has put together, weighed."""
    meter.has_made = True
    meter.spend(1 + (meter.weigh(values) >> 6))
    return values
