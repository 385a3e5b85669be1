"""Which project and which place of serving somebody means: a folder with sealwright.yaml, or a name alone."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.serving import ServingSpec

__all__ = ["served_at"]


def served_at(project: str, channel: str | None) -> "tuple[str, ServingSpec]":
    """The project's name and its serving settings; defaults where only a name is given."""
    from sealwright.kernel import check_name
    from sealwright.pipeline import load_project
    from sealwright.serving import ServingSpec

    if "/" in project or Path(project, "sealwright.yaml").is_file():
        loaded = load_project(Path(project))
        name, spec = loaded.name, loaded.spec.serving
    else:
        name, spec = check_name(project, what="project"), ServingSpec()
    return name, spec if channel is None else spec.model_copy(update={"channel": check_name(channel, what="channel")})
