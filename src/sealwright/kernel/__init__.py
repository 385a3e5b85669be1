"""What every room stands on: errors, ids, time, digests, canonical bytes, safe files.

Answers: how do we name, time, hash, write and refuse things?
Does not answer: anything about models, data or people. Imports no other room.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.kernel.canonical import canonical_json as canonical_json
    from sealwright.kernel.canonical import strict_json as strict_json
    from sealwright.kernel.digests import Sha256 as Sha256
    from sealwright.kernel.digests import digest_of as digest_of
    from sealwright.kernel.digests import digest_of_file as digest_of_file
    from sealwright.kernel.digests import hex_of as hex_of
    from sealwright.kernel.errors import Conflict as Conflict
    from sealwright.kernel.errors import InvalidInput as InvalidInput
    from sealwright.kernel.errors import MissingExtra as MissingExtra
    from sealwright.kernel.errors import NotFound as NotFound
    from sealwright.kernel.errors import OperationFailed as OperationFailed
    from sealwright.kernel.errors import Refused as Refused
    from sealwright.kernel.errors import SealwrightError as SealwrightError
    from sealwright.kernel.errors import StoppedByPolicy as StoppedByPolicy
    from sealwright.kernel.errors import VerificationFailed as VerificationFailed
    from sealwright.kernel.escaping import json_text as json_text
    from sealwright.kernel.escaping import page_text as page_text
    from sealwright.kernel.escaping import safe as safe
    from sealwright.kernel.escaping import safe_html as safe_html
    from sealwright.kernel.files import fsync_folder as fsync_folder
    from sealwright.kernel.files import private_folder as private_folder
    from sealwright.kernel.files import read_limited as read_limited
    from sealwright.kernel.files import write_atomically as write_atomically
    from sealwright.kernel.front_doors import Needs as Needs
    from sealwright.kernel.front_doors import front_door as front_door
    from sealwright.kernel.ids import check_name as check_name
    from sealwright.kernel.ids import new_id as new_id
    from sealwright.kernel.ids import new_ids as new_ids
    from sealwright.kernel.progress import Progress as Progress
    from sealwright.kernel.progress import silent as silent
    from sealwright.kernel.reading_yaml import Located as Located
    from sealwright.kernel.reading_yaml import strict_yaml as strict_yaml
    from sealwright.kernel.time import Clock as Clock
    from sealwright.kernel.time import FixedClock as FixedClock
    from sealwright.kernel.time import from_rfc3339 as from_rfc3339
    from sealwright.kernel.time import rfc3339 as rfc3339
    from sealwright.kernel.time import system_clock as system_clock
    from sealwright.kernel.version import VERSION as VERSION
    from sealwright.kernel.writing_csv import FORMULA_START as FORMULA_START
    from sealwright.kernel.writing_csv import NUMBER as NUMBER
    from sealwright.kernel.writing_csv import csv_cell as csv_cell
    from sealwright.kernel.writing_csv import csv_text as csv_text
    from sealwright.kernel.writing_yaml import YAML_WIDTH as YAML_WIDTH
    from sealwright.kernel.writing_yaml import yaml_comment as yaml_comment
    from sealwright.kernel.writing_yaml import yaml_value as yaml_value
else:
    from sealwright.kernel.front_doors import front_door

    __getattr__, __dir__, __all__ = front_door(__name__)
