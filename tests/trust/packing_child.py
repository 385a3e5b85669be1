"""A process that packs a ledger bit by bit until it is killed. Run by test_ledger_packed; not a test itself.

python packing_child.py FOLDER STEPS    packs a little more, says how far, and goes on
"""

import sys
from pathlib import Path

from sealwright.trust import pack_entries

if __name__ == "__main__":
    for after in range(0, 10**9, int(sys.argv[2])):
        print(pack_entries(Path(sys.argv[1]), after, least=1).packed, flush=True)
