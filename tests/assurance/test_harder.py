"""Every setting has a decided way: a new one cannot be added without saying what loosening it would be."""

from collections.abc import Iterator

from pydantic import BaseModel

from sealwright.assurance import HARDER, AssuranceSpec, ClaimedPrivacy
from sealwright.assurance.harder import RULED


def settings(section: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every setting by its dotted name; a section inside it is gone through, a list or mapping of the user's is not."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings(inner, f"{before}{name}.")
        else:
            yield before + name


def test_every_setting_has_a_decided_way_and_nothing_else_has() -> None:
    optional = [f"claimed_privacy.{name}" for name in ClaimedPrivacy.model_fields]
    assert set(HARDER) == {*settings(AssuranceSpec), *optional}


def test_every_setting_is_decided_once_and_with_a_reason() -> None:
    names = [name for _, _, said in RULED for name in said.split()]
    assert len(names) == len(set(names))
    assert all(len(why) > 20 for _, why, _ in RULED)


def test_what_is_ordered_lists_everything_it_may_be() -> None:
    assert HARDER["depth"] == ("standard", "full")
    assert AssuranceSpec.model_json_schema()["properties"]["depth"]["enum"] == list(HARDER["depth"])


def test_only_numbers_are_more_or_less_and_only_lists_or_what_may_be_absent_are_kept() -> None:
    usual = AssuranceSpec(claimed_privacy=ClaimedPrivacy(epsilon=1)).model_dump(mode="json")
    for name, way in HARDER.items():
        value = usual
        for part in name.split("."):
            value = value[part]
        if way in {"more", "less"}:
            assert value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)), name
        if way == "kept":
            assert isinstance(value, list) or name in {"claimed_privacy", "costs"}, name
