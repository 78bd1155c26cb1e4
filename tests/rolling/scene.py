"""The example with the stand-in, in an engine of its own (with-engine.sh), and a resolver with a cache in front of its DNS.

Everything runs in the engine's network: the containers' addresses are reached as a client on their network reaches them.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import question  # noqa: E402

NAME, SERVICE, TTL = "www.example.com", "nginx", 30  # as docker-compose-standin.yml says
STANDIN = "10.53.8.53"
CONTROL = f"http://{STANDIN}:8053"
RESOLVER = ("127.0.0.1", 5353)

# A cache as resolvers are by default: TTLs as they come, and no answer kept longer or fetched earlier than they say.
UNBOUND = """server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    do-daemonize: no
    interface: {address}@{port}
    do-ip6: no
    do-not-query-localhost: no
    access-control: 127.0.0.0/8 allow
    module-config: "iterator"
    cache-min-ttl: 0
    cache-max-ttl: 86400
    prefetch: no
    serve-expired: no
    rrset-roundrobin: yes
    num-threads: 1
remote-control:
    control-enable: no
stub-zone:
    name: "example.com"
    stub-addr: {standin}@53
"""


class Failed(Exception):
    pass


def wait_for(what, seconds, test):
    """What test() returns once it is true; it may raise OSError until then."""
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            found = test()
            if found:
                return found
        if time.monotonic() > until:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def command(*args, timeout=120, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=timeout,
                          check=False, **more)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, args))}: exit code {done.returncode}\n"
                     f"{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def docker(*args, **more):
    return command("docker", *args, **more)


def control(path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(CONTROL + path, data, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def published(server=(STANDIN, 53)):
    """The addresses that a DNS server answers, sorted."""
    query = question.ask(NAME, recursion=server != (STANDIN, 53))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(1)
        udp.connect(server)
        udp.send(query)
        try:
            return sorted(address for address, _ in question.read(udp.recv(4096), query))
        except ValueError:  # NXDOMAIN
            return []


class Scene:
    """From construction to the end of the with statement; `log` tells what happened when."""

    def __init__(self):
        self.root = Path(os.environ["ENGINE_DIR"]) / "project"
        self.examples = self.root / "examples"
        self.resolver = self.watcher = None
        self.compose_files = ["docker-compose-standin.yml"]
        self.events = []  # (seconds since the epoch, kind, text)
        self.answers = []  # (seconds since the epoch, addresses of the zone's own server)
        self.over = threading.Event()
        # A copy: start.sh writes into the folder.
        tree = Path(os.environ["ENGINE_TREE"])
        for part in ("examples", "tests/cloudflare"):
            shutil.copytree(tree / part, self.root / part, ignore=shutil.ignore_patterns(".env"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.watcher:
            self.watcher.join()
        if self.resolver:
            self.resolver.terminate()
            self.resolver.wait(10)

    def log(self, kind, text):
        self.events.append((time.time(), kind, text))
        print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)

    def compose(self, *args, **more):
        files = [word for name in self.compose_files for word in ("-f", name)]
        return command("docker-compose", *files, *args, cwd=self.examples, **more)

    def containers(self, service=SERVICE):
        """{id: address} of those that run."""
        found = {}
        for name in self.compose("ps", "-q", service).split():
            [state] = json.loads(docker("inspect", name))
            if state["State"]["Running"]:
                [net] = state["NetworkSettings"]["Networks"].values()
                found[name] = net["IPAddress"]
        return found

    def start(self):
        command("make", ".env", cwd=self.examples)
        print(command("./start.sh", "-f", "docker-compose-standin.yml", cwd=self.examples,
                      timeout=300), flush=True)
        self._start_resolver()
        self.watcher = threading.Thread(target=self._watch)
        self.watcher.start()
        self.scale(3)

    def scale(self, n):
        """So many, and all of them in DNS."""
        self.compose("up", "-d", "--no-deps", "--no-recreate", "--scale", f"{SERVICE}={n}", SERVICE)
        self.wait_published()

    def wait_published(self):
        wait_for("DNS has what runs", 90,
                 lambda: sorted(self.containers().values()) == published())

    def _start_resolver(self):
        folder = self.root / "unbound"
        folder.mkdir()
        address, port = RESOLVER
        (folder / "unbound.conf").write_text(
            UNBOUND.format(folder=folder, address=address, port=port, standin=STANDIN))
        with open(folder / "log", "wb") as log:
            self.resolver = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unbound", "-d", "-p", "-c",
                 folder / "unbound.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the resolver answers", 20, lambda: published(RESOLVER) is not None)

    def _watch(self):
        while not self.over.wait(0.25):
            try:
                now = published()
            except OSError:
                continue
            if not self.answers or self.answers[-1][1] != now:
                self.answers.append((time.time(), now))

    # -- what is done to it

    def kill(self, container):
        """SIGKILL to its first process, behind the engine's back: so its restart policy holds."""
        pid = docker("inspect", "-f", "{{.State.Pid}}", container).strip()
        command("nsenter", f"--pid=/proc/{os.environ['ENGINE_PID']}/ns/pid_for_children",
                "kill", "-9", pid)

    def one(self, service):
        """The container of a service that has one; Compose would take a second to tell."""
        return docker("ps", "-q", "-f", f"label=com.docker.compose.service={service}").strip()

    def restart_consul(self):
        docker("restart", "-t", "2", self.one("consul"))
        self.log("trouble", "Consul was restarted")

    def kill_watcher(self):
        self.kill(self.one("cloudflare"))
        self.log("trouble", "the container cloudflare was killed")

    def refuse_api(self, seconds=20):
        control("/faults", {"do": "status", "status": 503, "times": 0})
        self.log("trouble", f"Cloudflare's API answers 503 for {seconds} s")
        time.sleep(seconds)
        [rule] = control("/faults")
        control("/faults", method="DELETE")
        if not rule["hits"]:
            raise Failed("nobody called the API while it answered 503")
        self.log("trouble", f"the API answers again, after {rule['hits']} refusals")
