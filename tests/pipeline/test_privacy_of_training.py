"""A private training is what the judgement is held against, and its variants are trainings that can be written down."""

from pathlib import Path

from sealwright.assurance import AssuranceSpec
from sealwright.pipeline.claimed_privacy import with_claim
from sealwright.pipeline.project import Project, load_project
from sealwright.pipeline.variants_privacy import privacy_variants
from sealwright.training import TrainingSpec

_EXAMPLE = Path(__file__).parents[2] / "examples" / "german-credit"


def _project(**training: object) -> Project:
    project = load_project(_EXAMPLE)
    spec = project.spec.model_copy(update={"training": TrainingSpec.model_validate(training)})
    return Project(spec=spec, folder=project.folder, digest=project.digest)


def test_the_variants_are_trainings_at_four_epsilons() -> None:
    found = privacy_variants(_project())
    assert [one.training["privacy"]["epsilon"] for one in found] == [0.5, 1.0, 3.0, 8.0]
    for one in found:
        made = TrainingSpec.model_validate(one.training)
        assert (made.recipe, made.privacy.delta) == ("logistic", 1e-5)
    assert len({one.name for one in found}) == 4


def test_a_recipe_with_a_private_form_is_kept_with_what_was_fixed() -> None:
    own = _project(recipe="naive_bayes", params={"bands": 5}, privacy={"epsilon": 2, "delta": 1e-6})
    for one in privacy_variants(own):
        made = TrainingSpec.model_validate(one.training)
        assert (made.recipe, made.params, made.privacy.delta) == ("naive_bayes", {"bands": 5}, 1e-6)


def test_the_guarantee_of_the_training_is_the_claim_unless_the_project_claims_a_stricter() -> None:
    said = {"epsilon": 2.0, "delta": 1e-6}
    assert with_claim(AssuranceSpec(), None).claimed_privacy is None
    assert with_claim(AssuranceSpec(), said).claimed_privacy.model_dump() == said
    own = AssuranceSpec(claimed_privacy={"epsilon": 1})
    assert with_claim(own, said).claimed_privacy.epsilon == 1
    loose = AssuranceSpec(claimed_privacy={"epsilon": 9})
    assert with_claim(loose, said).claimed_privacy.epsilon == 2  # a looser word does not win
