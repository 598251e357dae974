"""Will a model run on a target: verdicts before any build."""
