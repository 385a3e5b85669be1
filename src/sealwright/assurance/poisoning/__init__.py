"""What attacks on training share: models trained on changed rows, and values stamped onto rows."""
