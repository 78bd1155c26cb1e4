"""Three Consul servers on the loopback."""

import json
import signal
import subprocess
import time

from consul import Consul, find_binary, free_ports


class Server(Consul):
    """One of them; has everything that a Consul of the other tests has."""

    def __init__(self, folder, name, ports, join):  # not the parent's: it starts a dev agent
        self.folder, self.token, self.name = folder, None, name
        folder.mkdir()
        self.port, server, self.serf = ports
        config = {
            "node_name": name, "server": True, "bootstrap_expect": 3, "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1", "data_dir": str(folder / "data"), "retry_join": join,
            "retry_interval": "1s", "disable_update_check": True, "log_level": "warn",
            "performance": {"raft_multiplier": 1}, "leave_on_terminate": False,
            "ports": {"http": self.port, "dns": -1, "grpc": -1, "server": server,
                      "serf_lan": self.serf, "serf_wan": -1},
        }
        (folder / "agent.json").write_text(json.dumps(config))
        with open(folder / "agent.log", "ab") as log:
            self.child = subprocess.Popen(
                [find_binary(), "agent", f"-config-file={folder / 'agent.json'}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"HOME": str(folder)})


class Cluster:
    def __init__(self, folder):
        ports = free_ports(9)
        join = [f"127.0.0.1:{p}" for p in ports[2::3]]
        self.servers = [Server(folder / f"s{n}", f"s{n}", ports[3 * n:3 * n + 3], join)
                        for n in range(3)]
        self.until(lambda: all(self._is_ready(s) for s in self.servers))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()

    def until(self, condition, seconds=40.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "\n".join(s.log()[-1500:] for s in self.servers)
            time.sleep(0.05)

    def _is_ready(self, server):
        try:
            return server.get("/v1/status/leader") and len(server.get("/v1/catalog/nodes")) >= 3
        except (OSError, ValueError):
            return False

    def leader(self):
        """The server that leads; waits for one."""
        found = []

        def look():
            for server in self.servers:
                try:
                    if server.child and server.get("/v1/agent/self")["Stats"]["consul"]["leader"] == "true":
                        found.append(server)
                except (OSError, ValueError, KeyError):
                    pass
            return found
        self.until(look)
        return found[0]

    @staticmethod
    def kill(server):
        server.child.send_signal(signal.SIGKILL)
        server.child.wait()
        server.child = None
