"""LlamaIndex: OpenAIFinetuneEngine from file to tuned LLM. Needs `llama-index-finetuning`.

OPENAI_API_KEY and OPENAI_BASE_URL come from `fttui env`. LlamaIndex looks models up in its own
table, so the base model must have a name it knows: `fttui serve --alias NAME=…`.
"""

import os
import sys
import time

from llama_index.finetuning import OpenAIFinetuneEngine

TRAINING = sys.argv[1] if len(sys.argv) > 1 else "train.jsonl"

engine = OpenAIFinetuneEngine("gpt-4o-mini-2024-07-18", TRAINING, verbose=True)
engine.finetune()
while (job := engine.get_current_job()).status not in ("succeeded", "failed", "cancelled"):
    time.sleep(1)
print("status", job.status)
# LlamaIndex's LLM reads OPENAI_API_BASE, not OPENAI_BASE_URL: say it here, or set both.
llm = engine.get_finetuned_model(
    temperature=0, max_tokens=8, api_base=os.environ["OPENAI_BASE_URL"]
)
print("model", llm.model)
print("context", llm.metadata.context_window)
print("answer", llm.complete("What colour is ruby?"))
print("pieces", len(list(llm.stream_complete("What colour is the sky?"))))
