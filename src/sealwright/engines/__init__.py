"""Mechanism only: the database port, shared counters, confined child processes, work spread out, outbound requests.

Answers: how is something kept, how is untrusted code run, how are many jobs done at once, and how does a request leave?
Knows nothing of models, data or people.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.engines.compute import Compute as Compute
    from sealwright.engines.compute import Do as Do
    from sealwright.engines.compute import Material as Material
    from sealwright.engines.compute import Serial as Serial
    from sealwright.engines.compute import Work as Work
    from sealwright.engines.compute import cores as cores
    from sealwright.engines.compute_child import serve as serve
    from sealwright.engines.compute_processes import Processes as Processes
    from sealwright.engines.compute_ray import RayCluster as RayCluster
    from sealwright.engines.confine import run_confined as run_confined
    from sealwright.engines.confinement import MEASURES as MEASURES
    from sealwright.engines.confinement import Confined as Confined
    from sealwright.engines.confinement import ConfinementIncomplete as ConfinementIncomplete
    from sealwright.engines.confinement import ConfinementReport as ConfinementReport
    from sealwright.engines.confinement import Limits as Limits
    from sealwright.engines.confinement import Measure as Measure
    from sealwright.engines.counters import NOTHING as NOTHING
    from sealwright.engines.counters import Amount as Amount
    from sealwright.engines.counters import Ask as Ask
    from sealwright.engines.counters import Counters as Counters
    from sealwright.engines.counters import CountersSilent as CountersSilent
    from sealwright.engines.counters import Grant as Grant
    from sealwright.engines.counters import Quota as Quota
    from sealwright.engines.counters_file import FileCounters as FileCounters
    from sealwright.engines.counters_memory import MemoryCounters as MemoryCounters
    from sealwright.engines.counters_redis import RedisCounters as RedisCounters
    from sealwright.engines.counters_redis import RedisPlace as RedisPlace
    from sealwright.engines.counters_redis import read_redis_place as read_redis_place
    from sealwright.engines.database import Database as Database
    from sealwright.engines.database import Row as Row
    from sealwright.engines.database import Tx as Tx
    from sealwright.engines.database import open_database as open_database
    from sealwright.engines.destinations import Destination as Destination
    from sealwright.engines.destinations import read_destination as read_destination
    from sealwright.engines.outbound import Outbound as Outbound
    from sealwright.engines.outbound import OutboundRules as OutboundRules
    from sealwright.engines.outbound import Pinned as Pinned
    from sealwright.engines.outbound_errors import OutboundFailed as OutboundFailed
    from sealwright.engines.outbound_errors import OutboundRefused as OutboundRefused
    from sealwright.engines.pinned_exchange import Answer as Answer
    from sealwright.engines.syscall_filter import filter_program as filter_program
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
