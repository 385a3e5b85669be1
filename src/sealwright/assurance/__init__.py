"""Assurance: how good, how fair, how robust and how explainable a model is, and how sure that is.

Answers: what was measured, on how many rows, with which uncertainty, and what was not measured and why?
Does not answer: may the model go live? It measures; a policy judges. It never trains, and can judge
models made elsewhere.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.assurance.adapters.onnx import OnnxPredictor
    from sealwright.assurance.carrying_out import Kept, Spread
    from sealwright.assurance.constraint_spec import ChangeSpec
    from sealwright.assurance.deletion import Deletion
    from sealwright.assurance.elsewhere.explaining import Explained, explain_given
    from sealwright.assurance.elsewhere.judging import judge
    from sealwright.assurance.explaining.row import RowExplanation
    from sealwright.assurance.features import Features, pack, true_classes, true_values
    from sealwright.assurance.harder import HARDER
    from sealwright.assurance.images.explained import Completeness, ImageExplanation, RegionEffect
    from sealwright.assurance.interface import Interface, read_interface
    from sealwright.assurance.leakage.exposure import Exposure, canary_exposure
    from sealwright.assurance.leakage_spec import ClaimedPrivacy
    from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series, SuiteResult
    from sealwright.assurance.portable import Portable, preparing
    from sealwright.assurance.predicate import PREDICATE_TYPE, from_predicate, to_predicate
    from sealwright.assurance.predictor import FunctionPredictor, Predictor, UnusablePredictions
    from sealwright.assurance.resampling.cross_validation import (
        CrossValidation,
        Nested,
        compare_by_folds,
        cross_validate,
        nested_cross_validate,
    )
    from sealwright.assurance.resampling.folds import (
        Split,
        grouped_folds,
        k_folds,
        repeated,
        stratified_folds,
        time_ordered_folds,
    )
    from sealwright.assurance.resampling.learning_curve import LearningCurve, learning_curve
    from sealwright.assurance.resampling.leave_one_out import LeaveOneOut, TooCostly, leave_one_out, leave_one_out_cost
    from sealwright.assurance.resampling.training import SCORES, Data
    from sealwright.assurance.service import run_suites
    from sealwright.assurance.spec import AssuranceSpec, Budget
    from sealwright.assurance.suites import SUITES, check_names
    from sealwright.assurance.teaching import Learn, Teach
    from sealwright.assurance.text.explained import DocumentExplanation, WordEffect

__all__ = [
    "AssuranceSpec",
    "Budget",
    "ChangeSpec",
    "ClaimedPrivacy",
    "Completeness",
    "CrossValidation",
    "Data",
    "Deletion",
    "DocumentExplanation",
    "Explained",
    "Exposure",
    "Features",
    "Figure",
    "Finding",
    "FunctionPredictor",
    "Group",
    "HARDER",
    "ImageExplanation",
    "Interface",
    "Kept",
    "Learn",
    "LearningCurve",
    "LeaveOneOut",
    "Nested",
    "NotPerformed",
    "OnnxPredictor",
    "PREDICATE_TYPE",
    "Portable",
    "Predictor",
    "RegionEffect",
    "RowExplanation",
    "SCORES",
    "SUITES",
    "Series",
    "Split",
    "Spread",
    "SuiteResult",
    "Teach",
    "TooCostly",
    "UnusablePredictions",
    "WordEffect",
    "canary_exposure",
    "check_names",
    "compare_by_folds",
    "cross_validate",
    "explain_given",
    "from_predicate",
    "grouped_folds",
    "judge",
    "k_folds",
    "learning_curve",
    "leave_one_out",
    "leave_one_out_cost",
    "nested_cross_validate",
    "pack",
    "preparing",
    "read_interface",
    "repeated",
    "run_suites",
    "stratified_folds",
    "time_ordered_folds",
    "to_predicate",
    "true_classes",
    "true_values",
]

_HOME = {
    "adapters.onnx": ("OnnxPredictor",),
    "carrying_out": ("Kept", "Spread"),
    "constraint_spec": ("ChangeSpec",),
    "deletion": ("Deletion",),
    "elsewhere.explaining": ("Explained", "explain_given"),
    "elsewhere.judging": ("judge",),
    "explaining.row": ("RowExplanation",),
    "features": ("Features", "pack", "true_classes", "true_values"),
    "harder": ("HARDER",),
    "images.explained": ("Completeness", "ImageExplanation", "RegionEffect"),
    "interface": ("Interface", "read_interface"),
    "leakage.exposure": ("Exposure", "canary_exposure"),
    "leakage_spec": ("ClaimedPrivacy",),
    "model": ("Figure", "Finding", "Group", "NotPerformed", "Series", "SuiteResult"),
    "portable": ("Portable", "preparing"),
    "predicate": ("PREDICATE_TYPE", "from_predicate", "to_predicate"),
    "predictor": ("FunctionPredictor", "Predictor", "UnusablePredictions"),
    "resampling.cross_validation": (
        "CrossValidation",
        "Nested",
        "compare_by_folds",
        "cross_validate",
        "nested_cross_validate",
    ),
    "resampling.folds": ("Split", "grouped_folds", "k_folds", "repeated", "stratified_folds", "time_ordered_folds"),
    "resampling.learning_curve": ("LearningCurve", "learning_curve"),
    "resampling.leave_one_out": ("LeaveOneOut", "TooCostly", "leave_one_out", "leave_one_out_cost"),
    "resampling.training": ("SCORES", "Data"),
    "service": ("run_suites",),
    "spec": ("AssuranceSpec", "Budget"),
    "suites": ("SUITES", "check_names"),
    "teaching": ("Learn", "Teach"),
    "text.explained": ("DocumentExplanation", "WordEffect"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.assurance has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.assurance.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "onnxruntime"}:
            raise MissingExtra("Judging a model", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
