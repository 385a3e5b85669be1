"""Assurance: how good, how fair, how robust and how explainable a model is, and how sure that is.

Answers: what was measured, on how many rows, with which uncertainty, and what was not measured and why?
Does not answer: may the model go live? It measures; a policy judges. It never trains, and can judge
models made elsewhere.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.assurance.adapters.onnx import OnnxPredictor as OnnxPredictor
    from sealwright.assurance.carrying_out import Kept as Kept
    from sealwright.assurance.carrying_out import Spread as Spread
    from sealwright.assurance.constraint_spec import ChangeSpec as ChangeSpec
    from sealwright.assurance.deletion import Deletion as Deletion
    from sealwright.assurance.elsewhere.explaining import Explained as Explained
    from sealwright.assurance.elsewhere.explaining import explain_given as explain_given
    from sealwright.assurance.elsewhere.judging import judge as judge
    from sealwright.assurance.explaining.row import RowExplanation as RowExplanation
    from sealwright.assurance.features import Features as Features
    from sealwright.assurance.features import pack as pack
    from sealwright.assurance.features import true_classes as true_classes
    from sealwright.assurance.features import true_values as true_values
    from sealwright.assurance.harder import HARDER as HARDER
    from sealwright.assurance.images.explained import Completeness as Completeness
    from sealwright.assurance.images.explained import ImageExplanation as ImageExplanation
    from sealwright.assurance.images.explained import RegionEffect as RegionEffect
    from sealwright.assurance.interface import Interface as Interface
    from sealwright.assurance.interface import read_interface as read_interface
    from sealwright.assurance.leakage.exposure import Exposure as Exposure
    from sealwright.assurance.leakage.exposure import canary_exposure as canary_exposure
    from sealwright.assurance.leakage_spec import ClaimedPrivacy as ClaimedPrivacy
    from sealwright.assurance.model import Figure as Figure
    from sealwright.assurance.model import Finding as Finding
    from sealwright.assurance.model import Group as Group
    from sealwright.assurance.model import NotPerformed as NotPerformed
    from sealwright.assurance.model import Series as Series
    from sealwright.assurance.model import SuiteResult as SuiteResult
    from sealwright.assurance.portable import Portable as Portable
    from sealwright.assurance.portable import preparing as preparing
    from sealwright.assurance.predicate import PREDICATE_TYPE as PREDICATE_TYPE
    from sealwright.assurance.predicate import from_predicate as from_predicate
    from sealwright.assurance.predicate import to_predicate as to_predicate
    from sealwright.assurance.predictor import FunctionPredictor as FunctionPredictor
    from sealwright.assurance.predictor import Predictor as Predictor
    from sealwright.assurance.predictor import UnusablePredictions as UnusablePredictions
    from sealwright.assurance.resampling.cross_validation import CrossValidation as CrossValidation
    from sealwright.assurance.resampling.cross_validation import Nested as Nested
    from sealwright.assurance.resampling.cross_validation import compare_by_folds as compare_by_folds
    from sealwright.assurance.resampling.cross_validation import cross_validate as cross_validate
    from sealwright.assurance.resampling.cross_validation import nested_cross_validate as nested_cross_validate
    from sealwright.assurance.resampling.folds import Split as Split
    from sealwright.assurance.resampling.folds import grouped_folds as grouped_folds
    from sealwright.assurance.resampling.folds import k_folds as k_folds
    from sealwright.assurance.resampling.folds import repeated as repeated
    from sealwright.assurance.resampling.folds import stratified_folds as stratified_folds
    from sealwright.assurance.resampling.folds import time_ordered_folds as time_ordered_folds
    from sealwright.assurance.resampling.learning_curve import LearningCurve as LearningCurve
    from sealwright.assurance.resampling.learning_curve import learning_curve as learning_curve
    from sealwright.assurance.resampling.leave_one_out import LeaveOneOut as LeaveOneOut
    from sealwright.assurance.resampling.leave_one_out import TooCostly as TooCostly
    from sealwright.assurance.resampling.leave_one_out import leave_one_out as leave_one_out
    from sealwright.assurance.resampling.leave_one_out import leave_one_out_cost as leave_one_out_cost
    from sealwright.assurance.resampling.training import SCORES as SCORES
    from sealwright.assurance.resampling.training import Data as Data
    from sealwright.assurance.service import run_suites as run_suites
    from sealwright.assurance.spec import AssuranceSpec as AssuranceSpec
    from sealwright.assurance.spec import Budget as Budget
    from sealwright.assurance.suites import SUITES as SUITES
    from sealwright.assurance.suites import check_names as check_names
    from sealwright.assurance.teaching import Learn as Learn
    from sealwright.assurance.teaching import Teach as Teach
    from sealwright.assurance.text.explained import DocumentExplanation as DocumentExplanation
    from sealwright.assurance.text.explained import WordEffect as WordEffect
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Judging a model", extra="build", libraries=("onnxruntime", "pyarrow"))
    )
