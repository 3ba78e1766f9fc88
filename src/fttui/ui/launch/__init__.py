"""Launching a job: the plan, its way to the provider."""
