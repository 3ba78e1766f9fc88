"""Colours: one dark and one light theme, safe for red-green blindness (good is blue, bad is vermilion)."""

from textual.theme import Theme

DARK = Theme(
    name="fttui-dark",
    primary="#7AA2F7",
    secondary="#9D8CFF",
    accent="#56B6C2",
    success="#6CB6FF",
    warning="#E5B567",
    error="#F2785C",
    foreground="#D6DAE4",
    background="#12151C",
    surface="#181C25",
    panel="#202633",
    dark=True,
    variables={
        "muted": "#8C96AA",
        "faint": "#566074",
        "border": "#323A4C",
        "border-blurred": "#262C3A",
        "block-cursor-background": "#2C3A5A",
        "block-cursor-foreground": "#FFFFFF",
        "scrollbar": "#323A4C",
        "scrollbar-background": "#12151C",
        "scrollbar-corner-color": "#12151C",
    },
)

LIGHT = Theme(
    name="fttui-light",
    primary="#2B5FD9",
    secondary="#6A4FCF",
    accent="#0F7C8A",
    success="#1565C0",
    warning="#9A6700",
    error="#C4432B",
    foreground="#1F2430",
    background="#FBFBFD",
    surface="#F1F3F8",
    panel="#E4E8F1",
    dark=False,
    variables={
        "muted": "#5B6478",
        "faint": "#98A1B3",
        "border": "#C4CBDA",
        "border-blurred": "#D8DDE8",
        "block-cursor-background": "#CFDCF8",
        "block-cursor-foreground": "#10131A",
        "scrollbar": "#C4CBDA",
        "scrollbar-background": "#FBFBFD",
        "scrollbar-corner-color": "#FBFBFD",
    },
)

THEMES = (DARK, LIGHT)
