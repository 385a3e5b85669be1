"""The worker of an assessment: `python -m sealwright.pipeline.assurance_worker`, one check for each job.

It stands here because it knows both rooms: the checks of `assurance`, and how `training` makes a model like the one judged. It
holds no key and no path of the workspace; what it judges is handed to it as bytes.
"""

import time

from sealwright.assurance import preparing
from sealwright.engines import Work, serve
from sealwright.pipeline.teaching import teach_from

__all__ = ["CHECKS"]

CHECKS = Work(module="sealwright.pipeline.assurance_worker", prepare=preparing(teach_from, time.time))
"""One job: a check, by name, on the case that is the material."""

if __name__ == "__main__":
    serve(CHECKS.prepare)
