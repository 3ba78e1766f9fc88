"""Weights & Biases: the metrics and the model of a finished job as a run. Needs `wandb pandas openai`.

OPENAI_BASE_URL and OPENAI_API_KEY come from `fttui env`. Name the job, or the newest one is taken.
With WANDB_MODE=offline the run stays on this machine until `wandb sync` sends it; W&B then takes no
login and no datasets, so neither is asked for.
"""

import os
import sys

from openai import OpenAI
from wandb.integration.openai.fine_tuning import WandbLogger

client = OpenAI()
jobs = client.fine_tuning.jobs.list(limit=20)
done = [job.id for job in jobs.data if job.status == "succeeded"]
job = sys.argv[1] if len(sys.argv) > 1 else done[0]
online = os.environ.get("WANDB_MODE") != "offline"
WandbLogger._logged_in = not online  # there is no public way to say: stay offline
print(
    WandbLogger.sync(
        fine_tune_job_id=job, openai_client=client, project="fttui", log_datasets=online
    )
)
