"""Ties a process to its parent's life: web workers and job workers must not outlive the server that forked them."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def bind_to_parent(parent: int | None) -> None:
    """Die with the process `parent`, even when it is killed without a chance to say so.

    Only where the launcher asks for it (KEEL_SUPERVISED); a container's runtime looks after its own. Call it from
    the process's main thread. Does nothing when `parent` is None, in a process that nobody forked.
    """
    if parent is None or "KEEL_SUPERVISED" not in os.environ:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)
