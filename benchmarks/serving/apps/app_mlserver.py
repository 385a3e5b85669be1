"""MLServer: its settings, as files; and a runtime of our own around ONNX Runtime, as its documentation writes one.

python app_mlserver.py FOLDER     (writes settings.json and model-settings.json)
"""

import json
import os
import sys
from pathlib import Path
from typing import Any


def settings(folder: Path) -> None:
    """`parallel_workers` is left as shipped unless BENCH_PARALLEL says otherwise."""
    port = int(os.environ["BENCH_PORT"])
    server: dict[str, Any] = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    if "BENCH_PARALLEL" in os.environ:
        server["parallel_workers"] = int(os.environ["BENCH_PARALLEL"])
    onnx = os.environ["BENCH_ENGINE"] == "onnx"
    model: dict[str, Any] = {
        "name": "credit",
        "implementation": "app_mlserver.OnnxRuntime" if onnx else "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(folder / ("model.onnx" if onnx else "pipeline.joblib"))},
    }
    if os.environ.get("BENCH_BATCHING") == "1":
        model |= {"max_batch_size": 64, "max_batch_time": 0.005}
    (folder / "settings.json").write_text(json.dumps(server))
    (folder / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    settings(Path(sys.argv[1]))
else:
    import numpy as np
    from credit import NUMBERS, STRINGS
    from mlserver import MLModel
    from mlserver.codecs import NumpyCodec, StringCodec
    from mlserver.types import InferenceRequest, InferenceResponse

    from engines import session

    class OnnxRuntime(MLModel):  # type: ignore[misc]
        async def load(self) -> bool:
            self.session = session()
            return True

        async def predict(self, payload: InferenceRequest) -> InferenceResponse:
            found = {one.name: one for one in payload.inputs}
            numbers = np.column_stack([NumpyCodec.decode_input(found[name]).ravel() for name in NUMBERS])
            strings = np.array([StringCodec.decode_input(found[name]) for name in STRINGS], dtype=object).T
            inputs = {"numbers": numbers.astype(np.float32), "strings": strings}
            answer = self.session.run(["probabilities"], inputs)[0]
            return InferenceResponse(
                model_name=self.name, outputs=[NumpyCodec.encode_output("predict_proba", answer.astype(np.float64))]
            )
