"""Who makes the shards: this process, or workers of joblib on this machine (loky) or on a cluster (Dask, Ray).

What goes to a worker is the plan, the folder and a shard's number; what comes back is a number. Workers write into the folder
themselves, so on a cluster it must be one that all of them see under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Literal

from simulator.errors import WsyncsimError
from wsyncsim.corpus.extras import need
from wsyncsim.corpus.shard import make_shard

Backend = Literal["loky", "dask", "ray"]
IDLE_S = 10
"""After this time without work a worker ends, so that none outlives a process that was killed."""
BATCHES = 16
"""Shards for each worker of Ray between two looks at the progress."""
BACKENDS: tuple[Backend, ...] = ("loky", "dask", "ray")


class BackendError(WsyncsimError):
    """The workers cannot be had."""


def check(backend: str, address: str | None, workers: int) -> None:
    """Raise a ``WsyncsimError`` for what cannot work, before anything is done."""
    if backend not in BACKENDS:
        raise BackendError(f"there is no backend {backend!r}", where="--backend", hint=f"One of {', '.join(BACKENDS)}")
    if address is not None and backend == "loky":
        raise BackendError("loky works on this machine only", where="--address", hint="Add --backend dask or --backend ray")
    if workers < 1:
        raise BackendError(f"{workers} workers make nothing", where="--workers", hint="Use 1 or more")
    if backend == "dask":
        need("distributed", "cluster", "the backend dask")
    if backend == "ray":
        need("ray", "ray", "the backend ray")
    if backend != "loky" or workers > 1:
        need("joblib", "data" if backend == "loky" else "cluster", "more than one worker")


def make_all(plan: bytes, out: str, numbers: Sequence[int], *, workers: int, backend: str, address: str | None) -> Iterator[int]:
    """Make the shards of these numbers; yields the runs of each as it is finished, in any order."""
    if backend == "loky" and workers == 1:
        for number in numbers:
            yield make_shard(plan, out, number)
        return
    joblib = need("joblib", "data", "more than one worker")
    with ExitStack() as stack:
        if backend == "loky":
            stack.callback(lambda: need("joblib.externals.loky", "data", "more than one worker").get_reusable_executor().shutdown())
        options = _connect(stack, backend, address, workers)
        stack.enter_context(joblib.parallel_config(backend=backend, **options))
        jobs = workers if backend == "loky" else -1
        if backend == "ray":  # joblib cannot get its results one by one
            parallel = joblib.Parallel(n_jobs=jobs, batch_size=1)
            size = BATCHES * joblib.effective_n_jobs(jobs)
            batches = [numbers[first : first + size] for first in range(0, len(numbers), size)]
        else:
            parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
            batches = [numbers]
        for batch in batches:
            yield from parallel(joblib.delayed(make_shard)(plan, out, number) for number in batch)


def _connect(stack: ExitStack, backend: str, address: str | None, workers: int) -> dict[str, Any]:
    """A client of the cluster, or a cluster on this machine when no address is given."""
    if backend == "dask":
        distributed = need("distributed", "cluster", "the backend dask")
        where = address or stack.enter_context(
            distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
        )
        try:
            stack.enter_context(distributed.Client(where))
        except OSError as error:
            raise BackendError(f"no Dask scheduler answers: {error}", where=address or "", hint="Is it running?") from None
    if backend == "ray":
        ray = need("ray", "ray", "the backend ray")
        need("ray.util.joblib", "ray", "the backend ray").register_ray()
        ray.init(address=address, num_cpus=None if address else workers, ignore_reinit_error=True)
        stack.callback(ray.shutdown)
    return {"idle_worker_timeout": IDLE_S} if backend == "loky" else {}
