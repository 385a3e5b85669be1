"""The same by hand with care: the answer is made in the event loop, without a thread for each request."""

from typing import Any

from fastapi import FastAPI
from rows_model import Rows

from engines import open_engine

app = FastAPI()
model = open_engine()


@app.post("/predict")
async def predict(body: Rows) -> dict[str, Any]:
    return {"probabilities": model([row.model_dump() for row in body.rows])}
