"""Start every part of a stage, say when it is ready, and leave nothing behind."""

from .launch import StartError, started
from .stages import Port, Stage
from .state import RunningStage

__all__ = ["Port", "RunningStage", "Stage", "StartError", "started"]
