"""All experiments, in the order of the lecture."""

from __future__ import annotations

from . import (
    broken_commit,
    cold_start,
    idle_cost,
    kill_nlu,
    memory,
    poison,
    scale_out,
    security_patch,
    slow_dependency,
    spike,
    split_tax,
    stripe_outage,
)
from .experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    scale_out.EXPERIMENT,
    security_patch.EXPERIMENT,
    memory.EXPERIMENT,
    broken_commit.EXPERIMENT,
    kill_nlu.EXPERIMENT,
    slow_dependency.EXPERIMENT,
    idle_cost.EXPERIMENT,
    cold_start.EXPERIMENT,
    stripe_outage.EXPERIMENT,
    poison.EXPERIMENT,
    spike.EXPERIMENT,
    split_tax.EXPERIMENT,
)


def named(name: str) -> Experiment:
    """Return an experiment by its name.

    Raises:
        LookupError: there is none; the message says which there are.
    """
    for experiment in EXPERIMENTS:
        if experiment.name == name:
            return experiment
    there = ", ".join(experiment.name for experiment in EXPERIMENTS)
    raise LookupError(
        f"There is no experiment {name!r}. Say NAME=... with one of: {there}."
        if name
        else f"Say which: make experiment NAME=... There are: {there}."
    )
