"""DSPy: fine-tuning through its OpenAI provider, then a call with the tuned model. Needs `dspy`.

OPENAI_API_KEY and OPENAI_BASE_URL come from `fttui env`. DSPy looks models up by name, so the base
model must have a name OpenAI knows: `fttui serve --alias NAME=…`.
"""

import json
import sys

import dspy

TRAINING = sys.argv[1] if len(sys.argv) > 1 else "train.jsonl"

with open(TRAINING, encoding="utf-8") as lines:
    examples = [json.loads(line) for line in lines]
lm = dspy.LM("openai/gpt-4o-mini-2024-07-18", temperature=0, max_tokens=8)
job = lm.finetune(examples, train_data_format="chat", train_kwargs={"n_epochs": 2})
tuned = job.result()
if isinstance(tuned, Exception):
    raise tuned
print("model", tuned.model)
print("answer", tuned("What colour is ruby?")[0])
