"""A small project that has the shape a batch asks for, with templates of a few lines: the batch is tested, not the engine."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

from gfdocs.data.model import Company, District
from gfdocs.errors import Issue, NameMissing, Place, TemplateError, Text

DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class FakeDocument:
    data: bytes

    def to_bytes(self) -> bytes:
        return self.data


@dataclass(frozen=True)
class FakeTemplate:
    """Renders the names it asks for as JSON: a zip with one fixed and one rendered part, or plain text for svg.

    `fail` names a company that cannot be made, `kill` one that ends the process, `slow` is seconds a document takes.
    """

    text: str
    kind: str
    names: tuple[str, ...]
    fail: str = ""
    kill: str = ""
    crash: str = ""
    slow: float = 0.0
    padding: int = 2000

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.text}|{self.kind}|{self.names}|{self.padding}".encode()).hexdigest()

    def render(self, context: Mapping[str, Any]) -> FakeDocument:
        if self.slow:
            time.sleep(self.slow)
        name = (context.get("company") or {}).get("name", "")
        self._break(name)
        values = {}
        for path in self.names:
            root = path.split(".")[0]
            if root not in context:
                raise NameMissing(Issue("GF204", "error", Place(self.text), Text(f'no name "{root}"', f"没有“{root}”")))
            values[root] = context[root]
        body = json.dumps([self.text, values], ensure_ascii=False, default=str, sort_keys=True).encode(
            "utf-8", "replace"
        )
        if self.kind == "svg":
            return FakeDocument(b"<svg>" + body + b"</svg>")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, data in (("styles.xml", b"s" * self.padding), ("document.xml", body)):
                archive.writestr(zipfile.ZipInfo(part, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        return FakeDocument(buffer.getvalue())

    def _break(self, name: str) -> None:
        if name and name == self.fail:
            place = Place(self.text, path=("table 2", "row 3"))
            raise TemplateError(
                Issue("GF204", "error", place, Text('no name "compnay"', "没有“compnay”"), Text("see it", "请查"))
            )
        if name and name == self.crash:
            raise ZeroDivisionError("a fault of ours")
        if name and name == self.kill:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class FakeSpec:
    id: str
    title: str
    file: str
    scope: str
    kinds: tuple[str, ...] = ("docx",)


class FakeTarget(NamedTuple):
    district: str | None = None
    company: dict[str, Any] | None = None


@dataclass
class FakeProject:
    """Three districts, five companies each, and one of no district, unless told otherwise."""

    districts: tuple[str, ...] = ("张家港市", "常熟市", "昆山市")
    each: int = 5
    unlocated: int = 1
    names: Mapping[int, str] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    documents: tuple[FakeSpec, ...] = (
        FakeSpec("notice", "关于做好有关工作的通知", "关于做好有关工作的通知", "round"),
        FakeSpec("list", "名单", "附件1 名单", "both", ("xlsx", "docx")),
        FakeSpec("annual-table", "年度总结汇总表", "附件2 汇总表（{{ district.name }}）", "district", ("xlsx",)),
        FakeSpec("annual-summary", "年度总结", "年度总结 {{ company.name }}", "company"),
        FakeSpec("plaque", "标牌（示意样式）", "标牌 {{ company.name }}", "company", ("svg",)),
    )
    round_name: str = "示例省第三批绿色工厂"
    issues: tuple[Issue, ...] = ()
    energy: int = 100

    def __post_init__(self) -> None:
        self.companies = []
        count = len(self.districts) * self.each
        for index in range(count + self.unlocated):
            district = self.districts[index // self.each] if index < count else ""
            name = self.names.get(index, f"示例{index:03}有限公司")
            self.companies.append(
                Company.model_validate(
                    {
                        "name": name, "credit_code": make_code(index), "district": district, "year": 2022,
                        "summary": {"energy": self.energy + index, "text": "总结"},
                    }
                )
            )  # fmt: skip
        self.dataset = SimpleNamespace(companies=self.companies)
        self.settings = SimpleNamespace(
            districts=tuple(District(name=name, code=f"32050{i}") for i, name in enumerate(self.districts)),
            deadlines=(SimpleNamespace(document="annual-table", date=dt.date(2023, 2, 24)),),
            round=SimpleNamespace(
                name=self.round_name, year=2022, batch="第三批", level="省级", number="", date=dt.date(2023, 2, 10),
                title="", scope="new",
            ),
        )  # fmt: skip
        self._plain = [company.model_dump() for company in self.companies]
        self._templates: dict[tuple[str, str], FakeTemplate] = {}
        self._shared = {"name": self.round_name, "date": dt.date(2023, 2, 10)}
        self._counts = {"listed": len(self.companies)}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self._plain, default=str).encode()).hexdigest()

    def targets(self, document: str) -> list[FakeTarget]:
        scope = next(spec.scope for spec in self.documents if spec.id == document)
        found = [FakeTarget()] if scope in ("round", "both") else []
        if scope in ("district", "both"):
            found += [FakeTarget(name) for name in self.districts]
        if scope == "company":
            found += [FakeTarget(c["district"] or None, c) for c in self._plain]
        return found

    def file_name(self, document: str, kind: str, target: FakeTarget) -> str:
        pattern = next(spec.file for spec in self.documents if spec.id == document)
        company = target.company or {}
        stem = pattern.replace("{{ company.name }}", company.get("name", "")).replace(
            "{{ district.name }}", target.district or ""
        )
        return f"{stem}.{kind}"

    def template(self, document: str, kind: str) -> FakeTemplate:
        key = (document, kind)
        if key not in self._templates:
            roots = {"annual-summary": ("round.name", "company.name"), "plaque": ("company.name",)}
            names = roots.get(document, ("round.name", "counts.listed", "district.name"))
            self._templates[key] = FakeTemplate(document, kind, names, **self.templates.get(document, {}))
        return self._templates[key]

    def context_of(self, spec: FakeSpec, target: FakeTarget) -> dict[str, Any]:
        district = {"name": target.district}
        return {"round": self._shared, "counts": self._counts, "district": district, "company": target.company}


def make_code(index: int) -> str:
    """Return a credit code with its right check digit (GB 32100)."""
    body = f"91320500MA{index:07X}"[:17].replace("I", "1").replace("O", "0")
    weights = [3**i % 31 for i in range(17)]
    total = sum(
        DIGITS.index(char if char in DIGITS else "0") * weight for char, weight in zip(body, weights, strict=True)
    )
    return body + DIGITS[(31 - total % 31) % 31]
