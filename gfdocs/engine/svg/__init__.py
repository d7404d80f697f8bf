"""SVG templates: Jinja over text and attributes, texts that are fitted and never clipped, outlines and PDF."""

from gfdocs.engine.svg.compile import SvgTemplate, compile  # noqa: A004 - the word of the Kind protocol

__all__ = ["SvgTemplate", "compile"]
