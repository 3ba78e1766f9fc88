"""An OpenAI-compatible fine-tuning server for this machine."""
