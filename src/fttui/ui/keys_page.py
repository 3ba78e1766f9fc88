"""docs/keys.md, made of the table that dispatches. Run: python -m fttui.ui.keys_page > docs/keys.md"""

from __future__ import annotations

from collections.abc import Iterator

from fttui.ui.actions import AREAS, PAGES, Action, label, of_scope


def _row(action: Action) -> str:
    keys = " ".join(f"`{label(key)}`" for key in action.keys) or "palette only"
    return f"| {keys.replace('|', chr(92) + '|')} | {action.title} | `{action.id}` |"


def _table(scope: str) -> Iterator[str]:
    yield "| key | does | id |"
    yield "|---|---|---|"
    yield from (_row(action) for action in of_scope(scope))


def page() -> str:
    """The whole page as Markdown."""
    lines = [
        "# Keys",
        "",
        "Every key can be changed: `[settings.keys]` in `config.toml` maps an id to a key, for example "
        '`"jobs.cancel" = "d"`. A key that cannot act now is shown dim and says why when it is pressed.',
        "",
        "Lists: `j` `k` `↑` `↓` `pgup` `pgdn` `g` `G`, `enter` opens. `tab` goes to the next pane of a screen.",
        "",
        "## Everywhere",
        "",
        *_table("app"),
    ]
    for area, title, question in (*AREAS, *PAGES):
        lines += ["", f"## {title}: {question}", "", *_table(area)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
