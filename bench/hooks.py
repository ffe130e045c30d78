"""How fast hooks answer, and how exact their calls are: each kind's lifelike calls over HTTP."""

from bench.installation import Installation


def report(installation: Installation, calls: int) -> None:
    print(f"\nHooks: {calls} calls a kind with repeats, delays and any order; a server of its own")
    found = "from calls.simulation import builders; print(*builders())"
    for kind in installation.manage("shell", "-v0", "-c", found).split():
        output = installation.manage(
            "simulate_provider",
            kind,
            "--chaos",
            f"--calls={calls}",
            f"--url=http://127.0.0.1:{installation.port}",
        )
        exact, _, answered = output.strip().splitlines()[-3:]
        print(f"  {kind}: {exact}; {answered}", flush=True)
