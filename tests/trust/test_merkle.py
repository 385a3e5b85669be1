"""The tree is the one of RFC 6962 / RFC 9162, for every size, and its proofs convince only of what is true.

Vectors: the eight-leaf reference tree of Certificate Transparency and the golden roots of compact ranges, both as
published in transparency-dev/merkle v0.0.2 (testonly/constants.go, proof/verify_test.go, compact/range_test.go).
"""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    stored_count,
    stored_position,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[(0, 8)],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
GOLDEN = {  # leaf i is i as two little-endian bytes
    10: "VjWMPSYNtCuCNlF/RLnQy6HcwSk6CIipfxm+hettA+4=",
    15: "j4SulYmocFuxdeyp12xXCIgK6PekBcxzAIj4zbQzNEI=",
    16: "c+4Uc6BCMOZf/v3NZK1kqTUJe+bBoFtOhP+P3SayKRE=",
    100: "dUh9hYH88p0CMoHkdr1wC2szbhcLAXOejWpINIooKUY=",
    255: "SmdsuKUqiod3RX2jyF2M6JnbdE4QuTwwipfAowI4/i0=",
    256: "qFI0t/tZ1MdOYgyPpPzHFiZVw86koScXy9q3FU5casA=",
    1000: "RXrgb8xHd55Y48FbfotJwCbV82Kx22LZfEbmBGAvwlQ=",
    4095: "cWRFdQhPcjn9WyBXE/r1f04ejxIm5lvg40DEpRBVS0w=",
    4096: "6uU/phfHg1n/GksYT6TO9aN8EauMCCJRl3dIK0HDs2M=",
    10000: "VZcav65F9haHVRk3wre2axFoBXRNeUh/1d9d5FQfxIg=",
}


# ---- an independent, slow reading of RFC 6962 section 2.1, recursive as the standard writes it


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old <= k:
        return [*naive_consistency(old, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_consistency(old - k, leaves[k:], False), naive_root(leaves[:k])]


def grown(leaves: list[bytes]):
    return Frontier().extend([leaf_hash(leaf) for leaf in leaves])


def test_leaf_and_node_hashes_are_the_published_ones() -> None:
    assert ROOTS[0] == EMPTY_ROOT
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


@pytest.mark.parametrize("size", range(9))
def test_every_reference_root_is_reached_leaf_by_leaf_and_at_once(size: int) -> None:
    one_by_one = Frontier()
    for leaf in LEAVES[:size]:
        one_by_one = one_by_one.extend([leaf_hash(leaf)]).frontier()
    assert one_by_one.root() == grown(LEAVES[:size]).frontier().root() == ROOTS[size]


@pytest.mark.parametrize("size", GOLDEN)
def test_golden_roots_of_larger_trees_are_reached(size: int) -> None:
    frontier = grown([i.to_bytes(2, "little") for i in range(size)]).frontier()
    assert base64.b64encode(frontier.root()).decode() == GOLDEN[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_reference_inclusion_paths_are_built_and_accepted(index: int, size: int) -> None:
    path = inclusion_path(index, size, grown(LEAVES).node)
    assert [item.hex() for item in path] == INCLUSION[(index, size)]
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, path, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_reference_consistency_paths_are_built_and_accepted(old: int, new: int) -> None:
    path = consistency_path(old, new, grown(LEAVES).node)
    assert [item.hex() for item in path] == CONSISTENCY[(old, new)]
    verify_consistency(old, new, path, ROOTS[old], ROOTS[new])


def test_every_proof_of_every_small_tree_equals_the_recursive_definition() -> None:
    leaves = [b"leaf %d" % number for number in range(33)]
    node = grown(leaves).node
    for size in range(1, 34):
        root = naive_root(leaves[:size])
        assert tree_root(size, node) == root
        for index in range(size):
            path = inclusion_path(index, size, node)
            assert path == naive_path(index, leaves[:size])
            verify_inclusion(leaf_hash(leaves[index]), index, size, path, root)
        for old in range(1, size + 1):
            path = consistency_path(old, size, node)
            assert path == naive_consistency(old, leaves[:size])
            verify_consistency(old, size, path, naive_root(leaves[:old]), root)


@given(st.lists(st.binary(max_size=6), max_size=70), st.lists(st.integers(1, 30), max_size=12))
def test_however_a_tree_grows_root_proofs_and_stored_nodes_are_the_same(leaves: list[bytes], cuts: list[int]) -> None:
    frontier, stored, at = Frontier(), b"", 0
    for step in [*cuts, len(leaves)]:
        batch = leaves[at : at + step]
        growth = frontier.extend([leaf_hash(leaf) for leaf in batch])
        for index in range(at, at + len(batch)):  # from the old frontier and the batch alone
            assert inclusion_path(index, growth.size, growth.node) == naive_path(index, leaves[: growth.size])
        frontier, stored, at = growth.frontier(), stored + growth.stored(), at + len(batch)
    assert frontier.size == len(leaves)
    assert frontier.root() == naive_root(leaves)
    assert len(stored) == 32 * stored_count(len(leaves))

    def from_file(level: int, index: int) -> bytes:
        place = 32 * stored_position(level, index)
        return stored[place : place + 32]

    assert tree_root(len(leaves), from_file) == naive_root(leaves)
    for index in range(len(leaves)):
        assert inclusion_path(index, len(leaves), from_file) == naive_path(index, leaves)


@settings(max_examples=200)
@given(st.data())
def test_an_inclusion_proof_convinces_of_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = [b"%d" % number for number in range(size)]
    growth = grown(leaves)
    path, root, leaf = inclusion_path(index, size, growth.node), growth.frontier().root(), leaf_hash(leaves[index])
    wrong = [
        (leaf_hash(b"other"), index, size, path, root),
        (leaf, index, size, path, EMPTY_ROOT),
        (leaf, index, size, [*path, root], root),
        (leaf, index, size, [root, *path], root),
        (leaf, index, size, [*path, b""], root),
        (leaf, index + size, size, path, root),
        (leaf, -1, size, path, root),
        (b"", index, size, path, root),
    ]
    wrong += [(leaf, other, size, path, root) for other in range(size) if other != index]
    if path:
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        flipped = bytearray(path[place])
        flipped[bit // 8] ^= 1 << bit % 8
        wrong += [
            (leaf, index, size, [*path[:place], bytes(flipped), *path[place + 1 :]], root),
            (leaf, index, size, path[:-1], root),
            (leaf, index, size, path[1:], root),
        ]
    for case in wrong:
        with pytest.raises(VerificationFailed):
            verify_inclusion(*case)


@settings(max_examples=200)
@given(st.data())
def test_a_consistency_proof_convinces_of_nothing_else(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 40))
    old = data.draw(st.integers(1, new))
    leaves = [b"%d" % number for number in range(new)]
    path = consistency_path(old, new, grown(leaves).node)
    before, after = naive_root(leaves[:old]), naive_root(leaves)
    changed = naive_root([b"other", *leaves[1:old]])
    wrong = [
        (old, new, path, changed, after),
        (old, new, path, before, changed),
        (old, new, [*path, before], before, after),
        (old, new, [before, *path], before, after),
        (new + 1, new, path, before, after),
        (-1, new, path, before, after),
        (old, new, path, b"", after),
    ]
    if path:
        wrong += [
            (old, new, path[:-1], before, after),
            (old, new, path[1:], before, after),
            (old, new, [], before, after),
        ]
        bit = data.draw(st.integers(0, 256 * len(path) - 1))
        flipped = bytearray(b"".join(path))
        flipped[bit // 8] ^= 1 << bit % 8
        parts = [bytes(flipped[at : at + 32]) for at in range(0, len(flipped), 32)]
        wrong.append((old, new, parts, before, after))
    for case in wrong:
        with pytest.raises(VerificationFailed):
            verify_consistency(*case)


def test_the_empty_tree_begins_every_tree_and_only_with_its_own_root() -> None:
    verify_consistency(0, 8, [], EMPTY_ROOT, ROOTS[8])
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    for old_root, path in ((ROOTS[1], []), (EMPTY_ROOT, [ROOTS[1]])):
        with pytest.raises(VerificationFailed, match="does not extend"):
            verify_consistency(0, 8, path, old_root, ROOTS[8])


def test_a_proof_is_not_built_for_what_is_not_there() -> None:
    node = grown(LEAVES).node
    for index in (-1, 8):
        with pytest.raises(InvalidInput, match="no leaf"):
            inclusion_path(index, 8, node)
    with pytest.raises(InvalidInput, match="cannot extend"):
        consistency_path(9, 8, node)
    with pytest.raises(InvalidInput, match="not a peak"):
        Frontier().node(0, 0)
