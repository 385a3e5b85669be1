"""What a team writes by hand: FastAPI, a pydantic model, and the model behind it. No security."""

from typing import Any

from fastapi import FastAPI
from rows_model import Rows

from engines import open_engine

app = FastAPI()
model = open_engine()


@app.post("/predict")
def predict(body: Rows) -> dict[str, Any]:
    return {"probabilities": model([row.model_dump() for row in body.rows])}
