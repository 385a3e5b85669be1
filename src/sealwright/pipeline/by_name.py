"""What permissions are asked about where only a name is known, or none: then everything of that kind is meant.

Answers: which project, data or version is it, as far as that can be said without a project's folder or a package?
Does not answer: who did what to it. `version_facts` reads that from what was signed.
"""

from sealwright.kernel import check_name
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import EVERY_PROJECT, DatasetResource, ProjectResource, VersionResource

__all__ = ["data_of_project", "project_named", "version_named"]


def project_named(name: str | None) -> ProjectResource:
    """A project of which only the name is known; None: all of them, which takes a role in every project.

    Raises
    ------
    InvalidInput
        That is no name of a project.
    """
    return ProjectResource(name=EVERY_PROJECT if name is None else check_name(name, what="project"))


def data_of_project(name: str | None) -> DatasetResource:
    """The data of a project of which only the name is known, taken to be as sensitive as can be; None: that of all."""
    where = EVERY_PROJECT if name is None else name
    return DatasetResource(name=where, project=where)


def version_named(workspace: Workspace, project: str, number: int) -> VersionResource:
    """A registered version as far as it can be known without its package: it may be broken, and is to be withdrawn.

    Raises
    ------
    NotFound
        There is no such version.
    """
    registry = workspace.registry_to_read
    version = registry.version(project, number)
    revoked = version.package in registry.revocations().packages
    return VersionResource(name=f"{project}/{number}", project=project, stage="revoked" if revoked else "registered")
