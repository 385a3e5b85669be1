"""The loop waits for disk and signer itself while they are quick: hiccups change nothing, stalls and slow disks do."""

from sealwright.serving.recording_pace import RecordingPace


def _waited(pace: RecordingPace, *seconds: float, at: float = 0.0) -> float:
    for one in seconds:
        at += one
        pace.waited_here(one, at)
    return at


def test_quick_commits_and_a_hiccup_now_and_then_are_waited_for_here() -> None:
    pace = RecordingPace()
    now = _waited(pace, *([0.0003] * 60 + [0.05]) * 20)
    assert pace.here(now)


def test_one_stall_is_enough_to_wait_elsewhere_for_a_second() -> None:
    pace = RecordingPace()
    now = _waited(pace, *[0.0003] * 50, 0.2)
    assert not pace.here(now + 0.9)
    assert pace.here(now + 1.1)


def test_a_disk_that_is_slow_every_time_is_not_waited_for_here() -> None:
    pace = RecordingPace()
    now = _waited(pace, *[0.008] * 10)
    assert not pace.here(now)


def test_the_loop_does_not_try_again_while_the_thread_finds_them_slow() -> None:
    slow, quick = RecordingPace(), RecordingPace()
    for pace, seconds in ((slow, 0.05), (quick, 0.004)):
        now = _waited(pace, 0.2)
        until = now + 2.5
        while now < until:
            now += seconds
            pace.took_there(seconds, now)
    assert not slow.here(now)
    assert quick.here(now)


def test_a_stall_of_the_thread_keeps_the_loop_away_from_it() -> None:
    pace = RecordingPace()
    now = _waited(pace, 0.2) + 0.99
    pace.took_there(0.3, now)
    assert not pace.here(now + 0.9)
