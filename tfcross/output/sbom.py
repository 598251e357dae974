"""The bill of materials of a package, in CycloneDX's JSON."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tfcross.output.package import Part
from tfcross.releases.release import Origin, Release

NAME = "sbom.cdx.json"
_SPACE = uuid.UUID("6f1c5b0e-52a5-5d1e-9d57-0a4c6c7f4d0b")  # of our own, for serial numbers


def bill_of_materials(
    manifest: Mapping[str, Any], parts: Iterable[Part], release: Release, date: int
) -> bytes:
    """What ``parts`` are inside the library of ``manifest``; ``date`` in Unix seconds.

    The serial number follows from the manifest: the same library is the same document.
    """
    # The library takes as long to import as a build that has nothing to do.
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    core = _core(manifest)
    components = [_component(part, manifest["sources"][part.name], release) for part in parts]
    bom = Bom(
        serial_number=uuid.uuid5(_SPACE, manifest["sha256"]),
        metadata=BomMetaData(component=core, timestamp=datetime.datetime.fromtimestamp(date, datetime.UTC)),
        components=components,
    )
    bom.register_dependency(core, components)
    return (
        make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1).encode() + b"\n"
    )


def _core(manifest: Mapping[str, Any]) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component, ComponentType

    archive = manifest["archives"][manifest["link"]["core"]]
    compiler = manifest["toolchain"]
    return Component(
        name="tensorflow-core",
        version=manifest["release"],
        type=ComponentType.LIBRARY,
        bom_ref="tensorflow-core",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=archive["sha256"])],
        properties=[
            Property(name="tfcross:target", value=f"{manifest['target']}-{manifest['arch']}"),
            Property(name="tfcross:toolchain", value=f"{compiler['name']} {compiler['version']}"),
        ],
    )


def _component(part: Part, source: Mapping[str, Any], release: Release) -> Any:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    facts = {
        "origin": source["origin"],
        "tree_sha256": source["tree_sha256"],
        **{f"patch:{name}": digest for name, digest in source["patches"].items()},
    }
    origins = release.source(part.name).origins if source["pinned"] else ()
    return Component(
        name=part.name,
        version=source["version"],
        type=ComponentType.LIBRARY,
        bom_ref=part.name,
        licenses=[LicenseFactory().make_from_string(part.spdx)],
        external_references=[_reference(origin) for origin in origins if origin.kind == "url"],
        properties=[Property(name=f"tfcross:{key}", value=value) for key, value in facts.items()],
    )


def _reference(origin: Origin) -> Any:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri

    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(origin.url),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=origin.sha256)] if origin.sha256 else [],
    )
