"""The outputs of a graph that does not tell them, as an app would want them: not where training ends."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from tfcross.graph.structure import producer, reached

_NO_OUTPUTS = (
    "Const",
    "NoOp",
    "Assign",
    "AssignVariableOp",
    "SaveV2",
    "SaveSlices",
    "MergeV2Checkpoints",
    "Assert",
)
_CLASSIFYING = ("Softmax", "Sigmoid", "ArgMax", "LogSoftmax")
_TRAINING = re.compile(r"(^|/)(gradients|save|report_uninitialized_variables)(_\d+)?(/|$)")
_FED = ("Placeholder", "PlaceholderV2")


def likely_outputs(
    ops: Mapping[str, str], inputs: Mapping[str, Sequence[str]], without: Collection[str] = ()
) -> list[str]:
    """What is computed from inputs, and used by nothing but training; before that, what classifiers end in.

    ``ops`` and ``inputs`` are those of each node, in the graph's order; nothing that needs a node of
    ``without`` counts.
    """
    users = _users(inputs)
    starts = {name for name, op in ops.items() if op in _FED}
    fed = reached(starts, lambda name: users.get(name, ())) - starts
    lost = reached(without, lambda name: users.get(name, ()))
    own = [name for name in ops if name in fed and name not in lost and not _TRAINING.search(name)]
    used = {producer(text) for name in own for text in inputs[name]}
    ends = [name for name in own if name not in used and ops[name] not in _NO_OUTPUTS]
    return list(dict.fromkeys([*(name for name in own if ops[name] in _CLASSIFYING), *ends]))


def _users(inputs: Mapping[str, Sequence[str]]) -> Mapping[str, list[str]]:
    users: dict[str, list[str]] = {}
    for name, texts in inputs.items():
        for text in texts:
            users.setdefault(producer(text), []).append(name)
    return users
