"""A SLURM controller and a node on this host, from Debian's packages; needs root.

python tests/slurm/cluster.py start FOLDER     prints the path of slurm.conf
python tests/slurm/cluster.py stop FOLDER
python tests/slurm/cluster.py restart-node FOLDER
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=cred_expire=30
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=60
KillWait=20
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""
PACKAGES = "slurm-wlm and munge"


def available():
    """Says whether the programs are installed and may be started."""
    programs = ("slurmctld", "slurmd", "munged", "sbatch")
    return os.geteuid() == 0 and all(shutil.which(name) for name in programs)


def environment(folder):
    """Returns the variables that SLURM's commands need."""
    return {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}


def start(folder):
    """Starts munge, the controller and the node; returns when the node is idle."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", "spool"):
        (folder / name).mkdir(exist_ok=True)
    text = CONF.format(
        host=socket.gethostname().split(".")[0],
        folder=folder,
        cores=os.cpu_count(),
        ports=_free_ports(2),
    )
    (folder / "slurm.conf").write_text(text)
    _start_munge()
    _call(folder, "slurmctld")
    start_node(folder)


def _free_ports(count):
    """Returns ports that nothing listens on: clusters of several test workers live side by side."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_node(folder):
    """Starts the node, and returns when it is idle or at work."""
    _call(folder, "slurmd")
    deadline = time.monotonic() + 60
    while True:
        found = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], env=environment(folder), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if found.stdout.strip() in ("idle", "mixed", "allocated"):
            return
        if time.monotonic() > deadline:
            logs = "".join((folder / f"{name}.log").read_text() for name in ("slurmctld", "slurmd"))
            raise RuntimeError(f"the node did not come up: {found.stdout} {found.stderr}\n{logs}")
        time.sleep(0.5)


def _start_munge():
    """Starts munge as its own user, where it does not run yet."""
    if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
        return
    user = pwd.getpwnam("munge")
    for place in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
        Path(place).mkdir(parents=True, exist_ok=True)
        os.chown(place, user.pw_uid, user.pw_gid)
    subprocess.run(["runuser", "-u", "munge", "--", shutil.which("munged")], check=True)


def _call(folder, program):
    """Starts a daemon, which goes into the background by itself."""
    subprocess.run([program], env=environment(folder), check=True)


def stop_node(folder):
    """Stops the node's daemon; what it runs goes on."""
    _end(folder / "slurmd.pid")


def stop(folder):
    """Stops all jobs, the node and the controller."""
    subprocess.run(
        ["scancel", "--user=root"], env=environment(folder), capture_output=True, check=False
    )
    time.sleep(1)
    for name in ("slurmd", "slurmctld"):
        _end(folder / f"{name}.pid")


def _end(path):
    """Ends the daemon of a file of a process's number, and waits for it."""
    try:
        number = int(path.read_text())
        os.kill(number, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and Path(f"/proc/{number}").exists():
        time.sleep(0.1)


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2]).absolute()
    if what == "start":
        start(place)
        print(place / "slurm.conf")
    elif what == "restart-node":
        stop_node(place)
        start_node(place)
    else:
        stop(place)
