"""The async client layer: one place talks to a provider, and only here is `openai` imported."""
