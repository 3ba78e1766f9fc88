"""The page docs/checks.md, made from the catalogue: `python -m fttui.dataset.checks_page docs/checks.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from fttui.dataset.checks import CATALOGUE

HEAD = """# What `fttui check` looks for

Made by `python -m fttui.dataset.checks_page docs/checks.md` from the catalogue; a test keeps it in step.

- **error**: the service refuses the file, or data is destroyed. **warning**: it is accepted and costs money or
  quality. **note**: worth knowing. A finding may weigh more or less than usual; its message says why.
- **fix**: *safe* ones are done by `fttui check FILE --fix --output COPY`; *ask* ones are offered one by one, or
  done with `--also CODE`. A file is never changed in place.
- **evidence**: **S** the public API schema · **G** OpenAI's guides · **O** seen from OpenAI's own validator · **A**
  Azure's documentation or issues · **J** judgement.
- `--mute CODE` leaves a check out; `--explain CODE` prints its entry. A published code never changes its meaning.
- The conversation inside preference data gets the message checks (M-codes) too; S006 counts reinforcement
  examples.
"""


def page() -> str:
    """The whole page, Markdown."""
    lines = [HEAD]
    group = ""
    for check in CATALOGUE.values():
        if check.group != group:
            group = check.group
            lines += ["", f"## {group}", ""]
        fix = f" Fix ({check.fix_kind}): {check.fix}." if check.fix else ""
        lines.append(
            f"- **{check.code}** {check.severity} · **{check.title}.** {check.why}{fix} [{check.evidence}]"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
