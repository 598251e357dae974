"""Checkpoints of both formats: what variables held when training stopped, streamed and checked."""
