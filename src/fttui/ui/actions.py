"""Every action once: its id, its words, its keys, where it lives. Bindings, hints, help and palette are made of this.

An action `jobs.cancel` of scope "jobs" runs `do_cancel` of that scope's screen. The screen's
`why_not(id)` gives the reason when it cannot run: the key stays, dimmed, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """id: "scope.name". keys: Textual key names, the first is shown. hint: short words for the hint
    bar ("" keeps it out). rank: smaller survives longer when the bar is narrow."""

    id: str
    title: str
    keys: tuple[str, ...]
    hint: str = ""
    rank: int = 50
    priority: bool = False

    @property
    def scope(self) -> str:
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


AREAS: tuple[tuple[str, str, str], ...] = (
    ("data", "Data", "what is in this file?"),
    ("check", "Check", "will the service take it, and is it any good?"),
    ("cost", "Cost", "what will it cost, and what is bought?"),
    ("jobs", "Jobs", "what is running, and how is it going?"),
    ("checkpoints", "Checkpoints", "which one do I keep?"),
    ("chat", "Chat", "is it better than the base?"),
)

# Pages that are no link of the thread: they are reached from a link, and escape leads back to it.
PAGES: tuple[tuple[str, str, str], ...] = (
    ("evaluate", "Evaluate", "is it better, by how much, and what is missing?"),
    ("deployments", "Deployments", "what answers, and what does it cost by the hour?"),
)

ACTIONS: tuple[Action, ...] = (
    # everywhere
    *(
        Action(f"app.go_{area}", f"Go to {title}", (str(number),))
        for number, (area, title, _) in enumerate(AREAS, 1)
    ),
    Action("app.right", "Next link of the thread", ("right_square_bracket",)),
    Action("app.left", "Previous link of the thread", ("left_square_bracket",)),
    Action("app.back", "Back: close the detail, then one link to the left", ("escape",)),
    Action("app.palette", "Command palette", ("ctrl+p", "colon"), "commands", 2, priority=False),
    Action("app.help", "Keys and help for this pane", ("question_mark", "f1"), "help", 1),
    Action("app.open", "Open a dataset", ("o",), "open", 40),
    Action("app.profile", "Switch profile (whose money is at stake)", ("P",)),
    Action("app.deployments", "Deployments: what answers, and what it costs by the hour", ()),
    Action("app.next_profile", "Work on the next open profile", ("backslash",)),
    Action("app.add_profile", "Add a profile: another provider, another key", ()),
    Action("app.change_profile", "Change this profile: its key, its address, its access", ()),
    Action("app.read_only", "Make this profile read-only, or let it spend again", ()),
    Action("app.probe", "Ask again what this provider can do", ()),
    Action("app.why", "Why it was refused, and the ways out", ("W",)),
    Action("app.notices", "Everything that was said", ("exclamation_mark",)),
    Action("app.demo", "Open the shipped sample on the local profile", ()),
    Action("app.redraw", "Redraw the screen", ("ctrl+l",), priority=True),
    Action("app.interrupt", "Copy the selection; twice: quit", ("ctrl+c",), priority=True),
    Action("app.quit", "Quit", ("q",), "quit", 60),
    Action("app.evaluate", "Evaluate: held-out examples to several models", ()),
    Action("app.theme", "Switch between dark and light", ()),
    Action("app.screenshot", "Save a screenshot (SVG)", ()),
    # data
    Action("data.detail", "Open the example", ("enter",), "open", 10),
    Action("data.view", "Conversation, JSON or raw", ("v",), "view", 20),
    Action("data.search", "Search the file", ("slash",), "search", 15),
    Action("data.filter", "Filter by issue, role or length", ("f",), "filter", 26),
    Action("data.next_hit", "Next hit", ("n",)),
    Action("data.previous_hit", "Previous hit", ("N",)),
    Action("data.next_issue", "Next issue", ("i",), "issue", 25),
    Action("data.previous_issue", "Previous issue", ("I",)),
    Action("data.goto", "Go to a line", ("L",)),
    Action("data.edit", "Open in $EDITOR at this line", ("E",), "edit", 30),
    Action("data.mark", "Mark or unmark, and go on", ("space",), "mark", 27),
    Action("data.mark_all", "Mark all that are shown, or none", ("M",)),
    Action("data.drop", "Drop the marked examples, or this one, in a copy", ("x",), "drop", 28),
    Action("data.keep", "Copy only the marked examples", ("X",), "keep", 60),
    Action("data.fix", "Fix the marked examples, or this one, in a copy", ("F",), "fix", 33),
    Action("data.sample", "Copy a sample of n examples, by seed", ("S",), "sample", 36),
    Action("data.split", "Split off examples for validation, in two copies", ("H",)),
    Action("data.convert", "Convert to chat or preference JSONL, in a copy", ("C",)),
    Action("data.copy", "Copy the example", ("y",), "copy", 45),
    Action("data.chat", "Send this example's prompt to chat", ("s",), "to chat", 35),
    Action("data.reload", "Read the file again", ("r",)),
    Action("data.demo", "Try it: the shipped sample on this machine", ("d",)),
    # check
    Action("check.detail", "Go to the example, the place marked", ("enter",), "go to line", 10),
    Action("check.next_issue", "Next issue", ("i",), "next", 30),
    Action("check.previous_issue", "Previous issue", ("I",)),
    Action("check.mute", "Mute or unmute this check for this file", ("m",), "mute", 25),
    Action("check.fix", "Apply the safe fixes to a copy", ("F",), "fix all", 15),
    Action("check.fix_one", "Fix only this finding, in a copy", ("f",), "fix this", 20),
    Action("check.drop", "Drop the examples with this finding, in a copy", ("x",), "drop", 22),
    Action("check.mark", "Mark or unmark the examples with this finding", ("space",), "mark", 28),
    Action("check.filter", "Filter the findings", ("slash",), "filter", 35),
    Action("check.explain", "Explain this check", ("e",), "explain", 40),
    Action("check.rescan", "Check the file again", ("r",), "rescan", 45),
    Action("check.copy", "Copy the finding", ("y",)),
    # cost
    Action("cost.launch", "Review and launch", ("enter",), "review & launch", 5),
    Action("cost.more_epochs", "One epoch more", ("plus", "equals_sign"), "- epochs", 10),
    Action("cost.fewer_epochs", "One epoch less", ("minus",)),
    Action("cost.auto_epochs", "Epochs: let the provider choose", ("a",), "auto epochs", 20),
    Action("cost.model", "Choose the base model", ("b",), "model", 12),
    Action("cost.split", "Hold out part for validation", ("v",), "split", 25),
    Action("cost.traffic", "Requests a month and their lengths", ("t",), "traffic", 30),
    Action("cost.compare", "Keep this plan to compare", ("c",), "compare", 35),
    Action("cost.export", "Save the estimate (Markdown, CSV, JSON)", ("e",), "export", 45),
    Action("cost.guide", "Should I fine-tune at all?", ("w",), "should I?", 40),
    Action("cost.copy", "Copy the estimate", ("y",)),
    # jobs
    Action("jobs.detail", "Open the job", ("enter",), "open", 10),
    Action("jobs.new", "New job", ("n",), "new", 12),
    Action("jobs.cancel", "Cancel the job", ("x",), "cancel", 14),
    Action("jobs.pause", "Pause or resume the job", ("p",), "pause", 25),
    Action("jobs.checkpoints", "Its checkpoints", ("c",), "checkpoints", 20),
    Action("jobs.chat", "Chat with the result", ("t",), "chat", 16),
    Action("jobs.deploy", "Deploy its model, or show its deployment", ("D",)),
    Action("jobs.copy", "Copy its id", ("y",), "copy id", 40),
    Action("jobs.filter", "Filter the jobs", ("slash",), "filter", 30),
    Action("jobs.mark", "Mark or unmark, and go on", ("space",), "mark", 28),
    Action("jobs.mark_all", "Mark all that are shown, or none", ("M",)),
    Action("jobs.compare", "Compare the marked jobs", ("d",), "compare", 46),
    Action("jobs.watch", "Say when the job ends", ("w",), "watch", 42),
    Action("jobs.sort", "Sort", ("s",)),
    Action("jobs.group", "Group by sweep", ("v",)),
    Action("jobs.profiles", "Which profiles' jobs are shown", ("A",)),
    Action("jobs.sweep", "The jobs of its sweep in one table and one chart", ("S",), "sweep", 47),
    Action("jobs.log", "Logarithmic loss", ("l",), "log", 45),
    Action("jobs.smooth", "Smooth the curve", ("a",)),
    Action("jobs.view", "Loss, accuracy or reward", ("m",)),
    Action("jobs.zoom_in", "Zoom into the curve", ("plus", "equals_sign")),
    Action("jobs.zoom_out", "Zoom out", ("minus",)),
    Action("jobs.zoom_all", "The whole curve", ("0",)),
    Action("jobs.overlay", "Draw other jobs beside it", ("C",), "overlay", 48),
    Action("jobs.example", "Go to the example its error names", ("i",), "example", 44),
    Action("jobs.facts", "All of its settings and files", ("f",), "settings", 43),
    Action("jobs.results", "Its results file: into the chart, and saved", ("R",)),
    Action("jobs.refresh", "Ask again now", ("r",), "refresh", 50),
    Action("jobs.export", "Save the report of this job", ("e",)),
    Action("jobs.bundle", "Export all of the marked jobs, or of this one", ("X",), "export", 47),
    Action("jobs.forget", "Forget a job the provider lists no longer", ("delete",)),
    # checkpoints
    Action("checkpoints.chat", "Chat with this checkpoint", ("t", "enter"), "chat", 10),
    Action("checkpoints.compare", "Compare it with the base, side by side", ("c",), "compare", 12),
    Action("checkpoints.rank", "Rank by another metric", ("s",), "rank by", 20),
    Action("checkpoints.all", "Those of all jobs, or of this one", ("a",), "all jobs", 18),
    Action("checkpoints.mark", "Mark or unmark, to compare", ("space",), "mark", 28),
    Action("checkpoints.filter", "Filter by words", ("slash",), "filter", 32),
    Action("checkpoints.more", "Read those of 20 more jobs", ("m",)),
    Action("checkpoints.share", "Share it with projects", ("S",), "share", 30),
    Action("checkpoints.download", "Save its weights", ("d",), "download", 26),
    Action("checkpoints.delete", "Delete its model", ("x",), "delete", 36),
    Action("checkpoints.copy", "Copy the model name", ("y",), "copy name", 15),
    Action("checkpoints.refresh", "Ask again now", ("r",), "refresh", 40),
    Action("checkpoints.evaluate", "Evaluate it on held-out examples", ("V",), "evaluate", 13),
    Action(
        "checkpoints.deploy", "Deploy this checkpoint, or show its deployment", ("D",), "deploy", 30
    ),
    # deployments
    Action("deployments.chat", "Chat with this deployment", ("t", "enter"), "chat", 10),
    Action("deployments.new", "Deploy a tuned model", ("n",), "new", 12),
    Action("deployments.scale", "Give it another capacity", ("s",), "scale", 20),
    Action("deployments.delete", "Delete it: it stops costing", ("x",), "delete", 14),
    Action("deployments.copy", "Copy its name", ("y",), "copy name", 30),
    Action("deployments.refresh", "Ask again now", ("r",), "refresh", 40),
    # chat
    Action(
        "chat.stop",
        "Stop the answer; then leave the composer; then back",
        ("escape",),
        "stop/leave",
        5,
    ),
    Action("chat.write", "Write a prompt", ("i", "enter"), "write", 8),
    Action("chat.next", "Next column", ("tab",), "", 18),
    Action(
        "chat.again",
        "Ask again where it failed; else all again, as a branch",
        ("ctrl+r",),
        "again",
        20,
    ),
    Action("chat.model", "Change this column's model", ("f2",), "model", 12),
    Action("chat.add", "Add or remove a column", ("f3",), "column", 15),
    Action("chat.system", "System prompt and settings", ("f4",), "settings", 25),
    Action("chat.row", "Take a prompt from the dataset", ("f5",), "from data", 30),
    Action("chat.editor", "Write the prompt in $EDITOR", ("ctrl+e",), "editor", 45, priority=True),
    Action("chat.new", "New conversation", ("ctrl+n",), "new", 35),
    Action(
        "chat.edit", "Edit this prompt and send it as a branch", ("f6",), "edit", 32, priority=True
    ),
    Action(
        "chat.blind",
        "Blind comparison: hide who is who until rated",
        ("f7",),
        "blind",
        38,
        priority=True,
    ),
    Action("chat.saved", "Open or search the saved conversations", ("f8", "slash"), "saved", 34),
    Action("chat.go_on", "Go on with an answer that was cut off", ("f9",), "go on", 37),
    Action("chat.past", "Find an earlier prompt", ("ctrl+f",), priority=True),
    Action("chat.previous", "Select the prompt before", ("p", "ctrl+up")),
    Action("chat.following", "Select the prompt after", ("n", "ctrl+down")),
    Action("chat.older", "The branch before this one", ("less_than_sign",)),
    Action("chat.newer", "The branch after this one", ("greater_than_sign",)),
    Action("chat.rate", "Rate the answers: which one is the best", ("R",), "rate", 36),
    Action("chat.tally", "Who won how often", ("T",)),
    Action("chat.add_example", "Add this answer to a dataset", ("a",), "add to dataset", 33),
    Action("chat.take_back", "Take the last addition to a dataset back", ("u",)),
    Action("chat.code", "Copy this request as curl, Python or JavaScript", ("c",), "as code", 42),
    Action("chat.export", "Save the conversation (Markdown, JSONL)", ("e",), "export", 44),
    Action("chat.raw", "Markdown, or as it was written", ("v",)),
    Action("chat.differences", "Mark what differs between columns, or not", ("d",)),
    Action("chat.copy", "Copy the answer", ("y",), "copy", 40),
    Action(
        "chat.evaluate", "Evaluate these models on held-out examples", ("f12", "V"), "evaluate", 16
    ),
    # evaluate: a page reached from Chat, Checkpoints and the palette
    Action("evaluate.start", "Start, or go on with what is missing", ("s",), "start", 5),
    Action("evaluate.stop", "Stop the run; take this line out", ("x",), "stop/drop", 8),
    Action("evaluate.change", "Change this line; open this prompt", ("enter",), "open", 10),
    Action("evaluate.filter", "Which prompts: failing, wins, losses …", ("f",), "filter", 12),
    Action("evaluate.nearest", "The nearest training examples", ("n",), "nearest", 14),
    Action("evaluate.next", "What to add next, by groups of failures", ("w",), "add next", 16),
    Action("evaluate.baseline", "Prompt-engineering baselines on or off", ("b",), "baseline", 18),
    Action("evaluate.results", "From the set-up to the results and back", ("r",), "results", 20),
    Action("evaluate.history", "Past evaluations", ("h",), "past", 22),
    Action("evaluate.model", "Add a model", ("m",), "model", 24),
    Action("evaluate.export", "Save as Markdown, CSV or JSON", ("e",), "save", 26),
    Action("evaluate.labels", "Confusion table of the labels", ("c",), "labels", 28),
    Action("evaluate.grader", "The next grader's figures", ("d",)),
    Action("evaluate.copy", "Copy the table", ("y",)),
)

# What spends money or changes something at a provider, and whose read-only profile forbids it: that
# in hand, or that of the job. Such an action is dimmed and says why.
SPENDS: Mapping[str, str] = {
    **dict.fromkeys(("cost.launch", "jobs.new", "evaluate.start"), "hand"),
    **dict.fromkeys(("chat.write", "chat.again", "chat.edit", "chat.go_on"), "hand"),
    **dict.fromkeys(("deployments.new", "deployments.scale", "deployments.delete"), "hand"),
    **dict.fromkeys(("jobs.cancel", "jobs.pause", "jobs.deploy"), "job"),
    **dict.fromkeys(("checkpoints.share", "checkpoints.delete", "checkpoints.deploy"), "job"),
}

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}

# What a key is called on the screen, where Textual's name is not it.
KEY_LABELS = {
    "question_mark": "?", "slash": "/", "exclamation_mark": "!", "colon": ":", "plus": "+",
    "minus": "-", "equals_sign": "=", "escape": "esc", "right_square_bracket": "]",
    "left_square_bracket": "[", "backslash": "\\", "comma": ",", "space": "space",
    "less_than_sign": "<", "greater_than_sign": ">",
}  # fmt: skip


def of_scope(scope: str) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if action.scope == scope)


def bindings(scope: str) -> list[BindingType]:
    """The Textual bindings of a scope; every one has the action's id, so that it can be remapped."""
    return [
        Binding(
            ",".join(action.keys),
            f"do('{action.id}')",
            action.title,
            show=False,
            id=action.id,
            priority=action.priority,
        )
        for action in of_scope(scope)
        if action.keys
    ]


def keys_of(action: Action, keymap: Mapping[str, str]) -> tuple[str, ...]:
    """The keys in force, after the user's `[keys]`."""
    remapped = keymap.get(action.id)
    return tuple(remapped.split(",")) if remapped else action.keys


def label(key: str) -> str:
    """A key as it is written on a keyboard: `^p`, `?`, `enter`."""
    if key.startswith("ctrl+"):
        return "^" + key[5:]
    return KEY_LABELS.get(key, key)


def clashes(keymap: Mapping[str, str]) -> list[str]:
    """One sentence for each key that two actions of one scope (or of it and the app) would share."""
    found = []
    for scope in {action.scope for action in ACTIONS}:
        seen: dict[str, Action] = {}
        for action in of_scope(scope) + (of_scope("app") if scope != "app" else ()):
            for key in keys_of(action, keymap):
                other = seen.setdefault(key, action)
                if other is not action and other.scope == action.scope:
                    found.append(f"{label(key)} is both {other.id} and {action.id}")
    return found
