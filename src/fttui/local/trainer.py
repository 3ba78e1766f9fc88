"""One training job in one process: `python -m fttui.local.trainer JOB_DIR`.

Read from JOB_DIR: `job.json` (see trainer_job.Job) and `control`, a file with the word cancel or
pause, looked at before every piece of work. Written: `events.jsonl`, one JSON object a line

    {"time", "level": info|warn|error, "type", "message", "data"}

of the types resolved (hyperparameters, total_steps, trained_tokens), message, metrics (one a step),
checkpoint (step, metrics), done (trained_tokens) and failed (code, param); and
`checkpoints/step-N/` with adapter.npz, optimizer.npz, meta.json, complete as soon as it is there.

Started again after any end, the trainer goes on from the newest checkpoint with the same data in the
same order, and reports no step twice. Exit code 0: done, cancelled or paused; 1: failed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def limit_threads(count: int | None = None) -> None:
    """Bound the threads of NumPy's linear algebra; must come before NumPy is imported.

    More threads than free cores make it many times slower, because idle ones spin: half the cores.
    """
    chosen = count or max(1, (os.cpu_count() or 2) // 2)
    for name in THREAD_VARIABLES:
        os.environ[name] = str(chosen)


def _threads(job_dir: Path) -> int | None:
    try:
        wanted = json.loads((job_dir / "job.json").read_text("utf-8")).get("threads")
    except (OSError, ValueError, AttributeError):
        return None  # said properly once the job is read
    return wanted if isinstance(wanted, int) and wanted > 0 else None


def main(argv: list[str]) -> int:
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        print("usage: python -m fttui.local.trainer JOB_DIR", file=sys.stderr)
        return 2
    job_dir = Path(argv[0])
    limit_threads(_threads(job_dir))
    from fttui.local.trainer_run import run

    return run(job_dir)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
