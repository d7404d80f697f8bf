"""SVG templates: Jinja over text and attributes, texts that are fitted and never clipped, outlines and PDF for the engraver."""

from gfdocs.engine.svg.compile import compile

__all__ = ["compile"]
