"""Events in the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io).

Answers: which OCSF class and activity is this, and what are its required attributes?
Does not answer: every field a class could have. What our ledger does not know is left out, never invented.

What an event of ours means is one row of a table; an action without a row is API activity, so nothing is ever left out.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, NamedTuple

from sealwright.kernel import VERSION
from sealwright.watch.seen import Seen

__all__ = ["ocsf_of"]

_SCHEMA = "1.8.0"
_INFORMATIONAL, _LOW, _MEDIUM, _HIGH, _CRITICAL = 1, 2, 3, 4, 5
_SUCCESS, _FAILURE = 1, 2
_OTHER = 99


class _Class(NamedTuple):
    uid: int
    name: str
    category: str


_ACCOUNT = _Class(3001, "Account Change", "Identity & Access Management")
_LOGIN = _Class(3002, "Authentication", "Identity & Access Management")
_ENTITY = _Class(3004, "Entity Management", "Identity & Access Management")
_ACCESS = _Class(3005, "User Access Management", "Identity & Access Management")
_LIFE = _Class(6002, "Application Lifecycle", "Application Activity")
_API = _Class(6003, "API Activity", "Application Activity")
_DATA = _Class(6005, "Datastore Activity", "Application Activity")
_FINDING = _Class(2004, "Detection Finding", "Findings")


class _Row(NamedTuple):
    """What an action is: its class, the activity's number there (99: none fits), and how grave it is when it is done."""

    kind: _Class
    activity: int
    severity: int = _INFORMATIONAL


_TABLE: Mapping[str, _Row] = {
    "login": _Row(_LOGIN, 1),
    "oidc.login": _Row(_LOGIN, 1),
    "step_up": _Row(_LOGIN, 1),
    "recovery_code.use": _Row(_LOGIN, 1, _MEDIUM),
    "logout": _Row(_LOGIN, 2),
    "session.end": _Row(_LOGIN, 2),
    "token.issue": _Row(_LOGIN, _OTHER),
    "token.use": _Row(_LOGIN, 1),
    "api_key.use": _Row(_LOGIN, 1),
    "enrol.link": _Row(_ACCOUNT, 1, _LOW),
    "enrol.use": _Row(_ACCOUNT, 2, _LOW),
    "password.change": _Row(_ACCOUNT, 3, _LOW),
    "totp.add": _Row(_ACCOUNT, 10, _LOW),
    "totp.remove": _Row(_ACCOUNT, 11, _MEDIUM),
    "passkey.add": _Row(_ACCOUNT, 10, _LOW),
    "passkey.remove": _Row(_ACCOUNT, 11, _MEDIUM),
    "recovery_codes.make": _Row(_ACCOUNT, 10, _LOW),
    "account.lock": _Row(_ACCOUNT, 9, _MEDIUM),
    "account.unlock": _Row(_ACCOUNT, 2, _LOW),
    "client.register": _Row(_ENTITY, 1, _LOW),
    "client.remove": _Row(_ENTITY, 4, _LOW),
    "token.revoke": _Row(_ENTITY, 4, _LOW),
    "api_key.make": _Row(_ENTITY, 1, _LOW),
    "api_key.revoke": _Row(_ENTITY, 4, _LOW),
    "certificate.issue": _Row(_ENTITY, 1, _LOW),
    "certificate.revoke": _Row(_ENTITY, 4, _MEDIUM),
    "key.rotate": _Row(_ENTITY, 3, _LOW),
    "key.revoke": _Row(_ENTITY, 4, _HIGH),
    "key.destroy": _Row(_ENTITY, 4, _MEDIUM),
    "data.keys_rotated": _Row(_ENTITY, 3, _LOW),
    "root.split": _Row(_ENTITY, 3, _MEDIUM),
    "root.recover": _Row(_ENTITY, 3, _HIGH),
    "permission.check": _Row(_API, _OTHER),
    "break_glass.open": _Row(_ACCESS, 3, _HIGH),
    "break_glass.end": _Row(_ACCESS, 4, _LOW),
    "data.key_unwrapped": _Row(_DATA, 10, _LOW),
    "data.reidentified": _Row(_DATA, 10, _MEDIUM),
    "data.disposed": _Row(_DATA, 7, _LOW),
    "data.corrected": _Row(_DATA, 2),
    "data.redacted": _Row(_DATA, 2),
    "subject.erasure_begun": _Row(_DATA, 7, _LOW),
    "environment.accept": _Row(_LIFE, 1, _LOW),
    "environment.compare": _Row(_LIFE, _OTHER, _MEDIUM),
    "ledger.recovered": _Row(_FINDING, 1, _HIGH),
    "alert.raise": _Row(_FINDING, 1, _HIGH),
}
_OF_NOUN = {"data": _Row(_DATA, _OTHER), "subject": _Row(_DATA, _OTHER), "people": _Row(_ACCESS, _OTHER, _LOW)}
_USUAL = _Row(_API, _OTHER)


def ocsf_of(seen: Seen) -> dict[str, Any]:
    """The event as an OCSF object, ready for JSON.

    The attributes every class requires, and those that its own class requires; times in milliseconds since 1970 (UTC).
    """
    row = _TABLE.get(seen.action) or _OF_NOUN.get(seen.action.split(".", 1)[0], _USUAL)
    kind = row.kind
    event: dict[str, Any] = {
        "activity_id": row.activity,
        "category_uid": kind.uid // 1000,
        "category_name": kind.category,
        "class_uid": kind.uid,
        "class_name": kind.name,
        "type_uid": kind.uid * 100 + row.activity,
        "time": round(seen.at.astimezone(UTC).timestamp() * 1000),
        "severity_id": _severity(seen, row),
        "status_id": _SUCCESS if seen.outcome == "done" else _FAILURE,
        "message": f"{seen.action} {seen.outcome}",
        "metadata": {
            "version": _SCHEMA,
            "product": {"name": "Sealwright", "vendor_name": "Sealwright", "version": VERSION},
            "uid": seen.uid,
            "log_name": seen.origin,
            "sequence": seen.index,
            "event_code": seen.action,
        },
    }
    if row.activity == _OTHER:
        event["activity_name"] = seen.action
    if seen.reason:
        event["status_detail"] = seen.reason
    if seen.request:
        event["metadata"]["correlation_uid"] = seen.request
    if seen.source:
        event["src_endpoint"] = {"uid": seen.source}
    return event | _OF_CLASS[kind.uid](seen)


def _severity(seen: Seen, row: _Row) -> int:
    if row.kind is _FINDING:
        return {"low": _LOW, "medium": _MEDIUM, "high": _HIGH, "critical": _CRITICAL}.get(
            str(seen.detail.get("severity", "")), row.severity
        )
    return max(row.severity, _LOW if seen.outcome != "done" else _INFORMATIONAL)


def _user(seen: Seen) -> dict[str, Any]:
    return {"uid": seen.actor or "unknown"}


def _actor(seen: Seen) -> dict[str, Any]:
    return {"actor": {"user": _user(seen)}}


def _source(seen: Seen) -> dict[str, Any]:
    return {"src_endpoint": {"uid": seen.source or "local"}}


def _resource(seen: Seen) -> dict[str, Any]:
    return {"uid": seen.subject or "none"}


def _login(seen: Seen) -> dict[str, Any]:
    return {"user": _user(seen), "service": {"name": "sealwright"}}


def _account(seen: Seen) -> dict[str, Any]:
    return _actor(seen) | {"user": {"uid": seen.subject or seen.actor or "unknown"}}


def _entity(seen: Seen) -> dict[str, Any]:
    return _actor(seen) | {"entity": {"uid": seen.subject or "none", "type": seen.action.split(".", 1)[0]}}


def _access(seen: Seen) -> dict[str, Any]:
    return _actor(seen) | {"user": {"uid": seen.subject or "unknown"}, "resources": [_resource(seen)]}


def _life(seen: Seen) -> dict[str, Any]:
    return _actor(seen) | {"app": {"name": "Sealwright", "vendor_name": "Sealwright", "version": VERSION}}


def _api(seen: Seen) -> dict[str, Any]:
    return _actor(seen) | _source(seen) | {"api": {"operation": seen.action}, "resources": [_resource(seen)]}


def _data(seen: Seen) -> dict[str, Any]:
    return (
        _actor(seen)
        | _source(seen)
        | {"databucket": {"uid": seen.subject or "none", "type": "snapshot", "type_id": _OTHER}}
    )


def _finding(seen: Seen) -> dict[str, Any]:
    title = seen.reason or seen.action
    return {
        "is_alert": True,
        "finding_info": {"uid": seen.uid, "title": title, "types": [seen.action]},
        "resources": [_resource(seen)],
    }


_OF_CLASS = {
    _ACCOUNT.uid: _account,
    _LOGIN.uid: _login,
    _ENTITY.uid: _entity,
    _ACCESS.uid: _access,
    _LIFE.uid: _life,
    _API.uid: _api,
    _DATA.uid: _data,
    _FINDING.uid: _finding,
}
