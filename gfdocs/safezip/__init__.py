"""The door for office files that come in: a zip read within bounds, its parts as safe XML.

It stands beside `errors`, because both rooms that read office files use it: `engine` (templates and returned forms)
and `data` (tables of companies). A `Package` holds its members as the compressed bytes they were read as, so what
nobody changes is copied and never inflated again. What `read_package` refuses, it refuses by name, and all faults of
one file are told together. The way out (deflate, write) is `engine/package.py`.

Sources: APPNOTE.TXT 6.3.10 (zip), ECMA-376 part 2 (OPC: names, content types, relationships).
"""

from __future__ import annotations

from gfdocs.safezip.contents import (
    get_main_part,
    read_content_types,
    read_relationships,
    relationships_name,
    resolve_target,
)
from gfdocs.safezip.model import CONTENT_TYPES, ContentTypes, Limits, Member, Package, Relationship
from gfdocs.safezip.reading import read_package
from gfdocs.safezip.xml import check_safe_xml, check_xml, safe_xml

__all__ = [
    "CONTENT_TYPES",
    "ContentTypes",
    "Limits",
    "Member",
    "Package",
    "Relationship",
    "check_safe_xml",
    "check_xml",
    "get_main_part",
    "read_content_types",
    "read_package",
    "read_relationships",
    "relationships_name",
    "resolve_target",
    "safe_xml",
]
