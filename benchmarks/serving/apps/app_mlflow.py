"""MLflow: the model as its documentation stores one for `mlflow models serve`.

python app_mlflow.py FOLDER     (writes FOLDER/mlflow-sklearn or FOLDER/mlflow-onnx)
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import mlflow

from engines import open_engine


class Credit(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """ONNX Runtime inside MLflow's own form of a custom model."""

    def load_context(self, context: Any) -> None:  # noqa: ARG002 (the library passes it)
        self.model = open_engine()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 (the library passes it)
        return self.model(model_input.to_dict("records"))


def store(folder: Path) -> None:
    import pandas as pd
    from credit import NAMES, kept, rows
    from mlflow.models import infer_signature

    columns, _ = rows()
    frame = pd.DataFrame(columns, columns=list(NAMES))[:100]
    onnx = os.environ["BENCH_ENGINE"] == "onnx"
    place = folder / ("mlflow-onnx" if onnx else "mlflow-sklearn")
    shutil.rmtree(place, ignore_errors=True)
    if onnx:
        signature = infer_signature(frame, open_engine()(frame.to_dict("records")))
        mlflow.pyfunc.save_model(place, python_model=__file__, signature=signature)
    else:
        model = kept(folder)
        mlflow.sklearn.save_model(
            model,
            place,
            signature=infer_signature(frame, model.predict_proba(frame)),
            pyfunc_predict_fn="predict_proba",
            serialization_format="cloudpickle",  # skops, its default, refuses this model
        )


if __name__ == "__main__":
    store(Path(sys.argv[1]))
else:
    mlflow.models.set_model(Credit())
