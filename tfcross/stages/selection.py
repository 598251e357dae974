"""What the library registers: what its models need, or all that the release has for the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcross.registry.ownops import OwnOps, find_own
from tfcross.registry.sources import RegistrySources
from tfcross.selection.costs import Share, find_shares
from tfcross.selection.extras import Extras
from tfcross.selection.rule import KernelRule, core_rule
from tfcross.selection.selection import Selection
from tfcross.selection.selector import select, select_all
from tfcross.stages.build import Plan
from tfcross.stages.models import BuildModel
from tfcross.stages.sources import Sources


@dataclass(frozen=True)
class Selected:
    """The ``selection`` for ``models`` (none: all that the release has); ``shares`` are several models' own.

    ``own`` are the user's ops, whose sources are laid into ``own_folder``.
    """

    models: tuple[BuildModel, ...]
    selection: Selection
    shares: tuple[Share, ...] = ()
    own: OwnOps | None = None
    own_folder: str = ""


def select_kernels(plan: Plan, sources: Sources, models: tuple[BuildModel, ...]) -> Selected:
    """What the models need, from what the release's sources register under the profile's defines."""
    tree = sources.trees[plan.core.tree]
    own = find_own(plan.options.ops_dir)
    folder = f"{Path(sources.links[plan.core.tree]).parent.as_posix()}/own"
    readable = RegistrySources(plan.core, plan.release.folder, plan.profile, plan.toolchain, tree)
    rule = core_rule(plan.core, readable.registry(plan.options.types, own, Path(folder)))
    extras = Extras(plan.options.extra_ops, plan.options.extra_kernels)
    if models:
        selection = select([built.model for built in models], rule, extras)
    else:
        selection = select_all(plan.core.portable, rule, extras)
    return Selected(models, selection, _shares(models, rule), own, folder)


def _shares(models: Sequence[BuildModel], rule: KernelRule) -> tuple[Share, ...]:
    if len(models) < 2:
        return ()
    alone = [select([built.model], rule) for built in models]
    return tuple(find_shares([str(built.model.path) for built in models], alone))
