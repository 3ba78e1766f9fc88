"""The life of a training job, from its first event to its last."""

from __future__ import annotations

import errno
import signal
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from fttui.local import lora, trainer_data
from fttui.local.engine import Model, load_model
from fttui.local.trainer_files import Checkpoints, Events, State, control
from fttui.local.trainer_job import Failed, Job, read_job, resolve
from fttui.local.trainer_step import Item, Learner, order, rate
from fttui.problem import Problem

SAVE_EVERY = 120.0  # seconds between checkpoints to resume from, where epochs are longer
VALIDATIONS_PER_EPOCH = 4
VALIDATION_ITEMS = 4  # of the small measure within an epoch; the whole file counts at its end


class Stop(Exception):
    """An order came: "cancel" or "pause"."""


def run(job_dir: Path) -> int:
    """Train the job in `job_dir` to its end; every failure becomes a `failed` event. Exit code."""
    try:
        events = Events(job_dir / "events.jsonl")
    except OSError as error:
        print(f"the event log cannot be written: {error}", flush=True)
        return 1
    if events.types & {"done", "failed"}:
        return 0
    try:
        Training(job_dir, events).run()
    except Exception as error:  # noqa: BLE001 - a job's failure is told, not thrown
        traceback.print_exc()
        failed = _as_failed(error)
        try:
            events.write("failed", str(failed), level="error", code=failed.code, param=failed.param)
        except OSError as disk:  # the disk is full: the server reads our last words instead
            print(f"{failed} ({disk.strerror})", flush=True)
        return 1
    finally:
        events.close()
    return 0


def _as_failed(error: Exception) -> Failed:
    if isinstance(error, Failed):
        return error
    if isinstance(error, Problem):
        return Failed(error.code or "server_error", "; ".join(error.lines()))
    if isinstance(error, MemoryError):
        return Failed(
            "out_of_memory",
            "There is not enough memory for this job. Close other programs, use a smaller "
            "batch_size, or shorten the longest examples.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failed("disk_full", "The disk is full: free some space and run the job again.")
    return Failed("server_error", f"The training stopped on an error of ours: {error!r}")


class Training:
    def __init__(self, job_dir: Path, events: Events) -> None:
        self._dir = job_dir
        self._events = events
        self._checkpoints = Checkpoints(job_dir)
        self._ended_by_signal = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: Any) -> None:
        self._ended_by_signal = True  # the machine shuts down: as a pause

    def _check(self) -> None:
        word = control(self._dir)
        if word in ("cancel", "pause"):
            raise Stop(word)
        if self._ended_by_signal:
            raise Stop("pause")

    def run(self) -> None:
        try:
            job = read_job(self._dir)
            self._check()
            model = load_model(job.base_model)
            self._prepare(job, model)
        except Stop as stop:
            self._events.write("message", f"Stopped before the first step ({stop})")
            return
        try:
            self._resume()
            self._train()
        except Stop as stop:
            if str(stop) == "pause":
                self._save("resume")
                self._events.write("message", f"Paused after step {self._state.step}")
            else:
                self._events.write("message", f"Stopped after step {self._state.step}")
            return
        self._checkpoints.finish()
        trained = self._data.tokens * self._plan.n_epochs
        self._events.write("done", "Training has ended", trained_tokens=trained)

    # -- before the first step

    def _prepare(self, job: Job, model: Model) -> None:
        self._job = job
        self._data = self._read(job, model, job.training_file, "training_file")
        self._validation: list[Item] = []
        if job.validation_file:
            self._validation = self._read(job, model, job.validation_file, "validation_file").items
        plan = self._plan = resolve(job, len(self._data.items))
        self._about = {
            "seed": job.seed,
            "method": job.method,
            "total_steps": plan.total_steps,
            "hyperparameters": plan.as_dict(job.method),
        }
        before = self._tuned_before(job, model)
        adapter = self._tuned_before(job, model) or lora.fresh(
            model.config, job.rank, job.alpha, job.seed, model.dtype
        )
        self._state = State(adapter, np.zeros_like(adapter.flat), np.zeros_like(adapter.flat))
        self._learner = Learner(
            model, self._state, beta=plan.beta, reference=before, check=self._check
        )
        if "resolved" not in self._events.types:
            self._tell_plan()
        self._saved = time.monotonic()

    @staticmethod
    def _tuned_before(job: Job, model: Model) -> lora.Adapter | None:
        """The tuned model this job goes on from; None where it begins at the base model."""
        return lora.load(job.adapter, model.config, model.dtype) if job.adapter else None

    def _read(self, job: Job, model: Model, path: Path, param: str) -> trainer_data.Data:
        data = trainer_data.load(
            path,
            model.template,
            method=job.method,
            context=min(job.context, model.context),
            param=param,
            check=self._check,
        )
        if "resolved" not in self._events.types:
            for warning in data.warnings:
                self._events.write("message", warning, level="warn")
        return data

    def _tell_plan(self) -> None:
        plan = self._plan
        self._events.write(
            "resolved",
            f"Training {plan.total_steps} steps: {plan.n_epochs} epochs, batch size "
            f"{plan.batch_size}, learning rate multiplier {plan.learning_rate_multiplier:g}",
            hyperparameters=plan.as_dict(self._job.method),
            total_steps=plan.total_steps,
            trained_tokens=self._data.tokens * plan.n_epochs,
            seed=self._job.seed,
        )

    def _resume(self) -> None:
        meta = self._checkpoints.restore(self._state, self._about)
        if meta is None:
            return
        self._events.write("message", f"Resumed from the checkpoint at step {self._state.step}")
        self._saved = time.monotonic()
        if not self._state.finished:
            self._finish_step()
        elif meta["kind"] == "epoch":
            self._tell_checkpoint()

    # -- steps

    def _train(self) -> None:
        plan, state = self._plan, self._state
        while state.step < plan.total_steps:
            self._check()
            epoch, place = divmod(state.step, plan.steps_per_epoch)
            shuffled = order(self._job.seed, epoch, len(self._data.items))
            chosen = shuffled[place * plan.batch_size : (place + 1) * plan.batch_size]
            self._learn([self._data.items[i] for i in chosen])
            self._finish_step()

    def _learn(self, batch: list[Item]) -> None:
        plan, state = self._plan, self._state
        try:
            measured = self._learner.step(
                batch, rate(state.step, plan.total_steps, plan.learning_rate)
            )
        except FloatingPointError as error:
            raise Failed(
                "training_diverged",
                f"The loss was no longer a number at step {state.step + 1}. "
                "Use a smaller learning_rate_multiplier.",
                "learning_rate_multiplier",
            ) from error
        state.metrics, state.finished = measured.named("train"), False

    def _finish_step(self) -> None:
        """Validate, tell, save. An order to pause may come in between: a resumed trainer does it."""
        state = self._state
        last_of_epoch = state.step % self._plan.steps_per_epoch == 0
        state.metrics |= self._validate(last_of_epoch)
        state.finished = True
        self._tell_step(state.metrics)
        if last_of_epoch:
            self._save("epoch")
            self._tell_checkpoint()
        elif time.monotonic() - self._saved > SAVE_EVERY:
            self._save("resume")

    def _validate(self, last_of_epoch: bool) -> dict[str, float]:
        step, items = self._state.step, self._validation
        every = max(1, self._plan.steps_per_epoch // VALIDATIONS_PER_EPOCH)
        if not items or (step % every and not last_of_epoch):
            return {}
        if len(items) <= VALIDATION_ITEMS:
            some = items
        else:
            picked = np.random.default_rng([self._job.seed, 2, step])
            some = [items[i] for i in picked.permutation(len(items))[:VALIDATION_ITEMS]]
        small = self._learner.measure(some)
        found = small.named("valid")
        if last_of_epoch:
            whole = small if some is items else self._learner.measure(items)
            found |= whole.named("full_valid")
        return found

    def _tell_step(self, metrics: dict[str, Any]) -> None:
        step, total = self._state.step, self._plan.total_steps
        if step <= self._events.last_step:
            return  # told before the trainer was interrupted
        names = {
            "train_loss": "training loss",
            "valid_loss": "validation loss",
            "full_valid_loss": "full validation loss",
        }
        shown = [f"{name}={metrics[key]:.2f}" for key, name in names.items() if key in metrics]
        message = f"Step {step}/{total}: {', '.join(shown)}"
        self._events.write("metrics", message, **{"step": step, "total_steps": total, **metrics})

    def _save(self, kind: str) -> None:
        if self._state.step:
            self._checkpoints.save(self._state, kind, self._about)
        self._saved = time.monotonic()

    def _tell_checkpoint(self) -> None:
        step = self._state.step
        if step not in self._events.checkpoints:
            message = f"Checkpoint created at step {step}"
            self._events.write("checkpoint", message, step=step, **self._state.metrics)
