"""openai-python: upload, train, follow, list checkpoints, stream an answer. Needs `openai` 1.x to 3.x.

OPENAI_BASE_URL and OPENAI_API_KEY come from `fttui env`; nothing below knows the local server.
"""

import sys
import time

from openai import OpenAI

MODEL = "gpt-4o-mini-2024-07-18"
TRAINING = sys.argv[1] if len(sys.argv) > 1 else "train.jsonl"

client = OpenAI()
with open(TRAINING, "rb") as file:
    uploaded = client.files.create(file=file, purpose="fine-tune")
client.files.wait_for_processing(uploaded.id)
job = client.fine_tuning.jobs.create(
    model=MODEL, training_file=uploaded.id, suffix="colours", hyperparameters={"n_epochs": 2}
)
while job.status not in ("succeeded", "failed", "cancelled"):
    time.sleep(1)
    job = client.fine_tuning.jobs.retrieve(job.id)
for event in client.fine_tuning.jobs.list_events(job.id, limit=5).data:
    print(event.message)
print("status", job.status)
print("model", job.fine_tuned_model)
for checkpoint in client.fine_tuning.jobs.checkpoints.list(job.id):
    print("checkpoint", checkpoint.fine_tuned_model_checkpoint)
stream = client.chat.completions.create(
    model=job.fine_tuned_model,
    messages=[{"role": "user", "content": "What colour is ruby?"}],
    max_tokens=8,
    stream=True,
)
print("answer", "".join(chunk.choices[0].delta.content or "" for chunk in stream))
