"""The API in twenty lines: load, render, batch, and a template of one's own."""

import sys
from pathlib import Path

import gfdocs

here = Path(__file__).parent
out = Path(sys.argv[1] if len(sys.argv) > 1 else "out-script")

out.mkdir(parents=True, exist_ok=True)
project = gfdocs.load(here.parent / "demo-district")
project.render("plaque", company="91320599MA0EX0018Q").save(out / "plaque.svg")
project.render("list", district="示范区").save(out / "附件2.xlsx")
project.render("notice").save(out / "通知.docx")

template = gfdocs.open_template(here / "letter.docx")
print("letter.docx needs:", ", ".join(template.names))
template.render({"to": "示例电子有限公司", "items": ["年度总结", "下年度计划"]}).save(out / "letter.docx")

manifest = gfdocs.batch(project, out / "packages", zip=True)
print(manifest)
