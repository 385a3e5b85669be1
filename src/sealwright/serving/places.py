"""Names that the serving process and those who start or check it must agree on."""

from pathlib import Path

__all__ = [
    "DECISION_KEY_PURPOSE",
    "access_file",
    "ca_files",
    "decision_ledger_folder",
    "decision_origin",
    "full_scope",
    "label_scope",
    "predict_scope",
    "scored_channel",
    "timing_scope",
    "token_audience",
    "token_issuer",
]

DECISION_KEY_PURPOSE = "sealwright/decision-record/v1"
"""What the key of decision records is derived for: keyring.key("decisions", DECISION_KEY_PURPOSE)."""


def predict_scope(project: str) -> str:
    """The scope a token needs to ask a project's model."""
    return f"predict:{project}"


def label_scope(project: str) -> str:
    """The scope that lets a token ask a project's model in place of `predict_scope`, and be told labels only."""
    return f"label:{project}"


def full_scope(project: str) -> str:
    """The scope a token needs besides, to be told everything where the project's `serving.output` holds something back."""
    return f"full:{project}"


def timing_scope(project: str) -> str:
    """The scope a token needs besides, to be told how long each step of a request took."""
    return f"timing:{project}"


def token_issuer(workspace: str) -> str:
    """Who issues a workspace's tokens."""
    return f"urn:sealwright:workspace:{workspace}"


def token_audience(workspace: str) -> str:
    """Whom a workspace's prediction tokens are for."""
    return f"urn:sealwright:predict:{workspace}"


def access_file(home: Path) -> Path:
    """The signed list of API keys and of what was taken back, written by whoever has the database."""
    return home / "access.json"


def ca_files(home: Path) -> tuple[Path, Path]:
    """The workspace's own CAs, to hand to clients, and what they took back."""
    folder = home / "serving" / "tls"
    return folder / "ca.pem", folder / "crl.pem"


def decision_origin(workspace: str, project: str, channel: str) -> str:
    """The name under which the decision ledger signs its checkpoints."""
    return f"sealwright/{workspace}/decisions/{project}/{channel}"


def scored_channel(channel: str) -> str:
    """What the scored files of a channel are kept as: a channel beside it, with a ledger of its own, because a server that runs
    holds the one of the channel. Whatever reads the decisions of a project goes by these folders, and so finds both."""
    return f"{channel}.scored"


def decision_ledger_folder(home: Path, project: str, channel: str) -> Path:
    """Where the decisions of a channel are kept."""
    return home / "serving" / project / channel / "ledger"
