"""The cheapest allowed way is taken, the dearer ones only when it fails; answers are remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lockset.errors import LocksetError
from lockset.metadata.retrieve import Retriever, StrategyKind, best_file, strategies
from support.builders.core_metadata import core_metadata
from support.builders.pages import PageFile
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.fakes.fake_files import FakeBuilder, FakeFiles, InlineTasks, MemoryStore
from support.fakes.fake_index import detail_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import RemoteCall
    from support.builders.archives import Artifact

WHEEL = make_wheel(requires_dist=["a>=1"])
SDIST = make_sdist(requires_dist=["a>=1"])
DYNAMIC = make_sdist(requires_dist=["a>=1"], dynamic=["Requires-Dist"])


def files_of(*artifacts: Artifact, **changes: Any) -> tuple[DistributionFile, ...]:
    detail = detail_of("sample", [PageFile.of(artifact, **changes) for artifact in artifacts])
    return detail.files(detail.versions[0])


def named(*filenames: str, **changes: Any) -> tuple[DistributionFile, ...]:
    shown = [
        PageFile(filename=name, url=f"https://x.example.org/{name}", hashes={"sha256": "0" * 64}, **changes)
        for name in filenames
    ]
    detail = detail_of("sample", shown)
    return detail.files(detail.versions[0])


def retriever(files: FakeFiles, **parts: Any) -> Retriever:
    given: dict[str, Any] = {"store": MemoryStore(), "tasks": InlineTasks()} | parts
    return Retriever(files, **given)


def holding(*artifacts: Artifact, **facts: Any) -> FakeFiles:
    return FakeFiles(contents={artifact.filename: artifact.content for artifact in artifacts}, **facts)


def test_a_promised_metadata_file_whose_hash_fits_is_enough() -> None:
    files = FakeFiles(metadata={WHEEL.filename: WHEEL.metadata})
    result = retriever(files).metadata(files_of(WHEEL, metadata={"sha256": WHEEL.metadata_sha256}))
    assert (result.requires_dist, result.origin) == (("a>=1",), "metadata-file")
    assert files.asked == [f"metadata-file {WHEEL.filename}"]


def test_a_metadata_file_whose_hash_does_not_fit_is_refused() -> None:
    files = holding(WHEEL, metadata={WHEEL.filename: WHEEL.metadata + b" "})
    with pytest.raises(LocksetError) as caught:
        retriever(files).metadata(files_of(WHEEL, metadata={"sha256": WHEEL.metadata_sha256}))
    assert caught.value.diagnostic.code == "hash-mismatch"


def test_a_promised_metadata_file_of_another_release_is_refused() -> None:
    other = core_metadata("sample", "2.0").encode()
    files = holding(WHEEL, metadata={WHEEL.filename: other})
    with pytest.raises(LocksetError) as caught:
        retriever(files).metadata(files_of(WHEEL, metadata=True))
    assert caught.value.diagnostic.code == "metadata-invalid"


@pytest.mark.parametrize(
    "answer", [b"<html>", core_metadata("sample", "2.0").encode(), core_metadata("b", "1").encode()]
)
def test_an_unpromised_metadata_file_that_does_not_fit_is_passed_over(answer: bytes) -> None:
    files = holding(WHEEL, metadata={WHEEL.filename: answer})
    assert retriever(files).metadata(files_of(WHEEL)).origin == "wheel"


def test_without_a_metadata_file_pieces_of_the_wheel_are_read() -> None:
    files = holding(WHEEL)
    assert retriever(files).metadata(files_of(WHEEL)).requires_dist == ("a>=1",)
    assert files.asked == [f"metadata-file {WHEEL.filename}", f"pieces {WHEEL.filename}"]


def test_without_pieces_the_whole_wheel_is_read() -> None:
    files = holding(WHEEL, ranges=False)
    assert retriever(files).metadata(files_of(WHEEL)).requires_dist == ("a>=1",)
    assert files.asked[-1] == f"whole {WHEEL.filename}"


def test_a_file_without_a_strong_hash_is_read_whole_only() -> None:
    files = holding(WHEEL, metadata={WHEEL.filename: core_metadata("sample", "1.0").encode()})
    result = retriever(files).metadata(files_of(WHEEL, hashes={"md5": "0" * 32}))
    assert result.requires_dist == ("a>=1",)
    assert files.asked == [f"whole {WHEEL.filename}"]


def test_a_damaged_wheel_is_read_as_a_whole_and_refused() -> None:
    files = FakeFiles(contents={WHEEL.filename: b"damaged"})
    with pytest.raises(LocksetError) as caught:
        retriever(files).metadata(files_of(WHEEL))
    assert caught.value.diagnostic.code == "metadata-invalid"
    assert files.asked[-1] == f"whole {WHEEL.filename}"


def test_an_sdist_is_not_touched_where_there_is_a_wheel() -> None:
    files = holding(WHEEL, SDIST)
    retriever(files, builder=FakeBuilder(b"")).metadata(files_of(SDIST, WHEEL))
    assert all(WHEEL.filename in requests for requests in files.asked)


def test_a_static_sdist_is_not_built() -> None:
    builder = FakeBuilder(b"")
    result = retriever(holding(SDIST), builder=builder).metadata(files_of(SDIST))
    assert (result.requires_dist, result.origin, builder.built) == (("a>=1",), "sdist", [])


def test_an_sdist_that_promises_nothing_is_built() -> None:
    builder = FakeBuilder(core_metadata("sample", "1.0", requires_dist=["a>=1"]).encode())
    result = retriever(holding(DYNAMIC), builder=builder).metadata(files_of(DYNAMIC))
    assert (result.requires_dist, result.origin, builder.built) == (("a>=1",), "built", [DYNAMIC.filename])


def test_without_builds_the_refusal_says_so() -> None:
    with pytest.raises(LocksetError) as caught:
        retriever(holding(DYNAMIC)).metadata(files_of(DYNAMIC))
    assert caught.value.diagnostic.code == "build-needed"
    assert caught.value.diagnostic.hint


def test_a_build_with_another_version_is_refused() -> None:
    builder = FakeBuilder(core_metadata("sample", "2.0").encode())
    with pytest.raises(LocksetError) as caught:
        retriever(holding(DYNAMIC), builder=builder).metadata(files_of(DYNAMIC))
    assert caught.value.diagnostic.code == "metadata-invalid"


def test_answers_are_remembered_in_the_run_and_across_runs() -> None:
    files, store = holding(WHEEL), MemoryStore()
    first = retriever(files, store=store)
    result = first.metadata(files_of(WHEEL))
    requests = len(files.asked)
    assert first.metadata(files_of(WHEEL)) is result
    assert retriever(files, store=store).metadata(files_of(WHEEL)) == result
    assert len(files.asked) == requests


def test_an_answer_belongs_to_its_place() -> None:
    files, store = holding(WHEEL), MemoryStore()
    retriever(files, store=store).metadata(files_of(WHEEL))
    requests = len(files.asked)
    retriever(files, store=store).metadata(files_of(WHEEL, url=f"https://elsewhere.example.org/{WHEEL.filename}"))
    assert len(files.asked) > requests, "one index must not tell the metadata of another one's file"


def test_a_remembered_answer_that_is_damaged_is_learned_anew() -> None:
    files, store = holding(WHEEL), MemoryStore()
    retriever(files, store=store).metadata(files_of(WHEEL))
    for key in store.entries:
        store.entries[key] = b"{}"
    assert retriever(files, store=store).metadata(files_of(WHEEL)).requires_dist == ("a>=1",)


def test_a_hint_learns_cheaply_and_once() -> None:
    files, tasks = holding(WHEEL), InlineTasks()
    source = retriever(files, tasks=tasks)
    for _ in range(3):
        source.hint(files_of(WHEEL))
    assert source.metadata(files_of(WHEEL)).requires_dist == ("a>=1",)
    source.hint(files_of(WHEEL))
    assert (tasks.started, len(files.asked)) == (1, 2)


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_no_hint_announced_is_left_to_other_processes_if_there_are_any(*, is_shared: bool) -> None:
    files, tasks = holding(WHEEL), InlineTasks(is_shared=is_shared)
    source = retriever(files, tasks=tasks)
    assert source.metadata(files_of(WHEEL)).requires_dist == ("a>=1",)
    assert source.metadata(files_of(WHEEL)).requires_dist == ("a>=1",)
    assert (tasks.started, len(files.asked)) == (is_shared, 2)


class RecordingTasks(InlineTasks):
    """Keeps what another process would be given."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: dict[str, Callable[[Any], Any]] = {}
        self.remote: list[RemoteCall[Any] | None] = []

    def start(self, call: Any, after: Any = None, remote: RemoteCall[Any] | None = None) -> Any:
        self.remote.append(remote)
        return super().start(call, after, remote)

    def offer(self, kind: str, function: Callable[[Any], Any]) -> None:
        self.offered[kind] = function


def test_another_process_reads_pieces_once_nothing_else_is_to_be_tried() -> None:
    files, tasks = holding(WHEEL), RecordingTasks()
    files.pieces_alone = True
    source = retriever(files, tasks=tasks)
    source.hint(tuple(file._replace(size=1000) for file in files_of(WHEEL)))
    (remote,) = tasks.remote
    assert remote is not None
    assert remote.read(tasks.offered[remote.kind](remote.argument)).requires_dist == ("a>=1",)
    assert files.asked == [f"pieces {WHEEL.filename}"]


@pytest.mark.parametrize(
    ("pieces_alone", "shown"),
    [
        pytest.param(False, {"size": 1000}, id="the server is not known"),
        pytest.param(True, {"size": None}, id="the size is not known"),
        pytest.param(True, {"size": 1000, "stated_hashes": {}}, id="there is no hash"),
    ],
)
def test_another_process_reads_no_pieces_otherwise(*, pieces_alone: bool, shown: dict[str, Any]) -> None:
    files, tasks = holding(WHEEL), RecordingTasks()
    files.pieces_alone = pieces_alone
    source = retriever(files, tasks=tasks)
    source.hint(tuple(file._replace(**shown) for file in files_of(WHEEL)))
    assert tasks.remote == [None]


def test_a_hint_downloads_and_builds_nothing() -> None:
    builder = FakeBuilder(core_metadata("sample", "1.0").encode())
    files = holding(DYNAMIC)
    source = retriever(files, builder=builder)
    source.hint(files_of(DYNAMIC))
    source._pending.popitem()[1].result()
    assert (files.asked, builder.built) == ([], [])


def test_after_a_hint_that_found_nothing_cheap_the_dear_ways_follow() -> None:
    files = holding(WHEEL, ranges=False)
    source = retriever(files)
    source.hint(files_of(WHEEL))
    assert source.metadata(files_of(WHEEL)).origin == "wheel"
    assert files.asked == [
        f"metadata-file {WHEEL.filename}",
        f"pieces {WHEEL.filename}",
        f"whole {WHEEL.filename}",
    ]


def test_no_files_have_no_metadata() -> None:
    source = retriever(FakeFiles())
    source.hint(())
    with pytest.raises(LocksetError):
        source.metadata(())


@pytest.mark.parametrize(
    "ordered",
    [
        ("sample-1-py3-none-any.whl", "sample-1-cp313-cp313-manylinux_2_28_x86_64.whl"),
        ("sample-1-py2.py3-none-any.whl", "sample-1-cp313-cp313-win_amd64.whl"),
        ("sample-1-cp313-cp313-manylinux_2_28_x86_64.whl", "sample-1-cp312-cp312-manylinux_2_28_x86_64.whl"),
        ("sample-1-cp39-cp39-manylinux_2_28_x86_64.whl", "sample-1-cp313-cp313-manylinux_2_28_aarch64.whl"),
        ("sample-1-cp39-abi3-manylinux2014_x86_64.whl", "sample-1-cp313-cp313-musllinux_1_2_x86_64.whl"),
        ("sample-1-cp313-cp313-macosx_11_0_arm64.whl", "sample-1-cp313-cp313-win_amd64.whl"),
        ("sample-1-cp313-cp313-win_amd64.whl", "sample-1-cp313-cp313-emscripten_3_1_wasm32.whl"),
        ("sample-1-cp312-cp312-win_amd64.whl", "sample-1-pp310-pypy310_pp73-win_amd64.whl"),
        ("sample-1-py3-none-any.whl", "sample-1-py2-none-any.whl"),
        ("sample-1-cp39-cp39-win_amd64.whl", "sample-1-py2-none-any.whl"),
        ("sample-1-cp39-cp39-win_amd64.whl", "sample-1-cp27-cp27mu-manylinux1_x86_64.whl"),
    ],
)
def test_the_most_widely_usable_wheel_speaks(ordered: tuple[str, str]) -> None:
    assert best_file(named(*reversed(ordered))).filename == ordered[0]


def test_a_wheel_with_promised_metadata_speaks_before_all_others() -> None:
    plain = named("sample-1-py3-none-any.whl")
    promised = named("sample-1-cp313-cp313-win_amd64.whl", metadata=True)
    assert best_file((*plain, *promised)).filename == "sample-1-cp313-cp313-win_amd64.whl"
    old = named("sample-1-py2-none-any.whl", metadata=True)
    assert best_file((*plain, *old)).filename == "sample-1-py3-none-any.whl"


def test_ways_come_in_order_of_cost() -> None:
    order = list(StrategyKind)
    for artifact in (WHEEL, SDIST):
        kinds = [order.index(way.kind) for way in strategies(files_of(artifact, metadata=True), build=True)]
        assert kinds == sorted(kinds)


def test_a_build_ahead_is_made_once_and_stored() -> None:
    files, builder, store = holding(DYNAMIC), FakeBuilder(core_metadata("sample", "1.0").encode()), MemoryStore()
    tasks, release = InlineTasks(), files_of(DYNAMIC)
    own = retriever(files, builder=builder, builds=tasks, store=store)
    own.build_ahead(release)
    own.build_ahead(release)
    assert tasks.started == 1
    assert own.metadata(release).origin == "built"
    assert builder.built == [DYNAMIC.filename]
    again = retriever(files, builder=builder, builds=tasks, store=store)
    again.build_ahead(release)
    assert tasks.started == 1
    assert again.metadata(release).origin == "built"
    assert builder.built == [DYNAMIC.filename]


def test_nothing_is_built_ahead_where_builds_are_off() -> None:
    tasks = InlineTasks()
    retriever(holding(DYNAMIC), builds=tasks).build_ahead(files_of(DYNAMIC))
    assert tasks.started == 0
