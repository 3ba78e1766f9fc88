"""The floor: the smallest useful Textual app (header, list, footer)."""

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, OptionList


class Hello(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()
        yield OptionList(*[f"item {number}" for number in range(200)])
        yield Footer()


if __name__ == "__main__":
    Hello().run()
