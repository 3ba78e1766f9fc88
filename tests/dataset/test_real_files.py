"""Real published files: exactly the findings that were established by hand."""

from __future__ import annotations

import re
from pathlib import Path

from fttui.dataset.scan import scan


def test_findings_equal_the_manifest(shared: Path) -> None:
    folder = shared / "datasets"
    rows = [
        (match[1], line.rstrip(" |").rsplit("|", 1)[1].strip())
        for line in (folder / "README.md").read_text().splitlines()
        if (match := re.match(r"\| (\S+\.jsonl) \|", line))
    ]
    assert len(rows) == 14
    for name, expected in rows:
        report = scan(folder / name, cached=False)
        found: dict[str, tuple[int, int]] = {}
        for finding in report.findings:
            count, first = found.get(finding.code, (0, finding.line))
            found[finding.code] = (count + finding.count, min(first, finding.line))
        told = " ".join(f"{code}x{n}@{line}" for code, (n, line) in sorted(found.items())) or "none"
        assert told == " ".join(sorted(expected.split())), name
        assert {code: n for code, (n, _) in found.items()} == report.counts, name
